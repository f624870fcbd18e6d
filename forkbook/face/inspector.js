// The right side: what the selected checkpoint holds.

import { el } from "./dom.js";

export class Inspector {
  /** @param {import("./types.js").Context} context */
  constructor(context) {
    this.context = context;
    this.turn = 0;
    this.node = el("section", { class: "fb-inspector", tabindex: "0", "aria-label": "checkpoint" });
    context.on("selected", () => this.show());
    this.show();
  }

  async show() {
    const { model, source } = this.context;
    const mine = ++this.turn;
    const page = await source.show(model.get("selected"));
    if (mine === this.turn) this.node.replaceChildren(el("b", {}, page.title));
  }

  focus() {
    this.node.focus({ preventScroll: true });
  }

  edit() {
    this.focus();
  }
}
