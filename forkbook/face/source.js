// What the front end asks of what stands behind the model: a kernel, or a document in the page.

/** @typedef {import("./types.js").Label} Label */
/** @typedef {import("./types.js").Page} Page */

const PATIENCE = 4000; // ms without an answer until a view says so
const PROBE = 3000; // ms for a kernel whose line was cut to show that it is still there
const MOST_LABELS = 4000;
const MOST_PAGES = 120;
const QUICK = 400; // ms: where answers take longer, nothing is fetched ahead

/** A map that forgets what was used longest ago. @template K, V */
export class Recent {
  /** @param {number} most */
  constructor(most) {
    this.most = most;
    /** @type {Map<K, V>} */
    this.items = new Map();
  }
  /** @param {K} key @returns {V | undefined} */
  get(key) {
    const value = this.items.get(key);
    if (value !== undefined) {
      this.items.delete(key);
      this.items.set(key, value);
    }
    return value;
  }
  /** @param {K} key */
  has(key) {
    return this.items.has(key);
  }
  /** @param {K} key @param {V} value */
  set(key, value) {
    this.items.delete(key);
    this.items.set(key, value);
    if (this.items.size > this.most) this.items.delete(/** @type {K} */ (this.items.keys().next().value));
  }
  /** @param {K} key */
  delete(key) {
    this.items.delete(key);
  }
  clear() {
    this.items.clear();
  }
}

export class Source {
  /**
   * @param {import("./types.js").Model} model
   * @param {AbortSignal} signal
   */
  constructor(model, signal) {
    this.model = model;
    this.tag = Math.random().toString(36).slice(2, 10);
    this.asked = 0;
    /** @type {Map<string, {done: (answer: any) => void, fail: (error: Error) => void, since: number}>} */
    this.waiting = new Map();
    /** @type {Record<string, ((event: any) => void)[]>} */
    this.listeners = {};
    /** "yes"; "quiet": a question waits; "gone": the kernel that made this view is not there any more */
    this.alive = "yes";
    this.took = 0;
    this.probing = 0;
    /** @type {Recent<number, Label>} */
    this.known = new Recent(MOST_LABELS);
    /** @type {Recent<number, Promise<Page>>} */
    this.pages = new Recent(MOST_PAGES);
    /** positions by the ids of checkpoints that were seen @type {Map<string, number>} */
    this.ids = new Map();
    this.readTraits();
    const heard = (/** @type {any} */ content, /** @type {any} */ buffers) => this.hear(content, buffers);
    const cut = () => this.probe();
    model.on("msg:custom", heard);
    model.on("comm_live_update", cut);
    const clock = setInterval(() => this.watch(), 1000);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", heard);
      model.off("comm_live_update", cut);
      clearInterval(clock);
    });
  }

  /** What the traits say already, so that a first paint asks nothing. */
  readTraits() {
    for (const [position, label] of Object.entries(this.model.get("first_labels") ?? {})) {
      this.known.set(Number(position), label);
    }
    const page = this.model.get("first_page");
    if (page && page.position >= 0) this.keep(page.position, Promise.resolve(page));
  }

  /**
   * Be told of "grow", "flags", "reset" and "alive".
   * @param {string} event
   * @param {(about: any) => void} callback
   */
  on(event, callback) {
    (this.listeners[event] ??= []).push(callback);
  }
  /** @param {string} event @param {any} [about] */
  emit(event, about) {
    for (const callback of this.listeners[event] ?? []) callback(about);
  }

  /**
   * Ask a question; rejects with the text that the other side gives.
   * @param {string} name
   * @param {Record<string, unknown>} [about]
   * @returns {Promise<any>}
   */
  ask(name, about = {}) {
    const id = `${this.tag}-${this.asked++}`;
    return new Promise((done, fail) => {
      this.waiting.set(id, { done, fail, since: performance.now() });
      try {
        this.model.send({ id, ask: name, about });
      } catch (error) {
        this.waiting.delete(id);
        this.become("gone");
        fail(new Error(GONE));
      }
    });
  }

  /** @param {any} content @param {DataView[]} [buffers] */
  hear(content, buffers = []) {
    this.become("yes");
    clearTimeout(this.probing);
    if (content?.push) {
      this.take(content, buffers);
      return;
    }
    const question = this.waiting.get(content?.id);
    if (!question) return; // of another view of this model
    this.waiting.delete(content.id);
    this.took = performance.now() - question.since;
    if (content.error !== undefined) question.fail(new Error(content.error));
    else question.done(buffers.length ? buffers : content.answer);
  }

  /** What came unasked. @param {any} content @param {DataView[]} buffers */
  take(content, buffers) {
    if (content.push === "reset") {
      this.forget();
      this.readTraits();
    }
    for (const [position, label] of Object.entries(content.labels ?? {})) this.known.set(Number(position), label);
    for (const position of Object.keys(content.flags ?? {})) this.pages.delete(Number(position));
    this.emit(content.push, { ...content, buffers });
  }

  forget() {
    this.known.clear();
    this.pages.clear();
    this.ids.clear();
  }

  /** @param {number} position @param {Promise<Page>} page */
  keep(position, page) {
    this.pages.set(position, page);
    page.then(
      (known) => this.ids.set(known.id, position),
      () => this.pages.delete(position),
    );
  }

  /**
   * What a checkpoint holds, asked once.
   * @param {number} position
   * @returns {Promise<Page>}
   */
  show(position) {
    const known = this.pages.get(position);
    if (known) return known;
    const page = this.ask("show", { position });
    this.keep(position, page);
    return page;
  }

  /** Fetch what a person may pick next, while nothing else waits. @param {Iterable<number>} positions */
  ahead(positions) {
    if (this.alive !== "yes" || this.took > QUICK || this.waiting.size) return;
    for (const position of positions) {
      if (position >= 0 && !this.pages.has(position)) this.show(position).catch(() => {});
    }
  }

  /**
   * Fetch the labels that are missing among some positions; tells whether any came.
   * @param {number[]} positions
   */
  async labels(positions) {
    const missing = positions.filter((position) => !this.known.has(position));
    if (!missing.length) return false;
    const came = await this.ask("labels", { positions: missing });
    for (const [position, label] of Object.entries(came)) this.known.set(Number(position), label);
    return true;
  }

  /** A line that was cut may be mended by the notebook: only a kernel that stays silent is gone. */
  probe() {
    clearTimeout(this.probing);
    this.probing = setTimeout(() => this.become("gone"), PROBE);
    this.ask("labels", { positions: [] }).catch(() => {});
  }

  /** Say so when a question waits for long. */
  watch() {
    const oldest = Math.min(...[...this.waiting.values()].map((question) => question.since));
    if (this.alive === "yes" && performance.now() - oldest > PATIENCE) this.become("quiet");
  }

  /** @param {string} alive */
  become(alive) {
    if (this.alive === alive) return;
    this.alive = alive;
    if (alive === "gone") {
      for (const question of this.waiting.values()) question.fail(new Error(GONE));
      this.waiting.clear();
    }
    this.emit("alive", alive);
  }
}

export const GONE = "The kernel of this view is gone: run its cell again.";
