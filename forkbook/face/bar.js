// The foot: what the last act did, and one main button.

import { el } from "./dom.js";

export class Bar {
  /** @param {import("./types.js").Context} context */
  constructor(context) {
    this.context = context;
    this.said = el("span", { class: "fb-said", role: "status" });
    this.run = el("button", { class: "fb-button fb-main" }, "Run from here ▸");
    this.node = el("footer", { class: "fb-bar" }, this.said, this.run);
  }

  /** @param {string} text @param {string} [tone] */
  say(text, tone = "") {
    this.said.replaceChildren(text);
    this.said.dataset.tone = tone;
  }

  focus() {
    this.run.focus();
  }
}
