// The whole tree as a narrow strip: ticks for failed, waiting and starred, and the part that is in sight.

import { el, svg } from "./dom.js";
import { ROW } from "./lanes.js";
import { FLAG } from "./rows.js";

const WIDE = 14; // px
/** Each tick has its colour and its place: a flag, its class, left and right. @type {[number, string, number, number][]} */
const TICKS = [
  [FLAG.FAILED, "failed", 1, WIDE - 1],
  [FLAG.WAITS, "waits", 1, WIDE / 2],
  [FLAG.STARRED, "starred", WIDE / 2, WIDE - 1],
];

export class Minimap {
  /** @param {import("./tree.js").TreeView} tree */
  constructor(tree) {
    this.tree = tree;
    this.picture = svg("svg", { width: WIDE, height: "100%" });
    this.view = el("div", { class: "fb-minimap-view" });
    this.node = el("div", { class: "fb-minimap", "aria-hidden": "true" }, this.picture, this.view);
    this.node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.node.setPointerCapture(event.pointerId);
      this.go(event);
    });
    this.node.addEventListener("pointermove", (event) => {
      if (this.node.hasPointerCapture(event.pointerId)) this.go(event);
    });
  }

  /** How much of the strip the rows take: few rows leave a part of it empty. */
  get scale() {
    const whole = this.tree.outline.length * ROW;
    return Math.min(1, this.node.clientHeight / (whole || 1));
  }

  /** @param {PointerEvent} event */
  go(event) {
    const { scroll } = this.tree;
    const y = event.clientY - this.node.getBoundingClientRect().top;
    scroll.scrollTop = y / this.scale - scroll.clientHeight / 2;
  }

  draw() {
    const { outline, hits } = this.tree;
    const high = this.node.clientHeight;
    if (!high) return;
    const { rows, folded } = outline;
    const { scale } = this;
    const paths = TICKS.map(() => "");
    const drawn = [...TICKS.map(() => new Set()), new Set()];
    const y = (/** @type {number} */ at) => Math.round((folded.row[at] + 0.5) * ROW * scale);
    for (let at = 0; at < rows.n; at++) {
      const flags = rows.flags[at];
      if (!(flags & (FLAG.FAILED | FLAG.WAITS | FLAG.STARRED)) || folded.row[at] < 0) continue;
      TICKS.forEach(([flag, , left, right], i) => {
        if (!(flags & flag) || drawn[i].has(y(at))) return;
        drawn[i].add(y(at));
        paths[i] += `M${left} ${y(at)}H${right}`;
      });
    }
    let found = "";
    for (const at of hits) {
      if (drawn[3].has(y(at)) || folded.row[at] < 0) continue;
      drawn[3].add(y(at));
      found += `M0 ${y(at)}h3`;
    }
    this.picture.replaceChildren(
      svg("path", { d: found, class: "fb-tick-hit" }),
      ...paths.map((d, i) => svg("path", { d, class: `fb-tick-${TICKS[i][1]}` })),
    );
    this.frame();
  }

  /** Show which part is in sight. */
  frame() {
    const { scroll } = this.tree;
    const { scale } = this;
    const all = scroll.scrollHeight <= scroll.clientHeight;
    this.view.hidden = all;
    this.view.style.top = `${scroll.scrollTop * scale}px`;
    this.view.style.height = `${Math.max(8, scroll.clientHeight * scale)}px`;
  }
}
