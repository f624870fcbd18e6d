"""A gesture in the process that has the compiled graph, in a variable `graph`. Pure."""

from collections.abc import Mapping

from .layout import Group, Node, call, flat, laid
from .literals import python_literal
from .steps import Gesture, Place, Reply, Run, Write, following, how_to_run

COPY = """
saver, copy_id = graph.checkpointer, str(uuid4())
saved = saver.‹a›list({"configurable": {"thread_id": original_id}})
saved = [old ‹async›for old in saved]
for old in sorted(saved, key=lambda old: old.config["configurable"]["checkpoint_id"]):
    ns, parent = old.config["configurable"]["checkpoint_ns"], old.parent_config or {}
    above = parent.get("configurable", {}).get("checkpoint_id")
    at = {"thread_id": copy_id, "checkpoint_ns": ns, "checkpoint_id": above}
    values = old.checkpoint["channel_values"]
    versions = old.checkpoint["channel_versions"].items()
    held = {name: version for name, version in versions if name in values}
    new = ‹await›saver.‹a›put({"configurable": at}, old.checkpoint, old.metadata, held)
    for task_id in dict.fromkeys(task_id for task_id, *_ in old.pending_writes or ()):
        writes = [write for owner, *write in old.pending_writes if owner == task_id]
        ‹await›saver.‹a›put_writes(new, writes, task_id)
"""
NO_METADATA = "# A checkpointer keeps no metadata of threads; while forkbook's book is open it knows: "
COMPARED = """

‹async›def history(thread_id):
    states = graph.‹a›get_state_history({"configurable": {"thread_id": thread_id}})
    return [
        (state.config["configurable"]["checkpoint_id"], state.values, state.next)
        ‹async›for state in states
    ]


assert ‹await›history(copy_id) == ‹await›history(original_id), "they differ"
print("The histories are the same.")"""


def code(place: Place, gesture: Gesture) -> str:
    """The snippet."""
    imports, thread = set[str](), laid(python_literal(gesture.thread_id))
    new = gesture.new or {}
    any_id = gesture.new is not None and "thread_id" not in new
    lines = ["thread_id = str(uuid4())" if any_id else f"thread_id = {thread}", ""]
    if new.get("metadata"):
        lines.insert(0, NO_METADATA + flat(python_literal(new["metadata"], set())))
    if gesture.in_copy or any_id:
        imports.add("from uuid import uuid4")
    if gesture.in_copy:
        after = "thread_id = copy_id\n" if gesture.steps else COMPARED
        lines = [f"original_id = {thread}", _awaiting(place, COPY + after)]
    for step, before in following(gesture):
        if isinstance(step, Run) and before == "asking":
            lines.append(laid(_call(place, "get_state", _config({"thread_id": "thread_id"})), "asking = "))
            lines += [] if step.alone else ["asked = [i for task in asking.tasks for i in task.interrupts]"]
        lines.append(_write(place, step, imports) if isinstance(step, Write) else _run(place, step, before, imports))
    first = sorted(imports, key=lambda line: line.replace("from ", "import "))
    return "\n".join([*first, *[""] * bool(first), *lines])


def _awaiting(place: Place, template: str) -> str:
    for name, word in (("a", "a"), ("async", "async "), ("await", "await ")):
        template = template.replace(f"‹{name}›", word if place.awaits else "")
    return template


def _call(place: Place, name: str, *arguments: Node, options: list[tuple[str, Node]] | None = None) -> Group:
    return call(_awaiting(place, f"‹await›graph.‹a›{name}"), *arguments, options=options or [])


def _config(configurable: Mapping[str, Node], more: Mapping[str, Node] | None = None) -> Group:
    """A config; the values are code already."""
    inside = _dict(configurable)
    return _dict({"configurable": inside, **(more or {})})


def _dict(items: Mapping[str, Node]) -> Group:
    return Group("{", tuple((f"{flat(python_literal(name))}: ", item) for name, item in items.items()), "}")


def _at(checkpoint_id: str | None, before: str) -> dict[str, Node]:
    known = {"": "", "edited": 'edited["configurable"]', "asking": 'asking.config["configurable"]'}[before]
    if not (checkpoint_id or known):
        return {"thread_id": "thread_id"}
    place = python_literal(checkpoint_id) if checkpoint_id else f'{known}["checkpoint_id"]'
    return {"thread_id": "thread_id", "checkpoint_ns": '""', "checkpoint_id": place}


def _write(place: Place, step: Write, imports: set[str]) -> str:
    node = [("as_node=", python_literal(step.as_node))] if step.as_node else []
    at = _at(step.checkpoint_id, "") | ({"checkpoint_ns": python_literal(step.ns)} if step.ns else {})
    arguments = _config(at), python_literal(step.values, imports)
    return laid(_call(place, "update_state", *arguments, options=node), "edited = ")


def _run(place: Place, step: Run, before: str, imports: set[str]) -> str:
    how = how_to_run(step.settings)
    config = {name: python_literal(value, imports) for name, value in how.pop("config", {}).items()}
    own = (step.settings.config.get("configurable") or {}).items()
    config.pop("configurable", None)
    if "metadata" in how:
        marks = {**step.settings.config.get("metadata", {}), **how.pop("metadata")}
        config["metadata"] = python_literal(marks, imports)
    configurable = {name: python_literal(value, imports) for name, value in own} | _at(step.checkpoint_id, before)
    sent = python_literal(step.input, imports)
    if step.replies:
        imports.add("from langgraph.types import Command")
        sent = call("Command", options=[("resume=", _resume(step, before, imports))])
    options = [(f"{name}=", python_literal(value, imports)) for name, value in how.items()]
    return laid(_call(place, "invoke", sent, _config(configurable, config), options=options))


def _resume(step: Run, before: str, imports: set[str]) -> Node:
    if step.alone:
        return python_literal(step.replies[0].value, imports)
    labels = (f"{_id(reply, before, imports)}: " for reply in step.replies)
    values = (python_literal(reply.value, imports) for reply in step.replies)
    return Group("{", tuple(zip(labels, values, strict=True)), "}")


def _id(reply: Reply, before: str, imports: set[str]) -> str:
    if not before:
        return flat(python_literal(reply.id))
    question = flat(python_literal(reply.question, imports))
    return f"[i.id for i in asked if i.value == {question}][{reply.nth}]"
