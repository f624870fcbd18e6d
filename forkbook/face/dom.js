// Elements made of plain text: foreign text enters the page here, as text nodes, with every character shown.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const KEPT = new Set(["\n", "\t", "\u200c", "\u200d"]); // the joiners make letters and emoji what they are
const FOCUSABLE = new Set(["button", "input", "select", "textarea", "summary", "a"]);
const SVG = "http://www.w3.org/2000/svg";

/**
 * Foreign text with what would not show as its code: control characters, direction marks, lone surrogates.
 * @param {unknown} text
 * @returns {string}
 */
export function clean(text) {
  return String(text).replaceAll("\r\n", "\n").replace(HIDDEN, (character) => {
    if (KEPT.has(character)) return character;
    const code = /** @type {number} */ (character.codePointAt(0));
    return code < 0x10000 ? "\\u" + code.toString(16).padStart(4, "0") : "\\U" + code.toString(16).padStart(8, "0");
  });
}

/**
 * Props: `on…` a listener, `style` an object of properties, `text` the text, `value` the value as it is, true an empty
 * attribute, and null, undefined or false nothing. What can have the focus is kept from the shortcuts of notebooks.
 * @typedef {Record<string, any>} Props
 * @typedef {Node | string | number | null | undefined | false} Child
 */

/**
 * @template {Element} T
 * @param {T} node
 * @param {Props} props
 * @param {Child[]} children
 * @returns {T}
 */
function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.append(clean(value));
    else if (name === "value") Object.assign(node, { value }); // what is edited stays as it is
    else if (name === "style") {
      const { style } = /** @type {HTMLElement} */ (/** @type {unknown} */ (node));
      for (const [property, of] of Object.entries(value)) style.setProperty(property, String(of));
    } else node.setAttribute(name, value === true ? "" : typeof value === "string" ? clean(value) : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : clean(child));
  }
  return node;
}

/**
 * An element of HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  if (FOCUSABLE.has(tag) || "tabindex" in props || props.contenteditable) {
    node.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  if (tag === "button" && !props.type) node.setAttribute("type", "button");
  return fill(node, props, children);
}

/**
 * An element of SVG.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}
