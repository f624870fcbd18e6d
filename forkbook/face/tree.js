// The tree of checkpoints: only the rows in sight exist.

import { el } from "./dom.js";
import { drawLanes, laneScale, ROW } from "./lanes.js";
import { Minimap } from "./minimap.js";
import { Outline } from "./outline.js";
import { drawRow } from "./row.js";
import { FLAG, grown, unpack } from "./rows.js";

const OVER = 5; // rows above and below those in sight
const LATER = 150; // ms without a pick until neighbours are fetched

export class TreeView {
  /** @param {import("./types.js").Context} context */
  constructor(context) {
    this.context = context;
    const { model, source, signal } = context;
    this.outline = new Outline(unpack(model.get("rows")));
    this.cursor = -1;
    this.selected = -1;
    this.top = -1;
    this.window = [0, 0];
    this.due = 0;
    this.asking = false;
    /** @type {Set<number>} */
    this.marked = new Set(model.get("marked") ?? []);
    /** @type {Set<number>} */
    this.drafts = new Set();
    /** @type {Set<number>} */
    this.hits = new Set();
    this.body = el("div", { class: "fb-tree-body", role: "presentation" });
    this.scroll = el("div", { class: "fb-tree", role: "tree", tabindex: "0", "aria-label": "checkpoints" }, this.body);
    this.minimap = new Minimap(this);
    this.node = el("section", { class: "fb-tree-pane", "aria-label": "history" }, this.scroll, this.minimap.node);
    this.listen();
    context.on("selected", () => this.follow());
    context.on("marked", () => {
      this.marked = new Set(model.get("marked"));
      this.redraw();
    });
    context.on("drafts", () => this.readDrafts());
    context.on("places", () => this.readDrafts());
    source.on("grow", (push) => this.grow(push));
    source.on("flags", (push) => this.flag(push));
    source.on("reset", () => this.reset());
    this.laid = false;
    const size = new ResizeObserver(() => this.resized());
    size.observe(this.scroll);
    signal.addEventListener("abort", () => size.disconnect());
    this.readDrafts();
    this.resize();
    this.follow(true);
    if (model.get("n") > this.outline.rows.n) this.catchUp(); // a second view of a thread that grew
  }

  /** Ask for the rows that did not come. */
  async catchUp() {
    const from = this.outline.rows.n;
    try {
      this.grow({ from, buffers: await this.context.source.ask("rows", { from }) });
      this.follow(true);
    } catch {
      // the head says that the kernel is gone
    }
  }

  listen() {
    this.scroll.addEventListener("scroll", () => {
      if (this.scroll.clientHeight) this.top = this.scroll.scrollTop;
      this.later();
    });
    this.body.addEventListener("mousedown", (event) => {
      if (event.button !== 0) return;
      const target = /** @type {HTMLElement} */ (event.target);
      const row = /** @type {HTMLElement | null} */ (target.closest("[data-item]"));
      if (!row) return;
      event.preventDefault(); // the focus goes to the tree, not into the text
      this.focus();
      const item = Number(row.dataset.item);
      const { fold, mark } = target.dataset;
      if (fold) this.toggle(fold);
      else if (mark || event.ctrlKey || event.metaKey) this.context.actions.mark(this.outline.at(item));
      else this.pick(item, true);
    });
    this.body.addEventListener("mouseover", (event) => {
      const row = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-item]"));
      if (!row) return;
      clearTimeout(this.hover);
      this.hover = setTimeout(() => this.context.source.ahead([this.outline.at(Number(row.dataset.item))]), 80);
    });
  }

  focus() {
    this.scroll.focus({ preventScroll: true });
  }

  /** @param {number} item @param {boolean} [opens] Whether a fold is opened. */
  pick(item, opens = false) {
    const fold = this.outline.foldAt(item);
    if (fold && opens) {
      this.toggle(fold.key);
      return;
    }
    this.cursor = item;
    const at = this.outline.at(item);
    if (at >= 0 && at !== this.selected) this.context.actions.pick(at);
    else {
      this.reveal();
      this.redraw();
    }
  }

  /** @param {string} gesture Where a key leads. */
  move(gesture) {
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / ROW) - 1);
    this.pick(this.outline.towards(gesture, this.cursor, page));
  }

  /** Pick the next checkpoint that fits. @param {number} step @param {(position: number) => boolean} fits */
  jump(step, fits) {
    const from = this.outline.foldAt(this.cursor) ? this.outline.firstAt(this.cursor) : this.selected;
    const at = this.outline.next(from, step, fits);
    if (at >= 0) this.context.actions.pick(at);
    return at;
  }

  /** @param {number} step */
  failure(step) {
    const { flags } = this.outline.rows;
    return this.jump(step, (at) => (flags[at] & FLAG.FAILED) !== 0);
  }

  /** Open or close what begins at a row, or that the row is a part of. @param {string} [key] */
  toggle(key = this.outline.keyAt(this.cursor)) {
    if (!key) return;
    const item = this.cursor;
    const first = this.outline.firstAt(item);
    this.outline.toggle(key);
    this.outline.uncover(this.selected);
    this.resize();
    this.cursor = this.outline.itemOf(first);
    if (this.outline.foldAt(this.cursor)) this.reveal();
    this.redraw();
  }

  /** Follow what is selected, here or in Python. @param {boolean} [middle] */
  follow(middle = false) {
    this.selected = this.context.model.get("selected") ?? -1;
    if (this.outline.uncover(this.selected)) this.resize();
    this.cursor = this.outline.itemOf(this.selected);
    this.reveal(middle);
    this.redraw();
    clearTimeout(this.next);
    this.next = setTimeout(() => this.context.source.ahead(this.neighbours()), LATER);
  }

  /** What a key may lead to from here. */
  neighbours() {
    const moves = ["down", "up", "right", "left"].map((gesture) => this.outline.towards(gesture, this.cursor, 1));
    return new Set(moves.map((item) => this.outline.at(item)));
  }

  /** @param {boolean} [middle] */
  reveal(middle = false) {
    if (!this.laid || this.cursor < 0) return; // before it is laid out scrollTop does nothing
    const { scrollTop, clientHeight } = this.scroll;
    const top = this.cursor * ROW;
    if (top >= scrollTop && top + ROW <= scrollTop + clientHeight) return;
    const near = top < scrollTop ? top - ROW : top + 2 * ROW - clientHeight;
    const far = Math.abs(near - scrollTop) > clientHeight;
    this.scroll.scrollTop = Math.max(0, middle || far ? top - clientHeight / 2 : near);
  }

  /** A notebook renders a view before it stands in the page, and may take it out and put it back. */
  resized() {
    const stands = this.scroll.clientHeight > 0;
    if (stands && !this.laid) {
      this.laid = true;
      if (this.top >= 0) this.scroll.scrollTop = this.top;
      else this.reveal(true);
    }
    this.laid = stands;
    if (stands) {
      this.minimap.draw();
      this.later();
    }
  }

  resize() {
    this.body.style.height = `${this.outline.length * ROW}px`;
    this.minimap.draw();
  }

  /** Show these hits, or only these. @param {number[]} hits @param {boolean} only */
  filter(hits, only) {
    this.hits = new Set(hits);
    const before = this.outline.only;
    this.outline.only = only ? hits : null;
    if (before || only) {
      this.outline.fold();
      this.outline.uncover(this.selected);
      this.cursor = this.outline.itemOf(this.selected);
      this.resize();
      this.reveal();
    }
    this.minimap.draw();
    this.redraw();
  }

  /** @param {{from: number, buffers: DataView[]}} push */
  grow({ from, buffers }) {
    const { rows } = this.outline;
    if (from > rows.n) this.catchUp();
    else this.take(grown(rows, from, unpack(buffers[0])));
  }

  /** @param {{flags: Record<string, number>}} push */
  flag({ flags = {} }) {
    const { rows } = this.outline;
    for (const [position, of] of Object.entries(flags)) if (Number(position) < rows.n) rows.flags[Number(position)] = of;
    this.take(rows);
  }

  reset() {
    this.outline = new Outline(unpack(this.context.model.get("rows")));
    this.marked = new Set(this.context.model.get("marked") ?? []);
    this.take(this.outline.rows);
    this.follow(true);
  }

  /** @param {import("./rows.js").Rows} rows */
  take(rows) {
    const atEnd = this.cursor >= 0 && this.outline.firstAt(this.cursor);
    this.outline.take(rows);
    this.outline.uncover(this.selected);
    this.cursor = this.outline.itemOf(this.selected >= 0 || atEnd === false ? this.selected : atEnd);
    this.resize();
    this.redraw();
    this.context.source.emit("rows", rows);
  }

  readDrafts() {
    const { model, source } = this.context;
    const places = model.get("places") ?? {};
    const at = Object.keys(model.get("drafts") ?? {}).map((id) => places[id] ?? source.ids.get(id) ?? -1);
    this.drafts = new Set(at);
    this.redraw();
  }

  later() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      this.draw();
    });
  }

  redraw() {
    this.window = [0, 0];
    if (this.laid) this.draw();
    else this.later();
  }

  async draw() {
    this.minimap.frame();
    const { scrollTop, clientHeight } = this.scroll;
    const top = this.laid ? scrollTop : Math.max(0, this.cursor * ROW - 250);
    const from = Math.max(0, Math.floor(top / ROW) - OVER);
    const to = Math.min(this.outline.length, Math.ceil((top + (clientHeight || 500)) / ROW) + OVER);
    if (from === this.window[0] && to === this.window[1]) return;
    this.window = [from, to];
    this.paint(from, to);
    if (this.asking) return;
    this.asking = true;
    try {
      const shown = Array.from({ length: to - from }, (_, i) => this.outline.at(from + i)).filter((at) => at >= 0);
      if (await this.context.source.labels(shown)) this.redraw();
    } catch {
      // the head says that the kernel is gone
    } finally {
      this.asking = false;
    }
    if (this.window[0] !== from || this.window[1] !== to) this.redraw();
  }

  /** @param {number} from @param {number} to */
  paint(from, to) {
    const { outline, context } = this;
    const nodes = context.model.get("nodes") ?? [];
    const laneX = laneScale(outline, from, to);
    const rows = [];
    for (let item = from; item < to; item++) {
      const at = outline.at(item);
      const looks = {
        selected: at >= 0 && at === this.selected,
        cursor: item === this.cursor,
        marked: this.marked.has(at),
        draft: this.drafts.has(at),
        hit: !outline.only && this.hits.has(at),
      };
      rows.push(drawRow(outline, item, context.source.known.get(at), looks, `${context.tag}-${item}`, nodes, laneX));
    }
    this.body.replaceChildren(drawLanes(outline, from, to, laneX), ...rows);
    if (this.cursor >= from && this.cursor < to) {
      this.scroll.setAttribute("aria-activedescendant", `${context.tag}-${this.cursor}`);
    } else this.scroll.removeAttribute("aria-activedescendant");
  }
}
