// What of the tree is in sight, and where a key leads from there. Pure.

import { arrange, connect, fold } from "./rows.js";

export const HUES = 6;

export class Outline {
  /** @param {import("./rows.js").Rows} rows */
  constructor(rows) {
    this.rows = rows;
    this.deepest = 0;
    /** Keys of folds that a person opened. @type {Set<string>} */
    this.open = new Set();
    /** Positions that are shown although they would be folded away. @type {Set<number>} */
    this.kept = new Set();
    /** The only positions to show, in the order of reading; null: all. @type {number[] | null} */
    this.only = null;
    /** @type {import("./rows.js").Order} */ this.order;
    /** By position: its place in the order of reading, and its colour. @type {Int32Array} */ this.rank;
    /** @type {Uint8Array} */ this.hue;
    /** @type {import("./rows.js").Folded} */ this.folded;
    /** @type {import("./rows.js").Lines} */ this.lines;
    this.take(rows);
  }

  /** Take rows that have grown or changed. @param {import("./rows.js").Rows} rows */
  take(rows) {
    this.rows = rows;
    this.order = arrange(rows);
    this.rank = new Int32Array(rows.n);
    this.order.order.forEach((at, i) => (this.rank[at] = i));
    // the colour of each position: that of its branch, which stays when others are added
    this.hue = new Uint8Array(rows.n);
    let branches = 0;
    for (let at = 0; at < rows.n; at++) {
      const above = rows.parent[at];
      const goesOn = above >= 0 && this.order.last[above] === at;
      this.hue[at] = goesOn ? this.hue[above] : branches++ && 1 + ((branches - 2) % (HUES - 1));
    }
    this.fold();
  }

  fold() {
    if (this.only) {
      const items = Int32Array.from(this.only);
      const row = new Int32Array(this.rows.n).fill(-1);
      items.forEach((at, i) => (row[at] = i));
      this.folded = { items, folds: [], inside: new Map(), starts: new Map(), opened: new Map(), row };
      const none = () => new Int32Array(items.length).fill(-1);
      this.deepest = 0;
      this.lines = { up: none(), down: none(), base: items.map((_, i) => i), lane: new Int32Array(items.length) };
      return;
    }
    this.folded = fold(this.rows, this.order, this.kept, this.open);
    this.lines = connect(this.rows, this.order, this.folded);
    this.deepest = this.lines.lane.reduce((a, b) => Math.max(a, b), 0);
  }

  get length() {
    return this.folded.items.length;
  }

  /** The position that an item shows; of a fold -1. @param {number} item */
  at(item) {
    return Math.max(-1, this.folded.items[item] ?? -1);
  }

  /** The position that an item shows, or the first that it hides. @param {number} item */
  firstAt(item) {
    return this.foldAt(item)?.positions[0] ?? this.at(item);
  }

  /** The fold that an item shows, or null. @param {number} item */
  foldAt(item) {
    const what = this.folded.items[item] ?? 0;
    return what < 0 ? this.folded.folds[~what] : null;
  }

  /** The item of a position, or of what hides it; -1: nowhere. @param {number} position */
  itemOf(position) {
    return position >= 0 && position < this.rows.n ? this.folded.row[position] : -1;
  }

  /** Bring a position into sight; tells whether rows moved. @param {number} position */
  uncover(position) {
    const item = this.itemOf(position);
    if (this.only || item < 0 || this.folded.items[item] === position) return false;
    this.kept.add(position);
    this.fold();
    return true;
  }

  /** The key that opens or closes what begins at an item, or that an item is a part of; "" none. @param {number} item */
  keyAt(item) {
    const fold = this.foldAt(item);
    if (fold) return fold.key;
    const { inside, opened, starts } = this.folded;
    const at = this.at(item);
    const hidden = inside.get(at);
    if (hidden) return hidden.key;
    if (starts.has(at) || this.open.has(`start:${at}`)) return `start:${at}`;
    for (let above = item; above >= 0; above = this.lines.up[above]) {
      const key = opened.get(this.at(above));
      if (key && (above === item || this.lines.base[above] === this.lines.base[item])) return key;
      if (this.lines.up[above] !== above - 1) break; // a stretch has no side branches
    }
    return "";
  }

  /** Open or close a fold. @param {string} key */
  toggle(key) {
    if (!this.open.delete(key)) this.open.add(key);
    if (key.startsWith("steps:") && !this.open.has(key)) this.kept.clear();
    this.fold();
  }

  /**
   * The item that a key leads to.
   * @param {string} gesture @param {number} item @param {number} page Rows that a window shows.
   */
  towards(gesture, item, page) {
    const { up } = this.lines;
    const end = this.length - 1;
    const within = (/** @type {number} */ to) => Math.min(end, Math.max(0, to));
    if (gesture === "down") return within(item + 1);
    if (gesture === "up") return within(up[item] >= 0 ? up[item] : item - 1);
    if (gesture === "first") return 0;
    if (gesture === "last") return end;
    if (gesture === "pageDown") return within(item + page);
    if (gesture === "pageUp") return within(item - page);
    for (let above = item; above >= 0; above = up[above]) {
      const sibling = gesture === "right" ? this.after(above) : this.before(above);
      if (sibling >= 0) return sibling;
    }
    return item;
  }

  /** The next item below the same one, or -1. @param {number} item */
  after(item) {
    const { up } = this.lines;
    for (let next = item + 1; next < this.length && up[next] >= up[item]; next++) if (up[next] === up[item]) return next;
    return -1;
  }

  /** The item before, below the same one, or -1. @param {number} item */
  before(item) {
    const { up } = this.lines;
    for (let next = item - 1; next > up[item]; next--) if (up[next] === up[item]) return next;
    return -1;
  }

  /**
   * The next position in the order of reading that has a flag, or that is in a set; -1: none has.
   * @param {number} from @param {number} step 1 forward, -1 back
   * @param {(position: number) => boolean} fits
   */
  next(from, step, fits) {
    const { order } = this.order;
    const n = order.length;
    const start = from >= 0 && from < this.rank.length ? this.rank[from] : step > 0 ? -1 : n;
    for (let i = 1; i <= n; i++) {
      const at = order[(((start + step * i) % n) + n) % n];
      if (fits(at)) return at;
    }
    return -1;
  }
}
