// Draws what a view, a comparison or the code of an act is made of; all text as text nodes.

import { codeList } from "./code.js";
import { messageCard } from "./conversation.js";
import { fetchButton, focusOn, hint } from "./controls.js";
import { el } from "./dom.js";
import { FieldRow, typeOf } from "./fields.js";
import { parsedOrNull } from "./jsontext.js";
import { ValueTree } from "./leaves.js";

/** @typedef {import("./types.js").Block} Block */
/**
 * @typedef {object} Drawing
 * @property {import("./desk.js").Desk} desk
 * @property {import("./types.js").Page | null} page Whose blocks these are; null: of no one checkpoint, so nothing is edited.
 * @property {boolean} [fields] Whether simple values stand as fields.
 */

/** Any blocks, in their order. @param {Drawing} drawing @param {Block[]} blocks @returns {HTMLElement[]} */
export function drawBlocks(drawing, blocks) {
  /** @type {HTMLElement[]} */
  const nodes = [];
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    if (block.kind !== "code") nodes.push(drawBlock(drawing, block));
    else {
      /** @type {Extract<Block, {kind: "code"}>[]} */
      const run = [];
      for (let next = blocks[i]; next?.kind === "code"; next = blocks[++i]) run.push(next);
      i--;
      nodes.push(codeList(run));
    }
  }
  return nodes;
}

/** @param {Drawing} drawing @param {Exclude<Block, {kind: "code"}>} block @returns {HTMLElement} */
function drawBlock(drawing, block) {
  switch (block.kind) {
    case "note":
      return el(
        "p",
        { class: `fb-note${block.tone ? ` fb-${block.tone}` : ""}` },
        block.tone === "error" ? "✗ " : block.tone === "warn" ? "! " : "",
        block.text,
      );
    case "heading":
      return el("h4", { class: "fb-heading" }, block.text);
    case "table":
      return tableBlock(drawing, block);
    case "json":
      return valueBlock(drawing, block);
    case "change":
      return changeBlock(block);
    case "message":
      return messageCard({ desk: drawing.desk, page: null, channel: null, opened: new Set(), markdown: false }, block);
    case "columns":
      return el(
        "div",
        { class: "fb-side-by-side", style: { "--many": block.columns.length } },
        ...block.columns.map((column, i) =>
          el(
            "section",
            { "aria-label": block.titles[i] },
            el("h4", { class: "fb-heading" }, block.titles[i]),
            ...drawBlocks(drawing, column),
          ),
        ),
      );
    case "bars":
      return barsBlock(block);
    default:
      return el("p", { class: "fb-note" }, "this part is of a newer forkbook");
  }
}

/** @param {Drawing} drawing @param {Extract<Block, {kind: "table"}>} table */
function tableBlock({ desk }, { columns, numeric, rows, marked, positions }) {
  const isNumber = (/** @type {number} */ i) => (numeric.includes(i) ? "fb-number" : null);
  const cell = (/** @type {string | number | null} */ value) =>
    value === null
      ? el("span", { class: "fb-hint", title: "not known" }, "–")
      : typeof value === "number"
        ? value.toLocaleString("en", { maximumFractionDigits: 6 })
        : value;
  return el(
    "div",
    { class: "fb-table-frame", tabindex: "0", role: "region", "aria-label": columns.join(", ") },
    el(
      "table",
      { class: "fb-table" },
      el(
        "thead",
        {},
        el("tr", {}, ...columns.map((column, i) => el("th", { scope: "col", class: isNumber(i) }, column))),
      ),
      el(
        "tbody",
        {},
        ...rows.map((row, at) =>
          el(
            "tr",
            { class: at === marked ? "fb-marked" : null, "aria-current": at === marked ? "true" : null },
            ...row.map((value, i) => {
              const position = positions && i === 0 ? positions[at] : -1;
              const shown = cell(value);
              return el(
                "td",
                { class: isNumber(i), dir: "auto" },
                at === marked && i === 0
                  ? el("span", { class: "fb-here", title: "the checkpoint that is shown" }, "▸ ")
                  : null,
                position >= 0
                  ? el("button", { class: "fb-link", onclick: () => desk.context.actions.pick(position) }, shown)
                  : shown,
              );
            }),
          ),
        ),
      ),
    ),
  );
}

/** @param {Drawing} drawing @param {Extract<Block, {kind: "json"}>} block */
function valueBlock({ desk, page, fields }, block) {
  const frame = el("div", { class: "fb-value" });
  const name = [block.channel, ...block.path].join(".");
  const whole = (/** @type {string} */ text) => {
    const value = {
      position: page?.position ?? -1,
      channel: block.channel,
      path: block.path,
      text,
      editable: block.editable && page !== null,
    };
    const type =
      fields && value.editable && desk.can("write")
        ? typeOf(desk.editAt(block.channel, block.path)?.text ?? text, desk.types.get(block.channel))
        : null;
    frame.replaceChildren(type ? new FieldRow(desk, value, type).node : new ValueTree(desk, value, name).node);
  };
  if (block.unknown)
    frame.append(
      el("div", { class: "fb-leaf-row" }, el("span", { class: "fb-key" }, name), hint(`not known: ${block.unknown}`)),
    );
  else if (!block.cut) whole(block.text);
  else {
    const about = { position: page?.position, channel: block.channel, path: block.path };
    const more = fetchButton(`show all ${block.size.toLocaleString("en")} characters`, async () => {
      whole(await desk.context.source.ask("value", about));
      focusOn(frame.querySelector("[data-stop][tabindex='0'], textarea"));
    });
    frame.append(
      el(
        "div",
        { class: "fb-leaf-row" },
        el("span", { class: "fb-key" }, name),
        el("div", {}, el("pre", { class: "fb-cut" }, block.text), page ? more : null),
      ),
    );
  }
  return frame;
}

const CHANGE_SIGNS = { added: "+", removed: "−", changed: "~", moved: "↕" };

/** @param {Extract<Block, {kind: "change"}>} change */
function changeBlock({ path, change, parts }) {
  return el(
    "div",
    { class: `fb-change fb-${change}` },
    el(
      "div",
      { class: "fb-change-head" },
      el("b", { class: "fb-sign", title: change }, CHANGE_SIGNS[change] ?? ""),
      el("span", { class: "fb-key" }, path),
      hint(change),
    ),
    el(
      "div",
      { class: "fb-words", dir: "auto" },
      ...parts.map(([op, text]) =>
        op === "+" ? el("ins", {}, text) : op === "-" ? el("del", {}, text) : el("span", {}, text),
      ),
    ),
  );
}

/** @param {Extract<Block, {kind: "bars"}>} bars */
function barsBlock({ rows }) {
  const sum = (/** @type {[number, string][]} */ parts) => parts.reduce((total, [amount]) => total + amount, 0);
  const most = Math.max(...rows.map(([, parts]) => sum(parts)), 1);
  const kinds = [...new Set(rows.flatMap(([, parts]) => parts.map(([, kind]) => kind)))];
  return el(
    "div",
    { class: "fb-bars" },
    kinds.length > 1
      ? el(
          "div",
          { class: "fb-legend" },
          ...kinds.map((kind, i) => el("span", {}, el("span", { class: `fb-amount fb-amount-${i % 4}` }), kind)),
        )
      : null,
    ...rows.map(([label, parts]) =>
      el(
        "div",
        { class: "fb-bar-row" },
        el("span", { class: "fb-bar-label", title: label }, label),
        el(
          "span",
          { class: "fb-bar-track", "aria-hidden": "true" },
          ...parts.map(([amount, kind]) =>
            el("span", {
              class: `fb-amount fb-amount-${kinds.indexOf(kind) % 4}`,
              title: `${kind}: ${amount.toLocaleString("en")}`,
              style: { width: `${(100 * amount) / most}%` },
            }),
          ),
        ),
        el(
          "span",
          { class: "fb-number" },
          parts
            .map(([amount, kind]) =>
              kinds.length > 1 ? `${amount.toLocaleString("en")} ${kind}` : amount.toLocaleString("en"),
            )
            .join(" + "),
        ),
      ),
    ),
  );
}

/** Whether a value can be edited as a field, so that the key `e` leads to it. @param {Block} block */
export const isSimpleBlock = (block) =>
  block.kind === "json" &&
  block.editable &&
  !block.cut &&
  !block.unknown &&
  typeOf(block.text, undefined) !== null &&
  parsedOrNull(block.text) !== null;
