"""One checkpoint as a store holds it, decoded."""

from dataclasses import dataclass
from typing import Any

from ...model.reserved import ERROR, INTERRUPT, RESUME
from ..values.plain import opaque

MARKS = frozenset({INTERRUPT, ERROR, RESUME, "__error_source_node__"})  # writes that are no output


@dataclass(frozen=True, slots=True)
class Write:
    """What a task wrote to a channel, under the checkpoint that it started from; `path` is "" where it is not kept."""

    task_id: str
    path: str
    idx: int
    channel: str
    value: Any


@dataclass(frozen=True, slots=True)
class Saved:
    """One checkpoint as a store holds it, decoded.

    Attributes:
        checkpoint: `v`, `ts`, `channel_versions`, `versions_seen`, `updated_channels`; empty where it cannot be read.
        values: The channels' values, LangGraph's own channels included; what cannot be read is one opaque value.
        metadata: `source`, `step`, `parents` and what users add.
        writes: What its tasks have written so far.
        snapshots: The channels of which the value is a DeltaChannel's snapshot.
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    parent_id: str | None
    checkpoint: dict[str, Any]
    values: dict[str, Any]
    metadata: dict[str, Any]
    writes: list[Write]
    snapshots: frozenset[str] = frozenset()


def parts(value: Any, size: int) -> tuple[dict[str, Any], Any]:
    """A decoded checkpoint without its values, and the values; of what is no checkpoint, {} and an opaque value.

    Args:
        value: What the store's blob decodes to.
        size: The blob's size in bytes.
    """
    if not isinstance(value, dict) or not isinstance(value.get("channel_values"), dict):
        said = isinstance(value, dict) and value.get("__type__") == "opaque"
        return {}, value if said else opaque("damaged: this is no checkpoint", size)
    rest = {key: item for key, item in value.items() if key != "channel_values"}
    versions, seen = rest.get("channel_versions"), rest.get("versions_seen")
    seen_by_all = seen.values() if isinstance(seen, dict) else [seen]
    whole = isinstance(versions, dict) and isinstance(rest.get("v"), int)
    if not whole or not all(isinstance(item, dict) for item in seen_by_all):
        rest |= {"channel_versions": {}, "versions_seen": {}, "v": 0}
    return rest, value["channel_values"]
