"""The ids that LangGraph gives to tasks: hashes of a checkpoint, a namespace, a step, a node and its triggers. Pure."""

import json
import re
from collections.abc import Iterable
from hashlib import sha1
from uuid import UUID, uuid5

from .rows import Saved

PULL, PUSH = "__pregel_pull", "__pregel_push"
HEXES = re.compile(r"([0-9a-f]{2}|-)+")


def task_ids(saved: Saved, node: str, parts: tuple[str, ...]) -> list[str]:
    """The ids that LangGraph for Python gives to a task, the newer way first; [""] where there is none."""
    from xxhash import xxh3_128_hexdigest

    if (step := _step(saved)) is None or not HEXES.fullmatch(saved.checkpoint_id):
        return [""]
    data = bytes.fromhex(saved.checkpoint_id.replace("-", ""))
    data += "".join((_namespace(saved, node), str(step), node, *parts)).encode()
    digests = xxh3_128_hexdigest(data), sha1(data, usedforsecurity=False).hexdigest()
    return [f"{hexes[:8]}-{hexes[8:12]}-{hexes[12:16]}-{hexes[16:20]}-{hexes[20:32]}" for hexes in digests]


def sent_js_ids(saved: Saved, node: str, index: int) -> list[str]:
    """The ids that LangGraph.js may give to a task that was sent."""
    return _js_ids(saved, node, [[PUSH, str(index)]])


def pulled_js_ids(saved: Saved, node: str, channels: Iterable[str]) -> list[str]:
    """The ids that LangGraph.js may give to a task that one of these channels triggered: it hashes the first one.

    Earlier versions hashed all that did.
    """
    names = sorted(channels)
    groups = [[name] for name in names] + ([names] if len(names) > 1 else [])
    return _js_ids(saved, node, [[PULL, group] for group in groups])


def _js_ids(saved: Saved, node: str, endings: Iterable[list[object]]) -> list[str]:
    if (step := _step(saved)) is None:
        return []
    try:
        checkpoint = UUID(saved.checkpoint_id)
    except ValueError:
        return []
    parts = [_namespace(saved, node), str(step), node]
    texts = (json.dumps([*parts, *end], separators=(",", ":"), ensure_ascii=False) for end in endings)
    return [str(uuid5(checkpoint, text)) for text in texts]


def _step(saved: Saved) -> int | None:
    """The step that a checkpoint's tasks belong to."""
    step = saved.metadata.get("step")
    return step + 1 if isinstance(step, int) else None


def _namespace(saved: Saved, node: str) -> str:
    return f"{saved.ns}|{node}" if saved.ns else node
