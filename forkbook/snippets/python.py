"""A gesture in Python: langgraph-sdk's sync client, as one types it in a cell. Pure."""

from .hidden import has_variables
from .layout import Group, Node, call, flat, laid
from .literals import python_literal
from .steps import Gesture, Place, Reply, Run, Write, following, how_to_run, inner

COPIED = '''
def history(thread_id):
    """Every checkpoint; those of a subgraph: checkpoint={"checkpoint_ns": "…"}."""
    states, before = [], None
    while page := client.threads.get_history(thread_id, limit=1000, before=before):
        states += page
        before = {"configurable": page[-1]["checkpoint"]}
    return states


copied = json.loads(json.dumps(history(copy_id)).replace(copy_id, original_id))
assert copied == history(original_id), "the histories are different"
print("The histories are the same.")'''

ASKED = 'asked = [i for task in asking["tasks"] for i in task["interrupts"]]'


def code(place: Place, gesture: Gesture) -> str:
    """The snippet."""
    modules = ["json"] * (not gesture.steps) + ["os"] * (bool(place.headers) or has_variables(gesture))
    lines = [*(f"import {name}" for name in modules), *[""] * bool(modules)]
    lines += ["from langgraph_sdk import get_sync_client", "", laid(_client(place), "client = ")]
    thread = laid(python_literal(gesture.thread_id))
    if not gesture.steps:
        lines += [f"original_id = {thread}", 'copy_id = client.threads.copy(original_id)["thread_id"]', "", COPIED]
    elif gesture.new is not None:
        made = call("client.threads.create", options=[(f"{n}=", python_literal(v)) for n, v in gesture.new.items()])
        lines += [laid(made, "thread_id = ", '["thread_id"]'), ""]
    elif gesture.in_copy:
        lines += [f'thread_id = client.threads.copy({thread})["thread_id"]', ""]
    else:
        lines += [f"thread_id = {thread}", ""]
    for step, before in following(gesture):
        if isinstance(step, Run) and before == "asking":
            lines += ["asking = client.threads.get_state(thread_id)", *[ASKED] * (not step.alone)]
        lines.append(_write(step) if isinstance(step, Write) else _run(step, before))
    return "\n".join(lines)


def variable(header: str) -> str:
    """The environment variable that holds a header's value."""
    name = "LANGGRAPH_API_KEY" if header == "x-api-key" else header.upper()
    return "".join(character if character.isalnum() else "_" for character in name)


def _client(place: Place) -> Group:
    secrets = {name: f'os.environ["{variable(name)}"]' for name in place.headers}
    options = [("url=", python_literal(place.url)), ("api_key=", secrets.pop("x-api-key", "None"))]
    if secrets:
        pairs = tuple((f"{laid(python_literal(name))}: ", secret) for name, secret in secrets.items())
        options.append(("headers=", Group("{", pairs, "}")))
    return call("get_sync_client", options=options)


def _at(checkpoint_id: str | None, before: str) -> tuple[str, Node]:
    place = python_literal(checkpoint_id) if checkpoint_id else f'{before}["checkpoint"]["checkpoint_id"]'
    return "checkpoint_id=", place


def _write(step: Write) -> str:
    node = [("as_node=", python_literal(step.as_node))] if step.as_node else []
    values = python_literal(step.values)
    at = ("checkpoint=", python_literal(inner(step))) if step.ns else _at(step.checkpoint_id, "")
    update = call("client.threads.update_state", "thread_id", values, options=[*node, at])
    return laid(update, "edited = ")


def _run(step: Run, before: str) -> str:
    sent = ("input=", python_literal(step.input))
    if step.replies:
        sent = ("command=", Group("{", (('"resume": ', _resume(step, before)),), "}"))
    how = [(f"{name}=", python_literal(value)) for name, value in how_to_run(step.settings).items()]
    at = [_at(step.checkpoint_id, before)] if step.checkpoint_id or before else []
    options = [sent, *at, *how]
    return laid(call("client.runs.wait", "thread_id", python_literal(step.settings.assistant), options=options))


def _resume(step: Run, before: str) -> Node:
    if step.alone:
        return python_literal(step.replies[0].value)
    return Group("{", tuple((f"{_id(reply, before)}: ", python_literal(reply.value)) for reply in step.replies), "}")


def _id(reply: Reply, before: str) -> str:
    if not before:
        return flat(python_literal(reply.id))
    return f'[i["id"] for i in asked if i["value"] == {flat(python_literal(reply.question))}][{reply.nth}]'
