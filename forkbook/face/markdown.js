// Markdown as elements, a small part of it: headings, lists, code, quotes, bold, italic. Links stay text, nothing is fetched.

import { el } from "./dom.js";

const INLINE = /(`+)([^`]+?)\1(?!`)|\*\*(?=\S)(.+?)\*\*|__(?=\S)(.+?)__|\*(?=\S)([^*\n]+?)\*|\b_(?=\S)([^_\n]+?)_\b/;
const MARKED_UP_TO = 3000; // characters of a paragraph that is searched for marks: the search is slow on thousands of stars
const FENCE = /^ {0,3}(```+|~~~+)(.*)$/;

/**
 * @typedef {{kind: "text" | "code" | "bold" | "italic", text: string}} Span
 * @typedef {{kind: "heading" | "item" | "quote" | "code" | "words", depth: number, mark: string, text: string}} Part
 */

/** The parts of a text, one after the other. Pure. @param {string} text @returns {Part[]} */
export function markdownParts(text) {
  /** @type {Part[]} */
  const parts = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i],
      fence = FENCE.exec(line);
    if (fence) {
      const from = ++i;
      while (
        i < lines.length &&
        !(lines[i].trim().startsWith(fence[1]) && !lines[i].trim().slice(fence[1].length).trim())
      )
        i++;
      parts.push({ kind: "code", depth: 0, mark: fence[2].trim(), text: lines.slice(from, i).join("\n") });
      continue;
    }
    const heading = /^(#{1,6})\s+(.*)$/.exec(line),
      item = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/.exec(line),
      quote = /^>\s?(.*)$/.exec(line);
    const last = parts.at(-1);
    if (heading) parts.push({ kind: "heading", depth: heading[1].length, mark: "", text: heading[2] });
    else if (item)
      parts.push({
        kind: "item",
        depth: Math.floor(item[1].length / 2),
        mark: /\d/.test(item[2]) ? item[2] : "•",
        text: item[3],
      });
    else if (quote) {
      if (last?.kind === "quote") last.text += "\n" + quote[1];
      else parts.push({ kind: "quote", depth: 0, mark: "", text: quote[1] });
    } else if (!line.trim()) parts.push({ kind: "words", depth: 0, mark: "", text: "" });
    else if (last && (last.kind === "words" || last.kind === "item") && last.text) last.text += "\n" + line.trim();
    else parts.push({ kind: "words", depth: 0, mark: "", text: line });
  }
  return parts.filter((part) => part.kind === "code" || part.text);
}

/** The spans of a line. Pure. @param {string} text @returns {Span[]} */
export function markdownSpans(text) {
  if (text.length > MARKED_UP_TO) return [{ kind: "text", text }];
  /** @type {Span[]} */
  const spans = [];
  for (let rest = text; rest;) {
    const found = INLINE.exec(rest);
    if (!found) {
      spans.push({ kind: "text", text: rest });
      break;
    }
    if (found.index) spans.push({ kind: "text", text: rest.slice(0, found.index) });
    const [whole, , code, bold, bold2, italic, italic2] = found;
    spans.push(
      code !== undefined
        ? { kind: "code", text: code.trim() }
        : (bold ?? bold2) !== undefined
          ? { kind: "bold", text: bold ?? bold2 }
          : { kind: "italic", text: italic ?? italic2 },
    );
    rest = rest.slice(found.index + whole.length);
  }
  return spans;
}

/** @param {string} text @returns {HTMLElement[]} */
const spanNodes = (text) =>
  markdownSpans(text).map((span) =>
    span.kind === "code"
      ? el("code", {}, span.text)
      : span.kind === "bold"
        ? el("b", {}, span.text)
        : span.kind === "italic"
          ? el("i", {}, span.text)
          : el("span", {}, span.text),
  );

/** A text as elements. @param {string} text @returns {HTMLElement[]} */
export function markdown(text) {
  return markdownParts(text).map((part) => {
    if (part.kind === "code") return el("pre", { class: "fb-md-code" }, part.text);
    if (part.kind === "heading") return el("div", { class: "fb-md-heading" }, ...spanNodes(part.text));
    if (part.kind === "quote") return el("blockquote", {}, ...spanNodes(part.text));
    if (part.kind === "item")
      return el(
        "div",
        { class: "fb-md-item", style: { "--depth": part.depth } },
        el("span", { class: "fb-md-mark" }, part.mark),
        el("span", {}, ...spanNodes(part.text)),
      );
    return el("div", { class: "fb-md-words" }, ...spanNodes(part.text));
  });
}
