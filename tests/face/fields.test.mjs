import assert from "node:assert/strict";
import test from "node:test";
import { wrongAnswer } from "../../forkbook/face/answer.js";
import { allCode, shownCode } from "../../forkbook/face/code.js";
import { choicesOf, typeOf, wrongWith } from "../../forkbook/face/fields.js";
import { runInWords } from "../../forkbook/face/live.js";

test("what a value is edited as", () => {
  const of = (json, type, choices = null) => typeOf(json, type && { type, choices });
  assert.equal(of('"cats"'), "text");
  assert.equal(of("1.0"), "number");
  assert.equal(of("1", "integer"), "integer");
  assert.equal(of("true"), "boolean");
  assert.equal(of("null"), null);
  assert.equal(of("null", "text"), "text");
  assert.equal(of('"dry"', "choice", ["dry"]), "choice");
  assert.equal(of('{"a": 1}', "choice", ["dry"]), null);
  assert.equal(of("[1]"), null);
  assert.equal(of('"a\\u202eb"'), null);
  assert.equal(of('"a\\rb"'), null);
  assert.equal(of('"a\\r\\nb"'), "text");
});

test("what is wrong with a number", () => {
  for (const typed of ["12", "-0", " 7 "]) assert.equal(wrongWith("integer", typed), "");
  for (const typed of ["", "1.0", "01", "x", "1e3"]) assert.notEqual(wrongWith("integer", typed), "");
  for (const typed of ["1.50", "-3e5", "1152921504606846977"]) assert.equal(wrongWith("number", typed), "");
  for (const typed of ["", "1,5", ".5", "one", '"1"']) assert.notEqual(wrongWith("number", typed), "");
  assert.equal(wrongWith("text", ""), "");
});

test("choices are JSON texts", () => {
  assert.deepEqual(choicesOf({ choices: ["dry", 3, null] }), ['"dry"', "3", "null"]);
  assert.deepEqual(choicesOf({ choices: null }), []);
});

test("an answer that cannot be sent says why", () => {
  assert.equal(wrongAnswer("yes", "text"), "");
  assert.match(wrongAnswer("", "text"), /type an answer/);
  assert.equal(wrongAnswer('""', "json"), "");
  assert.match(wrongAnswer('{"a" 1}', "json"), /no JSON.*column 6/);
});

test("a run in words", () => {
  const running = { doing: "forking", seconds: 3.4, nodes: [], messages: [], stopping: false };
  assert.equal(runInWords(running, 0), "forking · 3 s");
  assert.equal(runInWords({ ...running, nodes: ["a", "b", "a"] }, 2), "running a, b · 5 s");
  assert.equal(runInWords({ ...running, nodes: ["a"], stopping: true }, 0), "stopping · 3 s");
});

test("the code of all acts is that of one language each", () => {
  const code = (language, text, open = false) => ({ kind: "code", language, label: language, text, open });
  const heading = { kind: "heading", text: "an act" };
  const blocks = [
    heading,
    code("a", "one\n", true),
    code("b", "uno"),
    heading,
    code("a", "two"),
    code("b", "due", true),
  ];
  assert.equal(allCode(blocks), "one\n\ndue\n");
  assert.equal(shownCode([code("a", "x"), code("b", "y")]).text, "x");
});
