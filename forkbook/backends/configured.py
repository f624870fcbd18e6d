"""What a user configured, apart from what LangGraph itself keeps beside it. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from .wire import IN_METADATA, own

FRAMEWORKS = ("ls_", "lc_")  # begin the names that LangChain and LangSmith put into a run's metadata


def from_metadata(metadata: Mapping[str, Any], declared: Collection[str] = ()) -> dict[str, Any]:
    """The `configurable` of a run, from what LangGraph copied of it into a checkpoint's metadata.

    It copies text, numbers and booleans alone: whatever else is there is bookkeeping. The run's own metadata are among
    it, too, as nothing tells them apart.

    Args:
        metadata: The checkpoint's metadata.
        declared: Names that the LangGraph at hand declares as its own.
    """
    return {
        key: value
        for key, value in own(metadata, IN_METADATA).items()
        if isinstance(value, str | int | float | bool) and key not in declared and not key.startswith(FRAMEWORKS)
    }


def from_record(added: Mapping[str, Any], sent: Mapping[str, Any] | None, servers: Collection[str]) -> dict[str, Any]:
    """The `configurable` of a run, from a server's record of it.

    Args:
        added: The record's `configurable`: what was sent, and what the server added.
        sent: The record's `context`, which has what was sent alone; empty: nothing was, or this server keeps none.
        servers: Names that servers are known to add.
    """
    return {key: value for key, value in own(added, servers).items() if not sent or key in sent}
