// Search and filters: what fits is highlighted in the tree, or shown alone.

import { el } from "./dom.js";
import { Menu } from "./menu.js";
import { FLAG, group } from "./rows.js";

const MOST_HITS = 10_000; // hits of one search
const TYPING = 300; // ms without a key until a search begins
/** @type {[number, string, string, string][]} */
const CHIPS = [
  [FLAG.FAILED, "✗", "failed", "failed: a task raised an error, or a tool said that it failed"],
  [FLAG.WAITS, "?", "waiting", "waiting for an answer"],
  [FLAG.EDITED, "✎", "edits", "edited by people"],
  [FLAG.STARRED, "★", "starred", "bookmarked with a star"],
];

export class Filters {
  /** @param {import("./types.js").Context} context @param {import("./tree.js").TreeView} tree */
  constructor(context, tree) {
    this.context = context;
    this.tree = tree;
    this.flags = 0;
    this.ran = -1;
    this.only = false;
    this.turn = 0;
    this.searched = "";
    /** What the kernel found for the text; null: there is no text. @type {Set<number> | null} */
    this.found = null;
    /** @type {number[]} */
    this.hits = [];
    this.box = el("input", {
      type: "search",
      class: "fb-search",
      placeholder: "Search messages and values",
      "aria-label": "search messages and values",
      title: "Search (/)",
      oninput: () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.search(), TYPING);
      },
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.chips = CHIPS.map(([flag, sign, , title]) =>
      el("button", { class: `fb-chip fb-chip-${flag}`, title, "aria-pressed": "false", onclick: () => this.press(flag) }, sign),
    );
    this.nodes = new Menu(context, "node ▾", "show checkpoints of a node", () => this.choices());
    this.count = el("span", { class: "fb-hits", role: "status" });
    const step = (/** @type {string} */ text, /** @type {string} */ title, /** @type {number} */ by) =>
      el("button", { class: "fb-icon", title, "aria-label": title, onclick: () => this.go(by) }, text);
    this.alone = el("button", { class: "fb-chip", "aria-pressed": "false", onclick: () => this.toggleOnly() }, "only these");
    const clear = el("button", { class: "fb-icon", title: "no filter", "aria-label": "no filter", onclick: () => this.clear() }, "✕");
    this.results = el(
      "span",
      { class: "fb-results", hidden: true },
      this.count,
      step("↑", "hit before (,)", -1),
      step("↓", "next hit (.)", 1),
      this.alone,
      clear,
    );
    const search = el("span", { class: "fb-search-box" }, this.box, el("kbd", { "aria-hidden": "true" }, "/"));
    const chips = el("span", { class: "fb-chips", role: "group", "aria-label": "filters" }, ...this.chips, this.nodes.node);
    this.node = el("div", { class: "fb-filters", role: "search", "aria-label": "in this history" }, search, chips, this.results);
    context.source.on("rows", () => this.recount());
    this.recount();
  }

  /** Fit chips and hits to rows that have grown or changed. */
  recount() {
    const { flags } = this.tree.outline.rows;
    CHIPS.forEach(([flag, sign, word, title], i) => {
      let count = 0;
      for (const each of flags) if (each & flag) count++;
      const chip = this.chips[i];
      chip.replaceChildren(sign, el("span", { class: "fb-chip-word" }, ` ${word}`), ` ${group(count)}`);
      chip.disabled = count === 0 && !(this.flags & flag);
      chip.setAttribute("aria-label", `${group(count)} ${title}`);
    });
    if (this.active) this.apply(false);
  }

  get active() {
    return this.flags !== 0 || this.ran >= 0 || this.found !== null;
  }

  choices() {
    const names = /** @type {string[]} */ (this.context.model.get("nodes") ?? []);
    const choose = (/** @type {number} */ node) => {
      this.ran = node;
      this.nodes.button.replaceChildren(node < 0 ? "node ▾" : `${names[node]} ▾`);
      this.nodes.button.classList.toggle("fb-pressed", node >= 0);
      this.apply();
    };
    const used = new Set(this.tree.outline.rows.node);
    const listed = names.map((name, node) => ({ name, node })).filter(({ name, node }) => name && used.has(node));
    return [
      { text: "every node", checked: this.ran < 0, act: () => choose(-1) },
      ...listed.map(({ name, node }) => ({ text: name, checked: this.ran === node, act: () => choose(node) })),
    ];
  }

  focus() {
    this.box.focus({ preventScroll: true });
    this.box.select();
  }

  /** @param {number} flag */
  press(flag) {
    this.flags ^= flag;
    CHIPS.forEach(([each], i) => this.chips[i].setAttribute("aria-pressed", String((this.flags & each) !== 0)));
    this.apply();
  }

  toggleOnly() {
    this.only = !this.only;
    this.alone.setAttribute("aria-pressed", String(this.only));
    this.tree.filter(this.hits, this.only);
  }

  /** @param {KeyboardEvent} event */
  async key(event) {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      if (this.box.value) this.clear();
      else this.tree.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.box.value !== this.searched) await this.search();
      else this.go(event.shiftKey ? -1 : 1);
      if (this.hits.length) this.tree.focus();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      this.tree.focus();
    }
  }

  /** Ask for what the box says. */
  async search() {
    clearTimeout(this.timer);
    const text = this.box.value;
    if (text === this.searched) return;
    this.searched = text;
    const mine = ++this.turn;
    if (!text.trim()) {
      this.found = null;
      this.apply();
      return;
    }
    this.results.hidden = false;
    this.count.replaceChildren("searching …");
    try {
      const { positions, more } = await this.context.source.ask("find", { text, limit: MOST_HITS });
      if (mine !== this.turn) return;
      this.found = new Set(positions);
      this.more = more;
      this.apply();
    } catch (error) {
      if (mine !== this.turn) return;
      this.searched = "";
      this.count.replaceChildren(/** @type {Error} */ (error).message);
    }
  }

  /** Find what fits all that is asked. @param {boolean} [goes] Whether the first hit is picked. */
  apply(goes = true) {
    const { rows, order } = this.tree.outline;
    const fits = (/** @type {number} */ at) =>
      (!this.flags || (rows.flags[at] & this.flags) !== 0) &&
      (this.ran < 0 || rows.node[at] === this.ran) &&
      (!this.found || this.found.has(at));
    this.hits = this.active ? Array.from(order.order.filter(fits)) : [];
    this.results.hidden = !this.active;
    if (!this.active) this.only = false;
    this.alone.setAttribute("aria-pressed", String(this.only));
    this.tree.filter(this.hits, this.only);
    if (goes && this.hits.length && !fits(this.tree.selected)) this.context.actions.pick(this.hits[0]);
    this.say();
  }

  say() {
    const number = this.hits.indexOf(this.tree.selected) + 1;
    const all = `${group(this.hits.length)}${this.found && this.more ? " or more" : ""}`;
    const text = !this.hits.length ? "nothing fits" : number ? `${group(number)} of ${all}` : `${all} found`;
    this.count.replaceChildren(text);
  }

  /** Pick the next hit, or the one before. @param {number} step */
  go(step) {
    if (!this.hits.length) return;
    this.tree.jump(step, (at) => this.tree.hits.has(at));
    this.say();
  }

  clear() {
    this.box.value = this.searched = "";
    this.turn++;
    this.found = null;
    this.flags = 0;
    this.ran = -1;
    this.nodes.button.replaceChildren("node ▾");
    this.nodes.button.classList.remove("fb-pressed");
    for (const chip of this.chips) chip.setAttribute("aria-pressed", "false");
    this.apply(false);
    this.recount();
    this.tree.focus();
  }
}
