// One explorer in one place of a page: its layout, and how its parts speak with each other.

import { Bar } from "./bar.js";
import { el } from "./dom.js";
import { Filters } from "./filters.js";
import { Head } from "./head.js";
import { Inspector } from "./inspector.js";
import { gestureOf } from "./keys.js";
import { FLAG } from "./rows.js";
import { Source } from "./source.js";
import { divide } from "./split.js";
import { followTheme } from "./theme.js";
import { TreeView } from "./tree.js";

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
    try {
      model.save_changes();
    } catch {
      source.probe(); // the page goes on without a kernel
    }
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
      if (position < 0) return;
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
    async star(position) {
      try {
        const { label, note } = await source.show(position);
        const star = !(tree.outline.rows.flags[position] & FLAG.STARRED);
        await actions.do("label", { position, label, note, star });
      } catch (error) {
        actions.say(/** @type {Error} */ (error).message, "error");
      }
    },
    tree: () => tree.focus(),
    edit: () => inspector.edit(),
    run: () => bar.focus(),
  };
  const context = { model, source, signal: end.signal, actions, on, root, tag: `fb-${source.tag}` };
  const head = new Head(context);
  const tree = new TreeView(context);
  const filters = new Filters(context, tree);
  const inspector = new Inspector(context);
  const bar = new Bar(context);

  /** @type {Record<string, () => void>} */
  const gestures = {
    open: () => (tree.outline.foldAt(tree.cursor) ? tree.toggle() : inspector.focus()),
    fold: () => tree.toggle(),
    search: () => filters.focus(),
    failure: () => void tree.failure(1),
    failureBefore: () => void tree.failure(-1),
    hit: () => filters.go(1),
    hitBefore: () => filters.go(-1),
    star: () => void (tree.selected >= 0 && actions.star(tree.selected)),
    mark: () => actions.mark(tree.outline.at(tree.cursor)),
    edit: actions.edit,
    run: actions.run,
    help: () => head.help(true),
  };
  tree.scroll.addEventListener("keydown", (event) => {
    const gesture = gestureOf(event);
    if (!gesture) return;
    event.preventDefault();
    event.stopPropagation();
    if (gesture in gestures) gestures[gesture]();
    else tree.move(gesture);
  });
  inspector.node.addEventListener("keydown", (event) => {
    const typing = /** @type {Element} */ (event.target).closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && !event.defaultPrevented && !typing) tree.focus();
  });

  const columns = el("div", { class: "fb-columns" }, tree.node, inspector.node);
  divide(columns, tree.node, inspector.node);
  root.append(head.node, filters.node, columns, bar.node);
  host.append(root);
  followTheme(root, end.signal);
  return () => {
    end.abort();
    root.remove();
  };
}

export default { render };
