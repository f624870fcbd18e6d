"""Where a task's result leads to, asked of the graph itself: the trigger channels and Sends that its edges write."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.types import StateUpdate

from ...model.reserved import SENDS
from ..configured import from_metadata
from ..databases.tasks import BRANCH
from .calls import Caller
from .snapshots import DECLARED, Saver, config, on_memory

SCRATCH = "routing"


class Router:
    """Lets a graph's edges decide again, on a checkpoint of its own in memory; nodes do not run.

    Args:
        graph: The graph.
        saver: Its checkpointer, which is not written to.
        acting: How the graph's own code is called.
    """

    def __init__(self, graph: Any, saver: Saver, acting: Caller) -> None:
        self._graph, self._saver, self._acting = graph, saver, acting

    def route(
        self, checkpoint: Mapping[str, Any], metadata: Mapping[str, Any], results: Sequence[tuple[str, Any]]
    ) -> list[tuple[str, Any]]:
        """What the edges write after tasks of a checkpoint: channels of the nodes to run, and Sends.

        Args:
            checkpoint: The checkpoint that the tasks belong to.
            metadata: Its metadata, which hold the run's configurable.
            results: Names of the tasks with what they returned.

        Raises:
            Exception: What the graph's own edges raise.
        """
        if not results:
            return []
        twin = on_memory(self._graph, self._saver)
        versions = checkpoint["channel_versions"]
        self._acting(twin.checkpointer, "put", config(SCRATCH), dict(checkpoint), dict(metadata), versions)
        at = config(SCRATCH, checkpoint["id"])
        at["configurable"] = from_metadata(metadata, DECLARED) | at["configurable"]
        updates = [StateUpdate(result, name) for name, result in results]
        made = self._acting(twin, "bulk_update_state", at, [updates])
        values = self._acting(twin.checkpointer, "get_tuple", made).checkpoint["channel_values"]
        routed = [(name, _written(value)) for name, value in values.items() if name.startswith(BRANCH)]
        return routed + [(SENDS, send) for send in values.get(SENDS) or ()]


def _written(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value
