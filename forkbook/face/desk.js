// What the inspector and the bar know together: the checkpoint that is shown, its drafts, what its channels are.

import { el } from "./dom.js";
import { discarded, draftAt, draftsOf, draftsUnder, withEdit, withoutEdit } from "./drafts.js";

/** @typedef {import("./types.js").Context} Context */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Field} Field */
/** @typedef {{fields: Field[], nodes: string[], stops: string[]}} Schema */

const KEPT_AFTER = 400; // ms from the last key until the kernel is told of a draft

/** @type {WeakMap<Context, Desk>} */
const desks = new WeakMap();

/** The one desk of a view. @param {Context} context @returns {Desk} */
export function deskOf(context) {
  let desk = desks.get(context);
  if (!desk) desks.set(context, (desk = new Desk(context)));
  return desk;
}

export class Desk {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** @type {Page | null} */
    this.page = null;
    /** @type {import("./drafts.js").Drafts} */
    this.drafts = context.model.get("drafts") ?? {};
    /** @type {Record<string, (() => void)[]>} */
    this.listeners = {};
    this.timer = 0;
    /** what opens above the bar: a whole question, what a model says, details of a result */
    this.sheet = el("div", { class: "fb-sheet", hidden: true });
    /** lists and dicts that a person opened or closed, by their places @type {Map<string, boolean>} */
    this.opened = new Map();
    /** @type {{position: number, answer: Promise<Schema>} | null} */
    this.asked = null;
    /** what is known of channels, whichever checkpoint is shown @type {Map<string, Field>} */
    this.types = new Map();
    context.on("drafts", () => {
      if (this.timer || context.model.get("drafts") === this.drafts) return;
      this.drafts = context.model.get("drafts") ?? {};
      this.emit("drafts");
    });
    context.signal.addEventListener("abort", () => this.flush());
  }

  /**
   * Be told of "page" (a checkpoint is shown), "drafts", "again" (read it again), "run", "compare", "compared" (it is closed).
   * @param {string} event
   * @param {() => void} callback
   */
  on(event, callback) {
    (this.listeners[event] ??= []).push(callback);
  }
  /** @param {string} event */
  emit(event) {
    for (const callback of this.listeners[event] ?? []) callback();
  }

  /** @param {Page} page */
  show(page) {
    this.page = page;
    this.emit("page");
  }

  /** Whether something can be done here. @param {string} what */
  can(what) {
    return (this.context.model.get("can") ?? {})[what] !== false;
  }
  /** Why something cannot be done, "" where it can. @param {string} what */
  whyNot(what) {
    if (this.can(what)) return "";
    return (this.context.model.get("why_not") ?? {})[what] || `this place cannot ${what}`;
  }

  get edits() {
    return this.page ? draftsOf(this.drafts, this.page.id) : [];
  }
  /** @param {string} channel @param {(string|number)[]} path */
  editAt(channel, path) {
    return this.page ? draftAt(this.drafts, this.page.id, channel, path) : null;
  }
  /** @param {string} channel @param {(string|number)[]} path */
  editsUnder(channel, path) {
    return this.page ? draftsUnder(this.drafts, this.page.id, channel, path) : [];
  }
  /** @param {string} channel @param {(string|number)[]} path @param {string} text @param {string | null} before */
  edit(channel, path, text, before = null) {
    if (this.page) this.change(withEdit(this.drafts, this.page.id, { channel, path, text }, before));
  }
  /** @param {string} channel @param {(string|number)[]} path */
  undo(channel, path) {
    if (this.page) this.change(withoutEdit(this.drafts, this.page.id, channel, path));
  }
  discard() {
    if (!this.page) return;
    this.change(discarded(this.drafts, this.page.id));
    this.flush();
  }

  /** @param {import("./drafts.js").Drafts} drafts */
  change(drafts) {
    this.drafts = drafts;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), KEPT_AFTER);
    this.emit("drafts");
  }
  /** Tell the kernel now what was typed last. */
  flush() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.context.model.set("drafts", this.drafts);
    this.context.model.save_changes();
  }

  /** The fields of the checkpoint that is shown, asked once. @returns {Promise<Schema>} */
  schema() {
    const position = this.page?.position ?? -1;
    if (this.asked?.position !== position) {
      const answer = this.context.source.ask("schema", { position });
      this.asked = { position, answer };
      answer.then(
        (/** @type {Schema} */ schema) => schema.fields.forEach((field) => this.types.set(field.channel, field)),
        () => (this.asked = null),
      );
    }
    return /** @type {{answer: Promise<Schema>}} */ (this.asked).answer;
  }
}
