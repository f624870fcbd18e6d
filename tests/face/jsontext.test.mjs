import assert from "node:assert/strict";
import test from "node:test";
import {
  atPath,
  callInShort,
  escapedJson,
  faultOf,
  inShort,
  parseJson,
  parsedOrNull,
  replacedAt,
  sameJson,
  textNode,
  writeJson,
} from "../../forkbook/face/jsontext.js";

const round = (text) => writeJson(parseJson(text));

test("numbers and texts stay as they were written", () => {
  for (const text of [
    "1152921504606846977",
    "1.0",
    "1e400",
    "-0.0",
    "0.1000",
    "NaN",
    "-Infinity",
    '"\\u00e9"',
    '"é"',
    "null",
    "[]",
    "{}",
  ])
    assert.equal(round(` ${text} `), text);
});

test("an object keeps its keys in order, integer keys and __proto__ too", () => {
  const text = '{"b": 1, "2": 2, "1": 3, "__proto__": 4}';
  assert.equal(round(text), text);
});

test("written with an indent and read again it is the same", () => {
  const text = '{"a": [1.0, {"b": []}], "c": {}}';
  assert.equal(writeJson(parseJson(text), 2), '{\n  "a": [\n    1.0,\n    {\n      "b": []\n    }\n  ],\n  "c": {}\n}');
  assert.equal(round(writeJson(parseJson(text), 2)), text);
});

test("a fault has its line and column", () => {
  const cases = [
    ['{\n  "a": 1,\n  "b": tru\n}', 3, 8, /a value/],
    ['{"a" 1}', 1, 6, /a colon/],
    ["[1 2]", 1, 4, /a comma or ]/],
    ['{"a": 1,}', 1, 9, /a name in double quotes/],
    ['{"a": 1', 1, 8, /ends where a comma or }/],
    ['"a\nb"', 1, 1, /closing "/],
    ['"\\x"', 1, 1, /known escapes/],
    ["1 1", 1, 3, /there is more/],
    ["01", 1, 2, /there is more/],
    ["", 1, 1, /ends where a value/],
    ["'a'", 1, 1, /a value/],
  ];
  for (const [text, line, column, message] of cases) {
    const fault = faultOf(text);
    assert.ok(fault, text);
    assert.deepEqual([fault.line, fault.column], [line, column], text);
    assert.match(fault.message, message);
  }
  assert.equal(faultOf("[1]"), null);
  assert.equal(parsedOrNull("["), null);
});

test("a text that is nested too deep is refused, not a crash", () => {
  assert.match(faultOf("[".repeat(5000)).message, /deeper than 500/);
});

test("60,000 characters and a lone surrogate pass", () => {
  const long = "x".repeat(60_000) + "\ud83d";
  assert.equal(parseJson(textNode(long).raw).value, long);
});

test("one leaf changes and the others stay to the letter", () => {
  const whole = parseJson('{"a": [1.0, {"b": 1152921504606846977}], "c": "\\u00e9"}');
  const changed = replacedAt(whole, ["a", 0], parseJson("2.50"));
  assert.equal(writeJson(changed), '{"a": [2.50, {"b": 1152921504606846977}], "c": "\\u00e9"}');
  assert.equal(writeJson(whole), '{"a": [1.0, {"b": 1152921504606846977}], "c": "\\u00e9"}');
  assert.equal(replacedAt(whole, ["a", 7], textNode("no")), null);
  assert.equal(replacedAt(whole, ["nothing"], textNode("no")), null);
  assert.equal(atPath(whole, ["a", 1, "b"]).raw, "1152921504606846977");
  assert.equal(atPath(whole, ["a", "length"]), null);
  assert.equal(atPath(whole, ["toString"]), null);
});

test("equal values are told whatever their spaces, 1 and 1.0 are two", () => {
  assert.ok(sameJson('{"a":1,"b":"\\u00e9"}', '{ "b": "é", "a": 1 }'));
  assert.ok(!sameJson("1", "1.0"));
  assert.ok(!sameJson("[1, 2]", "[2, 1]"));
  assert.ok(!sameJson("{", "[]"));
});

test("a value in a few words", () => {
  assert.equal(inShort(parseJson('"two\\nlines"')), "two lines");
  assert.equal(inShort(parseJson('"0123456789"'), 5), "0123…");
  assert.equal(inShort(textNode("👩‍👩‍👧".repeat(9)), 4).length, 6);
  assert.equal(inShort(parseJson("[1]")), "[…]");
  assert.equal(inShort(parseJson("{}")), "{}");
  assert.equal(inShort(null), "…");
});

test("characters that do not show stand as escapes, and the value stays", () => {
  const value = "a\u202eb\u{e0001}c\ud83d👍\u200d";
  const shown = escapedJson(`"${value}"`);
  assert.equal(shown, '"a\\u202eb\\udb40\\udc01c\\ud83d👍\u200d"');
  assert.equal(parseJson(shown).value, value);
  assert.equal(escapedJson('"\\\\U000e0001"\n'), '"\\\\U000e0001"\n');
});

test("a call of a tool in a line", () => {
  assert.equal(callInShort("calculate", '{"expression": "1 / 0"}'), 'calculate("1 / 0")');
  assert.equal(callInShort("add", '{"a": 1.0, "b": [1]}'), "add(a=1.0, b=[…])");
  assert.equal(callInShort("now", "{}"), "now()");
  assert.equal(callInShort("odd", "not JSON"), "odd(not JSON)");
  assert.equal(callInShort("say", `{"text": "${"x".repeat(200)}"}`, 10).length, "say()".length + 10);
});
