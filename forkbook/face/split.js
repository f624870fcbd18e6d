// The line between tree and inspector, which can be moved by mouse and by keys.

import { el } from "./dom.js";

const SHARE = { least: 25, most: 70, usual: 42, step: 4 }; // per cent

/** @param {HTMLElement} frame @param {HTMLElement} before @param {HTMLElement} after */
export function divide(frame, before, after) {
  const line = el("div", {
    class: "fb-split",
    role: "separator",
    tabindex: "0",
    "aria-orientation": "vertical",
    "aria-label": "width of the tree",
    "aria-valuemin": SHARE.least,
    "aria-valuemax": SHARE.most,
  });
  let share = SHARE.usual;
  const set = (/** @type {number} */ to) => {
    share = Math.min(SHARE.most, Math.max(SHARE.least, to));
    frame.style.setProperty("--fb-share", `${share}%`);
    line.setAttribute("aria-valuenow", String(Math.round(share)));
  };
  line.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    line.setPointerCapture(event.pointerId);
  });
  line.addEventListener("pointermove", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    const { left, top, width, height } = frame.getBoundingClientRect();
    const beside = before.getBoundingClientRect().top === after.getBoundingClientRect().top;
    set(beside ? (100 * (event.clientX - left)) / width : (100 * (event.clientY - top)) / height);
  });
  line.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -SHARE.step, ArrowUp: -SHARE.step, ArrowRight: SHARE.step, ArrowDown: SHARE.step }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    set(share + by);
  });
  line.addEventListener("dblclick", () => set(SHARE.usual));
  set(share);
  after.before(line);
}
