// Questions and answers: each page is asked once, caches are bounded, and a kernel that is gone is noticed.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { GONE, Recent, Source } from "../../forkbook/face/source.js";

let end;
beforeEach(() => {
  end = new AbortController();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
});
afterEach(() => {
  end.abort();
  mock.timers.reset();
});

/** A model that answers by a table, or stays silent; two views may share it. */
function modelOf(traits = {}, answers = {}) {
  const listeners = [];
  const model = {
    sent: [],
    get: (name) => traits[name],
    on: (event, callback) => listeners.push([event, callback]),
    off: (event, callback) => listeners.splice(0, listeners.length, ...listeners.filter((each) => each[1] !== callback)),
    fire(event, ...about) {
      for (const [name, callback] of [...listeners]) if (name === event) callback(...about);
    },
    send(question) {
      model.sent.push(question);
      if (question.ask in answers) {
        model.fire("msg:custom", { id: question.id, ...answers[question.ask](question.about) }, []);
      }
    },
    listeners,
  };
  return model;
}
const show = ({ position }) => ({ answer: { position, id: `id-${position}` } });

test("a page is asked once, and the one that came with the traits not at all", async () => {
  const model = modelOf({ first_page: { position: 7, id: "seven" } }, { show });
  const source = new Source(model, end.signal);
  assert.equal((await source.show(7)).id, "seven");
  assert.equal((await source.show(3)).id, "id-3");
  await source.show(3);
  assert.deepEqual(model.sent.map(({ about }) => about), [{ position: 3 }]);
  assert.equal(source.ids.get("id-3"), 3);
});

test("only labels that are missing are asked for, all in one question", async () => {
  const labels = ({ positions }) => ({ answer: Object.fromEntries(positions.map((at) => [at, [`${at}`, "", ""]])) });
  const model = modelOf({ first_labels: { 1: ["one", "", ""] } }, { labels });
  const source = new Source(model, end.signal);
  assert.equal(await source.labels([1, 2, 3]), true);
  assert.equal(await source.labels([1, 2, 3]), false);
  assert.deepEqual(model.sent.map(({ about }) => about.positions), [[2, 3]]);
  assert.deepEqual(source.known.get(1), ["one", "", ""]);
});

test("a refused question rejects with the text of the other side, and is asked again the next time", async () => {
  const model = modelOf({}, { show: () => ({ error: "no such checkpoint" }) });
  const source = new Source(model, end.signal);
  await assert.rejects(source.show(3), { message: "no such checkpoint" });
  await assert.rejects(source.show(3), { message: "no such checkpoint" });
  assert.equal(model.sent.length, 2);
});

test("answers to another view of the same model are not taken", async () => {
  const model = modelOf();
  const [one, two] = [new Source(model, end.signal), new Source(model, end.signal)];
  const answer = one.ask("show", { position: 1 });
  let answered = false;
  two.ask("show", { position: 2 }).then(() => (answered = true));
  model.fire("msg:custom", { id: model.sent[0].id, answer: "for one" });
  assert.equal(await answer, "for one");
  assert.equal(answered, false);
});

test("labels and flags that come unasked replace what was known", async () => {
  const model = modelOf({}, { show });
  const source = new Source(model, end.signal);
  await source.show(3);
  const heard = [];
  source.on("flags", ({ flags }) => heard.push(flags));
  model.fire("msg:custom", { push: "flags", flags: { 3: 8 }, labels: { 3: ["new", "", ""] } });
  assert.deepEqual(heard, [{ 3: 8 }]);
  assert.deepEqual(source.known.get(3), ["new", "", ""]);
  await source.show(3);
  assert.equal(model.sent.length, 2);
});

test("after a reset nothing of before is known but what the traits say", async () => {
  const traits = { first_labels: { 1: ["old", "", ""] } };
  const model = modelOf(traits, { show });
  const source = new Source(model, end.signal);
  await source.show(3);
  traits.first_labels = { 2: ["new", "", ""] };
  model.fire("msg:custom", { push: "reset" });
  assert.deepEqual([source.known.get(1), source.known.get(2)?.[0], source.pages.has(3)], [undefined, "new", false]);
});

test("a question that waits is told, and an answer ends that", () => {
  const model = modelOf();
  const source = new Source(model, end.signal);
  const told = [];
  source.on("alive", (alive) => told.push(alive));
  source.ask("show", { position: 1 });
  [...source.waiting.values()][0].since -= 5000;
  mock.timers.tick(1000);
  assert.deepEqual(told, ["quiet"]);
  model.fire("msg:custom", { id: model.sent[0].id, answer: {} });
  assert.deepEqual(told, ["quiet", "yes"]);
});

test("a kernel whose line was cut and that does not answer is gone; its questions fail and say how to go on", async () => {
  const model = modelOf();
  const source = new Source(model, end.signal);
  const answer = source.show(1);
  model.fire("comm_live_update");
  mock.timers.tick(2900);
  assert.equal(source.alive, "yes");
  mock.timers.tick(200);
  assert.equal(source.alive, "gone");
  await assert.rejects(answer, { message: GONE });
});

test("a kernel whose line was cut but that answers is there", () => {
  const model = modelOf({}, { labels: () => ({ answer: {} }) });
  const source = new Source(model, end.signal);
  model.fire("comm_live_update");
  mock.timers.tick(10_000);
  assert.equal(source.alive, "yes");
});

test("a line that cannot be used at all means gone", async () => {
  const model = modelOf();
  model.send = () => {
    throw new Error("Cannot send");
  };
  const source = new Source(model, end.signal);
  await assert.rejects(source.ask("show"), { message: GONE });
  assert.equal(source.alive, "gone");
});

test("nothing is fetched ahead while a question waits or answers are slow", async () => {
  const model = modelOf({}, { show });
  const source = new Source(model, end.signal);
  source.ahead([1, 1, -1, 2]);
  assert.deepEqual(model.sent.map(({ about }) => about.position), [1, 2]);
  source.took = 1000;
  source.ahead([3]);
  assert.equal(model.sent.length, 2);
});

test("a view that ended listens no more", () => {
  const model = modelOf();
  new Source(model, end.signal);
  end.abort();
  assert.deepEqual(model.listeners, []);
});

test("what was used longest ago is forgotten first", () => {
  const recent = new Recent(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.get("a");
  recent.set("c", 3);
  assert.deepEqual([recent.has("a"), recent.has("b"), recent.has("c")], [true, false, true]);
});
