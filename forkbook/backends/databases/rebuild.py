"""Channels of which a store holds snapshots and writes only, rebuilt at every checkpoint of a namespace. Pure.

LangGraph's own definition: a channel's value at a checkpoint is what is stored there, or the reducer's result of the
value at the parent and of what the parent's tasks wrote, by task path, task id and index. What a `Command` updated
under no task shows at its own checkpoint already.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import orjson

from ...model.states import is_placeholder
from ..values.plain import not_stored
from .commands import Updated, updated
from .messages import Unsuited, is_message
from .rows import MARKS, Saved
from .rules import Kinds, NoRule, Rule, Rules, overwritten, unwrapped
from .tasks import NULL_TASK

COUNTERS = "counters_since_delta_snapshot"
PRUNED = "older checkpoints were pruned, and with them what this value builds on"
DAMAGED = "its checkpoint, or one that it builds on, cannot be read"
GIVE = "give it, as in connect(…, reducers={{{channel!r}: f}}), or the graph, as in connect(…, graph=g)"
NO_RULE = "a DeltaChannel, whose value only its reducer can rebuild from what was written: " + GIVE
CONTRADICTED = "a DeltaChannel with a reducer of its own, since {words} does not give its stored snapshots: " + GIVE
UNSURE = "a DeltaChannel whose reducer is not known, and {doubt}: " + GIVE


@dataclass(frozen=True, slots=True)
class Held:
    """A channel at a checkpoint.

    Attributes:
        value: Its value, where that is known.
        stored: Whether the store holds just this, or says itself why it cannot be read.
        unknown: Why it is not known; None: it is.
        doubt: Why the rule by which it was rebuilt may be wrong.
        assumed: Whether it builds on a root of which the store holds no value, so that LangGraph begins with an empty
            one; a `Command` that made the thread may have written more.
    """

    value: Any = None
    stored: bool = False
    unknown: str | None = None
    doubt: str | None = None
    assumed: bool = False


@dataclass(frozen=True)
class Rebuilt:
    """What was rebuilt at a checkpoint.

    Attributes:
        values: Channels with their values, or with what says why these are not known.
        rules: Of those that are known the rules, in words.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)

    def with_channels(self, channels: Mapping[str, Updated]) -> "Rebuilt":
        """This, and channels with what a command wrote to them."""
        values = {name: channel.value for name, channel in channels.items()}
        rules = {name: channel.words for name, channel in channels.items()}
        return Rebuilt({**self.values, **values}, {**self.rules, **rules})


NOTHING = Rebuilt()


class Rebuilder:
    """Rebuilds the channels of one namespace; called again, it does again only what changed.

    Args:
        ns: The namespace.
        rules: The rules that were given for channels.
    """

    def __init__(self, ns: str, rules: Rules | None = None) -> None:
        self._ns, self._rules = ns, rules
        self._channels: dict[str, _Channel] = {}
        self._results: dict[str, tuple[list[Held], Rebuilt]] = {}
        self._shown: dict[str, Rebuilt] = {}

    def rebuilt(self, saved: Mapping[str, Saved]) -> Mapping[str, Rebuilt]:
        """What was rebuilt at each checkpoint, DeltaChannels and those that a command wrote to; empty without such.

        Args:
            saved: All checkpoints of the namespace by id. What did not change since the last call is the same object,
                and so is then its result.
        """
        for item in saved.values():
            for name in (*counted(item), *item.snapshots):
                if name not in self._channels:
                    self._channels[name] = _Channel(self._ns, name, self._rules)
        order = parents_first(saved) if self._channels else []
        found = [(channel, channel.held(saved, order)) for channel in self._channels.values()]
        self._results = {id_: self._result(id_, found) for id_ in saved} if found else {}
        shown = {id_: result for id_, (_, result) in self._results.items()}
        for id_, channels in updated(self._ns, saved, self._rules, self._channels).items():
            now = shown.get(id_, NOTHING).with_channels(channels)
            shown[id_] = before if (before := self._shown.get(id_)) == now else now
        self._shown = shown
        return shown

    def _result(self, id_: str, found: "Iterable[tuple[_Channel, Mapping[str, Held]]]") -> tuple[list[Held], Rebuilt]:
        here = [(channel, held[id_]) for channel, held in found if id_ in held]
        now = [held for _, held in here]
        before = self._results.get(id_)
        if before and len(now) == len(before[0]) and all(a is b for a, b in zip(now, before[0], strict=True)):
            return before
        return now, Rebuilt(
            {channel.name: held.value if held.unknown is None else not_stored(held.unknown) for channel, held in here},
            {channel.name: channel.words for channel, held in here if held.unknown is None},
        )


class _Channel:
    """One channel of a namespace, by the likeliest of the rules that it may follow."""

    def __init__(self, ns: str, name: str, given: Rules | None) -> None:
        self.name, self.words = name, ""
        self._ns, self._given = ns, given
        self._kinds, self._looked_at = Kinds(), dict[str, Saved]()
        self._walks: list[_Walk] = []
        self._without, self._reason = _Walk(name, NoRule("")), ""
        self._unsure: dict[str, Held] = {}

    def held(self, saved: Mapping[str, Saved], order: Sequence[str]) -> dict[str, Held]:
        """The channel at each checkpoint where the store itself does not say all; not where it has no value yet."""
        self._look(saved)
        walk = self._fitting(saved, order)
        self.words = walk.rule.words
        return {id_: self._trusted(held, walk) for id_, held in walk.shown().items() if not held.stored}

    def _look(self, saved: Mapping[str, Saved]) -> None:
        """Find the rules that fit what the channel holds; it has new ones where that turns out to be more."""
        for id_, item in saved.items():
            if self._looked_at.get(id_) is not item:
                if self.name in item.values:
                    self._kinds.add_value(item.values[self.name])
                for write in item.writes:
                    if write.channel == self.name:
                        self._kinds.add(write.value)
        self._looked_at = dict(saved)
        given = None if self._given is None else self._given(self._ns, self.name, self._kinds)
        rules = self._kinds.rules(self.name) if given is None else given
        if list(map(_identity, rules)) != [_identity(walk.rule) for walk in self._walks]:
            self._walks = [_Walk(self.name, rule) for rule in rules]

    def _fitting(self, saved: Mapping[str, Saved], order: Sequence[str]) -> "_Walk":
        """The walk by the first rule that gives the stored snapshots; without a rule only what was not written to."""
        for walk in self._walks:
            walk.go(saved, order)
            if walk.agrees():
                return walk
        words = self._walks[0].rule.words if self._walks else ""
        reason = (CONTRADICTED if words else NO_RULE).format(channel=self.name, words=words)
        if self._reason != reason:
            self._without, self._reason = _Walk(self.name, NoRule(reason)), reason
        self._without.go(saved, order)
        return self._without

    def _trusted(self, held: Held, walk: "_Walk") -> Held:
        if held.doubt is None or held.unknown is not None or walk.proven():
            return held
        text = UNSURE.format(channel=self.name, doubt=held.doubt)
        return self._unsure.setdefault(text, Held(unknown=text))


def _identity(rule: Rule) -> tuple[str, Any]:
    """What tells a rule from others: its words, and with what a channel begins."""
    try:
        return rule.words, orjson.dumps(rule.start())
    except Exception:  # a graph's channel may begin with nothing
        return rule.words, None


@dataclass(frozen=True, slots=True)
class _Step:
    """A channel at one checkpoint on a walk.

    Attributes:
        saved: The checkpoint.
        above: The parent's step.
        base: The channel as the checkpoint's children build on it.
        shown: The channel as LangGraph shows it.
        made: What the rule makes of the parent, where that must be the snapshot which is stored here.
    """

    saved: Saved
    above: "_Step | None"
    base: Held
    shown: Held
    made: Held | None


class _Walk:
    """One channel from parents to children by one rule."""

    def __init__(self, channel: str, rule: Rule) -> None:
        self.rule = rule
        self._channel = channel
        self._steps: dict[str, _Step] = {}
        self._children = Counter[str | None]()

    def go(self, saved: Mapping[str, Saved], order: Sequence[str]) -> None:
        """Walk to every checkpoint; steps stay where neither the checkpoint nor what it builds on changed."""
        before, self._steps = self._steps, {}
        self._children = Counter(item.parent_id for item in saved.values())
        for id_ in order:
            item = saved[id_]
            above = self._steps.get(item.parent_id) if item.parent_id is not None else None
            step = before.get(id_)
            if step is None or step.saved is not item or step.above is not above:
                step = self._step(item, above)
            self._steps[id_] = step

    def shown(self) -> dict[str, Held]:
        """The channel at each checkpoint."""
        return {id_: step.shown for id_, step in self._steps.items()}

    def agrees(self) -> bool:
        """Whether the rule gives every snapshot that can prove it."""
        return all(self._same(step) for step in self._proofs())

    def proven(self) -> bool:
        """Whether the rule gives a snapshot that another likely rule would not."""
        return any(step.made is not None and step.made.doubt for step in self._proofs())

    def _proofs(self) -> list[_Step]:
        """The snapshots that only children hold: a second child's own need not be made of its parent's writes."""
        steps = (step for step in self._steps.values() if step.made is not None)
        return [step for step in steps if self._children[step.saved.parent_id] == 1]

    @staticmethod
    def _same(step: _Step) -> bool:
        return step.made is None or same(step.made.value, step.base.value)

    def _step(self, saved: Saved, above: _Step | None) -> _Step:
        writes = written(above.saved, self._channel) if above else []
        base = self._base(saved, above, writes)
        pending = [write for write in saved.writes if write.task_id == NULL_TASK and write.channel == self._channel]
        shown = self._updated(base, [write.value for write in pending]) if pending else base
        made = None
        if above and base.stored and self._must_follow(saved, above.saved, writes):
            made = self._after(above.base, writes)
        return _Step(saved, above, base, shown, made if made and made.unknown is None and not made.assumed else None)

    def _base(self, saved: Saved, above: _Step | None, writes: Sequence[Any]) -> Held:
        if not saved.checkpoint.get("v"):
            return Held(unknown=DAMAGED, stored=True)
        if self._channel in saved.values:
            value = saved.values[self._channel]
            if is_placeholder(value):
                return Held(unknown=f"it builds on a value that cannot be read: {value['reason']}", stored=True)
            return self._start() if value is None else Held(unwrapped(value), stored=True)
        if self._channel not in saved.checkpoint["channel_versions"]:
            start = self._start()
            return replace(start, stored=start.unknown is not None)
        if saved.parent_id is None:
            return replace(self._start(), assumed=True)
        return self._after(above.base, writes) if above else Held(unknown=PRUNED)

    def _start(self) -> Held:
        try:
            return Held(self.rule.start())
        except Unsuited as error:
            return Held(unknown=str(error))

    def _after(self, held: Held, writes: Sequence[Any]) -> Held:
        """The channel after writes, as LangGraph replays them: the last `Overwrite` among them is a new beginning."""
        last = max((n for n, write in enumerate(writes) if overwritten(write)[0]), default=None)
        if last is not None:
            _, value = overwritten(writes[last])
            return self._after(self._start() if value is None else Held(value), writes[last + 1 :])
        if held.unknown is not None:
            return Held(unknown=held.unknown)
        if not writes:
            return Held(held.value) if held.stored else held
        try:
            value = self.rule.fold(held.value, writes)
            doubt = held.doubt or self.rule.doubt(held.value, writes)
            return Held(value, doubt=doubt, assumed=held.assumed)
        except Unsuited as error:
            return Held(unknown=str(error))

    def _updated(self, held: Held, writes: Sequence[Any]) -> Held:
        """The channel after writes, as LangGraph applies them at once: an `Overwrite` among them is all that counts."""
        alone = [write for write in writes if overwritten(write)[0]]
        return self._after(held, alone or writes)

    def _must_follow(self, saved: Saved, parent: Saved, writes: Sequence[Any]) -> bool:
        """Whether a snapshot was made of just what the parent holds, so that a wrong rule shows."""
        step, next_step = (item.metadata.get("step") for item in (parent, saved))
        return (
            self._channel in saved.snapshots
            and saved.metadata.get("source") == "loop"
            and isinstance(step, int)
            and step + 1 == next_step
            and bool(writes)
            and not any(overwritten(write)[0] for write in writes)
            and not any(write.channel in MARKS or write.task_id == NULL_TASK for write in parent.writes)
        )


def counted(saved: Saved) -> Iterable[str]:
    """The DeltaChannels that a checkpoint's metadata name: those without a snapshot there."""
    counters = saved.metadata.get(COUNTERS)
    return counters if isinstance(counters, dict) else ()


def written(saved: Saved, channel: str) -> list[Any]:
    """What a checkpoint's tasks wrote to a channel, in LangGraph's order."""
    writes = [write for write in saved.writes if write.channel == channel]
    return [write.value for write in sorted(writes, key=attrgetter("path", "task_id", "idx"))]


def parents_first(saved: Mapping[str, Saved]) -> list[str]:
    """The ids of checkpoints, each after its parent; a circle, which only a damaged store has, begins anywhere."""
    order: list[str] = []
    known: set[str] = set()
    for id_ in sorted(saved):
        line: list[str] = []
        at: str | None = id_
        while at is not None and at in saved and at not in known:
            known.add(at)
            line.append(at)
            at = saved[at].parent_id
        order += reversed(line)
    return order


def same(a: Any, b: Any) -> bool:
    """Whether a rule gave what is stored; of messages what a reducer would change."""
    if a is b or a == b:
        return True
    if not isinstance(a, list) or not isinstance(b, list) or len(a) != len(b):
        return False
    return all(one == other or _says(one) == _says(other) for one, other in zip(a, b, strict=True))


def _says(item: Any) -> Any:
    return [item[name] for name in ("type", "id", "content")] if is_message(item) else object()
