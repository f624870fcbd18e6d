// A run under way: which node runs, for how long, what its model says, and a button that stops it.

import { disable, hint, isDisabled } from "./controls.js";
import { el } from "./dom.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Running} Running */

const SHOWN_LAST = 4000; // characters of what a model says

/** What a run does, in a line. @param {Running} running @param {number} since seconds since this was told */
export function runInWords(running, since) {
  const nodes = [...new Set(running.nodes)].join(", ");
  const doing = running.stopping ? "stopping" : nodes ? `running ${nodes}` : running.doing || "between two nodes";
  return `${doing} · ${Math.round(running.seconds + since)} s`;
}

export class LiveRun {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    /** @type {Running | null} */
    this.running = null;
    this.told = 0;
    this.clock = 0;
    this.line = el("span", { class: "fb-doing" });
    this.stop = el(
      "button",
      { class: "fb-button", title: "stop the run; what it wrote stays", onclick: () => this.onstop() },
      "■ Stop",
    );
    this.node = el(
      "div",
      { class: "fb-live", role: "group", "aria-label": "the run under way" },
      el("span", { class: "fb-spinner", "aria-hidden": "true" }),
      this.line,
      el("span", { class: "fb-space" }),
      this.stop,
    );
    this.sheet = el("div", { class: "fb-said", tabindex: "0", role: "log", "aria-label": "what the run says" });
    desk.context.signal.addEventListener("abort", () => clearInterval(this.clock));
  }
  /** @param {Running | null} running */
  show(running) {
    this.running = running;
    this.told = performance.now();
    clearInterval(this.clock);
    if (!running) return;
    this.clock = setInterval(() => this.tick(), 1000);
    this.tick();
    disable(this.stop, running.stopping);
    const end = this.sheet.scrollHeight - this.sheet.scrollTop - this.sheet.clientHeight < 30;
    const cards = running.messages.map(({ role, node, text }) =>
      el(
        "article",
        { class: "fb-message" },
        el("header", { class: "fb-message-head" }, el("b", { class: "fb-role" }, role), hint(node)),
        el(
          "div",
          { class: "fb-words", dir: "auto" },
          text.length > SHOWN_LAST
            ? el(
                "span",
                { class: "fb-hint" },
                `${(text.length - SHOWN_LAST).toLocaleString("en")} characters before … `,
              )
            : null,
          text.slice(-SHOWN_LAST),
        ),
      ),
    );
    this.sheet.replaceChildren(...cards);
    if (end) this.sheet.scrollTop = this.sheet.scrollHeight;
  }
  tick() {
    if (this.running) this.line.replaceChildren(runInWords(this.running, (performance.now() - this.told) / 1000));
  }
  async onstop() {
    if (isDisabled(this.stop)) return;
    disable(this.stop, true);
    const { actions } = this.desk.context;
    await actions.do("stop").catch((/** @type {Error} */ error) => {
      disable(this.stop, false);
      actions.say(error.message, "failed");
    });
  }
}
