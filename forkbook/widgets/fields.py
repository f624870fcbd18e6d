"""What can be edited at a checkpoint: its channels, each with a type that a page has a field for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from ..backends.capabilities import Capability
from ..backends.records import Graph
from ..checkpoint import Checkpoint
from ..errors import ForkbookError
from ..model.messages import channels, role
from ..model.states import nodes_seen, unknown_parts
from ..model.text import json_text

TEXT_SHOWN = 20_000  # characters of a value
TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
OF_VALUE = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "text"))


def graph_of(checkpoint: Checkpoint) -> Graph | None:
    """The graph that wrote a checkpoint; None where the place knows of none."""
    if Capability.GRAPHS not in checkpoint.history.book.backend.capabilities:
        return None
    try:
        return checkpoint.assistant_graph()
    except ForkbookError:  # an act says it; a page shows what it can
        return None


def nodes_of(checkpoint: Checkpoint, graph: Graph | None) -> Sequence[str]:
    """The graph's nodes, or those seen in the history."""
    return nodes_seen(checkpoint.facts.states) if graph is None or graph.nodes is None else graph.nodes


def fields(values: Any, graph: Graph | None) -> list[dict[str, Any]]:
    """One field per channel, in the order of the schema.

    Each has `channel`, `type` (text, number, integer, boolean, choice, json or messages), `choices` (the values),
    `text` (the value as JSON; empty: it has none), `size` of the whole and whether that was `cut`, `unknown` (why a
    part of it is not known, so that it cannot be written) and `description`.
    """
    known = channels(values)
    schema = (graph.schema if graph is not None else None) or {}
    properties = schema.get("properties") or {}
    hidden = {part.channel: part.reason for part in unknown_parts(values)}
    named = dict.fromkeys([*properties, *((graph.channels if graph is not None else None) or ()), *known])
    return [
        _field(name, known, properties.get(name), schema.get("$defs") or {}, hidden.get(name, hidden.get(None, "")))
        for name in named
        if not name.startswith("__") or name in known
    ]


def _field(
    name: str, known: Mapping[str, Any], own: Any, definitions: Mapping[str, Any], unknown: str
) -> dict[str, Any]:
    has, value = name in known, known.get(name)
    own = own if isinstance(own, Mapping) else {}
    choices = list(_choices(own, definitions))
    kind = "choice" if choices else _type(own, has, value, definitions)
    text = json_text(value, pretty=kind in ("json", "messages")) if has else ""
    return {
        "channel": name,
        "type": kind,
        "choices": choices,
        "text": text[:TEXT_SHOWN],
        "size": len(text),
        "cut": len(text) > TEXT_SHOWN,
        "unknown": unknown,
        "description": str(own.get("description") or ""),
    }


def _choices(own: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Any]:
    """The values that a schema allows, where it names them."""
    own = _resolved(own, definitions)
    if isinstance(own.get("enum"), list):
        yield from own["enum"]
    parts = own.get("anyOf")
    if isinstance(parts, list) and parts and all(isinstance(part, Mapping) for part in parts):
        inner = [_resolved(part, definitions) for part in parts]
        if all("const" in part or "enum" in part or part.get("type") == "null" for part in inner):
            for part in inner:
                yield from part.get("enum", [part.get("const")])


def _type(own: Mapping[str, Any], has: bool, value: Any, definitions: Mapping[str, Any]) -> str:
    if _are_messages(value) or b"/HumanMessage" in orjson.dumps(own, default=repr):
        return "messages"
    by_value = next((kind for types, kind in OF_VALUE if isinstance(value, types)), "json")
    own = _resolved(own, definitions)
    if not own.keys() - {"title", "description", "default"}:
        return by_value if has else "json"
    by_schema = TYPES.get(str(own.get("type")), "json")
    parts = own.get("anyOf")
    if isinstance(parts, list) and has and value is not None:  # `str | None` that has a text now
        kinds = {TYPES.get(str(part.get("type")), "json") for part in parts if isinstance(part, Mapping)}
        return by_value if by_value in kinds else "json"
    fits = not has or by_value == by_schema or (by_schema, by_value) == ("number", "integer")
    return by_schema if fits else "json"


def _resolved(own: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    named = str(own.get("$ref") or "").removeprefix("#/$defs/")
    found = definitions.get(named) if named else None
    return found if isinstance(found, Mapping) else own


def _are_messages(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) and role(item) for item in value)
