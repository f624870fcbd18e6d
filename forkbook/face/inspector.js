// The right side: what the selected checkpoint holds, in tabs; each keeps its place.

import { drawBlocks } from "./blocks.js";
import { allCode, copyButton } from "./code.js";
import { CompareView } from "./compare.js";
import { Conversation } from "./conversation.js";
import { deskOf } from "./desk.js";
import { errorText, focusOn, focusedIn } from "./controls.js";
import { el } from "./dom.js";
import { About } from "./about.js";

/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Block} Block */
/** @typedef {import("./types.js").Message} Message */

const ALL_TABS = ["Conversation", "Changes", "State", "Tasks", "Tokens", "Memory", "Metadata", "Code"];
const SLOW = 250; // ms until a view that is not there yet says so

export class Inspector {
  /** @param {import("./types.js").Context} context */
  constructor(context) {
    this.context = context;
    this.desk = deskOf(context);
    this.turn = 0;
    /** @type {Page | null} */
    this.page = null;
    /** @type {Block[]} */
    this.blocks = [];
    this.drawn = "";
    /** how far each tab was scrolled @type {Map<string, number>} */
    this.places = new Map();
    this.kept = this.fresh(false);
    this.about = new About(this.desk);
    this.tabs = el("div", {
      class: "fb-tabs",
      role: "tablist",
      "aria-label": "what to show",
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.walk(event),
    });
    this.body = el("div", {
      class: "fb-reading",
      role: "tabpanel",
      id: `${context.tag}-panel`,
      tabindex: "0",
      onscroll: () => this.places.set(this.tab, this.body.scrollTop),
    });
    this.main = el("div", { class: "fb-inspector-main" }, this.about.node, this.tabs, this.body);
    this.compare = new CompareView(this.desk, () => this.showCompare(false));
    this.node = el(
      "section",
      { class: "fb-inspector", "aria-label": "checkpoint" },
      this.main,
      this.compare.node,
      this.desk.sheet,
    );
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("fb-language", () =>
      this.body.querySelectorAll(".fb-code").forEach((code) => code.dispatchEvent(new CustomEvent("fb-redraw"))),
    );
    new ResizeObserver(() => this.place()).observe(this.body); // notebooks draw a view before it has a size
    context.on("selected", () => this.show());
    context.on("tab", () => this.showTab());
    context.on("tabs", () => this.drawTabs());
    context.on("can", () => this.draw());
    context.source.on("reset", () => this.show());
    context.source.on(
      "flags",
      (/** @type {any} */ about) => String(this.page?.position) in { ...about.flags, ...about.labels } && this.show(),
    );
    this.desk.on("drafts", () => this.redraw());
    this.desk.on("again", () => this.show());
    this.desk.on("compare", () => this.showCompare(true));
    this.drawTabs();
    this.show();
  }

  /** What a checkpoint's conversation keeps while it is shown. @param {boolean} markdown */
  fresh(markdown) {
    return {
      opened: /** @type {Set<number>} */ (new Set()),
      markdown,
      earlier: /** @type {Message[]} */ ([]),
    };
  }
  get tab() {
    return this.context.model.get("tab") || ALL_TABS[0];
  }

  drawTabs() {
    const { context, tab } = this;
    this.tabs.replaceChildren(
      ...(context.model.get("tabs") ?? ALL_TABS).map((/** @type {string} */ name) =>
        el(
          "button",
          {
            class: "fb-tab",
            role: "tab",
            id: `${context.tag}-tab-${name}`,
            "aria-selected": String(name === tab),
            "aria-controls": this.body.id,
            tabindex: name === tab ? "0" : "-1",
            "data-name": name,
            onclick: () => context.actions.openTab(name),
          },
          name,
        ),
      ),
    );
    this.body.setAttribute("aria-labelledby", `${context.tag}-tab-${tab}`);
  }
  /** @param {KeyboardEvent} event */
  walk(event) {
    const tabs = /** @type {HTMLElement[]} */ ([...this.tabs.children]),
      at = tabs.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const tab = tabs[to % tabs.length];
    tab.click();
    tab.focus();
  }

  async show() {
    const { model, source } = this.context,
      mine = ++this.turn,
      position = model.get("selected");
    if (position === undefined || position === null || position < 0) {
      this.page = null;
      this.say("No checkpoint is picked. Pick one in the tree.");
      return;
    }
    const late = setTimeout(() => mine === this.turn && this.node.setAttribute("aria-busy", "true"), SLOW);
    try {
      const page = await source.show(position);
      if (mine !== this.turn) return;
      const other = this.page?.position !== page.position;
      if (other) this.kept = this.fresh(this.kept.markdown);
      this.page = page;
      this.about.show(page);
      if (other) this.showCompare(false);
      this.desk.show(page);
      await this.showTab(other);
      this.learn(mine);
    } catch (error) {
      if (mine === this.turn) this.say(errorText(error));
    } finally {
      clearTimeout(late);
      if (mine === this.turn) this.node.removeAttribute("aria-busy");
    }
  }

  /** Ask once what the channels are, so that fields have their types. @param {number} mine */
  learn(mine) {
    if (this.desk.types.size || !this.desk.can("write")) return;
    setTimeout(async () => {
      if (mine !== this.turn) return;
      await this.desk.schema().catch(() => null);
      if (mine === this.turn && this.desk.types.size) this.redraw();
    }, 150);
  }

  /** @param {boolean} [other] whether another checkpoint is shown than before */
  async showTab(other = false) {
    const { page, tab } = this;
    for (const each of /** @type {HTMLElement[]} */ ([...this.tabs.children])) {
      const chosen = each.dataset.name === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      if (chosen) each.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.body.setAttribute("aria-labelledby", `${this.context.tag}-tab-${tab}`);
    if (!page) return;
    const end = tab === ALL_TABS[0] && (other || !this.places.has(tab));
    if (end) this.places.set(tab, Infinity);
    if (tab === ALL_TABS[0]) {
      this.blocks = page.blocks ?? [];
      this.draw();
      return;
    }
    const mine = this.turn,
      drawn = `${page.position} ${tab}`;
    if (this.drawn.split(" ")[1] !== tab) this.body.replaceChildren();
    const late = setTimeout(
      () => mine === this.turn && this.tab === tab && !this.body.childElementCount && this.say("reading …"),
      SLOW,
    );
    try {
      const blocks = await this.context.source.ask("view", { position: page.position, tab });
      if (mine !== this.turn || this.tab !== tab) return;
      this.blocks = blocks;
      this.drawn = drawn;
      this.draw();
    } catch (error) {
      if (mine === this.turn && this.tab === tab) this.say(errorText(error));
    } finally {
      clearTimeout(late);
    }
  }

  /** @param {string} text */
  say(text) {
    this.body.replaceChildren(el("p", { class: "fb-note" }, text));
  }

  /** Draw the tab from what is there. */
  draw() {
    const { page, tab, desk } = this;
    if (!page) return;
    const drawing = { desk, page, fields: tab === ALL_TABS[0] };
    /** @type {(HTMLElement | null)[]} */
    const parts = [];
    this.conversation = null;
    if (tab === ALL_TABS[0]) {
      this.drawn = `${page.position} ${tab}`;
      if (page.messages?.total) {
        this.conversation = new Conversation(desk, page, this.kept);
        parts.push(this.markdownButton(), this.conversation.node);
      }
      const blocks = drawBlocks(drawing, this.blocks);
      if (blocks.length) parts.push(el("div", { class: "fb-fields" }, ...blocks));
      if (!page.messages?.total && !blocks.length)
        parts.push(el("p", { class: "fb-note" }, "The state is empty here."));
    } else {
      if (tab === "Code" && this.blocks.some((block) => block.kind === "code"))
        parts.push(
          el(
            "div",
            { class: "fb-toolbar" },
            copyButton("copy the code of all acts", () => allCode(this.blocks)),
          ),
        );
      parts.push(...drawBlocks(drawing, this.blocks));
      if (!this.blocks.length) parts.push(el("p", { class: "fb-note" }, "There is nothing to show here."));
    }
    this.body.replaceChildren(...parts.filter((part) => part !== null));
    this.place();
  }

  /** Draw again what drafts or types changed, unless a person types there. */
  redraw() {
    if (this.focused && this.body.contains(this.focused) && this.focused !== this.body) return;
    this.draw();
  }
  get focused() {
    return focusedIn(this.node);
  }
  /** Scroll to where this tab was. */
  place() {
    const place = this.places.get(this.tab) ?? 0;
    this.body.scrollTop = place === Infinity ? this.newest() : place;
    if (place === Infinity) this.places.set(this.tab, Infinity);
  }

  /** Where the newest messages are in sight. */
  newest() {
    const list = /** @type {HTMLElement | null} */ (this.body.querySelector(".fb-messages"));
    if (!list) return 0;
    const fresh = /** @type {HTMLElement | null} */ (list.querySelector(".fb-fresh"));
    const end = list.offsetTop + list.offsetHeight - this.body.clientHeight + 8;
    return Math.max(0, fresh ? Math.min(end, fresh.offsetTop - 8) : end);
  }

  markdownButton() {
    const { kept } = this;
    return el(
      "div",
      { class: "fb-toolbar" },
      el(
        "button",
        {
          class: "fb-small",
          "aria-pressed": String(kept.markdown),
          onclick: () => {
            kept.markdown = !kept.markdown;
            this.draw();
            /** @type {HTMLElement | null} */ (this.body.querySelector(".fb-toolbar button"))?.focus({
              preventScroll: true,
            });
          },
        },
        "render Markdown",
      ),
    );
  }

  /** @param {boolean} open */
  showCompare(open) {
    const had = this.compare.node.contains(this.focused);
    this.main.hidden = open;
    if (open) this.compare.open();
    else this.compare.close();
    if (had && !open) this.focus();
  }

  focus() {
    (this.main.hidden ? this.compare.back : this.body).focus({ preventScroll: true });
  }

  /** Lead to the first thing to edit: the last message of a person, else the first field. */
  edit() {
    if (!this.main.hidden && this.tab === ALL_TABS[0]) return this.editHere();
    this.showCompare(false);
    this.context.actions.openTab(ALL_TABS[0]);
    this.editHere();
  }
  editHere() {
    if (this.conversation?.edit()) return;
    const typed = this.body.querySelector(".fb-field textarea, .fb-field select"); // before any value that is JSON
    const first = /** @type {HTMLElement | null} */ (typed ?? this.body.querySelector(".fb-fields button.fb-leaf"));
    if (!first) return this.focus();
    if (first.matches(".fb-leaf")) return first.click();
    focusOn(first);
    if (first instanceof HTMLTextAreaElement && first.value.length < 200) first.select();
    first.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      this.desk.emit("run");
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (this.main.hidden) this.showCompare(false);
      else this.context.actions.tree();
    }
  }
}
