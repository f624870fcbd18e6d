"""One form for the messages of a DeltaChannel, which an Agent Server sends in two. Pure.

Where a checkpoint's messages went through JSON once more, an AI message's usage stands in its `additional_kwargs`; in
other checkpoints of the same thread the same message has it where LangChain puts it.
"""

from typing import Any

from ...model.states import State

MOVED = ("usage_metadata", "invalid_tool_calls")


def in_one_form(states: list[State]) -> list[State]:
    """The states with what moved inside the messages of their DeltaChannels where LangChain puts it, in place."""
    counters = ((state["metadata"] or {}).get("counters_since_delta_snapshot") for state in states)
    channels = {name for names in counters for name in names or ()}
    for state in states if channels else ():
        values = state["values"]
        for name in channels & values.keys() if isinstance(values, dict) else ():
            if isinstance(values[name], list):
                values[name] = [settled(item) for item in values[name]]
    return states


def settled(item: Any) -> Any:
    """A message with its usage and its invalid calls where LangChain puts them; anything else as it is."""
    more = item.get("additional_kwargs") if isinstance(item, dict) else None
    if not isinstance(more, dict):
        return item
    moved = {name: more[name] for name in MOVED if name in more and not item.get(name)}
    left = {name: value for name, value in more.items() if name not in moved}
    return item | moved | {"additional_kwargs": left} if moved else item
