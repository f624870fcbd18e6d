"""A thread without its secrets, for archives, exports and migrations. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from .secrets import without_secrets

SETTINGS = ("metadata", "config", "context")  # of a thread's record; the rest is ids, times and what the graph made
OUTER = ("configurable.", "metadata.")
LEFT_OUT = "left out of configurable, context and metadata, as secrets: {names}; secrets=True takes them along"


def thread_without_secrets(
    record: dict[str, Any], states: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]], tuple[str, ...]]:
    """A thread's record and states without the secrets in their settings, and the names of these.

    What has none is the very same object. Values are what they are, whatever the names of their channels.

    Args:
        record: The thread's record.
        states: Its states.
    """
    names: dict[str, None] = {}
    kept = {key: _bare(record[key], names) for key in SETTINGS if record.get(key)}
    bare = [_state(state, names) for state in states]
    changed = any(value is not record[key] for key, value in kept.items())
    return (record | kept if changed else record), bare, tuple(names)


def states_without_secrets(states: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """States without the secrets in their metadata."""
    return [_state(state, {}) for state in states]


def left_out_note(names: Iterable[str]) -> list[str]:
    """The sentence about secrets that were left out; none where none was."""
    said = ", ".join(dict.fromkeys(names))
    return [LEFT_OUT.format(names=said)] if said else []


def _state(state: dict[str, Any], names: dict[str, None]) -> dict[str, Any]:
    metadata = _bare(state.get("metadata"), names)
    return state if metadata is state.get("metadata") else state | {"metadata": metadata}


def _bare(value: Any, names: dict[str, None]) -> Any:
    bare, found = without_secrets(value)
    for name in found:
        outer = next((outer for outer in OUTER if name.startswith(outer)), "")
        names[name.removeprefix(outer)] = None
    return bare
