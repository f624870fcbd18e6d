// Which gesture a key is while the focus is in the tree. Pure.

/** @type {Record<string, string>} */
const KEYS = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
  Home: "first",
  End: "last",
  PageUp: "pageUp",
  PageDown: "pageDown",
  Enter: "open",
  " ": "fold",
  "/": "search",
  n: "failure",
  N: "failureBefore",
  ".": "hit",
  ",": "hitBefore",
  b: "star",
  c: "mark",
  e: "edit",
  r: "run",
  "?": "help",
};

/** What the keys do, as a person reads it. @type {[string, string][]} */
export const HELP = [
  ["↑ ↓", "parent, next row"],
  ["← →", "branches that leave the same checkpoint"],
  ["Enter", "into the inspector; Escape comes back"],
  ["Space", "open or close a fold"],
  ["/", "search; Enter goes to the first hit"],
  [". ,", "next hit, hit before"],
  ["n N", "next failure, failure before"],
  ["e", "edit"],
  ["r", "run from here"],
  ["b", "bookmark with a star"],
  ["c", "choose for the comparison"],
];

/**
 * @param {{key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean}} event
 * @returns {string} A gesture, or "" for a key that is not ours.
 */
export function gestureOf({ key, ctrlKey, metaKey, altKey }) {
  return ctrlKey || metaKey || altKey ? "" : (KEYS[key] ?? "");
}
