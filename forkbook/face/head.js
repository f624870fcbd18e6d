// The title line: which thread this is, whether its kernel lives, and what can be done with the whole thread.

import { el } from "./dom.js";
import { HELP } from "./keys.js";
import { Menu } from "./menu.js";
import { GONE } from "./source.js";

const BUSY = "The kernel is busy, or gone: if no cell runs, run this cell again.";

export class Head {
  /** @param {import("./types.js").Context} context */
  constructor(context) {
    this.context = context;
    const { source } = context;
    this.title = el("div", { class: "fb-title", role: "heading", "aria-level": "2" });
    this.state = el("span", { class: "fb-state", role: "status" });
    const refresh = el(
      "button",
      { class: "fb-icon", title: "read the thread again", "aria-label": "read the thread again", onclick: () => this.act("refresh") },
      "⟳",
    );
    this.refresh = refresh;
    this.menu = new Menu(context, "⋯", "more", () => this.choices());
    this.keys = el(
      "div",
      { class: "fb-help", role: "dialog", "aria-label": "keys in the tree", tabindex: "-1", hidden: true },
      el("b", {}, "Keys in the tree"),
      el("dl", {}, ...HELP.flatMap(([keys, text]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, text)])),
    );
    this.keys.addEventListener("keydown", (event) => {
      if (event.key === "Tab") return;
      event.preventDefault();
      event.stopPropagation();
      this.help(false);
    });
    this.keys.addEventListener("focusout", () => (this.keys.hidden = true));
    this.node = el("header", { class: "fb-head" }, this.title, this.state, refresh, this.menu.node, this.keys);
    for (const trait of ["summary", "running"]) context.on(trait, () => this.draw());
    source.on("alive", () => this.draw());
    this.draw();
  }

  draw() {
    const { model, source, root } = this.context;
    this.title.replaceChildren(el("span", { text: model.get("summary") ?? "" }));
    this.title.title = this.title.textContent ?? "";
    root.classList.toggle("fb-gone", source.alive === "gone");
    this.state.replaceChildren(source.alive === "gone" ? GONE : source.alive === "quiet" ? BUSY : "");
    this.refresh.disabled = source.alive === "gone" || Boolean(model.get("running"));
  }

  /** @param {string} gesture @param {Record<string, unknown>} [about] */
  act(gesture, about) {
    const { actions } = this.context;
    actions.do(gesture, about).catch((error) => actions.say(error.message, "error"));
  }

  /** @returns {import("./menu.js").Choice[]} */
  choices() {
    const { model, source, actions } = this.context;
    const can = model.get("can") ?? {};
    const why = (/** @type {string} */ name) =>
      source.alive === "gone" ? GONE : can[name] === false ? (model.get("why_not")?.[name] ?? "not possible here") : "";
    const tabs = /** @type {string[]} */ (model.get("tabs") ?? []);
    const tab = (/** @type {string} */ name, /** @type {string} */ hint) =>
      tabs.length && !tabs.includes(name) ? [] : [{ text: name, hint, act: () => actions.openTab(name) }];
    return [
      { text: "Copy thread", hint: "all its branches, as a new thread", why: why("copy"), act: () => this.act("copy") },
      { text: "Open the copy", why: why("copy"), act: () => this.act("open_copy") },
      { text: "Export as one file", hint: "an archive", why: why("export"), act: () => this.act("export", { format: "archive" }) },
      { text: "Export as JSON", why: why("export"), act: () => this.act("export", { format: "json" }) },
      {
        text: "Subgraphs",
        checked: Boolean(model.get("subgraphs")),
        why: why("subgraphs"),
        act: () => this.act("subgraphs", { on: !model.get("subgraphs") }),
      },
      ...tab("Memory", "what threads share"),
      ...tab("Code", "what was done here, as code"),
      { text: "Keys", hint: "?", act: () => this.help(true) },
    ];
  }

  /** @param {boolean} shows */
  help(shows) {
    this.keys.hidden = !shows;
    if (shows) this.keys.focus({ preventScroll: true });
    else this.context.actions.tree();
  }
}
