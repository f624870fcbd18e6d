"""How a run is to be run: assistant, config, context, stops, input, metadata; checked before anything is written."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from math import isfinite
from typing import Any

from ..backends.contract import Backend
from ..backends.records import Graph, RunSettings
from ..backends.wire import IN_METADATA, own
from ..errors import InvalidInput, Refused
from ..marks import MARKS, OURS
from ..model.secrets import MaskedDict, masked
from ..model.states import State
from ..model.text import short

RUN_CONFIG = (
    "configurable", "tags", "metadata", "callbacks", "run_name", "run_id", "max_concurrency", "recursion_limit",
)  # fmt: skip  # LangChain's RunnableConfig


def settings(
    backend: Backend,
    of_run: RunSettings,
    thread_id: str,
    *,
    assistant: str | None = None,
    config: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    interrupt_before: str | Sequence[str] | None = None,
    interrupt_after: str | Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> RunSettings:
    """The settings of the checkpoint's own run, with what the user gave in their place.

    Nodes to stop at belong to the run that was given them: those of the checkpoint's own run are not taken over.
    A `configurable` and a context say the same to a server, which takes one of them: giving the one replaces the other.
    A graph in this process takes both; what is given of `configurable` is added to the run's own.

    Raises:
        InvalidInput: Nobody knows which assistant to run, or there is no such assistant, or both were given.
        Refused: A node to stop at does not exist, or a key of the metadata is LangGraph's own.
    """
    both = backend.takes_context_beside_configurable
    check_config(config)
    if context is not None and not both and not isinstance(context, Mapping):
        raise InvalidInput(f"context is {short(context)}: give a mapping")
    own_keys = {"thread_id", "checkpoint_id", "checkpoint_ns"} & set((config or {}).get("configurable") or {})
    if own_keys:
        raise Refused(f"config['configurable'] has {', '.join(sorted(own_keys))}: the checkpoint itself says that")
    named = assistant or of_run.assistant
    if not named:
        raise InvalidInput(
            f"no run tells which assistant thread {thread_id} belongs to: give assistant='…'", thread_id=thread_id
        )
    graph = backend.graph(str(named))
    result = replace(
        of_run,
        assistant=named if named in (graph.assistant_id, graph.graph_id) else graph.assistant_id,  # a run takes no name
        interrupt_before=None if interrupt_before is None else nodes(interrupt_before, graph),
        interrupt_after=None if interrupt_after is None else nodes(interrupt_after, graph),
        metadata=checked_metadata({} if metadata is None else metadata),
    )
    if both:
        configurable = {**of_run.config.get("configurable", {}), **((config or {}).get("configurable") or {})}
        merged = {**(of_run.config if config is None else config), "configurable": configurable}
        return replace(result, config=merged, context=of_run.context if context is None else context)
    if config is not None:
        kept = {} if context is not None else {k: v for k, v in of_run.config.items() if k == "configurable"}
        result = replace(result, config={**kept, **config})
    elif context is not None:
        result = replace(result, config={k: v for k, v in of_run.config.items() if k != "configurable"})
    if context is not None and result.config.get("configurable"):
        raise InvalidInput("give config['configurable'] or context, not both: servers take one and derive the other")
    if config is not None and config.get("configurable"):
        context = {}
    return replace(result, context=of_run.context if context is None else dict(context) or None)


def check_config(given: Any) -> None:
    """Check that this is a run's config, or None.

    Raises:
        InvalidInput: It is no mapping, or a key of it has another place; `candidates` has the keys that there are.
    """
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise InvalidInput(f"config is {short(given)}: give a mapping")
    unknown = [str(key) for key in given if key not in RUN_CONFIG]
    if unknown:
        meant = get_close_matches(unknown[0], RUN_CONFIG, 1, 0.8)
        inside = ", ".join(f'"{key}": …' for key in unknown)
        instead = f"{meant[0]!r} is" if meant else f'what nodes read is config={{"configurable": {{{inside}}}}}'
        raise InvalidInput(
            f"config has no key {', '.join(map(repr, unknown))}: {instead}; its keys are {', '.join(RUN_CONFIG)}",
            candidates=meant or RUN_CONFIG,
        )
    if not isinstance(given.get("configurable") or {}, Mapping):
        raise InvalidInput('config["configurable"] is a mapping, as in config={"configurable": {"user_id": …}}')


def marks(given: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """What each checkpoint of a run is to carry in its metadata.

    Under `MARKS` are the names of these keys, and of the metadata in the run's config, which LangGraph puts there, too.

    Raises:
        InvalidInput, Refused: As in `checked_metadata`.
    """
    names = sorted({*given, *map(str, config.get("metadata") or ())})
    return {**checked_metadata(given), MARKS: json.dumps(names)} if names else {}


def checked_metadata(given: Any) -> dict[str, Any]:
    """What a user wants each checkpoint of a run to carry in its metadata.

    Raises:
        InvalidInput: It is no mapping of text to text, numbers and booleans, which is what every place keeps.
        Refused: A key is one that LangGraph itself writes there.
    """
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise InvalidInput(f"metadata maps names to text, numbers or booleans; this is {short(given)}")
    for key, value in given.items():
        if not isinstance(value, str | int | float | bool) or (isinstance(value, float) and not isfinite(value)):
            shown = short(masked({key: value})[key])
            raise InvalidInput(f"metadata {key!r} is {shown}: only text, numbers and booleans are kept everywhere")
    if taken := sorted(given.keys() - own(given, IN_METADATA | {MARKS})):
        raise Refused(f"metadata {', '.join(map(repr, taken))}: LangGraph or forkbook writes that itself")
    return MaskedDict(given)


def without_marks(settings: RunSettings, metadata: Mapping[str, Any]) -> RunSettings:
    """Settings that were guessed from a checkpoint's metadata, less what forkbook put there itself."""
    configurable = settings.config.get("configurable")
    if not settings.guessed or not configurable:
        return settings
    found = own(configurable, json.loads(metadata.get(MARKS, "[]")))
    kept = {key: value for key, value in found.items() if not key.startswith(OURS)}
    config = {key: value for key, value in settings.config.items() if key != "configurable"}
    return replace(settings, config={**config, "configurable": kept} if kept else config)


def nodes(given: str | Sequence[str], graph: Graph) -> str | tuple[str, ...]:
    """Names of nodes as LangGraph takes them: "*" or a tuple.

    Raises:
        Refused: One does not exist.
        InvalidInput: This is no list of names.
    """
    if given == "*":
        return "*"
    if not isinstance(given, str) and not (isinstance(given, Sequence) and all(isinstance(n, str) for n in given)):
        raise InvalidInput(f"nodes to stop at are a list of names or '*', not {short(given)}")
    names = (given,) if isinstance(given, str) else tuple(given)
    if graph.nodes is not None and (unknown := [name for name in names if name not in graph.nodes]):
        raise Refused(
            f"the graph {graph.graph_id!r} has no node {', '.join(map(repr, unknown))} to stop at; it has "
            f"{', '.join(graph.nodes)}",
            candidates=graph.nodes,
        )
    return names


def not_finished(state: State) -> None:
    """Check that something is left to run.

    Raises:
        Refused: Nothing is; LangGraph would add a checkpoint all the same.
    """
    if state["next"] is not None and not state["next"]:
        checkpoint_id = state["checkpoint"]["checkpoint_id"]
        raise Refused(
            f"checkpoint {checkpoint_id[-6:]} is finished, nothing runs after it: fork it with an edit "
            "(as_node names the node after which to go on), or pick an earlier one",
            thread_id=state["checkpoint"].get("thread_id"),
            checkpoint_id=checkpoint_id,
        )


def first_shown(backend: Backend, names: Iterable[str | None], ns: str = "") -> Graph | None:
    """The first of some graphs that the place shows to this user, or else the first that it does not show.

    Args:
        backend: The place.
        names: Assistant ids and graph names, the likeliest first; None is passed over.
        ns: A subgraph's namespace; "" is the root graph's.

    Returns:
        None where nothing is named.

    Raises:
        InvalidInput: The place says that it has none of them.
    """
    hidden, refusal = None, None
    for name in filter(None, names):
        try:
            graph = backend.subgraph(name, ns) if ns else backend.graph(name)
        except InvalidInput as error:  # an assistant may have been deleted since
            refusal = refusal or error
            continue
        if graph.nodes is not None:
            return graph
        hidden = hidden or graph
    if hidden is None and refusal is not None:
        raise refusal
    return hidden
