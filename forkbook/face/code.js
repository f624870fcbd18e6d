// Code of acts: one language at a time, with a button that copies.

import { errorText, focusedIn } from "./controls.js";
import { el } from "./dom.js";

/** @typedef {{language: string, label: string, text: string, open: boolean}} CodeBlock */

/** the language that a person chose last, for all code of this page */
const chosenLanguage = { name: "" };

/** Which of several languages to show. @param {CodeBlock[]} blocks @returns {CodeBlock} */
export const shownCode = (blocks) =>
  blocks.find((block) => block.language === chosenLanguage.name) ?? blocks.find((block) => block.open) ?? blocks[0];

/**
 * Put a text on the clipboard; where a page may not, by a selection; tells whether it worked.
 * @param {string} text
 * @param {HTMLElement} near where a box may stand for a moment
 */
export async function copyText(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    /* refused, or not there: the older way */
  }
  const focused = focusedIn(near);
  const box = el("textarea", { class: "fb-copied", readonly: true, "aria-hidden": "true", tabindex: "-1" });
  box.value = text;
  near.append(box);
  box.select();
  let done = false;
  try {
    done = document.execCommand("copy");
  } catch {
    /* the text is shown instead */
  }
  box.remove();
  /** @type {HTMLElement | null} */ (focused)?.focus({ preventScroll: true });
  return done;
}

/** A button that copies a text, and says so. @param {string} name @param {() => string | Promise<string>} text @param {(box: HTMLElement) => void} [show] places a box to copy from, where the browser refuses @returns {HTMLElement} */
export function copyButton(name, text, show) {
  const said = el("span", { role: "status" });
  const button = el(
    "button",
    {
      class: "fb-small",
      onclick: async () => {
        let whole = "";
        try {
          whole = await text();
        } catch (error) {
          said.replaceChildren(`✗ ${errorText(error)}`);
          return;
        }
        const done = await copyText(whole, node);
        said.replaceChildren(done ? "✓ copied" : "the browser refuses to copy: press Ctrl+C");
        node.querySelector(".fb-to-copy")?.remove();
        if (!done) {
          const box = el("textarea", {
            class: "fb-box fb-to-copy",
            readonly: true,
            rows: 4,
            "aria-label": "code to copy",
          });
          box.value = whole;
          if (show) show(box);
          else node.append(box);
          box.focus();
          box.select();
        }
        setTimeout(() => done && said.replaceChildren(), 2000);
      },
    },
    name,
  );
  const node = el("span", { class: "fb-copy" }, button, said);
  return node;
}

/** The same code in several languages. @param {CodeBlock[]} blocks */
export function codeList(blocks) {
  const node = el("div", { class: "fb-code" });
  const draw = (/** @type {string} */ focus = "") => {
    const shown = shownCode(blocks);
    const buttons = blocks.map((block) =>
      el(
        "button",
        {
          class: "fb-choice",
          "aria-pressed": String(block === shown),
          onclick: () => {
            chosenLanguage.name = block.language;
            draw(block.language);
            node.dispatchEvent(new CustomEvent("fb-language", { bubbles: true }));
          },
        },
        block.label,
      ),
    );
    node.replaceChildren(
      el(
        "div",
        { class: "fb-code-head" },
        el("div", { class: "fb-choices", role: "group", "aria-label": "language" }, ...buttons),
        el("span", { class: "fb-space" }),
        copyButton("copy", () => shown.text),
      ),
      el("pre", { tabindex: "0", "aria-label": `code, ${shown.label}` }, shown.text),
    );
    if (focus) buttons[blocks.indexOf(shown)]?.focus({ preventScroll: true });
  };
  node.addEventListener("fb-redraw", () => {
    const held = node.querySelector(".fb-choices")?.contains(focusedIn(node));
    draw(held ? chosenLanguage.name : "");
  });
  draw();
  return node;
}

/** The code of all acts in a list of blocks, in the language that is shown. @param {import("./types.js").Block[]} blocks @returns {string} */
export function allCode(blocks) {
  /** @type {CodeBlock[][]} */
  const acts = [];
  let before = "";
  for (const block of blocks) {
    if (block.kind === "code") before === "code" ? acts[acts.length - 1].push(block) : acts.push([block]);
    before = block.kind;
  }
  return acts.map((act) => shownCode(act).text.trimEnd()).join("\n\n") + "\n";
}
