// One row of the tree: what was said or changed, and signs of what happened there.

import { el } from "./dom.js";
import { ROW } from "./lanes.js";
import { FLAG } from "./rows.js";

/** What the mark in the lane says, for those who do not see it. @type {[number, string][]} */
const WORDS = [
  [FLAG.FAILED, "failed"],
  [FLAG.WAITS, "waits for an answer"],
  [FLAG.EDITED, "edited"],
];

/**
 * What a row shows beside its label.
 * @typedef {object} Looks
 * @property {boolean} selected
 * @property {boolean} marked
 * @property {boolean} draft
 * @property {boolean} hit
 * @property {boolean} cursor
 */

/** @param {string} text @param {string} word */
function sign(text, word) {
  return el("span", { class: "fb-sign", role: "img", "aria-label": word, title: word }, text);
}

/**
 * @param {import("./outline.js").Outline} outline
 * @param {number} item
 * @param {import("./types.js").Label | undefined} label
 * @param {Looks} looks
 * @param {string} id
 * @param {string[]} nodes
 * @param {(lane: number) => number} laneX
 */
export function drawRow(outline, item, label, looks, id, nodes, laneX) {
  const { lines, rows, folded } = outline;
  const fold = outline.foldAt(item);
  const at = outline.at(item);
  const flags = at < 0 ? 0 : rows.flags[at];
  const inside = folded.inside.get(at);
  const closes = folded.opened.get(at);
  const lane = lines.lane[item];
  const classes = [
    "fb-row",
    looks.selected && "fb-selected",
    looks.cursor && "fb-cursor",
    looks.hit && "fb-hit",
    fold && "fb-fold",
    flags & FLAG.FAILED && "fb-failed",
  ];
  const row = el("div", {
    class: classes.filter(Boolean).join(" "),
    role: "treeitem",
    id,
    "data-item": item,
    "aria-level": lane + 1,
    "aria-setsize": outline.length,
    "aria-posinset": item + 1,
    "aria-selected": String(looks.selected),
    "aria-expanded": fold || inside ? "false" : closes ? "true" : null,
    style: { top: `${item * ROW}px`, "padding-left": `${laneX(lane) + 13}px` },
  });
  if (fold) {
    row.append(el("span", { class: "fb-text" }, `${fold.text} ▸`), el("span", { class: "fb-grey" }, who(fold, rows, nodes)));
    return row;
  }
  const [text, grey, letter] = label ?? ["…", "", ""];
  if (closes) row.append(toggle(closes, "▾", "fold away"));
  const words = WORDS.filter(([flag]) => flags & flag).map(([, word]) => word);
  if (words.length) row.append(el("span", { class: "fb-unseen" }, `${words.join(", ")}: `));
  if (flags & FLAG.STARRED) row.append(sign("★", "starred"));
  if (looks.draft) row.append(sign("●", "has a draft"));
  if (letter) row.append(el("span", { class: `fb-letter fb-c${outline.hue[at]}`, title: `branch ${letter}` }, letter));
  row.append(el("span", { class: "fb-text" }, text));
  if (inside) row.append(toggle(inside.key, `${inside.text} ▸`, "show the subgraph"));
  if (grey) row.append(el("span", { class: "fb-grey" }, grey));
  row.append(
    el("span", {
      class: `fb-tick${looks.marked ? " fb-ticked" : ""}`,
      "data-mark": at,
      title: "compare (c)",
      role: "img",
      "aria-label": looks.marked ? "chosen for the comparison" : "not chosen",
    }),
  );
  return row;
}

/** @param {string} key @param {string} text @param {string} title */
function toggle(key, text, title) {
  return el("span", { class: "fb-toggle", "data-fold": key, title: `${title} (Space)` }, text);
}

/** The nodes that ran in a fold. @param {import("./rows.js").Fold} fold @param {import("./rows.js").Rows} rows @param {string[]} nodes */
function who({ positions }, rows, nodes) {
  const found = new Set();
  for (let i = 0; i < positions.length && i < 500 && found.size < 4; i++) found.add(nodes[rows.node[positions[i]]]);
  const names = [...found].filter(Boolean);
  return names.length > 3 ? `${names.slice(0, 3).join(", ")}, …` : names.join(", ");
}
