// Simple channels as typed fields: text, number, yes or no, a choice.

import { focusOn } from "./controls.js";
import { el } from "./dom.js";
import { TextBox, unseenIn } from "./editor.js";
import { inShort, isBranch, parsedOrNull, sameJson } from "./jsontext.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Field} Field */
/** @typedef {"text" | "number" | "integer" | "boolean" | "choice"} FieldType */

/** What a value is edited as; null: as a tree. @param {string} json @param {Field | undefined} known @returns {FieldType | null} */
export function typeOf(json, known) {
  const node = parsedOrNull(json);
  if (!node || isBranch(node) || (node.kind === "string" && unseenIn(node.value))) return null;
  if (known?.type === "choice" && known.choices?.length) return "choice";
  if (node.kind === "string") return "text";
  if (node.kind === "number") return known?.type === "integer" ? "integer" : "number";
  if (node.raw === "true" || node.raw === "false") return "boolean";
  if (known && ["text", "number", "integer", "boolean"].includes(known.type))
    return /** @type {FieldType} */ (known.type);
  return null;
}

/** What is wrong with what was typed, "" where nothing is. @param {FieldType} type @param {string} typed */
export function wrongWith(type, typed) {
  if (type === "integer" && !/^\s*-?(0|[1-9]\d*)\s*$/.test(typed)) return "a whole number is expected, as 12";
  if (type === "number" && parsedOrNull(typed)?.kind !== "number") return "a number is expected, as 12 or 0.5";
  return "";
}

/** The choices of a field as JSON texts. @param {Field} field @returns {string[]} */
export const choicesOf = (field) => (field.choices ?? []).map((choice) => JSON.stringify(choice));

/** A control for one value. */
export class FieldControl {
  /**
   * @param {FieldType} type
   * @param {{text: string, label: string, choices?: string[], describedby?: string, onedit: (json: string) => void}} about text: JSON
   */
  constructor(type, { text, label, choices = [], describedby, onedit }) {
    const node = parsedOrNull(text);
    this.fault = el("div", { class: "fb-fault-text", role: "status" });
    if (type === "boolean" || type === "choice") {
      const known = type === "boolean" ? ["true", "false"] : choices;
      const all = known.some((choice) => sameJson(choice, text)) ? known : [text, ...known];
      const select = el(
        "select",
        {
          class: "fb-box",
          "aria-label": label,
          "aria-describedby": describedby,
          onchange: () => onedit(all[select.selectedIndex]),
        },
        ...all.map((choice) => el("option", { selected: sameJson(choice, text) }, inShort(parsedOrNull(choice), 60))),
      );
      this.control = select;
    } else {
      const shown = node ? (node.raw === "null" ? "" : node.value) : text;
      const box = new TextBox({
        text: shown,
        label,
        describedby,
        onedit: (typed) => {
          const wrong = wrongWith(type, typed);
          this.fault.replaceChildren(wrong && `✗ ${wrong}`);
          box.node.setAttribute("aria-invalid", String(wrong !== ""));
          onedit(type === "text" ? JSON.stringify(typed) : typed);
        },
      });
      if (type !== "text") box.node.setAttribute("inputmode", "decimal");
      this.box = box;
      this.control = box.node;
    }
    this.node = el("div", { class: "fb-control" }, this.control, this.fault);
  }
  focus() {
    if (this.box) this.box.focus(this.box.text.length < 200);
    else focusOn(this.control);
  }
}

/** A channel with its name, a control, and what was there before. */
export class FieldRow {
  /**
   * @param {Desk} desk
   * @param {{channel: string, path: (string | number)[], text: string}} value
   * @param {FieldType} type
   */
  constructor(desk, value, type) {
    this.desk = desk;
    this.value = value;
    this.type = type;
    this.node = el("div", { class: "fb-field" });
    this.draw();
  }
  draw() {
    const { desk, value } = this,
      known = desk.types.get(value.channel);
    const drafted = desk.editAt(value.channel, value.path);
    this.was = el("div", { class: "fb-was" });
    const choices = known && this.type === "choice" ? choicesOf(known) : [];
    this.control = new FieldControl(this.type, {
      text: drafted?.text ?? value.text,
      label: value.channel,
      choices,
      onedit: (json) => {
        desk.edit(value.channel, value.path, json, value.text);
        this.mark();
      },
    });
    this.node.replaceChildren(
      el("span", { class: "fb-key", title: known?.description }, value.channel),
      el("div", {}, this.control.node, this.was),
    );
    this.mark();
  }
  /** Show whether the field was edited. */
  mark() {
    const { desk, value } = this,
      drafted = desk.editAt(value.channel, value.path);
    this.node.classList.toggle("fb-drafted", !!drafted);
    this.was?.replaceChildren(
      ...(drafted
        ? [
            el("span", { class: "fb-edited" }, `✎ was ${inShort(parsedOrNull(value.text), 60) || '""'}`),
            el(
              "button",
              {
                class: "fb-small",
                "aria-label": `undo the edit of ${value.channel}`,
                onclick: () => {
                  desk.undo(value.channel, value.path);
                  this.draw();
                  this.focus();
                },
              },
              "undo",
            ),
          ]
        : []),
    );
  }
  focus() {
    this.control?.focus();
  }
}
