// A value as a tree: lists and dicts that open, and leaves that can be edited where they stand.

import { withEdits } from "./drafts.js";
import { el } from "./dom.js";
import { JsonBox, TextBox, unseenIn } from "./editor.js";
import { atPath, escapedJson, parsedOrNull, textNode, writeJson } from "./jsontext.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./jsontext.js").JsonNode} JsonNode */
/** @typedef {(string | number)[]} Path */

const AT_ONCE = 100; // items of a list that are drawn at a time
const OPEN_UP_TO = 12; // a list or dict of so many items stands open

export class ValueTree {
  /**
   * @param {Desk} desk
   * @param {{position: number, channel: string, path: Path, text: string, editable: boolean}} value
   * @param {string} [name] What stands before it; the channel, unless it is given.
   */
  constructor(desk, value, name = value.channel) {
    this.desk = desk;
    this.value = value;
    this.name = name;
    this.before = parsedOrNull(value.text) ?? textNode(value.text);
    this.editable = value.editable && desk.can("write");
    this.node = el("div", { class: "fb-tree-value" });
    this.node.addEventListener("keydown", (event) => this.walk(event));
    this.draw();
  }

  draw() {
    const { channel, path } = this.value;
    const edits = this.desk
      .editsUnder(channel, path)
      .filter((edit) => edit.path.length > path.length || parsedOrNull(edit.text));
    this.node.replaceChildren(this.part(this.name, withEdits(this.before, edits, path.length), path, 0));
    this.roam();
  }

  /** @param {string | number} name @param {JsonNode} node @param {Path} path @param {number} depth @returns {HTMLElement} */
  part(name, node, path, depth) {
    return node.items.length ? this.branch(name, node, path, depth) : this.leaf(name, node, path);
  }

  /** Whether a list or dict is open: as the person left it, else by its size. @param {Path} path @param {JsonNode} node @param {number} depth */
  isOpen(path, node, depth) {
    return this.desk.opened.get(this.key(path)) ?? (depth === 0 || (depth < 3 && node.items.length <= OPEN_UP_TO));
  }
  /** @param {Path} path */
  key(path) {
    return JSON.stringify([this.value.channel, ...path]);
  }

  /** @param {string | number} name @param {JsonNode} node @param {Path} path @param {number} depth */
  branch(name, node, path, depth) {
    const open = this.isOpen(path, node, depth) && node.items.length > 0;
    const many = node.kind === "object" ? `{${node.items.length}}` : `[${node.items.length}]`;
    const inner = el("div", { class: "fb-inner", hidden: !open });
    const toggle = el(
      "button",
      {
        class: "fb-unfold",
        "aria-expanded": String(open),
        "data-stop": true,
        onclick: () => {
          const now = inner.hidden === true;
          inner.hidden = !now;
          toggle.setAttribute("aria-expanded", String(now));
          this.desk.opened.set(this.key(path), now);
          if (now && !inner.childElementCount) this.fill(inner, node, path, depth, 0);
        },
      },
      el("span", { class: "fb-key" }, name),
      " ",
      el("span", { class: "fb-many" }, many),
    );
    toggle.dataset.path = this.key(path);
    const head = el("div", { class: "fb-branch-head" }, toggle);
    const row = el("div", { class: "fb-branch" }, head, inner);
    if (this.editable) {
      head.append(
        el(
          "button",
          {
            class: "fb-small",
            "data-stop": true,
            "aria-label": `edit ${name} as JSON`,
            title: "edit as JSON",
            onclick: () => this.asJson(row, name, node, path),
          },
          "✎ JSON",
        ),
      );
      if (this.desk.editAt(this.value.channel, path)) head.append(...this.mark(path, name));
    }
    if (open) this.fill(inner, node, path, depth, 0);
    return row;
  }

  /** Draw items of a list or dict, some at a time. @param {HTMLElement} inner @param {JsonNode} node @param {Path} path @param {number} depth @param {number} from */
  fill(inner, node, path, depth, from) {
    const to = Math.min(from + AT_ONCE, node.items.length);
    for (let i = from; i < to; i++) {
      const name = node.kind === "object" ? node.keys[i] : i;
      inner.append(this.part(name, node.items[i], [...path, name], depth + 1));
    }
    if (to === node.items.length) return;
    const more = el(
      "button",
      {
        class: "fb-small",
        "data-stop": true,
        onclick: () => {
          more.remove();
          this.fill(inner, node, path, depth, to);
          this.roam(/** @type {HTMLElement} */ (inner.children[to]));
        },
      },
      `show ${Math.min(AT_ONCE, node.items.length - to)} more of ${node.items.length.toLocaleString("en")}`,
    );
    inner.append(more);
  }

  /** @param {string | number} name @param {JsonNode} node @param {Path} path */
  leaf(name, node, path) {
    const row = el("div", { class: "fb-leaf-row" }, el("span", { class: "fb-key" }, name));
    const shown = node.kind === "string" ? node.value || '""' : writeJson(node);
    const drafted = this.desk.editAt(this.value.channel, path);
    if (!this.editable) row.append(el("span", { class: `fb-leaf fb-${node.kind}`, dir: "auto" }, shown));
    else {
      const button = el(
        "button",
        {
          class: `fb-leaf fb-${node.kind}`,
          dir: "auto",
          "data-stop": true,
          title: "edit",
          onclick: () => this.typed(row, name, node, path),
        },
        el("span", { class: "fb-unseen" }, `edit ${name}: `),
        shown,
      );
      button.dataset.path = this.key(path);
      row.append(button);
      if (drafted) row.append(...this.mark(path, name));
    }
    return row;
  }

  /** What shows that a place was edited, and takes it back. @param {Path} path @param {string | number} name */
  mark(path, name) {
    return [
      el("span", { class: "fb-edited" }, "✎ edited"),
      el(
        "button",
        {
          class: "fb-small",
          "data-stop": true,
          "aria-label": `undo the edit of ${name}`,
          onclick: () => {
            this.desk.undo(this.value.channel, path);
            this.draw();
            this.focusAt(path);
          },
        },
        "undo",
      ),
    ];
  }

  /** What stood at a path before any edit. @param {Path} path @returns {string | null} */
  original(path) {
    const node = atPath(this.before, path.slice(this.value.path.length));
    return node && writeJson(node);
  }

  /** Edit a leaf where it stands. @param {HTMLElement} row @param {string | number} name @param {JsonNode} node @param {Path} path */
  typed(row, name, node, path) {
    if (node.kind === "string" && !unseenIn(node.value)) {
      this.box(
        row,
        name,
        path,
        new TextBox({ text: node.value, label: String(name), onedit: (text) => this.keep(path, JSON.stringify(text)) }),
      );
    } else if (node.kind === "word" && /^(true|false)$/.test(node.raw)) {
      this.keep(path, node.raw === "true" ? "false" : "true");
      this.draw();
      this.focusAt(path);
    } else
      this.box(
        row,
        name,
        path,
        new TextBox({
          text: escapedJson(writeJson(node)),
          label: `${name} as JSON`,
          onedit: (text) => this.keep(path, text),
        }),
        true,
      );
  }

  /** @param {HTMLElement} row @param {string | number} name @param {Path} path @param {TextBox} box @param {boolean} [json] */
  box(row, name, path, box, json = false) {
    const fault = el("span", { class: "fb-fault-text", role: "status" });
    const look = () => {
      const bad = json && !parsedOrNull(box.text);
      fault.replaceChildren(bad ? '✗ no JSON yet: a text stands in quotes, as "cats"' : "");
      box.node.setAttribute("aria-invalid", String(bad));
    };
    box.node.addEventListener("input", look);
    const done = () => {
      this.draw();
      this.focusAt(path);
    };
    box.node.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") this.desk.undo(this.value.channel, path);
      else if (
        event.key !== "Enter" ||
        event.shiftKey ||
        event.ctrlKey ||
        event.metaKey ||
        (json && !parsedOrNull(box.text))
      )
        return;
      event.preventDefault();
      event.stopPropagation();
      done();
    });
    row.replaceChildren(
      el("span", { class: "fb-key" }, name),
      el(
        "div",
        { class: "fb-leaf-edit" },
        box.node,
        el("div", { class: "fb-hint" }, "Enter: keep · Shift+Enter: line break · Escape: undo · Ctrl+Enter: run"),
        fault,
      ),
    );
    box.fit();
    box.focus(box.text.length < 200);
  }

  /** Edit a list or dict as JSON. @param {HTMLElement} row @param {string | number} name @param {JsonNode} node @param {Path} path */
  asJson(row, name, node, path) {
    const drafted = this.desk.editAt(this.value.channel, path);
    const box = new JsonBox({
      text: drafted?.text ?? writeJson(node, 2),
      label: `${name} as JSON`,
      onedit: (text) => this.keep(path, text),
      check: (text) => this.check(path, text),
    });
    const done = () => {
      this.draw();
      this.focusAt(path);
    };
    row.replaceChildren(
      el(
        "div",
        { class: "fb-branch-head" },
        el("span", { class: "fb-key" }, name),
        el("button", { class: "fb-small", onclick: done }, "done"),
        el(
          "button",
          {
            class: "fb-small",
            onclick: () => {
              this.desk.undo(this.value.channel, path);
              done();
            },
          },
          "undo",
        ),
      ),
      box.node,
    );
    box.focus();
  }

  /** What the kernel finds wrong with an edit. @param {Path} path @param {string} text */
  async check(path, text) {
    const edit = { channel: this.value.channel, path, text };
    const found = await this.desk.context.source.ask("check", { position: this.value.position, edits: [edit] });
    return found.errors;
  }

  /** @param {Path} path @param {string} text */
  keep(path, text) {
    this.desk.edit(this.value.channel, path, text, this.original(path));
  }

  /** @param {Path} path */
  focusAt(path) {
    const place = this.key(path);
    const found = [...this.node.querySelectorAll("[data-stop]")].find(
      (each) => /** @type {HTMLElement} */ (each).dataset.path === place,
    );
    this.roam(/** @type {HTMLElement | undefined} */ (found));
  }

  get stops() {
    return /** @type {HTMLElement[]} */ ([...this.node.querySelectorAll("[data-stop]")]).filter(
      (stop) => !stop.closest("[hidden]"),
    );
  }
  /** One stop of the Tab key for the whole value; arrows walk within it. @param {HTMLElement} [to] gets the focus */
  roam(to) {
    const stops = this.stops;
    const target = to && (stops.includes(to) ? to : stops.find((stop) => to.contains(stop)));
    stops.forEach((stop, i) => (stop.tabIndex = (target ? stop === target : i === 0) ? 0 : -1));
    target?.focus({ preventScroll: true });
    target?.scrollIntoView({ block: "nearest" });
  }
  /** @param {KeyboardEvent} event */
  walk(event) {
    const stops = this.stops,
      at = stops.indexOf(/** @type {HTMLElement} */ (event.target));
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: stops.length - 1 }[event.key];
    const open = stops[at].getAttribute("aria-expanded");
    if (to !== undefined) this.roam(stops[Math.min(Math.max(to, 0), stops.length - 1)]);
    else if ((event.key === "ArrowRight" && open === "false") || (event.key === "ArrowLeft" && open === "true"))
      stops[at].click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
