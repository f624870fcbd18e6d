// What buttons and boxes share: where the focus is, being disabled without losing it, fetching more on demand.

import { el } from "./dom.js";

/** What has the focus in the page or shadow root of a node. @param {Node} node */
export const focusedIn = (node) => /** @type {Document | ShadowRoot} */ (node.getRootNode()).activeElement;

/** @param {Node} node */
export const holdsFocus = (node) => node.contains(focusedIn(node));

/** Give the focus, and scroll nothing. @param {Element | null | undefined} node */
export const focusOn = (node) => /** @type {HTMLElement | null | undefined} */ (node)?.focus({ preventScroll: true });

/** Disable a control or not; it keeps the focus, which a browser's own `disabled` drops. @param {Element} node @param {unknown} off */
export const disable = (node, off) =>
  off ? node.setAttribute("aria-disabled", "true") : node.removeAttribute("aria-disabled");

/** @param {Element} node */
export const isDisabled = (node) => node.hasAttribute("aria-disabled");

/** @param {unknown} error */
export const errorText = (error) => /** @type {Error} */ (error).message;

/**
 * A button that fetches something once; what went wrong stands on it, and it can be tried again.
 * @param {string} text
 * @param {(button: HTMLButtonElement) => Promise<unknown>} fetch
 * @param {string} [more] a class
 */
export function fetchButton(text, fetch, more = "") {
  const button = el("button", { class: `fb-small ${more}` }, text);
  button.addEventListener("click", async () => {
    if (isDisabled(button)) return;
    disable(button, true);
    try {
      await fetch(button);
    } catch (error) {
      disable(button, false);
      button.replaceChildren(`${errorText(error)} · try again`);
    }
  });
  return button;
}

/** Small grey words. @param {...import("./dom.js").Child} words */
export const hint = (...words) => el("span", { class: "fb-hint" }, ...words);
