// The fixed head of the inspector: what the checkpoint is, its star, its label and note, and an error in one line.

import { disable, errorText } from "./controls.js";
import { el } from "./dom.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Page} Page */

export class About {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    /** @type {Page | null} */
    this.page = null;
    this.title = el("h3", { class: "fb-page-title", dir: "auto" });
    this.about = el("span", { class: "fb-branch-step" });
    this.next = el("div", { class: "fb-next", dir: "auto" });
    this.star = el(
      "button",
      {
        class: "fb-small fb-star",
        "aria-pressed": "false",
        "aria-label": "bookmark",
        onclick: () => this.page && desk.context.actions.star(this.page.position),
      },
      "☆",
    );
    this.labelButton = el(
      "button",
      { class: "fb-small", "aria-expanded": "false", onclick: () => this.toggle() },
      "label",
    );
    this.more = el(
      "button",
      { class: "fb-small", "aria-expanded": "false", hidden: true, onclick: () => this.unfold() },
      "whole error ▾",
    );
    this.error = el("pre", { class: "fb-whole-error", hidden: true, tabindex: "0", "aria-label": "the error" });
    this.form = el("form", {
      class: "fb-label-form",
      hidden: true,
      "aria-label": "label and note",
      onsubmit: (/** @type {Event} */ event) => this.save(event),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        this.toggle(false);
      },
    });
    this.node = el(
      "header",
      { class: "fb-about" },
      el(
        "div",
        { class: "fb-about-line" },
        this.title,
        this.about,
        el("span", { class: "fb-space" }),
        this.labelButton,
        this.star,
      ),
      el("div", { class: "fb-about-line" }, this.next, el("span", { class: "fb-space" }), this.more),
      this.error,
      this.form,
    );
  }

  /** @param {Page} page */
  show(page) {
    const other = this.page?.position !== page.position;
    this.page = page;
    const label = page.label ? el("span", { class: "fb-tag", title: page.note || "your label" }, page.label) : null;
    this.title.replaceChildren(...[el("span", {}, page.title), label].filter((each) => each !== null));
    this.title.title = page.heading || page.title;
    this.about.replaceChildren(
      el(
        "span",
        {},
        [
          page.branch && `branch ${page.branch}`,
          page.step === null ? "" : `step ${page.step}`,
          page.is_tip ? "tip" : "",
          page.namespace ? "in a subgraph" : "",
        ]
          .filter(Boolean)
          .join(" · "),
      ),
    );
    const next =
      page.next === null
        ? "what runs next is not known"
        : page.next.length
          ? `next: ${page.next.join(", ")}`
          : page.status || "nothing runs next";
    this.next.replaceChildren(
      ...(page.error
        ? [
            el("b", { class: "fb-bad" }, "✗ "),
            el("span", { class: "fb-bad", title: page.error }, page.error.split("\n")[0]),
          ]
        : [el("span", {}, next)]),
      el(
        "span",
        { class: "fb-hint", title: page.id },
        ` · ${page.short_id}${page.created_at ? ` · ${when(page.created_at)}` : ""}`,
      ),
    );
    const long = !!page.error && (page.error.length > 60 || page.error.includes("\n"));
    this.more.hidden = !long;
    this.star.replaceChildren(page.star ? "★" : "☆");
    this.star.setAttribute("aria-pressed", String(page.star));
    this.star.title = page.star ? "bookmarked; b takes it away" : "bookmark this checkpoint (b)";
    const why = this.desk.whyNot("store");
    this.labelButton.title =
      why || (page.label ? "change the label and note" : "give this checkpoint a label and a note");
    disable(this.labelButton, why);
    if (other) {
      this.unfold(false);
      this.toggle(false, false);
    }
  }

  /** @param {boolean} [open] */
  unfold(open = this.error.hidden === true) {
    this.error.hidden = !open;
    this.more.setAttribute("aria-expanded", String(open));
    this.error.replaceChildren(open ? el("span", {}, this.page?.error ?? "") : "");
  }

  /** @param {boolean} [open] @param {boolean} [focus] */
  toggle(open = this.form.hidden === true, focus = true) {
    const { page } = this;
    if (!page || (open && this.desk.whyNot("store"))) return;
    this.form.hidden = !open;
    this.labelButton.setAttribute("aria-expanded", String(open));
    if (!open) {
      if (focus) this.labelButton.focus();
      return;
    }
    this.label = el("input", { class: "fb-box", "aria-label": "label", placeholder: "label", maxlength: 80 });
    this.note = el("textarea", { class: "fb-box", "aria-label": "note", placeholder: "note", rows: 3 });
    this.label.value = page.label;
    this.note.value = page.note;
    this.form.replaceChildren(
      this.label,
      this.note,
      el(
        "div",
        { class: "fb-about-line" },
        el("button", { class: "fb-button", type: "submit" }, "Save"),
        el("button", { class: "fb-button", onclick: () => this.toggle(false) }, "Cancel"),
      ),
    );
    this.label.focus();
  }

  /** @param {Event} event */
  async save(event) {
    event.preventDefault();
    const { page, desk } = this;
    if (!page || !this.label || !this.note) return;
    const { actions, source } = desk.context;
    try {
      await actions.do("label", {
        position: page.position,
        label: this.label.value.trim(),
        note: this.note.value.trim(),
        star: page.star,
      });
      this.toggle(false);
      source.pages.delete(page.position);
      desk.emit("again");
    } catch (error) {
      actions.say(errorText(error), "failed");
    }
  }
}

/** A moment as this person's clock says it. @param {string} iso */
function when(iso) {
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime())
    ? iso
    : moment.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}
