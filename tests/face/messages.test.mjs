import assert from "node:assert/strict";
import test from "node:test";
import { runsAgain } from "../../forkbook/face/conversation.js";
import { parseJson } from "../../forkbook/face/jsontext.js";
import { markdownParts, markdownSpans } from "../../forkbook/face/markdown.js";
import { messageAsJson, messageEdit, textsOf } from "../../forkbook/face/message_editor.js";

const blocks =
  '[{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "data:", "n": 1.0}}, "two", {"type": "text", "text": 3}]';

test("the texts of a content, wherever they stand", () => {
  assert.deepEqual(textsOf(parseJson('"hello"')), [{ path: [], text: "hello" }]);
  assert.deepEqual(textsOf(parseJson(blocks)), [
    { path: [0, "text"], text: "one" },
    { path: [2], text: "two" },
  ]);
  assert.deepEqual(textsOf(parseJson("[]")), []);
});

test("an edit changes the texts and leaves the images", () => {
  const edit = messageEdit("human", parseJson(blocks), [{ path: [0, "text"], text: 'new "one"' }]);
  assert.equal(edit, `{"role": "human", "content": ${blocks.replace('"one"', '"new \\"one\\""')}}`);
  assert.equal(messageEdit(null, parseJson('"a"'), [{ path: [], text: "b" }]), '{"content": "b"}');
});

test("a message as JSON has what can be edited, and no more", () => {
  const message = parseJson(
    '{"content": "a", "id": "m1", "type": "ai", "name": null, "tool_calls": [{"name": "f", "args": {"n": 1152921504606846977}}]}',
  );
  const shown = parseJson(messageAsJson(message, "ai"));
  assert.deepEqual(shown.keys, ["role", "content", "tool_calls"]);
  assert.ok(messageAsJson(message, "ai").includes("1152921504606846977"));
  assert.deepEqual(
    parseJson(messageAsJson(parseJson('{"content": "a", "tool_calls": [], "name": "Ann"}'), "human")).keys,
    ["role", "content", "name"],
  );
});

test("what an edit of a message runs again", () => {
  assert.match(runsAgain({ next: ["chat"] }, { fresh: true }), /runs `chat` again from here, as a new branch/);
  assert.match(runsAgain({ next: ["chat"] }, { fresh: false }), /what came after this message/);
  assert.match(runsAgain({ next: [] }, { fresh: false, runs: ["a", "b"] }), /runs `a`, `b` again/);
  assert.match(runsAgain({ next: [] }, { fresh: true }), /written from where this message arrived/);
});

test("Markdown in parts", () => {
  const parts = markdownParts("# Title\nwords\nmore\n\n- a\n  - b\n10. c\n> q\n> r\n```py\n# no heading\n```\nend");
  assert.deepEqual(
    parts.map(({ kind, mark, text }) => [kind, mark, text]),
    [
      ["heading", "", "Title"],
      ["words", "", "words\nmore"],
      ["item", "•", "a"],
      ["item", "•", "b"],
      ["item", "10.", "c"],
      ["quote", "", "q\nr"],
      ["code", "py", "# no heading"],
      ["words", "", "end"],
    ],
  );
  assert.deepEqual(markdownParts("```\nnever closed"), [{ kind: "code", depth: 0, mark: "", text: "never closed" }]);
});

test("Markdown in a line; what is no Markdown stays", () => {
  const kinds = (text) => markdownSpans(text).map(({ kind, text: inner }) => [kind, inner]);
  assert.deepEqual(kinds("a **b** `c*d*` *e*"), [
    ["text", "a "],
    ["bold", "b"],
    ["text", " "],
    ["code", "c*d*"],
    ["text", " "],
    ["italic", "e"],
  ]);
  for (const text of ["2 * 3 * 4", "snake_case_name", "a ** b", "<b>x</b>", "[link](javascript:alert(1))"])
    assert.deepEqual(kinds(text), [["text", text]]);
});

test("Markdown of 200,000 stars takes no time", () => {
  const begun = performance.now();
  markdownParts("*".repeat(200_000)).forEach(({ text }) => markdownSpans(text));
  markdownSpans("`".repeat(50_000));
  markdownSpans("**a ".repeat(20_000));
  assert.ok(performance.now() - begun < 2000, `${performance.now() - begun} ms`);
});
