// The question of a checkpoint that waits, in the place of the bar: a form where it has a shape, else yes, no, a text or JSON.

import { el } from "./dom.js";
import { JsonBox } from "./editor.js";
import { choicesOf, FieldControl, wrongWith } from "./fields.js";
import { faultOf, inShort, parsedOrNull, sameJson } from "./jsontext.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Question} Question */

const ONE_LINE = 70; // characters of a question that need no sheet

/** What is sent for what was typed; a text says why it cannot be sent. @param {string} typed @param {"text" | "json"} as @returns {string} */
export function wrongAnswer(typed, as) {
  if (as === "text") return typed ? "" : 'type an answer first; an empty text is sent as JSON: ""';
  const fault = faultOf(typed);
  return fault
    ? `this is no JSON: ${fault.message}${typed.includes("\n") ? `, line ${fault.line}` : ""}, column ${fault.column}`
    : "";
}

export class AnswerForm {
  /** @param {Desk} desk @param {() => void} send */
  constructor(desk, send) {
    this.desk = desk;
    this.send = send;
    /** @type {Question[]} */
    this.questions = [];
    this.at = 0;
    this.key = "";
    this.as = /** @type {"text" | "json"} */ ("text");
    this.typed = "";
    this.asked = el("span", { class: "fb-question", dir: "auto" });
    this.which = el("span", {});
    this.controls = el("span", { class: "fb-answer-controls" });
    this.node = el(
      "div",
      { class: "fb-answer", role: "group", "aria-label": "answer" },
      el("span", { class: "fb-waits" }, "?"),
      this.which,
      this.asked,
      this.controls,
    );
    this.sheet = el("div", { class: "fb-question-sheet" });
    this.node.addEventListener("keydown", (event) => this.enter(event));
    this.sheet.addEventListener("keydown", (event) => this.enter(event));
  }
  get question() {
    return this.questions[this.at] ?? null;
  }

  /** Show the questions of a page; what was typed stays as long as the question does. @param {import("./types.js").Page | null} page */
  show(page) {
    const all = page?.questions ?? [],
      open = all.filter((question) => question.open);
    this.questions = open.length ? open : all;
    const key = JSON.stringify([page?.id, this.questions.map((question) => [question.id, question.open])]);
    if (key === this.key) return;
    this.key = key;
    this.at = 0;
    this.drawWhich();
    this.draw();
  }

  /** A list to choose from, where a checkpoint asks several questions. */
  drawWhich() {
    const { questions } = this;
    const names = questions.map((each, i) => `${i + 1} of ${questions.length}: ${each.node ?? "a task"}`);
    const select = el(
      "select",
      {
        class: "fb-box",
        "aria-label": "which question",
        onchange: () => {
          this.at = select.selectedIndex;
          this.draw();
          this.desk.emit("page");
        },
      },
      ...names.map((name) => el("option", {}, name)),
    );
    this.which.replaceChildren(...(names.length > 1 ? [select] : []));
  }

  draw() {
    const { question } = this;
    this.typed = "";
    this.as = "text";
    this.json = null;
    this.control = null;
    this.sheet.replaceChildren();
    this.controls.replaceChildren();
    if (!question) return;
    const line = question.text.replace(/\s+/g, " ");
    const answered = this.before ? ` (answered: ${this.before})` : " (answered)";
    this.asked.replaceChildren(el("span", {}, line, question.open ? "" : answered));
    this.asked.title = question.text;
    this.tall = question.text.length > ONE_LINE || question.text.includes("\n");
    if (this.tall)
      this.sheet.append(
        el(
          "div",
          { class: "fb-hint" },
          `${question.node ?? "a task"} ${question.open ? "waits for an answer" : "asked, and was answered"}. The node runs again from its top when it is answered.`,
        ),
        el("div", { class: "fb-words", dir: "auto" }, question.text),
      );
    this.form(question);
  }

  /** @param {Question} question */
  form(question) {
    const { form } = question;
    if (form && form.type === "json") {
      this.as = "json";
      this.typed = form.text;
      this.tall = true;
      this.json = new JsonBox({ text: form.text, label: "answer as JSON", onedit: (text) => (this.typed = text) });
      this.sheet.append(this.json.node);
    } else if (form?.type === "boolean") this.controls.append(...this.yesAndNo());
    else if (form && form.type !== "text" && form.type !== "messages") {
      const choices = choicesOf(form);
      const first = form.type === "choice" ? (choices[0] ?? '""') : "null";
      const begin = choices.find((choice) => sameJson(choice, form.text)) ?? first;
      this.as = "json";
      this.typed = form.type === "choice" ? begin : "";
      this.control = new FieldControl(/** @type {import("./fields.js").FieldType} */ (form.type), {
        text: begin,
        label: "answer",
        choices,
        onedit: (json) => (this.typed = json),
      });
      this.controls.append(this.control.node);
    } else {
      this.input = el("input", {
        class: "fb-box",
        "aria-label": "answer",
        placeholder: "an answer",
        autocomplete: "off",
        dir: "auto",
        oninput: () => (this.typed = this.input?.value ?? ""),
      });
      this.select = el(
        "select",
        {
          class: "fb-box fb-as",
          "aria-label": "send as",
          onchange: () => (this.as = this.select?.selectedIndex ? "json" : "text"),
        },
        el("option", {}, "text"),
        el("option", {}, "JSON"),
      );
      this.controls.append(...(form ? [] : this.yesAndNo()), this.input, ...(form ? [] : [this.select]));
    }
  }

  yesAndNo() {
    return [
      ["Yes", "true"],
      ["No", "false"],
    ].map(([name, json]) =>
      el(
        "button",
        {
          class: "fb-button",
          title: `sends ${json}`,
          "aria-label": `${name}: send ${json}`,
          onclick: () => {
            this.as = "json";
            this.typed = json;
            this.send();
          },
        },
        name,
      ),
    );
  }

  /** What to send, or null after saying why not. @returns {{question: string | null, text: string, as: "text" | "json"} | null} */
  take() {
    const { question, as, typed } = this;
    if (!question) return null;
    const type = question.form?.type;
    const wrong = (type === "number" || type === "integer" ? wrongWith(type, typed) : "") || wrongAnswer(typed, as);
    if (wrong) {
      this.desk.context.actions.say(wrong, "failed");
      this.focus();
      return null;
    }
    return { question: question.id, text: typed, as };
  }
  /** After it was sent: empty for the next question. */
  sent() {
    this.key = "";
  }

  /** @param {KeyboardEvent} event */
  enter(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const many = target.matches(".fb-json-box") || (target instanceof HTMLTextAreaElement && event.shiftKey);
    if (
      event.key !== "Enter" ||
      event.isComposing ||
      target.matches("button") ||
      (many && !event.ctrlKey && !event.metaKey)
    )
      return;
    event.preventDefault();
    event.stopPropagation();
    this.send();
  }
  focus() {
    if (this.json) this.json.focus();
    else if (this.control) this.control.focus();
    else
      /** @type {HTMLElement | null} */ (
        this.controls.querySelector("input") ?? this.controls.querySelector("button")
      )?.focus({ preventScroll: true });
  }

  /** What was said before, for a question that is answered anew. */
  get before() {
    const { question } = this;
    return question && !question.open && question.value ? inShort(parsedOrNull(question.value), 40) : "";
  }
}
