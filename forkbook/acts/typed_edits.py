"""What a person typed as an edit or an input, checked against a graph and a checkpoint, before anything is written."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any

import orjson

from ..backends.contract import Backend
from ..backends.records import Graph
from ..errors import InvalidInput, Refused
from ..model.edits import Deviation, deviations, lost_keys, replacing_writes
from ..model.message_edits import completed
from ..model.reserved import COPY, END, INPUT, ROOT, START
from ..model.states import State
from ..model.text import short

LONE_SURROGATE = re.compile(r"(?<!\\)\\ud[89a-f][0-9a-f]{2}")  # in the repr of a value
AS_DICTS = "{}: this place takes JSON, so that the channel holds plain dicts where the graph may expect {}"
AS_TUPLES = "{}: this place takes JSON, so that the channel holds a {} where the graph may expect a named tuple {}"
SPECIAL_NODES = (START, INPUT, COPY, END)


@dataclasses.dataclass(frozen=True, slots=True)
class TypedEdit:
    """An edit, checked.

    Attributes:
        values: Channels to values, as the place takes them.
        shown: The same in plain form, as a checkpoint shows it.
        old: The state's values before it.
        whole: Whether the state is one value, so that keys of it are no channels.
        replaces: Whether a write surely takes the place of all of that value.
        lost: For channels whose objects the edit would make plain data: what becomes of them, in words.
        notes: What else one should know.
    """

    values: dict[str, Any]
    shown: dict[str, Any]
    old: Mapping[str, Any]
    whole: bool = False
    replaces: bool = False
    lost: Mapping[str, str] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def writes(self, exact: bool) -> list[dict[str, list[Any]]]:
        """Writes to try, in this order: for each channel those to try in turn.

        Args:
            exact: Whether the channels are to be just what was typed, whatever their reducers.
        """
        plainly = {name: [value] for name, value in self.values.items()}
        if exact:
            plainly = {
                name: [value] if name in self.lost else replacing_writes(value, self.old.get(name))
                for name, value in self.values.items()
            }
        if not self.whole or ROOT in self.values:
            return [plainly]
        merged = {**self.old, **self.values}
        every = replacing_writes(merged, dict(self.old)) if exact else [merged]
        return [{ROOT: every}] if self.replaces else [{name: [v] for name, v in self.values.items()}, {ROOT: every}]

    def deviations(self, after: Any, exact: bool = False) -> tuple[Deviation, ...]:
        """The channels that are not what was typed, and those that changed although they were not typed."""
        found = list(deviations(self.shown, self.old, after, exact))
        if self.whole and ROOT not in self.values:
            found += lost_keys(self.shown, self.old, after)
        known = {deviation.channel for deviation in found}
        for name, why in self.lost.items():
            if name not in known:
                found.append(Deviation(name, self.shown.get(name), (after or {}).get(name), why))
        return tuple(found)


def check_edit(backend: Backend, graph: Graph, state: State, values: Any, as_node: str | None) -> TypedEdit:
    """An edit, its channels and node known.

    Raises:
        InvalidInput: The values are no edit.
        Refused: A channel or node does not exist, or the edit would do nothing, or not what it says.
    """
    values = {} if values is None else values
    if not isinstance(values, Mapping):
        return TypedEdit(backend.as_sent(values), {}, {})  # raises: it says what an edit is
    old = state["values"] or {}
    given = {ROOT: values[END]} if graph.whole == END and values.keys() == {END} else dict(values)
    _has_an_effect(graph, state, given, as_node)
    whole = graph.whole is not None and old.keys() != {ROOT}
    _channels_known(graph, old, given, whole)
    _node_known(graph, as_node)
    kept, lost = backend.as_edit(state, _completed(graph, old, given))
    shown = {name: backend.as_shown(value) for name, value in kept.items()}
    if whole and shown.keys() == {ROOT} and isinstance(shown[ROOT], Mapping):
        shown = dict(shown[ROOT])
    notes = _text_notes(given, shown) if backend.keeps_objects else _json_notes(graph, old, given)
    return TypedEdit(kept, shown, old, whole, graph.whole == END, lost, notes)


def check_input(backend: Backend, graph: Graph, state: State, given: Any) -> Any:
    """An input as the place takes it, its channels known; None stays None.

    Raises:
        InvalidInput: It is no input of this graph.
        Refused: A channel does not exist.
    """
    if given is None:
        return None
    if graph.whole is not None:
        sent = backend.as_sent({"input": given})["input"]
        return sent[ROOT] if isinstance(sent, dict) and sent.keys() == {ROOT} else sent
    given = _fields(given)
    if not isinstance(given, Mapping):
        if graph.channels is None:
            return backend.as_sent({"input": given})["input"]
        raise InvalidInput(f"an input maps channels to values, as in {{'topic': 'chickens'}}; this is {short(given)}")
    old = state["values"] or {}
    _channels_known(graph, old, given, False)
    typed = backend.as_sent(_completed(graph, old, dict(given)))
    return typed[ROOT] if typed.keys() == {ROOT} else typed


def _fields(given: Any) -> Any:
    """An object of a state's own class as its channels."""
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        return {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}
    if hasattr(type(given), "model_fields"):
        return {name: getattr(given, name) for name in given.model_fields_set}
    return given


def _has_an_effect(graph: Graph, state: State, given: Mapping[str, Any], as_node: str | None) -> None:
    if not given and as_node is None:
        raise Refused(
            "an edit without values writes nothing: with as_node='…' it records that this node ran and wrote nothing, "
            f"as_node={END!r} ends the thread here, resume() runs on{_nodes_said(graph)}",
            candidates=(*(graph.nodes or ()), END),
        )
    if as_node != END:
        return
    if given:
        raise Refused(
            f"as_node={END!r} ends the thread and writes no values: edit first, as_node=None, then end the edit with "
            f"edit({{}}, as_node={END!r})",
            candidates=graph.nodes or (),
        )
    if state["next"] is not None and not state["next"]:
        raise Refused(f"checkpoint {state['checkpoint']['checkpoint_id'][-6:]} is finished: there is nothing to end")


def _channels_known(graph: Graph, old: Mapping[str, Any], given: Mapping[str, Any], whole: bool) -> None:
    """Check that LangGraph would not drop a channel without a word."""
    own = {ROOT} if graph.whole is not None else {*(graph.channels or ())}
    known = sorted({*own, *old})
    unknown = [str(name) for name in given if name not in known]
    if unknown and (graph.channels is not None or graph.whole is not None):
        kind = "key" if whole else "channel"
        instead = f"; {{{ROOT!r}: …}} gives all of it anew" if graph.whole is not None else ""
        raise Refused(
            f"{graph.graph_id!r} has no {kind} {', '.join(map(repr, unknown))}; it has {', '.join(known)}{instead}",
            candidates=known,
        )


def _node_known(graph: Graph, as_node: str | None) -> None:
    if as_node is not None and graph.nodes is not None and as_node not in (*graph.nodes, *SPECIAL_NODES):
        raise Refused(
            f"the graph {graph.graph_id!r} has no node {as_node!r}; it has {', '.join(graph.nodes)}",
            candidates=graph.nodes,
        )


def _nodes_said(graph: Graph) -> str:
    return f"; the graph has {', '.join(graph.nodes)}" if graph.nodes else ""


def _completed(graph: Graph, old: Mapping[str, Any], given: Mapping[Any, Any]) -> dict[Any, Any]:
    of_messages = _message_channels(graph)
    return {name: completed(value, old.get(name), name in of_messages) for name, value in given.items()}


def _message_channels(graph: Graph) -> Collection[str]:
    """The channels that hold lists of LangChain's messages, by their schema."""
    properties = (graph.schema or {}).get("properties") or {}
    return {name for name, schema in properties.items() if b"/HumanMessage" in orjson.dumps(schema)}


def _text_notes(given: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[str, ...]:
    """The channels of which a text loses a part: a lone surrogate is half a character, which UTF-8 does not hold."""
    return tuple(
        f"{name}: a lone surrogate ({found[0]}) becomes '?', which is how LangGraph's serializer writes it"
        for name, value in given.items()
        if (found := LONE_SURROGATE.search(repr(value))) and not LONE_SURROGATE.search(repr(shown.get(name)))
    )


def _json_notes(graph: Graph, old: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    """What a place that takes JSON may make of objects: a schema does not say whether it means a class or a dict."""
    schema = graph.schema or {}
    properties, definitions = schema.get("properties") or {}, schema.get("$defs") or {}
    found = []
    for name, value in given.items():
        named = re.findall(rb'"#/\$defs/([^"]+)"', orjson.dumps(properties.get(name)))
        titles = [title for title in map(bytes.decode, named) if "properties" in definitions.get(title, ())]
        tuples = [title for title in map(bytes.decode, named) if "prefixItems" in definitions.get(title, ())]
        if titles and _has_dict(value) and name not in _message_channels(graph):
            found.append(AS_DICTS.format(name, f"an object of a class {', '.join(dict.fromkeys(titles))}"))
        elif tuples and isinstance(value, Mapping | list | tuple):
            what = "dict" if _has_dict(value) else "list"
            found.append(AS_TUPLES.format(name, what, ", ".join(dict.fromkeys(tuples))))
        elif _takes_anything(properties.get(name)) and _has_dict(value) and _has_dict(old.get(name)):
            found.append(AS_DICTS.format(name, "objects: its type is Any, and what is shown as a dict may be one"))
    return tuple(found)


def _takes_anything(schema: Any) -> bool:
    """Whether the JSON Schema of a channel is that of `Any`."""
    return isinstance(schema, Mapping) and schema.keys() <= {"title", "description", "default"}


def _has_dict(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list | tuple) and any(map(_has_dict, value)))
