"""A gesture in a shell: curl, and jq where an id is read out of an answer. Pure."""

import shlex
from urllib.parse import quote

from .layout import Group, Node, flat, laid
from .literals import BEGIN, END, json_literal, marked
from .python import variable
from .steps import Gesture, Place, Reply, Run, Write, following, how_to_run, inner

COPIED = r"""
# Every checkpoint; those of a subgraph: "checkpoint": {"checkpoint_ns": "…"}.
history() {
  query='{"limit": 1000}'
  while :; do
    page=$(%s)
    [ "$(printf '%%s' "$page" | jq length)" -gt 0 ] || break
    printf '%%s' "$page" | jq --sort-keys '.[]'
    query=$(printf '%%s' "$page" | jq '{limit: 1000, before: {configurable: .[-1].checkpoint}}')
  done
}

if [ "$(history "$COPY_ID" | sed "s/$COPY_ID/$ORIGINAL_ID/g")" = "$(history "$ORIGINAL_ID")" ]; then
  echo 'The histories are the same.'
else
  echo 'The histories are different.'
fi"""


def code(place: Place, gesture: Gesture) -> str:
    """The snippet, for any POSIX shell."""
    lines = [f"URL={shlex.quote(place.url or '')}"]
    thread = shlex.quote(quote(gesture.thread_id, safe=""))
    if not gesture.steps:
        page = _request(place, "/threads/$1/history", '--data "$query"')
        copied = _read("COPY_ID", _request(place, "/threads/$ORIGINAL_ID/copy", "--request POST"), ".thread_id")
        lines += [f"ORIGINAL_ID={thread}", copied, COPIED % page.replace("\n", "\n    ")]
    elif gesture.new is not None:
        body = _body(*((f'"{name}": ', json_literal(value)) for name, value in gesture.new.items()))
        lines += [_read("THREAD_ID", _request(place, "/threads", body), ".thread_id"), ""]
    elif gesture.in_copy:
        copied = _request(place, "/threads/$ORIGINAL_ID/copy", "--request POST")
        lines += [f"ORIGINAL_ID={thread}", _read("THREAD_ID", copied, ".thread_id"), ""]
    else:
        lines += [f"THREAD_ID={thread}", ""]
    for step, before in following(gesture):
        if isinstance(step, Write):
            lines.append(_read("CHECKPOINT_ID", _write(place, step), ".checkpoint.checkpoint_id"))
            lines += [': "${CHECKPOINT_ID:?}"'] * bool(step.ns)  # the run at the head is not to follow a failed edit
            continue
        if before == "asking":
            lines += _asking(place, step)
        lines.append(_run(place, step, before))
    return "\n".join(lines)


def quoted(body: Node) -> str:
    """A body in single quotes, with the values of shell variables where their names are marked.

    One that is empty, because the request before failed, ends it: a run from no checkpoint would go on at the head.
    """
    text = laid(body).replace("'", "'\\''")
    return "'" + text.replace(BEGIN, "'\"${").replace(END, ":?}\"'") + "'"


def _request(place: Place, path: str, *arguments: str) -> str:
    headers = [f'--header "{name}: ${variable(name)}"' for name in place.headers]
    sends = ["--header 'Content-Type: application/json'"] * any("--data" in argument for argument in arguments)
    return " \\\n  ".join([f'curl --silent --show-error --fail "$URL{path}"', *sends, *headers, *arguments])


def _read(name: str, request: str, path: str) -> str:
    return f"{name}=$({request} | jq --raw-output {path})"


def _at(checkpoint_id: str | None) -> tuple[str, Node]:
    return '"checkpoint_id": ', json_literal(checkpoint_id) if checkpoint_id else marked("CHECKPOINT_ID")


def _body(*parts: tuple[str, Node]) -> str:
    return "--data " + quoted(Group("{", parts, "}", "", "", 2))


def _write(place: Place, step: Write) -> str:
    node = [('"as_node": ', json_literal(step.as_node))] if step.as_node else []
    at = ('"checkpoint": ', json_literal(inner(step))) if step.ns else _at(step.checkpoint_id)
    body = _body(('"values": ', json_literal(step.values)), *node, at)
    return _request(place, "/threads/$THREAD_ID/state", body)


def _run(place: Place, step: Run, before: str) -> str:
    sent = ('"input": ', json_literal(step.input))
    if step.replies:
        sent = ('"command": ', Group("{", (('"resume": ', _resume(step, before)),), "}", "", "", 2))
    how = [(f'"{name}": ', json_literal(value)) for name, value in how_to_run(step.settings).items()]
    assistant = ('"assistant_id": ', json_literal(step.settings.assistant))
    at = [_at(step.checkpoint_id)] if step.checkpoint_id or before else []
    return _request(place, "/threads/$THREAD_ID/runs/wait", _body(assistant, sent, *at, *how))


def _asking(place: Place, step: Run) -> list[str]:
    """What reads the checkpoint that asks anew, and the ids of the questions that are answered."""
    read = [
        f"ASKING=$({_request(place, '/threads/$THREAD_ID/state')})",
        _picked("CHECKPOINT_ID", ".checkpoint.checkpoint_id"),
    ]
    return read if step.alone else read + [_picked(f"ID_{n}", _asks(reply)) for n, reply in enumerate(step.replies)]


def _picked(name: str, path: str) -> str:
    return f"{name}=$(printf '%s' \"$ASKING\" | jq --raw-output {shlex.quote(path)})"


def _asks(reply: Reply) -> str:
    question = flat(json_literal(reply.question))
    return f"[.tasks[].interrupts[] | select(.value == {question})][{reply.nth}].id"


def _resume(step: Run, before: str) -> Node:
    if step.alone:
        return json_literal(step.replies[0].value)
    ids = [marked(f"ID_{n}") if before else flat(json_literal(reply.id)) for n, reply in enumerate(step.replies)]
    parts = tuple((f"{id_}: ", json_literal(reply.value)) for id_, reply in zip(ids, step.replies, strict=True))
    return Group("{", parts, "}", "", "", 2)
