// One row of the tree: what was said or changed, and signs of what happened there.

import { el } from "./dom.js";
import { laneX, ROW } from "./lanes.js";
import { FLAG } from "./rows.js";

/** Signs before the text: a flag, the sign, its word. @type {[number, string, string][]} */
const SIGNS = [
  [FLAG.FAILED, "✗", "failed"],
  [FLAG.WAITS, "?", "waits for an answer"],
  [FLAG.STARRED, "★", "starred"],
  [FLAG.EDITED, "✎", "edited"],
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

/** @param {string} sign @param {string} word @param {string} name */
function sign(sign, word, name) {
  return el("span", { class: `fb-sign fb-sign-${name}`, role: "img", "aria-label": word, title: word }, sign);
}

/**
 * @param {import("./outline.js").Outline} outline
 * @param {number} item
 * @param {import("./types.js").Label | undefined} label
 * @param {Looks} looks
 * @param {string} id
 * @param {string[]} nodes
 */
export function drawRow(outline, item, label, looks, id, nodes) {
  const { lines, rows, folded } = outline;
  const fold = outline.foldAt(item);
  const at = outline.at(item);
  const flags = at < 0 ? 0 : rows.flags[at];
  const inside = folded.inside.get(at);
  const closes = folded.opened.get(at);
  const lane = lines.lane[item];
  const row = el("div", {
    class: `fb-row${looks.selected ? " fb-selected" : ""}${looks.hit ? " fb-hit" : ""}${fold ? " fb-fold" : ""}`,
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
  for (const [flag, mark, word] of SIGNS) if (flags & flag) row.append(sign(mark, word, word.split(" ")[0]));
  if (looks.draft) row.append(sign("●", "has a draft", "draft"));
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
