// How to run: where it stops, whether in a copy, as which node an edit is written. Shown as chips; chosen in the menu of the main button.

import { el } from "./dom.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {"run" | "write" | "preview"} Way */

export class RunOptions {
  /** @param {Desk} desk @param {(what: Way) => void} act @param {() => void} onchange */
  constructor(desk, act, onchange) {
    this.desk = desk;
    this.act = act;
    this.onchange = onchange;
    this.onlearned = () => {};
    this.inCopy = false;
    /** @type {string[]} */
    this.stops = [];
    /** @type {string | null} */
    this.asNode = null;
    /** @type {import("./desk.js").Schema | null} */
    this.schema = null;
  }
  /** Another checkpoint: what was chosen for one does not fit the next, but a copy stays a copy. */
  reset() {
    this.stops = [];
    this.asNode = null;
  }
  /** What goes with a gesture. */
  get about() {
    return { in_copy: this.inCopy, stop_before: this.stops, as_node: this.asNode };
  }

  /** Ask which nodes there are. */
  learn() {
    if (!this.desk.page) return;
    this.desk.schema().then(
      (schema) => {
        const came = this.schema !== schema;
        this.schema = schema;
        if (came) this.onlearned();
      },
      () => {},
    );
  }

  /** @returns {import("./menu.js").Choice[]} */
  choices() {
    const { desk } = this,
      run = desk.whyNot("run"),
      write = desk.whyNot("write"),
      none = desk.edits.length ? "" : "there are no edits to write";
    const nodes = this.schema?.nodes ?? [],
      stops = this.schema?.stops ?? nodes;
    this.learn();
    /** @param {() => void} change */
    const then = (change) => () => {
      change();
      this.onchange();
    };
    return [
      { text: "Run from here", hint: "with the edits, as a new branch", why: run, act: () => this.act("run") },
      {
        text: "Write only",
        hint: "the edits as a new branch; nothing runs",
        why: write || (this.asNode ? "" : none),
        act: () => this.act("write"),
      },
      { text: "Preview", hint: "try the edits on a scratch copy", why: write || none, act: () => this.act("preview") },
      {
        text: "in a copy of the thread",
        checked: this.inCopy,
        why: desk.whyNot("copy"),
        act: then(() => (this.inCopy = !this.inCopy)),
      },
      ...(stops.length ? [{ text: "stop before" }] : []),
      ...stops.map((node) => ({
        text: node,
        checked: this.stops.includes(node),
        why: run,
        act: then(
          () =>
            (this.stops = this.stops.includes(node)
              ? this.stops.filter((each) => each !== node)
              : [...this.stops, node]),
        ),
      })),
      ...(nodes.length ? [{ text: "write as node" }] : []),
      ...nodes.map((node) => ({
        text: node,
        checked: this.asNode === node,
        why: write,
        act: then(() => (this.asNode = this.asNode === node ? null : node)),
      })),
    ];
  }

  /** What was chosen, as chips with a button that takes it back. */
  get node() {
    /** @type {[string, () => void][]} */
    const chosen = [];
    if (this.inCopy) chosen.push(["in a copy", () => (this.inCopy = false)]);
    for (const stop of this.stops)
      chosen.push([`stop before ${stop}`, () => (this.stops = this.stops.filter((each) => each !== stop))]);
    if (this.asNode) chosen.push([`as node ${this.asNode}`, () => (this.asNode = null)]);
    if (!chosen.length) return null;
    return el(
      "div",
      { class: "fb-options" },
      ...chosen.map(([text, undo]) =>
        el(
          "span",
          { class: "fb-tag" },
          text,
          el(
            "button",
            {
              class: "fb-small",
              "aria-label": `not ${text}`,
              onclick: () => {
                undo();
                this.onchange();
              },
            },
            "✕",
          ),
        ),
      ),
    );
  }
}
