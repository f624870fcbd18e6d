// Checkpoints as numbers: the order of reading, lanes and folds, as order.py has them. Pure.
// Both are tested on tests/face/order_cases.json.

export const KIND = { START: 0, LOOP: 1, EDIT: 2, REPLAY: 3, UNCLEAR: 4 };
export const FLAG = {
  FAILED: 1,
  WAITS: 2,
  EDITED: 4,
  STARRED: 8,
  TIP: 16,
  INSIDE: 32,
  ASKED: 64,
  UNKNOWN: 128,
};
const LONGEST = 8; // rows of a stretch that is not folded
const ENDS = 2; // rows that a folded one keeps at each end
const NEVER_HIDDEN = FLAG.FAILED | FLAG.WAITS | FLAG.STARRED;
const BREAKS = FLAG.FAILED | FLAG.WAITS | FLAG.EDITED | FLAG.TIP;
/** @type {[number, string][]} */
const COUNTED = [
  [FLAG.FAILED, "failed"],
  [FLAG.WAITS, "waiting"],
  [FLAG.STARRED, "starred"],
];

/**
 * Columns by position: the checkpoint that each is drawn below, its node, kind and flags.
 * @typedef {object} Rows
 * @property {number} n
 * @property {Int32Array} parent
 * @property {Uint16Array} node
 * @property {Uint8Array} kind
 * @property {Uint8Array} flags
 */

/** Rows as they come: the columns one after the other, 8 bytes a row. @param {DataView} view @returns {Rows} */
export function unpack(view) {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const n = Math.floor(view.byteLength / 8);
  return {
    n,
    parent: new Int32Array(bytes, 0, n),
    node: new Uint16Array(bytes, 4 * n, n),
    kind: new Uint8Array(bytes, 6 * n, n),
    flags: new Uint8Array(bytes, 7 * n, n),
  };
}

/**
 * Rows that have grown: those before a position, and new ones from there on.
 * @param {Rows} rows
 * @param {number} from
 * @param {Rows} more
 * @returns {Rows}
 */
export function grown(rows, from, more) {
  const n = from + more.n;
  const join = (/** @type {any} */ before, /** @type {any} */ after) => {
    const all = new before.constructor(n);
    all.set(before.subarray(0, from));
    all.set(after, from);
    return all;
  };
  return {
    n,
    parent: join(rows.parent, more.parent),
    node: join(rows.node, more.node),
    kind: join(rows.kind, more.kind),
    flags: join(rows.flags, more.flags),
  };
}

/**
 * Where each checkpoint stands.
 * @typedef {object} Order
 * @property {Int32Array} order Positions in the order of reading.
 * @property {Int32Array} lane By position, 0 being the leftmost.
 * @property {Int32Array} last By position the child that goes on in its lane, drawn last; -1 none.
 * @property {Int32Array} newest By position its newest child; -1 none.
 * @property {Int32Array} older By position the next older child of the same parent; -1 none.
 * @property {Uint8Array} second By position whether it is a start that an input leads to.
 * @property {Uint8Array} begins By position whether it begins a subgraph.
 */

/**
 * Put checkpoints in the order of reading: of the children of one the first that does not begin a subgraph goes on in
 * its lane and is drawn last; the others are drawn before it, oldest first, one lane further right.
 * @param {Rows} rows
 * @returns {Order}
 */
export function arrange({ n, parent, kind, flags }) {
  const [order, lane] = [new Int32Array(n), new Int32Array(n)];
  const [last, newest, older] = [new Int32Array(n).fill(-1), new Int32Array(n).fill(-1), new Int32Array(n).fill(-1)];
  const [second, begins] = [new Uint8Array(n), new Uint8Array(n)];
  const main = new Uint8Array(n);
  const stack = new Int32Array(n + 1);
  let [height, place] = [0, 0];
  for (let at = 0; at < n; at++) {
    const up = parent[at];
    if (kind[at] === KIND.START) {
      const after = up >= 0 && kind[up] === KIND.START && !second[up];
      second[at] = Number(after && !((flags[at] ^ flags[up]) & FLAG.INSIDE));
      begins[at] = Number((flags[at] & FLAG.INSIDE) !== 0 && !second[at]);
    }
    if (up < 0) continue;
    older[at] = newest[up];
    newest[up] = at;
    if (main[up]) continue;
    last[up] = at;
    if (!begins[at]) main[up] = 1;
  }
  for (let at = n - 1; at >= 0; at--) if (parent[at] < 0) stack[height++] = at;
  while (height) {
    const at = stack[--height];
    order[place++] = at;
    const goesOn = last[at];
    if (goesOn < 0) continue;
    lane[goesOn] = lane[at];
    stack[height++] = goesOn;
    for (let child = newest[at]; child >= 0; child = older[child]) {
      if (child === goesOn) continue;
      lane[child] = lane[at] + 1;
      stack[height++] = child;
    }
  }
  return { order: order.subarray(0, place), lane, last, newest, older, second, begins };
}

/** The children of a checkpoint as they are drawn. @param {Order} order @param {number} at */
export function children({ newest, older, last }, at) {
  const found = [];
  for (let child = newest[at]; child >= 0; child = older[child]) if (child !== last[at]) found.push(child);
  return last[at] >= 0 ? [...found.reverse(), last[at]] : found;
}

/**
 * Checkpoints that are folded away; `key` is `steps:` or `inside:` and the first row of the stretch, or the host.
 * @typedef {{key: string, positions: ArrayLike<number>, text: string}} Fold
 */

/**
 * What is left in sight, by item: a checkpoint or a fold.
 * @typedef {object} Folded
 * @property {Int32Array} items Positions, and ~index of a fold in the place of a stretch.
 * @property {Fold[]} folds
 * @property {Map<number, Fold>} inside By host what is folded into it.
 * @property {Map<number, number>} starts By position the input that it also stands for.
 * @property {Map<number, string>} opened By position the key of an opened fold that begins there.
 * @property {Int32Array} row By position the item that shows or hides it.
 */

/**
 * Fold away what needs no row of its own: subgraphs into their hosts, inputs into their starts, and of long stretches
 * where nothing happens all but two rows at each end.
 * @param {Rows} rows
 * @param {Order} arranged
 * @param {Iterable<number>} keep Positions that stay in sight.
 * @param {Set<string>} opened Keys of folds that were opened; `start:` and a position for a start.
 * @returns {Folded}
 */
export function fold(rows, arranged, keep, opened) {
  const { n, parent } = rows;
  const kept = new Set(keep);
  const { shows, inside, hosts } = foldInside(rows, arranged, kept, opened);
  const seen = rows.flags.slice();
  for (const [host, { positions }] of inside) {
    for (let i = 0; i < positions.length; i++) seen[host] |= rows.flags[positions[i]] & NEVER_HIDDEN;
  }
  const count = new Int32Array(n);
  for (let at = 0; at < n; at++) if (parent[at] >= 0 && shows[at] === at) count[parent[at]]++;
  /** @type {Map<number, number>} */
  const starts = new Map();
  for (let at = 0; at < n; at++) {
    const up = parent[at];
    if (!arranged.second[at] || count[up] !== 1 || shows[at] !== at || shows[up] !== up) continue;
    if (seen[up] & (NEVER_HIDDEN | BREAKS) || kept.has(up) || opened.has(`start:${at}`)) continue;
    starts.set(at, up);
  }
  for (const [at, up] of starts) shows[up] = at;
  const sight = arranged.order.filter((at) => shows[at] === at);
  const [items, row] = [new Int32Array(sight.length), new Int32Array(n)];
  /** @type {Folded} */
  const folded = { items, folds: [], inside, starts, opened: new Map(), row };
  for (const host of hosts) if (opened.has(`inside:${host}`)) folded.opened.set(host, `inside:${host}`);
  let m = 0;
  const show = (/** @type {number} */ at) => {
    row[at] = m;
    items[m++] = at;
  };
  for (let from = 0, to = 0; from < sight.length; from = to) {
    for (to = from + 1; to < sight.length; to++) {
      const [above, at] = [sight[to - 1], sight[to]];
      const plain = count[above] === 1 && !(seen[above] & BREAKS) && count[at] === 1 && !(seen[at] & BREAKS);
      if (!plain || parent[starts.get(at) ?? at] !== above) break;
    }
    const key = `steps:${sight[from]}`;
    if (to - from <= LONGEST || opened.has(key)) {
      if (to - from > LONGEST) folded.opened.set(sight[from], key);
      for (let i = from; i < to; i++) show(sight[i]);
      continue;
    }
    for (let i = from, hidden = from; i <= to; i++) {
      const at = sight[i];
      const stays = i < from + ENDS || i >= to - ENDS || kept.has(at) || seen[at] & NEVER_HIDDEN;
      if (i < to && !stays) continue;
      if (i - hidden > 1) {
        const positions = sight.subarray(hidden, i);
        for (const each of positions) row[each] = m;
        items[m++] = ~folded.folds.length;
        folded.folds.push({ key, positions, text: `${group(i - hidden)} steps` });
      } else if (i - hidden === 1) show(sight[hidden]);
      if (i < to) show(at);
      hidden = i + 1;
    }
  }
  for (let at = 0; at < n; at++) {
    let shown = at;
    while (shows[shown] !== shown) shown = shows[shown];
    if (shown !== at) row[at] = row[shown];
  }
  folded.items = items.subarray(0, m);
  return folded;
}

/**
 * Fold subgraphs into the checkpoints whose tasks ran them, unless one of those to keep is among them.
 * @param {Rows} rows @param {Order} arranged @param {Set<number>} kept @param {Set<string>} opened
 */
function foldInside({ n, parent, flags }, { begins }, kept, opened) {
  const [host, shows] = [new Int32Array(n).fill(-1), new Int32Array(n)];
  const hosts = new Set();
  for (let at = 0; at < n; at++) {
    const up = parent[at];
    if (up < 0 || !(flags[at] & FLAG.INSIDE)) continue;
    host[at] = begins[at] || !(flags[up] & FLAG.INSIDE) ? up : host[up];
    hosts.add(host[at]);
  }
  const wide = new Set();
  for (let at of kept) while ((at = host[at] ?? -1) >= 0) wide.add(at);
  /** @type {Map<number, number[]>} */
  const hidden = new Map();
  for (let at = 0; at < n; at++) {
    const by = host[at];
    shows[at] = at;
    if (by < 0 || (shows[by] === by && (wide.has(by) || opened.has(`inside:${by}`)))) continue;
    shows[at] = shows[by];
    const positions = hidden.get(shows[at]);
    if (positions) positions.push(at);
    else hidden.set(shows[at], [at]);
  }
  /** @type {Map<number, Fold>} */
  const inside = new Map();
  for (const [at, positions] of hidden) {
    inside.set(at, { key: `inside:${at}`, positions, text: tell(positions, "inside", flags) });
  }
  return { shows, inside, hosts };
}

/** "5 inside, 1 failed". @param {number[]} positions @param {string} what @param {Uint8Array} flags */
function tell(positions, what, flags) {
  const parts = [`${group(positions.length)} ${what}`];
  for (const [flag, word] of COUNTED) {
    const count = positions.filter((at) => flags[at] & flag).length;
    if (count) parts.push(`${group(count)} ${word}`);
  }
  return parts.join(", ");
}

/** A number with commas between thousands. @param {number} number */
export function group(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * How items hang together: the item above each, the one that goes on in its lane, the first of its lane's run, its lane.
 * @typedef {{up: Int32Array, down: Int32Array, base: Int32Array, lane: Int32Array}} Lines
 */

/** @param {Rows} rows @param {Order} arranged @param {Folded} folded @returns {Lines} */
export function connect({ parent }, arranged, { items, folds, starts, row }) {
  const m = items.length;
  const [up, down] = [new Int32Array(m).fill(-1), new Int32Array(m).fill(-1)];
  const [base, lane] = [new Int32Array(m), new Int32Array(m)];
  for (let i = 0; i < m; i++) {
    const at = items[i] < 0 ? folds[~items[i]].positions[0] : items[i];
    const above = parent[starts.get(at) ?? at];
    lane[i] = arranged.lane[at];
    base[i] = i;
    if (above < 0) continue;
    up[i] = row[above];
    if (lane[up[i]] !== lane[i]) continue;
    down[up[i]] = i;
    base[i] = base[up[i]];
  }
  return { up, down, base, lane };
}
