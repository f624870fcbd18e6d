// A button that opens a list of choices: arrows walk it, Escape closes it, a letter jumps.

import { el } from "./dom.js";

/**
 * @typedef {object} Choice
 * @property {string} text
 * @property {() => void} [act] What it does; without one the entry is a heading.
 * @property {string} [hint] Small text below.
 * @property {string} [why] Why it cannot be chosen now: shown, and the entry is disabled.
 * @property {boolean} [checked] An entry that is on or off.
 */

export class Menu {
  /**
   * @param {{tag: string, signal: AbortSignal}} context
   * @param {string} text What the button says.
   * @param {string} name Its name for those who do not see it.
   * @param {() => Choice[]} choices Asked each time it opens.
   */
  constructor(context, text, name, choices) {
    this.choices = choices;
    this.list = el("div", { class: "fb-menu-list", role: "menu", "aria-label": name, hidden: true });
    this.button = el(
      "button",
      {
        class: "fb-button fb-menu-button",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        "aria-label": name,
        title: name,
        onclick: () => (this.list.hidden ? this.open() : this.close()),
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          event.stopPropagation();
          this.open(event.key === "ArrowUp" ? -1 : 0);
        },
      },
      text,
    );
    this.node = el("div", { class: "fb-menu" }, this.button, this.list);
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(/** @type {Node} */ (event.relatedTarget))) this.close(false);
    });
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {number} [at] Which entry gets the focus; -1 the last. */
  open(at = 0) {
    const choices = this.choices();
    this.list.replaceChildren(...choices.map((choice) => this.entry(choice)));
    this.list.classList.toggle("fb-menu-checks", choices.some(({ checked }) => checked !== undefined));
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.place();
    this.focus(at);
  }

  /** Open to the side where there is room within the explorer. */
  place() {
    const frame = this.node.closest(".fb-explorer")?.getBoundingClientRect();
    if (!frame) return;
    const { left, top } = this.button.getBoundingClientRect();
    this.list.classList.toggle("fb-menu-right", left - frame.left > frame.width / 2);
    this.list.classList.toggle("fb-menu-up", top - frame.top > frame.height / 2);
  }

  /** @param {boolean} [back] Whether the button gets the focus. */
  close(back = true) {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus({ preventScroll: true });
  }

  /** @param {Choice} choice */
  entry({ text, act, hint, why, checked }) {
    if (!act) return el("div", { class: "fb-menu-heading", role: "presentation" }, text);
    return el(
      "div",
      {
        class: "fb-menu-entry",
        role: checked === undefined ? "menuitem" : "menuitemcheckbox",
        "aria-checked": checked === undefined ? null : String(checked),
        "aria-disabled": why ? "true" : null,
        tabindex: "-1",
        onclick: () => {
          if (why) return;
          this.close();
          act();
        },
      },
      el("span", { class: "fb-menu-check", "aria-hidden": "true" }, checked ? "✓" : ""),
      el("span", {}, text, why || hint ? el("small", {}, why || hint) : null),
    );
  }

  get entries() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll(".fb-menu-entry")]);
  }

  /** @param {number} at */
  focus(at) {
    const entry = this.entries.at(at % (this.entries.length || 1));
    if (!entry) return;
    entry.focus({ preventScroll: true }); // what is around the explorer stays where it is
    const below = entry.offsetTop + entry.offsetHeight - this.list.clientHeight;
    this.list.scrollTop = Math.min(entry.offsetTop, Math.max(this.list.scrollTop, below));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const entries = this.entries;
    const at = entries.indexOf(/** @type {HTMLElement} */ (event.target));
    const letter = event.key.length === 1 && event.key !== " " ? event.key.toLowerCase() : "";
    if (event.key === "ArrowDown") this.focus(at + 1);
    else if (event.key === "ArrowUp") this.focus(at - 1);
    else if (event.key === "Home") this.focus(0);
    else if (event.key === "End") this.focus(-1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" || event.key === " ") entries[at]?.click();
    else if (letter) {
      const later = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
      later.find((entry) => entry.textContent?.trim().toLowerCase().startsWith(letter))?.focus({ preventScroll: true });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
