// The foot: what is marked and drafted, one main button, and what the last act did. Its size never changes.

import { AnswerForm } from "./answer.js";
import { allCode, copyButton } from "./code.js";
import { CompareChips } from "./compare.js";
import { deskOf } from "./desk.js";
import { disable, errorText, focusOn, hint, holdsFocus, isDisabled } from "./controls.js";
import { el } from "./dom.js";
import { beforeInPage, editInWords } from "./drafts.js";
import { LiveRun } from "./live.js";
import { Menu } from "./menu.js";
import { RunOptions } from "./run_options.js";

const RESULT_SIGNS = { idle: "", ok: "✓", busy: "…", failed: "✗", stopped: "■", waiting: "?" };

export class Bar {
  /** @param {import("./types.js").Context} context */
  constructor(context) {
    this.context = context;
    const desk = (this.desk = deskOf(context));
    this.options = new RunOptions(
      desk,
      (what) => this.act(what),
      () => this.draw(),
    );
    this.live = new LiveRun(desk);
    this.answer = new AnswerForm(desk, () => this.send());
    /** whether a person asked for the other half: to answer anew, or to run where a question waits @type {boolean | null} */
    this.answering = null;
    this.details = false;
    this.id = "";
    this.drafts = el("div", { class: "fb-drafts", role: "group", "aria-label": "edits that are not run yet" });
    this.middle = el("div", { class: "fb-middle" });
    this.main = el("button", { class: "fb-button fb-main", onclick: () => this.press() }, "Run from here");
    this.menu = new Menu(context, "▾", "other ways to run", () => this.options.choices());
    this.menu.button.addEventListener("pointerenter", () => this.options.learn());
    this.menu.button.addEventListener("focus", () => this.options.learn());
    this.options.onlearned = () => !this.menu.list.hidden && this.menu.open();
    this.sign = el("b", { class: "fb-sign", "aria-hidden": "true" });
    this.said = el("span", { class: "fb-result-text", role: "status", dir: "auto" });
    this.showButton = el(
      "button",
      { class: "fb-small", onclick: () => this.context.actions.pick(this.outcome.position) },
      "show",
    );
    this.copy = copyButton(
      "copy code",
      async () => allCode(await this.context.source.ask("code", { act: this.outcome.act })),
      (box) => this.openSheet(box),
    );
    this.detailsButton = el(
      "button",
      {
        class: "fb-small",
        "aria-expanded": "false",
        onclick: () => {
          this.details = !this.details;
          this.drawSheet();
        },
      },
      "details ▾",
    );
    this.result = el(
      "div",
      { class: "fb-result" },
      this.sign,
      this.said,
      el("span", { class: "fb-space" }),
      this.showButton,
      this.copy,
      this.detailsButton,
    );

    this.node = el(
      "footer",
      { class: "fb-bar" },
      new CompareChips(desk).node,
      el("div", { class: "fb-act" }, this.middle, el("div", { class: "fb-main-group" }, this.main, this.menu.node)),
      this.result,
    );
    desk.on("page", () => this.draw());
    desk.on("drafts", () => this.draw());
    desk.on("run", () => this.press());
    for (const trait of ["running", "can", "why_not"]) context.on(trait, () => this.draw());
    context.on("result", () => this.drawResult());
    this.draw();
    this.drawResult();
  }

  /** @returns {import("./types.js").Result} */
  get outcome() {
    return this.context.model.get("result") ?? { kind: "idle", text: "", details: [], act: -1, position: -1 };
  }
  get page() {
    return this.desk.page;
  }
  /** What the bar is now. @returns {"run" | "answer" | "live"} */
  get mode() {
    if (this.live.running) return "live";
    const questions = this.page?.questions ?? [];
    if (!questions.length) return "run";
    return (this.answering ?? (questions.some((question) => question.open) && !this.desk.edits.length))
      ? "answer"
      : "run";
  }

  draw() {
    const { page, desk, main, live, answer } = this;
    const held = holdsFocus(this.middle);
    if (page && page.id !== this.id) {
      this.id = page.id;
      this.answering = null;
      this.options.reset();
    }
    live.show(this.context.model.get("running") ?? null);
    answer.show(page);
    const { mode } = this;
    const parts =
      mode === "live"
        ? [live.node]
        : mode === "answer"
          ? [answer.node, this.other()]
          : [this.drafted(), this.options.node, this.other()];
    const fresh = parts.filter((part) => part !== null);
    if (mode !== "answer" || !this.middle.contains(answer.node)) this.middle.replaceChildren(...fresh);
    main.replaceChildren(mode === "live" ? "Running …" : mode === "answer" ? "Answer" : "Run from here");
    const why = mode === "live" ? "a run is under way" : !page ? "pick a checkpoint first" : desk.whyNot("run");
    main.title =
      why ||
      (mode === "run" ? "run the graph from this checkpoint, with the edits, as a new branch (r, then Enter)" : "");
    disable(main, why);
    disable(this.menu.button, mode === "live");
    this.drawSheet();
    if (held && !holdsFocus(this.node)) focusOn(main);
  }

  /** Leads from the run to the answer, and back. */
  other() {
    const questions = this.page?.questions ?? [];
    if (!questions.length) return null;
    const answers = this.mode === "answer",
      open = questions.some((question) => question.open);
    return el(
      "button",
      {
        class: "fb-small",
        onclick: () => {
          this.answering = !answers;
          this.middle.replaceChildren();
          this.draw();
          if (answers) this.main.focus();
          else this.answer.focus();
        },
      },
      answers ? "run instead" : open ? "answer" : "answer differently",
    );
  }

  /** The edits of this checkpoint, each with a button that takes it back. */
  drafted() {
    const { desk, page } = this,
      { edits } = desk;
    this.drafts.replaceChildren(
      ...edits.map((edit) => {
        const text = editInWords(edit, page && beforeInPage(page, edit));
        return el(
          "span",
          { class: "fb-tag fb-draft", title: text },
          el("span", { class: "fb-draft-text", dir: "auto" }, text),
          el(
            "button",
            {
              class: "fb-small",
              "aria-label": `discard the edit ${text}`,
              onclick: () => {
                desk.undo(edit.channel, edit.path);
                this.focus();
              },
            },
            "✕",
          ),
        );
      }),
      ...(edits.length > 1
        ? [
            el(
              "button",
              {
                class: "fb-small",
                onclick: () => {
                  desk.discard();
                  this.focus();
                },
              },
              `discard all ${edits.length}`,
            ),
          ]
        : []),
    );
    if (!edits.length) this.drafts.append(hint(page && desk.can("write") ? "no edits: press e to edit" : ""));
    return this.drafts;
  }

  press() {
    if (isDisabled(this.main)) this.say(this.main.title, "failed");
    else if (this.mode === "answer") this.send();
    else this.act("run");
  }
  /** @param {"run" | "write" | "preview"} gesture */
  async act(gesture) {
    const { page, desk, options } = this;
    if (!page || this.live.running) return;
    desk.flush();
    await this.start(gesture, { position: page.position, edits: desk.edits, ...options.about });
  }
  async send() {
    const { page, options } = this,
      given = this.answer.take();
    if (!page || !given || this.live.running) return;
    if (!(await this.start("answer", { position: page.position, ...given, in_copy: options.inCopy }))) return;
    this.answer.sent();
    this.draw();
  }
  /** @param {string} gesture @param {Record<string, unknown>} about */
  async start(gesture, about) {
    const before = this.context.model.get("result");
    this.say("asking the kernel …");
    try {
      await this.context.actions.do(gesture, about);
      if (this.context.model.get("result") !== before) this.drawResult();
      return true;
    } catch (error) {
      this.say(errorText(error), "failed");
      return false;
    }
  }

  drawResult() {
    const { outcome } = this,
      { kind } = outcome;
    this.details = false;
    this.result.dataset.kind = kind;
    this.sign.replaceChildren(RESULT_SIGNS[kind] ?? "");
    this.said.replaceChildren(...lineOf(outcome.text));
    this.said.title = outcome.text;
    this.showIf(this.showButton, outcome.position >= 0);
    this.showIf(this.copy, outcome.act >= 0);
    this.showIf(this.detailsButton, outcome.details.length > 0 || outcome.text.includes("\n"));
    this.drawSheet();
  }
  /** @param {HTMLElement} node @param {boolean} shown */
  showIf(node, shown) {
    if (!shown && holdsFocus(node)) this.focus();
    node.hidden = !shown;
  }
  /** Say something that is no result of an act. @param {string} text @param {string} [tone] */
  say(text, tone = "") {
    this.details = false;
    this.result.dataset.kind = tone === "failed" || tone === "error" ? "failed" : tone || "idle";
    this.sign.replaceChildren(tone === "failed" || tone === "error" ? "✗" : "");
    this.said.replaceChildren(...lineOf(text));
    this.said.title = text;
    for (const node of [this.showButton, this.copy, this.detailsButton]) this.showIf(node, false);
    this.drawSheet();
  }

  /** What opens above the bar. */
  drawSheet() {
    const { mode, outcome } = this;
    this.detailsButton.setAttribute("aria-expanded", String(this.details));
    const details = () =>
      el(
        "div",
        { class: "fb-details", tabindex: "0", role: "region", "aria-label": "details" },
        ...[outcome.text, ...outcome.details].map((text) => el("div", { dir: "auto" }, text)),
      );
    if (mode === "live" && this.live.running?.messages.length) this.openSheet(this.live.sheet);
    else if (this.details) this.openSheet(details());
    else if (mode === "answer" && this.answer.tall) this.openSheet(this.answer.sheet);
    else this.openSheet(null);
  }
  /** @param {HTMLElement | null} node */
  openSheet(node) {
    const { sheet } = this.desk;
    if (node ? sheet.firstChild === node : sheet.hidden) return;
    const held = holdsFocus(sheet);
    sheet.replaceChildren(...(node ? [node] : []));
    sheet.hidden = !node;
    if (held) focusOn(this.main);
  }

  focus() {
    if (this.mode === "answer") this.answer.focus();
    else focusOn(this.main);
  }
}

/** The first line of a text. @param {string} text */
const lineOf = (text) => [el("span", {}, text.split("\n")[0])];
