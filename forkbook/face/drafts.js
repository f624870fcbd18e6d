/**
 * What a person has changed and not yet run, for each checkpoint. Pure: every function gives new drafts.
 *
 * @typedef {import("./jsontext.js").JsonNode} JsonNode
 * @typedef {{channel: string, path: (string|number)[], text: string}} Edit
 * @typedef {Record<string, Edit[]>} Drafts
 */
import { atPath, inShort, parsedOrNull, replacedAt, sameJson, textNode, writeJson } from "./jsontext.js";

/** @param {Drafts} drafts @param {string} id @returns {Edit[]} */
export const draftsOf = (drafts, id) => drafts[id] ?? [];

/** @param {Drafts} drafts @param {string} id */
export const countDrafts = (drafts, id) => draftsOf(drafts, id).length;

/** @param {Drafts} drafts @returns {string[]} ids of checkpoints that have some */
export const draftedIds = (drafts) => Object.keys(drafts).filter((id) => drafts[id].length);

/** Whether `inner` stands at `outer` or below it. @param {(string|number)[]} outer @param {(string|number)[]} inner */
export const isUnder = (outer, inner) => outer.length <= inner.length && outer.every((step, i) => step === inner[i]);

/** @param {Drafts} drafts @param {string} id @param {string} channel @param {(string|number)[]} path @returns {Edit|null} the edit of exactly this place */
export function draftAt(drafts, id, channel, path) {
  return (
    draftsOf(drafts, id).find(
      (edit) => edit.channel === channel && edit.path.length === path.length && isUnder(edit.path, path),
    ) ?? null
  );
}

/** @param {Drafts} drafts @param {string} id @param {string} channel @param {(string|number)[]} path @returns {Edit[]} edits of this place and below it */
export function draftsUnder(drafts, id, channel, path) {
  return draftsOf(drafts, id).filter((edit) => edit.channel === channel && isUnder(path, edit.path));
}

/**
 * Drafts with one more edit. An edit of the same place is replaced; edits below it are in it already; an edit above it takes it in.
 * @param {Drafts} drafts @param {string} id @param {Edit} edit @param {string|null} before the value as it stands, as JSON text: an edit that
 *   says the same is no edit @returns {Drafts}
 */
export function withEdit(drafts, id, edit, before = null) {
  const mine = draftsOf(drafts, id);
  const above = mine.find(
    (other) => other.channel === edit.channel && other.path.length < edit.path.length && isUnder(other.path, edit.path),
  );
  const taken = above && takenIn(above, edit);
  if (taken)
    return withDrafts(
      drafts,
      id,
      mine.map((other) => (other === above ? taken : other)),
    );
  const place = mine.findIndex((other) => other.channel === edit.channel && isUnder(edit.path, other.path));
  const rest = mine.filter((other) => other.channel !== edit.channel || !isUnder(edit.path, other.path));
  if (before !== null && sameJson(before, edit.text)) return withDrafts(drafts, id, rest);
  rest.splice(place < 0 ? rest.length : Math.min(place, rest.length), 0, edit);
  return withDrafts(drafts, id, rest);
}

/** @param {Edit} above @param {Edit} edit @returns {Edit|null} */
function takenIn(above, edit) {
  const whole = parsedOrNull(above.text),
    leaf = parsedOrNull(edit.text);
  const changed = whole && leaf && replacedAt(whole, edit.path.slice(above.path.length), leaf);
  return changed && { ...above, text: writeJson(changed, 2) };
}

/** Drafts without the edits of a place and below it. @param {Drafts} drafts @param {string} id @param {string} channel @param {(string|number)[]} path @returns {Drafts} */
export function withoutEdit(drafts, id, channel, path) {
  return withDrafts(
    drafts,
    id,
    draftsOf(drafts, id).filter((edit) => edit.channel !== channel || !isUnder(path, edit.path)),
  );
}

/** Drafts without those of a checkpoint. @param {Drafts} drafts @param {string} id @returns {Drafts} */
export const discarded = (drafts, id) => withDrafts(drafts, id, []);

/** @param {Drafts} drafts @param {string} id @param {Edit[]} edits @returns {Drafts} */
function withDrafts(drafts, id, edits) {
  const rest = Object.fromEntries(Object.entries(drafts).filter(([each]) => each !== id));
  return edits.length ? { ...rest, [id]: edits } : rest;
}

/** A value with the edits of its channel in it. @param {JsonNode} node @param {Edit[]} edits @param {number} depth length of the value's own path @returns {JsonNode} */
export function withEdits(node, edits, depth = 0) {
  return edits.reduce((whole, edit) => {
    const changed = parsedOrNull(edit.text);
    return (changed && replacedAt(whole, edit.path.slice(depth), changed)) ?? whole;
  }, node);
}

/** An edit in a line, as `topic: cats→chickens`. @param {Edit} edit @param {JsonNode|null} before what stands there, if it is known @returns {string} */
export function editInWords(edit, before = null) {
  const now = parsedOrNull(edit.text),
    place = [edit.channel, ...edit.path].join(".");
  const content =
    now && now.kind === "object" && now.keys.includes("content") ? now.items[now.keys.indexOf("content")] : now;
  const after = now ? inShort(content) : "not yet JSON";
  return before ? `${place}: ${inShort(before)}→${after}` : `${place}: ${after}`;
}

/** What stands at the place of an edit, as far as a page says it. @param {import("./types.js").Page} page @param {Edit} edit @returns {JsonNode | null} */
export function beforeInPage(page, edit) {
  if (page.messages?.channel === edit.channel && edit.path.length === 1) {
    const message = page.messages.items.find(({ index }) => index === edit.path[0]);
    return message ? textNode(message.text) : null;
  }
  for (const block of page.blocks ?? []) {
    if (
      block.kind !== "json" ||
      block.channel !== edit.channel ||
      block.cut ||
      block.unknown ||
      !isUnder(block.path, edit.path)
    )
      continue;
    const node = parsedOrNull(block.text);
    return node && atPath(node, edit.path.slice(block.path.length));
  }
  return null;
}
