"""A gesture in JavaScript: the SDK @langchain/langgraph-sdk, in a module. Pure."""

from collections.abc import Mapping
from typing import Any

from .layout import Group, Node, flat, laid
from .literals import inexact, javascript_literal
from .python import variable
from .steps import Gesture, Place, Reply, Run, Step, Write, following, how_to_run, inner

COPIED = """
// Every checkpoint; those of a subgraph: checkpoint: { checkpoint_ns: "…" }.
async function history(threadId) {
  const states = [];
  let before;
  while (true) {
    const page = await client.threads.getHistory(threadId, { limit: 1000, before });
    if (page.length === 0) return states;
    states.push(...page);
    before = { configurable: page.at(-1).checkpoint };
  }
}

const text = JSON.stringify(await history(copyId)).replaceAll(copyId, originalId);
assert.deepStrictEqual(JSON.parse(text), await history(originalId));
console.log("The histories are the same.");"""

ASKED = "const asked = asking.tasks.flatMap((task) => task.interrupts);"


def code(place: Place, gesture: Gesture) -> str:
    """The snippet."""
    lines = [] if gesture.steps else ['import assert from "node:assert";']
    lines += ['import { Client } from "@langchain/langgraph-sdk";', "", laid(_client(place), "const client = ", ";")]
    thread = flat(javascript_literal(gesture.thread_id))
    if not gesture.steps:
        copied = "const { thread_id: copyId } = await client.threads.copy(originalId);"
        lines += [f"const originalId = {thread};", copied, COPIED]
    elif gesture.new is not None:
        lines += _no_room(gesture.new)
        lines += [laid(_created(gesture.new), "const { thread_id: threadId } = await ", ";"), ""]
    elif gesture.in_copy:
        lines += [f"const {{ thread_id: threadId }} = await client.threads.copy({thread});", ""]
    else:
        lines += [f"const threadId = {thread};", ""]
    for step, before in following(gesture):
        if isinstance(step, Run) and before == "asking":
            lines += ["const asking = await client.threads.getState(threadId);", *[ASKED] * (not step.alone)]
        lines += _no_room(_typed(step))
        lines.append(_write(step) if isinstance(step, Write) else _run(step, before))
    return "\n".join(lines)


def _created(new: Mapping[str, Any]) -> Node:
    options = [(f"{_camel(name)}: ", javascript_literal(value)) for name, value in new.items()]
    return Group("client.threads.create({", tuple(options), "})", " ", "", 2) if options else "client.threads.create()"


def _no_room(value: Any) -> list[str]:
    return [f"// JavaScript has no room for the integer {number}." for number in inexact(value)]


def _typed(step: Step) -> Any:
    if isinstance(step, Write):
        return step.values
    return [step.input, how_to_run(step.settings), [reply.value for reply in step.replies]]


def _options(*parts: tuple[str, Node]) -> Group:
    return Group("{", parts, "}", " ", "", 2)


def _client(place: Place) -> Group:
    secrets = {name: f"process.env.{variable(name)}" for name in place.headers}
    options = [("apiUrl: ", javascript_literal(place.url)), ("apiKey: ", secrets.pop("x-api-key", "null"))]
    if secrets:
        pairs = ((f"{flat(javascript_literal(name))}: ", secret) for name, secret in secrets.items())
        options.append(("defaultHeaders: ", _options(*pairs)))
    return Group("new Client({", tuple(options), "})", " ", "", 2)


def _at(checkpoint_id: str | None, before: str) -> tuple[str, Node]:
    place = javascript_literal(checkpoint_id) if checkpoint_id else f"{before}.checkpoint.checkpoint_id"
    return "checkpointId: ", place


def _write(step: Write) -> str:
    node = [("asNode: ", javascript_literal(step.as_node))] if step.as_node else []
    at = ("checkpoint: ", javascript_literal(inner(step))) if step.ns else _at(step.checkpoint_id, "")
    options = ("values: ", javascript_literal(step.values)), *node, at
    return laid(_called("client.threads.updateState(threadId", *options), "const edited = await ", ";")


def _run(step: Run, before: str) -> str:
    sent: tuple[str, Node] = ("input: ", javascript_literal(step.input))
    if step.replies:
        sent = ("command: ", _options(("resume: ", _resume(step, before))))
    how = [(f"{_camel(name)}: ", javascript_literal(value)) for name, value in how_to_run(step.settings).items()]
    assistant = flat(javascript_literal(step.settings.assistant))
    at = [_at(step.checkpoint_id, before)] if step.checkpoint_id or before else []
    run = _called(f"client.runs.wait(threadId, {assistant}", sent, *at, *how)
    return laid(run, "await ", ";")


def _called(beginning: str, *options: tuple[str, Node]) -> Group:
    """A call whose last argument is an object."""
    return Group(f"{beginning}, {{", options, "})", " ", "", 2)


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)


def _resume(step: Run, before: str) -> Node:
    if step.alone:
        return javascript_literal(step.replies[0].value)
    return _options(*((f"{_id(reply, before)}: ", javascript_literal(reply.value)) for reply in step.replies))


def _id(reply: Reply, before: str) -> str:
    if not before:
        return flat(javascript_literal(reply.id))
    same = f"JSON.stringify(i.value) === JSON.stringify({flat(javascript_literal(reply.question))})"
    return f"[asked.filter((i) => {same})[{reply.nth}].id]"
