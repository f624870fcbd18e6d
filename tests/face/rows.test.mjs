// The order of reading, lanes and folds, on the cases that Python's are tested on, too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { arrange, children, connect, FLAG, fold, grown, unpack } from "../../forkbook/face/rows.js";

const { cases } = JSON.parse(readFileSync(new URL("order_cases.json", import.meta.url), "utf8"));

function rowsOf(parents, kinds, flags, nodes = parents.map(() => 0)) {
  const n = parents.length;
  const bytes = new Uint8Array(8 * n + 3);
  const view = new DataView(bytes.buffer, 3, 8 * n); // as a message may bring it: not at a multiple of 4
  parents.forEach((parent, at) => view.setInt32(4 * at, parent, true));
  nodes.forEach((node, at) => view.setUint16(4 * n + 2 * at, node, true));
  bytes.set(kinds, 3 + 6 * n);
  bytes.set(flags, 3 + 7 * n);
  return unpack(view);
}

const plainFold = ({ key, positions, text }) => ({ key, positions: [...positions], text });
const plain = ({ items, folds }) => [...items].map((item) => (item < 0 ? plainFold(folds[~item]) : item));

for (const { name, parents, kinds, flags, keep, opened, ...expected } of cases) {
  test(name, () => {
    const rows = rowsOf(parents, kinds, flags);
    const arranged = arrange(rows);
    const folded = fold(rows, arranged, keep, new Set(opened));
    const inside = Object.fromEntries([...folded.inside].map(([host, hidden]) => [host, plainFold(hidden)]));
    assert.deepEqual([...arranged.order], expected.rows);
    assert.deepEqual([...arranged.lane], expected.lanes);
    assert.deepEqual(plain(folded), expected.folded);
    assert.deepEqual(inside, expected.inside);
    assert.deepEqual(Object.fromEntries(folded.starts), expected.starts);
    parents.forEach((_, at) => {
      const item = folded.items[folded.row[at]];
      const shown = item < 0 ? folded.folds[~item].positions : [item];
      const hidden = (host) => folded.inside.get(host)?.positions ?? [];
      const all = [...shown].flatMap((each) => [each, ...hidden(each), folded.starts.get(each) ?? each]);
      assert.ok(all.includes(at), `${at} is told to be in an item that does not show it`);
    });
  });
}

test("rows that grow are the rows that were sent at once", () => {
  const [parents, kinds, flags] = [[-1, 0, 1, 1, 3], [0, 0, 1, 2, 1], [0, 0, 0, 4, 16]];
  const whole = rowsOf(parents, kinds, flags, [0, 0, 1, 2, 1]);
  const before = rowsOf(parents.slice(0, 3), kinds.slice(0, 3), [0, 0, 16]);
  const more = rowsOf(parents.slice(2), kinds.slice(2), flags.slice(2), [1, 2, 1]);
  assert.deepEqual(grown(before, 2, more), whole);
});

test("children are those of a checkpoint as they are drawn", () => {
  const arranged = arrange(rowsOf([-1, 0, 0, 0, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]));
  assert.deepEqual(children(arranged, 0), [2, 3, 1]);
  assert.deepEqual(children(arranged, 1), [4]);
  assert.deepEqual(children(arranged, 4), []);
});

test("lines lead from each item to the one above it, past what is folded", () => {
  const n = 14;
  const parents = Array.from({ length: n }, (_, at) => at - 1);
  parents.push(1); // a side branch
  const rows = rowsOf(parents, parents.map(() => 1), [...Array(n - 1).fill(0), FLAG.TIP, FLAG.TIP]);
  const arranged = arrange(rows);
  const folded = fold(rows, arranged, [], new Set());
  const { up, down, base, lane } = connect(rows, arranged, folded);
  assert.deepEqual(plain(folded).map((item) => item.text ?? item), [0, 1, 14, 2, 3, "7 steps", 11, 12, 13]);
  assert.deepEqual([...up], [-1, 0, 1, 1, 3, 4, 5, 6, 7]);
  assert.deepEqual([...down], [1, 3, -1, 4, 5, 6, 7, 8, -1]);
  assert.deepEqual([...lane], [0, 0, 1, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...base], [0, 0, 2, 0, 0, 0, 0, 0, 0]);
});

test("50,000 checkpoints with 300 branches are arranged and folded within a moment", () => {
  const n = 50_000;
  const parents = Array.from({ length: n }, (_, at) => (at && at % 167 === 0 ? (at * 7919) % at : at - 1));
  const rows = rowsOf(parents, parents.map(() => 1), parents.map(() => 0));
  const start = performance.now();
  const arranged = arrange(rows);
  const folded = fold(rows, arranged, [n - 1], new Set());
  connect(rows, arranged, folded);
  const took = performance.now() - start;
  assert.ok(took < 1000, `${took} ms`);
  console.log(`  ${took.toFixed(1)} ms, ${folded.items.length} items`);
});
