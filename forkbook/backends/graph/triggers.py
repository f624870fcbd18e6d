"""The channels that decide what runs next, as LangGraph would have left them: no history shows them.

`next` follows from which trigger channels (`branch:to:<node>`, joins, `__start__`, Sends) hold something newer than
what their nodes have seen. They are carried from checkpoint to checkpoint: the tasks of the parent consume what
triggered them and arrive at the joins that wait for them, and the checkpoint's own tasks say what is triggered now.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import xxhash
from langgraph.channels import EphemeralValue, NamedBarrierValue
from langgraph.channels.base import BaseChannel
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.channels.named_barrier_value import NamedBarrierValueAfterFinish

from ...model.reserved import START
from ..databases.tasks import BRANCH

BARRIERS = (NamedBarrierValue, NamedBarrierValueAfterFinish)
Channels = dict[str, BaseChannel[Any, Any, Any]]
Seen = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Ground:
    """What a checkpoint holds beside the values that it shows.

    Attributes:
        depth: Its distance from the root.
        versions: Each channel's version.
        seen: For each node the versions it has seen.
        held: The trigger channels that hold something, as checkpoints keep them.
    """

    depth: int = 0
    versions: dict[str, Any] = field(default_factory=dict)
    seen: Seen = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)


class Triggers:
    """The trigger channels of one graph.

    Args:
        graph: A compiled graph.
        version: A version that its checkpointer makes, to know their kind.

    Attributes:
        nodes: The graph's nodes by name.
        has_joins: Whether any of them wait for several others.
    """

    def __init__(self, graph: Any, version: Any) -> None:
        self.nodes = graph.nodes
        shown = graph.stream_channels_asis
        shown = {shown} if isinstance(shown, str) else set(shown)
        self._channels: Channels = {
            name: channel
            for name, channel in graph.channels.items()
            if name not in shown and isinstance(channel, (EphemeralValue, LastValueAfterFinish, *BARRIERS))
        }
        self.has_joins = any(isinstance(channel, BARRIERS) for channel in self._channels.values())
        edges = getattr(getattr(graph, "builder", None), "edges", ())
        self._late = [
            (start, BRANCH + end)
            for start, end in edges
            if isinstance(self._channels.get(BRANCH + end), LastValueAfterFinish)
        ]
        self._kind = type(version)

    def version(self, depth: int, checkpoint_id: str) -> Any:
        """The version of what is new at a checkpoint: higher than its ancestors', and its own among its siblings'.

        The same at every call, so that what was written before is written over with itself.
        """
        if self._kind is not str:
            return self._kind(depth)
        return f"{depth:032}.{xxhash.xxh3_64_intdigest(checkpoint_id.encode()) % 10**16:016}"

    def after(self, above: Ground, ran: Iterable[str], finished: Iterable[str]) -> Channels:
        """The trigger channels when tasks have run: what triggered these is consumed, joins know what arrived.

        Args:
            above: The parent's ground.
            ran: Names of the parent's tasks that came to an end or were given up.
            finished: Names of those that wrote.
        """
        channels = {
            name: spec.from_checkpoint(_copied(above.held[name]))
            for name, spec in self._channels.items()
            if name in above.held
        }
        for node in ran:
            for name in self.nodes[node].triggers if node in self.nodes else ():
                if name in channels:
                    channels[name].consume()
        for node in finished:
            for name, value in self.joined(node):
                self._of(channels, name).update([value])
            for start, name in self._late:
                if start == node:
                    self._of(channels, name).update([None])
        return {name: channel for name, channel in channels.items() if not isinstance(channel, EphemeralValue)}

    def _of(self, channels: Channels, name: str) -> BaseChannel[Any, Any, Any]:
        if name not in channels:
            channels[name] = _empty(self._channels[name])
        return channels[name]

    def joined(self, node: str) -> list[tuple[str, Any]]:
        """What a node writes to the joins that wait for it."""
        return [
            (name, node) for name, spec in self._channels.items() if isinstance(spec, BARRIERS) and node in spec.names
        ]

    def lead_to(self, channels: Channels, pulled: Mapping[str, Any]) -> set[str]:
        """Make the channels trigger these nodes and no others; the names of the channels that now do.

        Args:
            channels: The trigger channels; changed in place.
            pulled: The nodes, with the value that is to trigger each: the input for `__start__`.
        """
        for name in list(channels):
            mine = [node for node in pulled if node in self.nodes and name in self.nodes[node].triggers]
            if not mine and channels[name].is_available():
                del channels[name]
        used = set()
        for node, value in pulled.items():
            if (trigger := self._triggering(channels, node)) is not None:
                channel = self._of(channels, trigger)
                if not channel.is_available() and not isinstance(channel, BARRIERS):
                    channel.update([value])
                channel.finish()
                used.add(trigger)
        return used

    def _triggering(self, channels: Channels, node: str) -> str | None:
        """The channel that triggers a node: one that is full, else the node's own."""
        triggers = self.nodes[node].triggers if node in self.nodes else ()
        full = (
            name
            for name in triggers
            if isinstance(channel := channels.get(name), BARRIERS) and channel.seen == channel.names
        )
        own = START if node == START else BRANCH + node
        return next(
            full, own if own in self._channels else next((name for name in triggers if name in self._channels), None)
        )

    def settle(self, ground: Ground, available: set[str], pulled: Iterable[str], new: Any) -> None:
        """Let versions lead to these nodes and no others, where nodes are triggered by the state's own channels.

        Args:
            ground: The checkpoint's; changed in place.
            available: Names of the channels that hold a value.
            pulled: The nodes that run next.
            new: The version of what is new here.
        """
        pulled = set(pulled)
        for node in pulled & self.nodes.keys():
            if not any(self._unseen(ground, node, available)):
                ground.versions.update({name: new for name in self.nodes[node].triggers if name in available})
        for node in self.nodes.keys() - pulled:
            for name in list(self._unseen(ground, node, available)):
                ground.seen.setdefault(node, {})[name] = ground.versions[name]

    def _unseen(self, ground: Ground, node: str, available: set[str]) -> Iterator[str]:
        seen = ground.seen.get(node)
        for name in self.nodes[node].triggers:
            version = ground.versions.get(name)
            held = name in available and version is not None
            if held and (seen is None or name not in seen or version > seen[name]):
                yield name


def kept(channels: Channels) -> dict[str, Any]:
    """Channels as checkpoints keep them, those that hold something."""
    found = {name: channel.checkpoint() for name, channel in channels.items()}
    return {name: value for name, value in found.items() if value is not EMPTY}


def _copied(value: Any) -> Any:
    return set(value) if isinstance(value, set) else (set(value[0]), value[1]) if _is_late_barrier(value) else value


def _is_late_barrier(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], set)


def _empty(spec: BaseChannel[Any, Any, Any]) -> BaseChannel[Any, Any, Any]:
    return spec.from_checkpoint(EMPTY)


EMPTY: Any = EphemeralValue(Any).checkpoint()  # LangGraph's own mark of a channel that holds nothing
