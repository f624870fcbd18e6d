// One explorer in one place of a page: its layout, and how its parts speak with each other.

import { Bar } from "./bar.js";
import { el } from "./dom.js";
import { Inspector } from "./inspector.js";
import { Source } from "./source.js";

/** @typedef {import("./types.js").Context} Context */
/** @typedef {import("./types.js").Edit} Edit */

/**
 * @param {{model: import("./types.js").Model, el: HTMLElement, signal?: AbortSignal}} place
 * @returns {() => void}
 */
function render({ model, el: host, signal }) {
  const end = new AbortController();
  signal?.addEventListener("abort", () => end.abort());
  const source = new Source(model, end.signal);
  const root = el("div", { class: "fb-explorer" });
  /** @param {string} trait @param {any} value */
  const save = (trait, value) => {
    model.set(trait, value);
    model.save_changes();
  };
  /** @type {Context["on"]} */
  const on = (trait, callback) => {
    model.on(`change:${trait}`, callback);
    end.signal.addEventListener("abort", () => model.off(`change:${trait}`, callback));
  };
  /** @type {Context["actions"]} */
  const actions = {
    pick: (position) => save("selected", position),
    mark(position) {
      const marked = /** @type {number[]} */ (model.get("marked") ?? []);
      save("marked", marked.includes(position) ? marked.filter((each) => each !== position) : [...marked, position]);
    },
    openTab: (name) => save("tab", name),
    do: (gesture, about = {}) => source.ask("do", { gesture, ...about }),
    say: (text, tone) => bar.say(text, tone),
    draft(id, edit) {
      const { [id]: before = [], ...others } = /** @type {Record<string, Edit[]>} */ (model.get("drafts") ?? {});
      const where = (/** @type {Edit} */ each) => JSON.stringify([each.channel, each.path]);
      const rest = edit ? before.filter((each) => where(each) !== where(edit)) : [];
      save("drafts", edit ? { ...others, [id]: [...rest, edit] } : others);
    },
    star: (position) => void position,
    tree: () => {},
    edit: () => inspector.edit(),
    run: () => bar.focus(),
  };
  const context = { model, source, signal: end.signal, actions, on, root, tag: `fb-${source.tag}` };
  const inspector = new Inspector(context);
  const bar = new Bar(context);
  root.append(el("div", { class: "fb-columns" }, inspector.node), bar.node);
  host.append(root);
  return () => end.abort();
}

export default { render };
