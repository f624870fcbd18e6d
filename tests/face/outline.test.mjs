// Where keys lead in the tree, and what opens and closes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { gestureOf, HELP } from "../../forkbook/face/keys.js";
import { Outline } from "../../forkbook/face/outline.js";
import { FLAG } from "../../forkbook/face/rows.js";

function outlineOf(parents, flags = {}, kinds = {}) {
  return new Outline({
    n: parents.length,
    parent: Int32Array.from(parents),
    node: new Uint16Array(parents.length),
    kind: Uint8Array.from(parents, (_, at) => kinds[at] ?? 1),
    flags: Uint8Array.from(parents, (_, at) => flags[at] ?? 0),
  });
}

const walk = (outline, from, ...gestures) =>
  gestures.reduce((item, gesture) => outline.towards(gesture, item, 3), outline.itemOf(from));
const line = (n) => Array.from({ length: n }, (_, at) => at - 1);

// 0 ─ 1 ┬ 3 ─ 4    items: 0 1 3 4 5 2 6
//       ├ 5
//       └ 2 ─ 6
const FORK = [-1, 0, 1, 1, 3, 1, 2];

test("down leads to the row below, up to the parent", () => {
  const outline = outlineOf(FORK);
  const at = (from, ...gestures) => outline.at(walk(outline, from, ...gestures));
  assert.equal(at(1, "down"), 3);
  assert.equal(at(4, "down"), 5);
  assert.equal(at(6, "down"), 6);
  assert.equal(at(2, "up"), 1);
  assert.equal(at(0, "up"), 0);
});

test("left and right lead to the branches that leave the same checkpoint, also from further down in one", () => {
  const outline = outlineOf(FORK);
  const at = (from, ...gestures) => outline.at(walk(outline, from, ...gestures));
  assert.equal(at(3, "right"), 5);
  assert.equal(at(5, "right"), 2);
  assert.equal(at(2, "right"), 2);
  assert.equal(at(6, "left"), 5);
  assert.equal(at(4, "right"), 5);
  assert.equal(at(5, "left"), 3);
});

test("nothing selected, and windows, stay within the rows", () => {
  const outline = outlineOf(FORK);
  assert.equal(outline.towards("down", -1, 3), 0);
  assert.equal(outline.towards("pageDown", 5, 3), 6);
  assert.equal(outline.towards("pageUp", 1, 3), 0);
  assert.equal(outline.towards("last", 0, 3), 6);
});

test("the next failure is found in the order of reading, past folds and around the end", () => {
  const outline = outlineOf(FORK, { 2: FLAG.FAILED, 4: FLAG.FAILED });
  const fits = (at) => (outline.rows.flags[at] & FLAG.FAILED) !== 0;
  assert.equal(outline.next(1, 1, fits), 4);
  assert.equal(outline.next(4, 1, fits), 2);
  assert.equal(outline.next(2, 1, fits), 4);
  assert.equal(outline.next(4, -1, fits), 2);
  assert.equal(outline.next(-1, 1, fits), 4);
  assert.equal(outline.next(1, 1, () => false), -1);
});

test("a fold opens by its key, closes from any of its rows, and what was found in it comes into sight", () => {
  const outline = outlineOf(line(40), { 39: FLAG.TIP });
  assert.equal(outline.length, 6);
  assert.equal(outline.uncover(20), true);
  assert.equal(outline.at(outline.itemOf(20)), 20);
  assert.equal(outline.uncover(20), false);
  const fold = outline.itemOf(10);
  assert.equal(outline.at(fold), -1);
  outline.toggle(outline.keyAt(fold));
  assert.equal(outline.length, 40);
  outline.toggle(outline.keyAt(outline.itemOf(30)));
  assert.equal(outline.length, 6);
});

test("a start opens into its input, and closes", () => {
  const outline = outlineOf([-1, 0, 1], {}, { 0: 0, 1: 0 });
  assert.deepEqual([...outline.folded.items], [1, 2]);
  outline.toggle(outline.keyAt(0));
  assert.deepEqual([...outline.folded.items], [0, 1, 2]);
  outline.toggle(outline.keyAt(outline.itemOf(1)));
  assert.deepEqual([...outline.folded.items], [1, 2]);
});

test("only hits are shown alone, and others are nowhere", () => {
  const outline = outlineOf(FORK);
  outline.only = [3, 6];
  outline.fold();
  assert.deepEqual([...outline.folded.items], [3, 6]);
  assert.equal(outline.itemOf(1), -1);
  assert.equal(outline.at(outline.towards("down", 0, 3)), 6);
  assert.equal(outline.at(outline.towards("up", 1, 3)), 3);
});

test("a branch keeps its colour when others are added", () => {
  const before = outlineOf(FORK).hue;
  const after = outlineOf([...FORK, 0, 3]).hue;
  assert.deepEqual([...after.slice(0, FORK.length)], [...before]);
  assert.notEqual(before[3], before[5]);
  assert.equal(before[4], before[3]);
});

test("keys are gestures, but not with a modifier", () => {
  assert.equal(gestureOf({ key: "ArrowUp" }), "up");
  assert.equal(gestureOf({ key: "N" }), "failureBefore");
  assert.equal(gestureOf({ key: "c", ctrlKey: true }), "");
  assert.equal(gestureOf({ key: "x" }), "");
  for (const [keys] of HELP) for (const key of keys.split(" ")) assert.ok(key.length, keys);
});
