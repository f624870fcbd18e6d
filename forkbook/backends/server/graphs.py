"""What an Agent Server shows of its graphs: all of it, a part, or nothing to a user who may run them all the same.

A server with custom authentication may hide its assistants. A graph that is not shown is no graph that is missing: only
where the server itself says that it has none of this name is an assistant refused before it is run.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import httpx

from ...errors import InvalidInput, Unsupported
from ...model.lookup import is_uuid
from ...model.reserved import END, START
from ...model.tree import path_of
from ..records import Graph
from ..wire import a_schema, an_assistant, an_object, objects, whole_of
from .faults import detail

LARGEST_PAGE = 1000
NOT_SHOWN = (403, 404, 405, 422)
NAMESPACE = uuid.UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8")  # in which LangGraph makes a graph's own assistant id
AsErrors = Callable[..., AbstractContextManager[None]]


class ServerGraphs:
    """The assistants of one Agent Server, as far as it shows them; each is read once.

    Args:
        address: The server's address, for errors.
        client: Gives the SDK's client for assistants.
        as_errors: Raises faults as errors of forkbook.
    """

    def __init__(self, address: str, client: Callable[[], Any], as_errors: AsErrors) -> None:
        self._address, self._client, self._as_errors = address, client, as_errors
        self._known: dict[str, Graph] = {}

    def names(self) -> list[str]:
        """The graphs of the assistants that are shown; the server may run others, too."""
        with self._as_errors("listing the assistants"):
            return sorted({str(record["graph_id"]) for record in self._shown()})

    def graph(self, assistant: str) -> Graph:
        """The graph behind an assistant's id or name, or a graph's name.

        Raises:
            InvalidInput: The server says that there is none.
        """
        if assistant not in self._known:
            with self._as_errors(f"reading the graph of assistant {assistant!r}"):
                found = self._read(self._named(assistant))
            self._known |= {assistant: found, found.assistant_id: found}
        return self._known[assistant]

    def subgraph(self, assistant: str, ns: str) -> Graph:
        """The graph that wrote the checkpoints of a namespace.

        Raises:
            Unsupported: The server shows the graph, but does not know this subgraph.
        """
        known, path = self.graph(assistant), path_of(ns)
        name = "|".join(path)
        with self._as_errors(f"reading subgraph {name} of assistant {assistant!r}"):
            inner, denied = _asked(self._client().get_subgraphs, known.assistant_id, recurse=True)
            drawn, not_drawn = _asked(self._client().get_graph, known.assistant_id, xray=True)
            known_inside = inner is None or an_object(inner.get(name) or {}).get("state_schema")
            ids = [id_.split(":") for id_ in _nodes(drawn or {"nodes": []})]
        if not known_inside:
            raise Unsupported(f"{self._address} does not know subgraph {name} of assistant {assistant!r}")
        nodes = dict.fromkeys(id_[len(path)] for id_ in ids if id_[: len(path)] == path and len(id_) > len(path))
        schemas = inner and inner[name]
        return _graph(known.assistant_id, name, nodes if drawn else None, schemas, denied or not_drawn)

    def _shown(self, **search: Any) -> list[dict[str, Any]]:
        """The records of assistants that this user may see; none where listing them is denied."""
        try:
            return list(map(an_assistant, objects(self._client().search(limit=LARGEST_PAGE, **search))))
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 403:
                return []
            raise

    def _named(self, assistant: str) -> Mapping[str, Any]:
        """The record of an assistant, or what is known of one that the server does not list.

        Raises:
            InvalidInput: The server says that there is none.
        """
        everyone = self._shown()
        for key in ("assistant_id", "graph_id", "name"):
            for record in everyone:
                if record.get(key) == assistant:
                    return record
        return self._unlisted_id(assistant, everyone) if is_uuid(assistant) else self._unlisted(assistant, everyone)

    def _unlisted(self, graph_id: str, everyone: list[dict[str, Any]]) -> Mapping[str, Any]:
        try:
            found = self._shown(graph_id=graph_id)  # an unknown graph is an error, a hidden one an empty list
        except httpx.HTTPStatusError as error:
            if error.response.status_code in (400, 404, 422):
                raise self._none(graph_id, everyone) from error
            raise
        return found[0] if found else {"assistant_id": str(uuid.uuid5(NAMESPACE, graph_id)), "graph_id": graph_id}

    def _unlisted_id(self, assistant_id: str, everyone: list[dict[str, Any]]) -> Mapping[str, Any]:
        try:
            return an_assistant(self._client().get(assistant_id))
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status == 404 and _lists_all(everyone):
                raise self._none(assistant_id, everyone) from error
            if status not in NOT_SHOWN:
                raise
            return {"assistant_id": assistant_id, "graph_id": None}

    def _none(self, assistant: str, everyone: list[dict[str, Any]]) -> InvalidInput:
        names = sorted({str(record["graph_id"]) for record in everyone})
        return InvalidInput(
            f"no assistant {assistant!r} on {self._address}; it has {', '.join(names) or 'none to show'}",
            candidates=names,
        )

    def _read(self, record: Mapping[str, Any]) -> Graph:
        client, assistant_id = self._client(), str(record["assistant_id"])
        drawn, not_drawn = _asked(client.get_graph, assistant_id)
        schemas, no_schemas = _asked(client.get_schemas, assistant_id)
        return _graph(assistant_id, record["graph_id"], drawn and _nodes(drawn), schemas, not_drawn or no_schemas)


def _asked(ask: Callable[..., Any], *given: Any, **more: Any) -> tuple[dict[str, Any] | None, str | None]:
    """What is answered, or in words how it is denied."""
    try:
        return an_object(ask(*given, **more)), None
    except httpx.HTTPStatusError as error:
        if error.response.status_code not in NOT_SHOWN:
            raise
        return None, f"{error.response.status_code}: {detail(error)}"


def _nodes(drawn: Mapping[str, Any]) -> list[str]:
    return [str(node.get("id")) for node in objects(drawn.get("nodes"))]


def _graph(
    assistant_id: str,
    graph_id: str | None,
    nodes: Iterable[str] | None,
    schemas: Mapping[str, Any] | None,
    hidden: str | None = None,
) -> Graph:
    own = None if nodes is None else tuple(node for node in nodes if node not in (START, END))
    schema = a_schema((schemas or {}).get("state_schema"))
    channels = tuple(schema.get("properties", ())) or None if schema else None
    return Graph(assistant_id, graph_id, own, channels, schema, hidden, whole_of(schema))


def _lists_all(everyone: list[dict[str, Any]]) -> bool:
    """Whether a list shows what the server made itself, so that no filter by owner cut it."""
    made_by = ((record.get("metadata") or {}).get("created_by") for record in everyone)
    return len(everyone) < LARGEST_PAGE and "system" in made_by
