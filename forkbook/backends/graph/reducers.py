"""The reducers of a graph's own channels, for the channels that a checkpoint store cannot show by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.channels import BinaryOperatorAggregate
from langgraph.channels.delta import DeltaChannel

from ..databases.messages import MessageRule, Unsuited
from ..databases.rules import Kinds, Rule, Rules
from ..read import memory_of
from ..values.interning import Interner
from .objects import Objects
from .snapshots import Reading

OF_MESSAGES = "_messages_delta_reducer"  # LangGraph's, and deepagents' own copy of it
MAKERS = ("langgraph.", "deepagents.")


class GraphRule:
    """One channel of a graph, fed with what a store holds.

    Args:
        name: The channel's name.
        channel: The channel.
    """

    def __init__(self, name: str, channel: Any) -> None:
        self.words = f"the graph's reducer of {name!r}"
        self._name, self._channel = name, channel
        self._objects, self._reading, self._interner = Objects({name: channel}), Reading(), Interner()

    def start(self) -> Any:
        """The value of a channel to which nothing was written."""
        return self._reading.plain(self._channel.from_checkpoint(None).get())

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """None: the graph knows."""
        return None

    def fold(self, value: Any, writes: Sequence[Any]) -> Any:
        """The value after these writes.

        Raises:
            Unsuited: The reducer raised something.
        """
        for item in (value, *writes):
            self._interner.one(item)
        try:
            channel = self._channel.from_checkpoint(self._objects.held(self._name, value))
            sent = [self._objects.written(self._name, write) for write in writes]
            if isinstance(channel, DeltaChannel):
                channel.replay_writes([("", self._name, write) for write in sent])
            else:
                for write in sent:
                    channel.update([write])
            return self._interner.one(self._reading.plain(channel.get()))
        except Exception as error:  # a reducer may raise anything
            raise Unsuited(f"{self.words} failed: {type(error).__name__}: {error}") from error


def rules_of(graph: Any) -> Rules:
    """The rules of a compiled graph's channels, and of its subgraphs', by namespace."""
    graphs = {"": graph, **dict(graph.get_subgraphs(recurse=True))}

    def rules(ns: str, channel: str, kinds: Kinds) -> Sequence[Rule] | None:
        channels: Mapping[str, Any] = getattr(graphs.get(memory_of(ns)), "channels", {})
        found = channels.get(channel)
        if not isinstance(found, DeltaChannel | BinaryOperatorAggregate):
            return None
        reducer = getattr(found, "reducer", None)
        of_messages = getattr(reducer, "__name__", "") == OF_MESSAGES
        if of_messages and getattr(reducer, "__module__", "").startswith(MAKERS):
            return [MessageRule()]
        return [GraphRule(channel, found)]

    return rules
