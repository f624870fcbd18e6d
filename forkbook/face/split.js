// The line between tree and inspector, which can be moved by mouse and by keys.

import { el } from "./dom.js";

const [LEAST, MOST, STEP] = [25, 70, 4]; // per cent

/** @param {HTMLElement} frame @param {HTMLElement} before @param {HTMLElement} after */
export function divide(frame, before, after) {
  const line = el("div", {
    class: "fb-split",
    role: "separator",
    tabindex: "0",
    "aria-orientation": "vertical",
    "aria-label": "width of the tree",
    "aria-valuemin": LEAST,
    "aria-valuemax": MOST,
  });
  let share = 42;
  const set = (/** @type {number} */ to) => {
    share = Math.min(MOST, Math.max(LEAST, to));
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
    const by = { ArrowLeft: -STEP, ArrowUp: -STEP, ArrowRight: STEP, ArrowDown: STEP }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    set(share + by);
  });
  line.addEventListener("dblclick", () => set(42));
  set(share);
  after.before(line);
}
