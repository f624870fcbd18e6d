// Boxes in which a person types: a text that grows, and JSON with its lines and what is wrong with it.

import { focusOn } from "./controls.js";
import { clean, el } from "./dom.js";
import { escapedJson, faultOf } from "./jsontext.js";

const TALLEST = 20_000; // characters: beyond them a box is not measured at each key
const CHECKED_AFTER = 500; // ms from the last key until the kernel looks at a value

/**
 * @typedef {object} Box
 * @property {string} text
 * @property {string} label Its name for those who do not see it.
 * @property {(text: string) => void} onedit
 * @property {string} [placeholder]
 * @property {string} [describedby] Id of what explains it.
 */

/** A box for a text, as high as the text. */
export class TextBox {
  /** @param {Box} box */
  constructor({ text, label, onedit, placeholder, describedby }) {
    this.node = el("textarea", {
      class: "fb-box",
      rows: 1,
      spellcheck: "false",
      dir: "auto",
      "aria-label": label,
      placeholder,
      "aria-describedby": describedby,
      oninput: () => {
        this.fit();
        onedit(this.text);
      },
    });
    this.breaks = false;
    this.width = 0;
    this.fitted = "";
    this.text = text;
    new ResizeObserver(() => this.fit()).observe(this.node);
  }
  /** @returns {string} */
  get text() {
    return this.breaks ? this.node.value.replaceAll("\n", "\r\n") : this.node.value;
  }
  set text(text) {
    /** a browser makes \n of every line break; those of another kind are put back */
    this.breaks = /\r\n/.test(text) && !/(^|[^\r])\n/.test(text);
    this.node.value = text;
    this.fit();
  }
  fit() {
    const { node } = this;
    if (!node.isConnected || (node.clientWidth === this.width && node.value === this.fitted)) return;
    this.width = node.clientWidth;
    this.fitted = node.value;
    const long = node.value.length > TALLEST;
    if (!long) node.style.height = "0";
    node.style.height = long ? "60cqh" : `${node.scrollHeight + 2}px`;
  }
  /** @param {boolean} [all] whether what stands there is selected */
  focus(all = false) {
    focusOn(this.node);
    if (all) this.node.select();
    this.node.scrollIntoView({ block: "nearest" });
  }
}

/**
 * Characters that do not show in a box, or change the order of others, and a lone \r, which a box cannot keep.
 * @param {string} text
 */
export const unseenIn = (text) => clean(text) !== text.replaceAll("\r\n", "\n");

/** A box for JSON: lines have numbers, and what is wrong stands below with its line. */
export class JsonBox {
  /** @param {Box & {check?: (text: string) => Promise<import("./jsontext.js").JsonFault[]>}} box */
  constructor({ text, label, onedit, check, describedby }) {
    this.check = check;
    this.turn = 0;
    this.timer = 0;
    this.lines = el("div", { class: "fb-lines", "aria-hidden": "true" });
    this.faults = el("div", { class: "fb-faults", role: "status" });
    this.box = el("textarea", {
      class: "fb-box fb-json-box",
      spellcheck: "false",
      wrap: "off",
      "aria-label": label,
      "aria-describedby": describedby,
      oninput: () => {
        this.look();
        onedit(this.text);
      },
      onscroll: () => (this.lines.scrollTop = this.box.scrollTop),
    });
    this.node = el(
      "div",
      { class: "fb-json-edit" },
      this.faults,
      el("div", { class: "fb-json-lines" }, this.lines, this.box),
    );
    this.box.value = escapedJson(text);
    this.look();
  }
  get text() {
    return this.box.value;
  }
  focus() {
    focusOn(this.box);
    this.box.setSelectionRange(0, 0);
    this.box.scrollIntoView({ block: "nearest" });
  }

  /** Number the lines, and say what is wrong: what JSON is at once, what the channel takes after a while. */
  look() {
    const fault = faultOf(this.text),
      mine = ++this.turn;
    this.number(fault?.line ?? 0);
    this.say(fault ? [fault] : []);
    clearTimeout(this.timer);
    if (fault || !this.check) return;
    this.timer = setTimeout(async () => {
      const faults = await this.check?.(this.text).catch(() => []);
      if (mine !== this.turn || !faults?.length) return;
      this.number(faults[0].line);
      this.say(faults);
    }, CHECKED_AFTER);
  }
  /** @param {number} bad */
  number(bad) {
    const many = this.text.split("\n").length;
    this.box.rows = Math.min(Math.max(many, 2), 24) + 1;
    if (this.numbered === `${many} ${bad}`) return;
    this.numbered = `${many} ${bad}`;
    this.lines.replaceChildren(
      ...Array.from({ length: many }, (_, i) =>
        el("div", { class: i + 1 === bad ? "fb-bad-line" : "" }, i + 1 === bad ? `✗ ${i + 1}` : i + 1),
      ),
    );
  }
  /** @param {import("./jsontext.js").JsonFault[]} faults */
  say(faults) {
    this.box.setAttribute("aria-invalid", String(faults.length > 0));
    this.faults.replaceChildren(
      ...faults.map((fault) => {
        const place = fault.line > 0 ? `line ${fault.line}${fault.column > 0 ? `, column ${fault.column}` : ""}: ` : "";
        return el(
          "button",
          { class: "fb-fault", title: "go there", onclick: () => this.go(fault) },
          `✗ ${place}${fault.message}`,
        );
      }),
    );
  }
  /** @param {import("./jsontext.js").JsonFault} fault */
  go({ line, column }) {
    const before = this.text
      .split("\n")
      .slice(0, Math.max(line - 1, 0))
      .join("\n");
    const at = before.length + (line > 1 ? 1 : 0) + Math.max(column - 1, 0);
    this.box.focus();
    this.box.setSelectionRange(at, at);
  }
}
