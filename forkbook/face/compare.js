// Several checkpoints side by side, in the place of the inspector; chosen by marks in the tree.

import { drawBlocks } from "./blocks.js";
import { disable, errorText, focusOn, hint, holdsFocus, isDisabled } from "./controls.js";
import { el } from "./dom.js";

/** @typedef {import("./desk.js").Desk} Desk */

export class CompareView {
  /** @param {Desk} desk @param {() => void} onback */
  constructor(desk, onback) {
    this.desk = desk;
    this.turn = 0;
    this.back = el(
      "button",
      {
        class: "fb-button",
        onclick: () => {
          onback();
          desk.emit("compared");
        },
      },
      "← back",
    );
    this.body = el("div", { class: "fb-reading", tabindex: "0", role: "region", "aria-label": "comparison" });
    this.node = el(
      "div",
      { class: "fb-inspector-main", hidden: true },
      el(
        "header",
        { class: "fb-about fb-compare-head" },
        this.back,
        el("h3", { class: "fb-page-title" }, "Comparison"),
      ),
      this.body,
    );
    desk.context.on("marked", () => !this.node.hidden && this.draw());
  }
  open() {
    this.node.hidden = false;
    this.body.scrollTop = 0;
    this.draw();
    focusOn(this.back);
  }
  close() {
    this.node.hidden = true;
    this.turn++;
  }
  async draw() {
    const mine = ++this.turn,
      { model, source } = this.desk.context;
    const positions = model.get("marked") ?? [];
    if (positions.length < 2) {
      this.body.replaceChildren(
        el("p", { class: "fb-note" }, "Mark two or more checkpoints in the tree: press c on a row, or click its box."),
      );
      return;
    }
    try {
      const blocks = await source.ask("compare", { positions });
      if (mine === this.turn) this.body.replaceChildren(...drawBlocks({ desk: this.desk, page: null }, blocks));
    } catch (error) {
      if (mine === this.turn) this.body.replaceChildren(el("p", { class: "fb-note fb-error" }, "✗ ", errorText(error)));
    }
  }
}

/** The marked checkpoints as chips, and the button that compares them. */
export class CompareChips {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.node = el("div", { class: "fb-compare", role: "group", "aria-label": "compare" });
    this.chips = el("div", { class: "fb-marks" });
    this.button = el("button", { class: "fb-button", onclick: () => this.open() }, "Compare");
    this.clear = el(
      "button",
      {
        class: "fb-small",
        title: "take all marks away",
        onclick: () => {
          for (const position of desk.context.model.get("marked") ?? []) desk.context.actions.mark(position);
          this.button.focus();
        },
      },
      "clear",
    );
    this.node.append(hint("compare:"), this.chips, this.clear, this.button);
    desk.context.on("marked", () => this.draw());
    desk.context.source.on("reset", () => this.draw());
    desk.on("compared", () => this.button.focus());
    this.draw();
  }
  open() {
    if (isDisabled(this.button))
      this.desk.context.actions.say("mark two or more checkpoints in the tree: press c on a row, or click its box");
    else this.desk.emit("compare");
  }
  async draw() {
    const { model, source, actions } = this.desk.context,
      marked = /** @type {number[]} */ (model.get("marked") ?? []);
    const paint = () => {
      const had = holdsFocus(this.chips);
      this.chips.replaceChildren(
        ...(marked.length
          ? marked.map((position) => {
              const [text = "", , letter = ""] = source.known.get(position) ?? [];
              const name = letter || text || `checkpoint ${position}`;
              return el(
                "button",
                {
                  class: "fb-tag fb-mark-tag",
                  title: `${text}: take the mark away`,
                  "aria-label": `take the mark of ${name} away`,
                  onclick: () => actions.mark(position),
                },
                el("span", { dir: "auto" }, name),
                " ✕",
              );
            })
          : [hint("c marks a row")]),
      );
      this.button.replaceChildren("Compare", ...(marked.length ? [` ${marked.length}`] : []));
      this.clear.hidden = marked.length === 0;
      disable(this.button, marked.length < 2);
      if (had) (this.chips.querySelector("button") ?? this.button).focus();
    };
    paint();
    if (await source.labels(marked).catch(() => false)) paint();
  }
}
