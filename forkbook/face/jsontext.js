/**
 * JSON as text: parsed into nodes that keep each number and text as it was written, changed at a path, written again. Pure.
 *
 * `JSON.parse` loses digits of 2**60+1 and makes 1 of 1.0, so no value of a person passes through it.
 *
 * @typedef {"object"|"array"|"string"|"number"|"word"} JsonKind a word is true, false, null, NaN or Infinity
 * @typedef {{kind: JsonKind, raw: string, value: string, keys: string[], items: JsonNode[]}} JsonNode
 * @typedef {{message: string, line: number, column: number, offset: number}} JsonFault
 */

const JSON_DEEPEST = 500;
const JSON_SPACE = /[ \t\n\r]*/y;
const JSON_NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const JSON_WORD = /true|false|null|NaN|-?Infinity/y;
const JSON_PLAIN = /[^"\\\u0000-\u001f]*/y;
const JSON_ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** What is wrong with a JSON text, and where. */
export class JsonError extends Error {
  /** @param {string} message @param {string} text @param {number} offset */
  constructor(message, text, offset) {
    super(message);
    const before = text.slice(0, offset).split("\n");
    /** @type {JsonFault} */
    this.fault = { message, line: before.length, column: before[before.length - 1].length + 1, offset };
  }
}

/** @param {string} text @returns {JsonNode} the value that the text says; a JsonError says what is wrong with it */
export function parseJson(text) {
  let at = 0;
  const skip = () => {
    JSON_SPACE.lastIndex = at;
    JSON_SPACE.test(text);
    at = JSON_SPACE.lastIndex;
  };
  /** @param {string} wanted @returns {never} */
  const refuse = (wanted) => {
    throw new JsonError(
      at >= text.length ? `the text ends where ${wanted} is expected` : `${wanted} is expected here`,
      text,
      at,
    );
  };
  /** @param {RegExp} pattern @returns {string|null} */
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return null;
    at = pattern.lastIndex;
    return found[0];
  };
  const string = () => {
    // in steps: one pattern for a whole text overflows at some millions of characters
    const from = at++;
    do take(JSON_PLAIN);
    while (take(JSON_ESCAPE) !== null);
    if (text[at] !== '"') {
      at = from;
      refuse(stringFault(text, from));
    }
    return text.slice(from, ++at);
  };
  /** @param {number} depth @returns {JsonNode} */
  const value = (depth) => {
    skip();
    if (depth > JSON_DEEPEST) throw new JsonError(`this is nested deeper than ${JSON_DEEPEST}`, text, at);
    const sign = text[at];
    if (sign === '"') return jsonLeaf("string", string());
    if (sign === "{" || sign === "[") return many(sign, depth);
    const word = take(JSON_WORD);
    if (word !== null) return jsonLeaf("word", word);
    const number = take(JSON_NUMBER);
    if (number !== null) return jsonLeaf("number", number);
    return refuse("a value");
  };
  /** @param {string} sign @param {number} depth @returns {JsonNode} */
  const many = (sign, depth) => {
    const close = sign === "{" ? "}" : "]";
    /** @type {JsonNode} */
    const node = { kind: sign === "{" ? "object" : "array", raw: "", value: "", keys: [], items: [] };
    at++;
    skip();
    if (text[at] === close) {
      at++;
      return node;
    }
    for (;;) {
      skip();
      if (sign === "{") {
        if (text[at] !== '"') refuse('a name in double quotes, as "topic",');
        node.keys.push(JSON.parse(string()));
        skip();
        if (text[at] !== ":") refuse("a colon");
        at++;
      }
      node.items.push(value(depth + 1));
      skip();
      if (text[at] === close) {
        at++;
        return node;
      }
      if (text[at] !== ",") refuse(`a comma or ${close}`);
      at++;
    }
  };
  const whole = value(0);
  skip();
  if (at < text.length) throw new JsonError("the value has ended, but there is more", text, at);
  return whole;
}

/** @param {JsonKind} kind @param {string} raw @returns {JsonNode} */
function jsonLeaf(kind, raw) {
  return { kind, raw, value: kind === "string" ? JSON.parse(raw) : raw, keys: [], items: [] };
}

/** What to expect where a text between quotes is not one. @param {string} text @param {number} at */
function stringFault(text, at) {
  const end = text.indexOf('"', at + 1),
    line = text.indexOf("\n", at + 1);
  return end < 0 || (line >= 0 && line < end)
    ? 'the closing " of this text (a line break in it is written \\n)'
    : "a text without control characters and with known escapes";
}

/** @param {string} text @returns {JsonNode|null} the value, or null where the text is no JSON */
export function parsedOrNull(text) {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}

/** @param {string} text @returns {JsonFault|null} */
export function faultOf(text) {
  try {
    parseJson(text);
    return null;
  } catch (error) {
    if (error instanceof JsonError) return error.fault;
    throw error;
  }
}

/** @param {string} text @returns {JsonNode} a text as a node */
export const textNode = (text) => jsonLeaf("string", JSON.stringify(text));

/** @param {JsonNode} node @returns {boolean} */
export const isBranch = (node) => node.kind === "object" || node.kind === "array";

/** A node as JSON text. @param {JsonNode} node @param {number} indent spaces; 0: on one line @param {string} lead @returns {string} */
export function writeJson(node, indent = 0, lead = "") {
  if (!isBranch(node)) return node.raw;
  const [open, close] = node.kind === "object" ? "{}" : "[]";
  if (!node.items.length) return open + close;
  const inner = lead + " ".repeat(indent),
    colon = ": ";
  const parts = node.items.map(
    (item, i) => (node.kind === "object" ? JSON.stringify(node.keys[i]) + colon : "") + writeJson(item, indent, inner),
  );
  return indent ? `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${lead}${close}` : open + parts.join(", ") + close;
}

/** The same value without regard to spaces and ways to write a text; 1 and 1.0 are two values. @param {string} a @param {string} b */
export function sameJson(a, b) {
  if (a === b) return true;
  const one = parsedOrNull(a),
    other = parsedOrNull(b);
  return !!one && !!other && sameNode(one, other);
}

/** @param {JsonNode} a @param {JsonNode} b @returns {boolean} */
function sameNode(a, b) {
  if (a.kind !== b.kind || a.value !== b.value || a.items.length !== b.items.length) return false;
  if (a.kind !== "object") return a.items.every((item, i) => sameNode(item, b.items[i]));
  return a.keys.every((key, i) => {
    const at = b.keys.indexOf(key);
    return at >= 0 && sameNode(a.items[i], b.items[at]);
  });
}

/** @param {JsonNode} node @param {(string|number)[]} path @returns {JsonNode|null} what stands there */
export function atPath(node, path) {
  /** @type {JsonNode|undefined} */
  let found = node;
  for (const step of path) found = found && found.items[placeOf(found, step)];
  return found ?? null;
}

/** A copy with another node at a path; null where there is no such path. @param {JsonNode} node @param {(string|number)[]} path @param {JsonNode} replacement @returns {JsonNode|null} */
export function replacedAt(node, path, replacement) {
  if (!path.length) return replacement;
  const place = placeOf(node, path[0]);
  if (place < 0 || place >= node.items.length) return null;
  const inner = replacedAt(node.items[place], path.slice(1), replacement);
  return inner && { ...node, items: node.items.map((item, i) => (i === place ? inner : item)) };
}

/** @param {JsonNode} node @param {string|number} step @returns {number} */
function placeOf(node, step) {
  return node.kind === "object"
    ? node.keys.lastIndexOf(String(step))
    : node.kind === "array" && typeof step === "number"
      ? step
      : -1;
}

/** A value in a few words, for a line. @param {JsonNode|null} node @param {number} most characters @returns {string} */
export function inShort(node, most = 24) {
  if (!node) return "…";
  const whole = isBranch(node)
    ? `${node.kind === "object" ? "{" : "["}${node.items.length ? "…" : ""}${node.kind === "object" ? "}" : "]"}`
    : node.value;
  const line = whole.replace(/\s+/g, " ");
  const letters = [...line.slice(0, most * 2)];
  return letters.length > most || line.length > most * 2 ? letters.slice(0, most - 1).join("") + "…" : line;
}

const JSON_UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** JSON text in which characters that do not show, or change the order of others, stand as escapes. @param {string} json */
export const escapedJson = (json) =>
  json.replace(JSON_UNSEEN, (sign) => ("\n\t\r\u200c\u200d".includes(sign) ? sign : escapesOf(sign)));

/** @param {string} sign */
const escapesOf = (sign) =>
  sign
    .split("")
    .map((unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"))
    .join("");

/** A call of a tool in a line: `calculate("1 / 0")`. @param {string} name @param {string} args JSON text @param {number} most characters */
export function callInShort(name, args, most = 60) {
  const node = parsedOrNull(args);
  const value = (/** @type {JsonNode} */ item) =>
    isBranch(item) ? inShort(item) : item.kind === "string" ? `"${inShort(item, most)}"` : item.raw;
  let inside = args;
  if (node?.kind === "object")
    inside =
      node.items.length === 1
        ? value(node.items[0])
        : node.items.map((item, i) => `${node.keys[i]}=${value(item)}`).join(", ");
  return `${name}(${inShort(textNode(inside), most)})`;
}
