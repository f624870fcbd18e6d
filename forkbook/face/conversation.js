// The messages of a checkpoint, as a conversation; each can be edited where it stands.

import { fetchButton, focusOn, hint, holdsFocus } from "./controls.js";
import { el } from "./dom.js";
import { atPath, callInShort, parsedOrNull, writeJson } from "./jsontext.js";
import { markdown } from "./markdown.js";
import { MessageEditor, textsOf } from "./message_editor.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {{desk: Desk, page: Page | null, channel: string | null, opened: Set<number>, markdown: boolean}} Reading */

const IMAGE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;
const IMAGE_MOST = 8_000_000; // characters of a data URL
const EARLIER = 50; // messages that are fetched at a time

/** What runs again when a message is edited. @param {Page | null} page @param {Message} message */
export function runsAgain(page, message) {
  const nodes = message.runs ?? (message.fresh ? page?.next : null);
  if (nodes && !nodes.length) return "An edit is written from where this message arrived, as a new branch.";
  const names = nodes ? nodes.map((node) => `\`${node}\``).join(", ") : "what came after this message";
  return `An edit runs ${names} again from here, as a new branch.`;
}

/** Images of a message as thumbnails; a click makes one large. @param {string[]} images */
function pictures(images) {
  if (!images.length) return null;
  return el(
    "div",
    { class: "fb-images" },
    ...images.map((url, i) => {
      if (!IMAGE.test(url) || url.length > IMAGE_MOST)
        return el(
          "span",
          { class: "fb-hint" },
          "an image that is not shown: too large, or of another kind than PNG, JPEG, GIF, WebP",
        );
      const large = el(
        "button",
        {
          class: "fb-image",
          "aria-pressed": "false",
          "aria-label": `image ${i + 1}: larger`,
          onclick: () => large.setAttribute("aria-pressed", String(large.getAttribute("aria-pressed") !== "true")),
        },
        el("img", { src: url, alt: `image ${i + 1} of this message`, loading: "lazy" }),
      );
      return large;
    }),
  );
}

/** @param {Message["tool_calls"]} calls */
function toolCalls(calls) {
  return calls.map(({ name, args }) => {
    const node = parsedOrNull(args);
    return el(
      "details",
      { class: "fb-call" },
      el("summary", {}, callInShort(name, args)),
      el("pre", {}, node ? writeJson(node, 2) : args),
    );
  });
}

/** The text of a message, with what shows the rest of it. @param {Reading} reading @param {Message} message @param {string | null} drafted */
function words(reading, message, drafted) {
  const text = drafted ?? message.text;
  const box = el("div", { class: "fb-words", dir: "auto" });
  const fill = (/** @type {string} */ whole) =>
    box.replaceChildren(...(reading.markdown ? markdown(whole) : [el("span", { text: whole })]));
  fill(text);
  if (!text && !message.tool_calls.length && !message.images.length) box.append(hint("no text"));
  if (drafted !== null || !message.cut || !reading.page) return [box];
  const { source } = reading.desk.context,
    { position } = reading.page;
  const more = fetchButton(`show all ${message.size.toLocaleString("en")} characters`, async (button) => {
    fill(await source.ask("text", { position, index: message.index }));
    box.tabIndex = -1;
    if (holdsFocus(button)) focusOn(box);
    button.remove();
  });
  return [box, more];
}

/**
 * One message.
 * @param {Reading} reading
 * @param {Message} message
 * @returns {HTMLElement}
 */
export function messageCard(reading, message) {
  const { desk, page, channel } = reading,
    here = page !== null && channel !== null;
  const edit = here ? desk.editAt(channel, [message.index]) : null;
  const now = edit && parsedOrNull(edit.text);
  const content = now && atPath(now, ["content"]);
  const drafted = edit
    ? content
      ? textsOf(content)
          .map(({ text }) => text)
          .join("\n")
      : edit.text
    : null;
  const role = (now && atPath(now, ["role"])?.value) || message.role;
  const card = el("article", {
    class: `fb-message fb-${/^(human|ai|system|tool)$/.test(role) ? role : "other"}`,
    "aria-label": `message ${message.index + 1}, ${role}`,
  });
  card.classList.toggle("fb-fresh", message.fresh);
  card.classList.toggle("fb-failed", message.failed);
  card.classList.toggle("fb-drafted", !!edit);
  card.dataset.index = String(message.index);
  const close = () => {
    reading.opened.delete(message.index);
    const next = messageCard(reading, message);
    card.replaceWith(next);
    focusOn(next.querySelector(".fb-pen"));
  };
  if (here && reading.opened.has(message.index)) {
    const editor = new MessageEditor(desk, {
      position: page.position,
      channel,
      message,
      runs: runsAgain(page, message),
      close,
    });
    openEditors.set(card, editor);
    card.append(editor.node);
    return card;
  }
  const can = here && message.editable && desk.can("write");
  card.append(
    el(
      "header",
      { class: "fb-message-head" },
      el("b", { class: "fb-role" }, role),
      message.name && message.name !== role ? el("span", {}, message.name) : null,
      message.failed ? el("b", { class: "fb-bad" }, "✗ failed") : null,
      message.fresh ? el("span", { class: "fb-tag", title: "arrived at this checkpoint" }, "new") : null,
      edit ? el("span", { class: "fb-edited" }, "✎ edited, not run yet") : null,
      el("span", { class: "fb-space" }),
      message.tokens === null ? null : hint(`${message.tokens.toLocaleString("en")} tokens`),
      can
        ? el(
            "button",
            {
              class: "fb-small fb-pen",
              "aria-label": `edit message ${message.index + 1}`,
              title: runsAgain(page, message),
              onclick: () => openEditor(reading, message, card),
            },
            "✎ edit",
          )
        : null,
    ),
    ...words(reading, message, drafted),
    ...[pictures(message.images)].filter((each) => each !== null),
    ...toolCalls(message.tool_calls),
  );
  return card;
}

/** @type {WeakMap<Element, MessageEditor>} */
const openEditors = new WeakMap();

/** Open the editor of a message in place of its card. @param {Reading} reading @param {Message} message @param {Element} card */
function openEditor(reading, message, card) {
  reading.opened.add(message.index);
  const next = messageCard(reading, message);
  card.replaceWith(next);
  openEditors.get(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
}

/** All messages of a page; earlier ones come on demand. */
export class Conversation {
  /** @param {Desk} desk @param {Page} page @param {{opened: Set<number>, markdown: boolean, earlier: Message[]}} kept what stays when it is drawn again */
  constructor(desk, page, kept) {
    this.desk = desk;
    this.page = page;
    this.kept = kept;
    this.reading = {
      desk,
      page,
      channel: page.messages?.channel ?? null,
      opened: kept.opened,
      markdown: kept.markdown,
    };
    this.list = el("div", { class: "fb-messages" });
    this.node = el("div", {}, this.list);
    this.draw();
  }
  get items() {
    return [...this.kept.earlier, ...(this.page.messages?.items ?? [])];
  }
  draw() {
    const { items, page } = this;
    this.list.replaceChildren(...items.map((message) => messageCard(this.reading, message)));
    this.leadUp(items.length ? items[0].index : (page.messages?.from ?? 0));
  }
  /** A button that fetches messages before those that are here. @param {number} to */
  leadUp(to) {
    this.more?.remove();
    this.more = undefined;
    if (to <= 0) return;
    const most = Math.min(to, EARLIER);
    const text = `show ${most} earlier messages of ${to.toLocaleString("en")}`;
    this.more = fetchButton(text, (button) => this.earlier(to - most, to, button), "fb-earlier");
    this.list.before(this.more);
  }
  /** @param {number} from @param {number} to @param {HTMLElement} button */
  async earlier(from, to, button) {
    const came = await this.desk.context.source.ask("messages", { position: this.page.position, from, to });
    const body = this.node.closest(".fb-reading"),
      held = holdsFocus(button),
      below = body ? body.scrollHeight - body.scrollTop : 0;
    this.kept.earlier.unshift(...came);
    this.list.prepend(...came.map((/** @type {Message} */ message) => messageCard(this.reading, message)));
    this.leadUp(from);
    if (body) body.scrollTop = body.scrollHeight - below;
    if (held) focusOn(this.more ?? body);
  }
  /** Open the last message of a person for an edit; tells whether there is one. */
  edit() {
    const message = this.items.filter((each) => each.editable && each.role === "human").at(-1);
    const card = message && this.list.querySelector(`[data-index="${message.index}"]`);
    if (!message || !card || !this.desk.can("write")) return false;
    const open = openEditors.get(card);
    if (open) open.focus();
    else openEditor(this.reading, message, card);
    return true;
  }
}
