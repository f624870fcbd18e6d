import assert from "node:assert/strict";
import test from "node:test";
import {
  countDrafts,
  discarded,
  draftAt,
  draftedIds,
  draftsUnder,
  editInWords,
  withEdit,
  withEdits,
  withoutEdit,
} from "../../forkbook/face/drafts.js";
import { parseJson, writeJson } from "../../forkbook/face/jsontext.js";

const edit = (channel, path, text) => ({ channel, path, text });

test("an edit of the same place takes the place of the old one", () => {
  const one = withEdit({}, "c", edit("topic", [], '"chickens"'));
  const two = withEdit(one, "c", edit("topic", [], '"ducks"'));
  assert.deepEqual(two, { c: [edit("topic", [], '"ducks"')] });
  assert.deepEqual(one, { c: [edit("topic", [], '"chickens"')] });
});

test("an edit back to what stands there is no edit", () => {
  const one = withEdit({}, "c", edit("topic", [], '"chickens"'), '"cats"');
  assert.equal(countDrafts(one, "c"), 1);
  assert.deepEqual(withEdit(one, "c", edit("topic", [], ' "cats"'), '"cats"'), {});
  assert.equal(countDrafts(withEdit({}, "c", edit("n", [], "1.0"), "1"), "c"), 1);
});

test("edits of other channels, places and checkpoints stay", () => {
  let drafts = withEdit({}, "c", edit("a", ["x", 0], "1"));
  drafts = withEdit(drafts, "c", edit("a", ["x", 10], "2"));
  drafts = withEdit(drafts, "c", edit("b", ["x", 0], "3"));
  drafts = withEdit(drafts, "d", edit("a", ["x", 0], "4"));
  assert.equal(countDrafts(drafts, "c"), 3);
  assert.deepEqual(draftedIds(drafts), ["c", "d"]);
  assert.deepEqual(draftedIds(discarded(drafts, "c")), ["d"]);
  assert.equal(draftAt(drafts, "c", "a", ["x", 10]).text, "2");
  assert.equal(draftAt(drafts, "c", "a", ["x"]), null);
  assert.equal(draftsUnder(drafts, "c", "a", []).length, 2);
  assert.equal(countDrafts(withoutEdit(drafts, "c", "a", ["x"]), "c"), 1);
});

test("an edit of the whole drops those of its parts, and one of a part goes into the whole", () => {
  let drafts = withEdit({}, "c", edit("a", ["x"], "1"));
  drafts = withEdit(drafts, "c", edit("a", [], '{"x": 2.0, "y": 1152921504606846977}'));
  assert.equal(countDrafts(drafts, "c"), 1);
  drafts = withEdit(drafts, "c", edit("a", ["x"], "3.0"));
  assert.deepEqual(
    drafts.c.map((each) => [each.path, writeJson(parseJson(each.text))]),
    [[[], '{"x": 3.0, "y": 1152921504606846977}']],
  );
});

test("a part of a whole that is no JSON yet is kept beside it", () => {
  let drafts = withEdit({}, "c", edit("a", [], "{"));
  drafts = withEdit(drafts, "c", edit("a", ["x"], "3"));
  assert.equal(countDrafts(drafts, "c"), 2);
});

test("a value with its edits", () => {
  const whole = parseJson('{"x": [1, 2], "y": 1.0}');
  assert.equal(
    writeJson(withEdits(whole, [edit("a", ["x", 1], '"two"'), edit("a", ["gone"], "1"), edit("a", ["y"], "{")])),
    '{"x": [1, "two"], "y": 1.0}',
  );
  assert.equal(writeJson(withEdits(parseJson("[1, 2]"), [edit("a", ["x", 1], "3")], 1)), "[1, 3]");
});

test("an edit in words", () => {
  assert.equal(editInWords(edit("topic", [], '"chickens"'), parseJson('"cats"')), "topic: cats→chickens");
  assert.equal(editInWords(edit("messages", [3], '{"role": "human", "content": "Hello"}')), "messages.3: Hello");
  assert.equal(editInWords(edit("topic", [], "{")), "topic: not yet JSON");
});

test("names such as __proto__ are names", () => {
  const drafts = withEdit({}, "c", edit("__proto__", ["__proto__"], "1"));
  assert.equal(draftAt(drafts, "c", "__proto__", ["__proto__"]).text, "1");
});
