// The lines at the left of the tree and the marks on them, for the rows in sight.

import { svg } from "./dom.js";
import { HUES } from "./outline.js";
import { FLAG, KIND } from "./rows.js";

export const ROW = 26; // px, height of a row
const PITCH = 15; // px between lanes
const TIGHT = 3; // px between lanes of which only lines pass by
const PLENTY = 8; // lanes that always stand at the usual distance
const LEFT = 15;

/**
 * Where each lane stands, in px. However many there are, text has room beside them: where rows in sight are deep in
 * branches of branches, the lanes left of all of them move together, and the last ones, too.
 * @param {import("./outline.js").Outline} outline
 * @param {number} from
 * @param {number} to
 * @returns {(lane: number) => number}
 */
export function laneScale({ lines, deepest }, from, to) {
  if (deepest <= PLENTY) return (lane) => LEFT + PITCH * lane;
  const least = lines.lane.subarray(from, to).reduce((a, b) => Math.min(a, b), deepest);
  const passing = Math.max(0, least - (least % 3) - 1);
  const stack = TIGHT * Math.min(PLENTY, passing);
  return (lane) => {
    if (lane < passing) return LEFT - TIGHT + TIGHT * Math.min(PLENTY, lane);
    const far = lane - passing - PLENTY;
    return LEFT + stack + PITCH * (far <= 0 ? lane - passing : PLENTY + 2 * (1 - Math.exp(-far / 2)));
  };
}

/** The path of a mark around (x, y). @param {number} kind @param {number} flags @param {number} x @param {number} y */
function shape(kind, flags, x, y) {
  const circle = (/** @type {number} */ r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  if (flags & FLAG.FAILED) return `${circle(6.5)}M${x - 2.6} ${y - 2.6}l5.2 5.2M${x + 2.6} ${y - 2.6}l-5.2 5.2`;
  if (flags & FLAG.WAITS) return circle(6.5);
  if (kind === KIND.EDIT) return `M${x} ${y - 6}l6 6l-6 6l-6 -6z`;
  if (kind === KIND.REPLAY) return `M${x - 4} ${y - 5.5}l8.5 5.5l-8.5 5.5z`;
  if (flags & FLAG.TIP) return `M${x - 5} ${y - 5}h10v10h-10z`;
  return circle(4.5);
}

/** @param {number} kind @param {number} flags */
function look(kind, flags) {
  if (flags & FLAG.FAILED) return "fb-mark fb-mark-failed";
  if (flags & FLAG.WAITS) return "fb-mark fb-mark-waits";
  if (kind === KIND.START) return "fb-mark fb-mark-hollow";
  if (kind === KIND.UNCLEAR || flags & FLAG.UNKNOWN) return "fb-mark fb-mark-hollow fb-mark-unclear";
  return "fb-mark";
}

/**
 * Lines and marks of the items from one up to another.
 * @param {import("./outline.js").Outline} outline
 * @param {number} from
 * @param {number} to
 * @param {(lane: number) => number} laneX
 */
export function drawLanes(outline, from, to, laneX) {
  const { lines, rows } = outline;
  const { up, down, base, lane } = lines;
  const colourOf = (/** @type {number} */ item) => outline.hue[outline.firstAt(item)];
  const y = (/** @type {number} */ item) => (Math.max(from - 1, Math.min(to, item)) - from) * ROW + ROW / 2;
  const paths = Array.from({ length: HUES }, () => "");
  const trunk = (/** @type {number} */ item) => {
    const end = down[item];
    if (end < from || item >= to) return;
    paths[colourOf(item)] += `M${laneX(lane[item])} ${y(item)}V${y(end)}`;
  };
  // what passes by: the trunks of those that the first row in sight descends from
  for (let item = from; item >= 0 && from < to; item = up[base[item]]) {
    if (up[item] >= 0 && lane[up[item]] === lane[item] && item >= from) trunk(up[item]);
    const above = up[base[item]];
    if (above >= 0) trunk(above);
  }
  const marks = [];
  for (let item = from; item < to; item++) {
    const x = laneX(lane[item]);
    const colour = colourOf(item);
    if (down[item] >= 0) trunk(item);
    if (up[item] >= 0 && lane[up[item]] !== lane[item]) {
      const [above, row] = [laneX(lane[up[item]]), y(item)];
      const bend = Math.min(8, x - above);
      paths[colour] += `M${above} ${row - ROW / 2}V${row - bend}Q${above} ${row} ${above + bend} ${row}H${x}`;
    }
    const at = outline.at(item);
    if (at < 0) {
      const dots = [-5, 0, 5].map((dy) => `M${x} ${y(item) + dy}h0.01`).join("");
      marks.push(svg("path", { d: `M${x} ${y(item) - 9}v18`, class: "fb-gap" }));
      marks.push(svg("path", { d: dots, class: `fb-dots fb-c${colour}` }));
      continue;
    }
    const [kind, flags] = [rows.kind[at], rows.flags[at]];
    marks.push(svg("path", { d: shape(kind, flags, x, y(item)), class: `${look(kind, flags)} fb-c${colour}` }));
    if (flags & FLAG.WAITS && !(flags & FLAG.FAILED)) {
      marks.push(svg("text", { x, y: y(item) + 3.5, class: "fb-mark-text" }, "?"));
    }
  }
  const widest = laneX(Math.max(0, ...lane.subarray(from, to))) + 10;
  return svg(
    "svg",
    { class: "fb-lanes", width: widest, height: (to - from) * ROW, style: { top: `${from * ROW}px` }, "aria-hidden": "true" },
    ...paths.map((d, i) => d && svg("path", { d, class: `fb-line fb-c${i}` })),
    ...marks,
  );
}
