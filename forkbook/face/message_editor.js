// A message that is edited where it stands: its role and text, or all of it as JSON.

import { errorText, focusOn, holdsFocus } from "./controls.js";
import { el } from "./dom.js";
import { JsonBox, TextBox, unseenIn } from "./editor.js";
import { atPath, isBranch, parsedOrNull, replacedAt, textNode, writeJson } from "./jsontext.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./jsontext.js").JsonNode} JsonNode */
/** @typedef {import("./types.js").Message} Message */

const EDIT_ROLES = ["human", "ai", "system"];

/** The texts of a message's content: where each stands, and what it says. @param {JsonNode} content @returns {{path: (string | number)[], text: string}[]} */
export function textsOf(content) {
  if (content.kind === "string") return [{ path: [], text: content.value }];
  return content.items.flatMap((block, i) => {
    if (block.kind === "string") return [{ path: [i], text: block.value }];
    const text = block.kind === "object" ? atPath(block, ["text"]) : null;
    return text?.kind === "string" ? [{ path: [i, "text"], text: text.value }] : [];
  });
}

/** An edit of a message as JSON text. @param {string | null} role null: it stays @param {JsonNode} content @param {{path: (string | number)[], text: string}[]} texts */
export function messageEdit(role, content, texts) {
  const changed = texts.reduce((whole, { path, text }) => replacedAt(whole, path, textNode(text)) ?? whole, content);
  return `{${role === null ? "" : `"role": ${JSON.stringify(role)}, `}"content": ${writeJson(changed)}}`;
}

/** A message with an edit in it, in the parts that an edit can have. @param {JsonNode} message @param {string} role @returns {string} */
export function messageAsJson(message, role) {
  const parts = ["content", "name", "tool_calls"].flatMap((key) => {
    const part = atPath(message, [key]);
    return part && (key === "content" || (part.raw !== "null" && (!isBranch(part) || part.items.length)))
      ? [[key, part]]
      : [];
  });
  return writeJson(
    {
      kind: "object",
      raw: "",
      value: "",
      keys: ["role", ...parts.map(([key]) => String(key))],
      items: [textNode(role), ...parts.map(([, part]) => /** @type {JsonNode} */ (part))],
    },
    2,
  );
}

export class MessageEditor {
  /**
   * @param {Desk} desk
   * @param {{position: number, channel: string, message: Message, runs: string, close: () => void}} about runs: what an edit makes run again
   */
  constructor(desk, { position, channel, message, runs, close }) {
    this.desk = desk;
    this.position = position;
    this.channel = channel;
    this.message = message;
    this.close = close;
    this.path = [message.index];
    this.hint = `${desk.context.tag}-hint-${message.index}`;
    this.boxes = el("div", { class: "fb-boxes" });
    /** @type {JsonNode | null} */
    this.whole = null;
    /** what was typed before the message was there as a whole @type {string | null} */
    this.early = null;
    const roles = EDIT_ROLES.includes(message.role) ? EDIT_ROLES : [message.role, ...EDIT_ROLES];
    this.select = el(
      "select",
      { class: "fb-box fb-role-choice", "aria-label": "role", onchange: () => this.keep() },
      ...roles.map((role) => el("option", { selected: role === message.role, value: role }, role)),
    );
    this.jsonButton = el(
      "button",
      { class: "fb-small", "aria-pressed": "false", onclick: () => this.toggle() },
      "as JSON",
    );
    this.node = el(
      "div",
      { class: "fb-message-edit", role: "group", "aria-label": `edit message ${message.index + 1}` },
      el(
        "div",
        { class: "fb-edit-head" },
        this.select,
        this.jsonButton,
        el("span", { class: "fb-space" }),
        el("button", { class: "fb-small", onclick: () => this.undo() }, "undo"),
        el("button", { class: "fb-small", onclick: () => close() }, "done"),
      ),
      this.boxes,
      el(
        "div",
        { class: "fb-hint", id: this.hint },
        runs,
        " ",
        el("span", { class: "fb-keys" }, "Ctrl+Enter: run · Escape: done"),
      ),
    );
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      close();
    });
    this.begin();
  }

  /** Draw what is known at once, and the whole as soon as it is there. */
  async begin() {
    const { message, desk } = this;
    const drafted = desk.editAt(this.channel, this.path);
    if (!drafted && !message.cut && !message.images.length && !unseenIn(message.text))
      this.draw([{ path: [], text: message.text }]);
    else this.boxes.replaceChildren(el("div", { class: "fb-hint" }, "reading the message …"));
    try {
      const text = await desk.context.source.ask("value", {
        position: this.position,
        channel: this.channel,
        path: this.path,
      });
      this.whole = parsedOrNull(text);
    } catch (error) {
      this.boxes.replaceChildren(el("div", { class: "fb-note fb-error" }, errorText(error)));
      return;
    }
    this.loaded();
  }

  loaded() {
    const { whole } = this;
    if (!whole) return;
    const drafted = this.desk.editAt(this.channel, this.path);
    const now = drafted && parsedOrNull(drafted.text);
    const content = (now && atPath(now, ["content"])) ?? this.content;
    const role = now && atPath(now, ["role"]);
    if (role?.kind === "string") this.select.value = role.value;
    const other = now && ["name", "tool_calls"].some((key) => atPath(now, [key]));
    const texts = textsOf(content);
    if ((drafted && !now) || other || !texts.length || texts.some(({ text }) => unseenIn(text))) {
      this.toggle(true);
      return;
    }
    this.shape = content;
    if (this.early !== null && this.texts?.length === 1 && texts.length === 1) {
      this.texts[0].path = texts[0].path;
      this.keep();
    } else if (!this.texts || texts.length !== 1 || this.texts[0].text !== texts[0].text) {
      const had = holdsFocus(this.boxes) || !this.texts;
      this.draw(texts);
      if (had && this.wanted) this.focus();
    } else this.texts = texts;
  }

  /** @returns {JsonNode} */
  get content() {
    return (this.whole && atPath(this.whole, ["content"])) ?? textNode(this.message.text);
  }

  /** @param {{path: (string | number)[], text: string}[]} texts */
  draw(texts) {
    this.texts = texts;
    this.json = null;
    this.fields = texts.map(
      (part, i) =>
        new TextBox({
          text: part.text,
          label: texts.length > 1 ? `text ${i + 1} of ${texts.length}` : "text",
          describedby: this.hint,
          onedit: (text) => {
            (this.texts ?? [])[i].text = text;
            this.keep();
          },
        }),
    );
    this.boxes.replaceChildren(...this.fields.map((box) => box.node));
    for (const box of this.fields) box.fit();
  }

  /** Make a draft of what is typed. */
  keep() {
    if (!this.whole || this.json) {
      this.early = this.texts?.[0].text ?? "";
      return;
    }
    const role = this.select.value === this.message.role ? null : this.select.value;
    const before = messageEdit(null, this.content, []);
    this.desk.edit(this.channel, this.path, messageEdit(role, this.shape ?? this.content, this.texts ?? []), before);
  }

  /** Change between text and JSON. @param {boolean} [json] */
  toggle(json = !this.json) {
    const { whole, desk } = this;
    if (!whole) return;
    this.jsonButton.setAttribute("aria-pressed", String(json));
    this.select.disabled = json;
    if (!json) {
      this.json = null;
      this.texts = undefined;
      this.early = null;
      this.loaded();
      if (!this.json) this.focus();
      return;
    }
    const drafted = desk.editAt(this.channel, this.path);
    const now = drafted && parsedOrNull(drafted.text);
    const merged =
      now?.kind === "object"
        ? now.keys.reduce((all, key, i) => replacedAt(all, [key], now.items[i]) ?? all, whole)
        : whole;
    const role = now && atPath(now, ["role"]);
    this.json = new JsonBox({
      text: drafted && !now ? drafted.text : messageAsJson(merged, role?.value ?? this.message.role),
      label: "the message as JSON",
      describedby: this.hint,
      onedit: (text) => desk.edit(this.channel, this.path, text, messageAsJson(whole, this.message.role)),
      check: async (text) =>
        (
          await desk.context.source.ask("check", {
            position: this.position,
            edits: [{ channel: this.channel, path: this.path, text }],
          })
        ).errors,
    });
    this.boxes.replaceChildren(this.json.node);
    if (this.wanted) this.json.focus();
  }

  undo() {
    this.desk.undo(this.channel, this.path);
    this.close();
  }

  focus() {
    this.wanted = true;
    if (this.json) this.json.focus();
    else if (this.fields?.length) this.fields[0].focus();
    else focusOn(this.select);
  }
}
