"""Channels to which a command wrote that no step has taken up yet: LangGraph shows them with what it wrote. Pure.

A run that begins with `Command(update=…)` keeps the update under the checkpoint that it goes on from, as writes of no
task. The store holds the channel as it was before, and no reducer. So the rules that channels commonly follow are
tried on the steps that the store does hold; where those that fit agree, the value is known. Else it is shown as stored.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...model.reserved import ROOT
from .messages import MessageRule, Unsuited, is_message
from .rows import MARKS, Saved
from .rules import MESSAGES, Kinds, MapRule, Rule, Rules, overwritten
from .tasks import NULL_TASK

NEW_FORMAT = 3  # of checkpoints; older ones have channels named like nodes
INTERNAL = ("__", "branch:", "join:", "start:")


class NewestRule:
    """A channel without a reducer holds what was written last."""

    words = "the newest write"

    def start(self) -> Any:
        """Nothing."""
        return None

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """None: it is proven by steps that the store holds."""
        return None

    def fold(self, value: Any, writes: Sequence[Any]) -> Any:
        """The value after these writes.

        Raises:
            Unsuited: There are several, which such a channel does not take.
        """
        if len(writes) != 1:
            raise Unsuited("several writes in one step")
        return writes[0]


class SumRule:
    """What `operator.add` does: lists and texts are joined, numbers added up."""

    words = "operator.add"

    def start(self) -> Any:
        """Nothing: the first write tells the type."""
        return None

    def doubt(self, value: Any, writes: Sequence[Any]) -> str | None:
        """None: it is proven by steps that the store holds."""
        return None

    def fold(self, value: Any, writes: Sequence[Any]) -> Any:
        """The value after these writes.

        Raises:
            Unsuited: They cannot be added to it.
        """
        for write in writes:
            if not isinstance(write, list | str | int | float) or isinstance(write, bool):
                raise Unsuited("a write that cannot be added")
            if value is not None and type(value) is not type(write):
                raise Unsuited("a write of another type")
            value = write if value is None else value + write  # type: ignore[operator]  # of one type
        return value


class Updated(NamedTuple):
    """A channel with what a command wrote to it, and the rule that says so."""

    value: Any
    words: str


def updated(
    ns: str, saved: Mapping[str, Saved], rules: Rules | None, apart: Collection[str]
) -> dict[str, dict[str, Updated]]:
    """The channels that LangGraph shows with what a command wrote to them, by checkpoint id and name.

    Args:
        ns: The namespace.
        saved: All its checkpoints by id.
        rules: The rules that were given for channels.
        apart: Channels that are rebuilt otherwise.
    """
    found: dict[str, dict[str, Updated]] = {}
    fitting: dict[str, list[Rule]] = {}
    for id_, item in saved.items():
        for name, writes in _pending(item).items():
            if name in apart:
                continue
            if name not in fitting:
                fitting[name] = list(_fitting(ns, name, saved, rules))
            results = [(each, rule.words) for rule in fitting[name] if (each := _after(item, name, writes, rule)) != ()]
            if results and all(_agree(value, results[0][0][0]) for (value,), _ in results):
                found.setdefault(id_, {})[name] = Updated(results[0][0][0], results[0][1])
    return found


def _pending(saved: Saved) -> dict[str, list[Any]]:
    """What a command wrote under a checkpoint, by channel."""
    pending: dict[str, list[Any]] = {}
    for write in saved.writes:
        if write.task_id == NULL_TASK and _is_state(write.channel) and saved.checkpoint.get("v", 0) >= NEW_FORMAT:
            pending.setdefault(write.channel, []).append(write.value)
    return pending


def _is_state(channel: str) -> bool:
    return channel == ROOT or not (channel in MARKS or channel.startswith(INTERNAL))


def _fitting(ns: str, name: str, saved: Mapping[str, Saved], rules: Rules | None) -> Iterator[Rule]:
    """The rule that was given for a channel; else each common one that gives all steps which the store holds.

    A channel of messages that has LangGraph's own name for one has its reducer, unless a step tells otherwise.
    """
    kinds = Kinds()
    for item in saved.values():
        if name in item.values:
            kinds.add_value(item.values[name])
    given = None if rules is None else rules(ns, name, kinds)
    if given is not None:
        yield from given
        return
    steps = list(_steps(name, saved))
    common = (MessageRule(), NewestRule(), SumRule(), MapRule(deletes=False), MapRule(deletes=True))
    fitting = [rule for rule in common if steps and all(_gives(rule, name, *step) for step in steps)]
    yield from fitting[:1] if name == MESSAGES and common[0] in fitting else fitting


def _steps(name: str, saved: Mapping[str, Saved]) -> Iterator[tuple[Saved, Saved, list[Any]]]:
    """The steps that wrote to a channel: the checkpoint before, the one after, and the writes in LangGraph's order."""
    for child in saved.values():
        parent = saved.get(child.parent_id or "")
        if parent is None or child.metadata.get("source") != "loop" or name not in child.values:
            continue
        before, after = parent.metadata.get("step"), child.metadata.get("step")
        if not isinstance(before, int) or before + 1 != after:
            continue
        ordered = sorted(parent.writes, key=lambda write: (write.path, write.task_id, write.idx))
        if writes := [write.value for write in ordered if write.channel == name]:
            yield parent, child, writes


def _after(saved: Saved, name: str, writes: Sequence[Any], rule: Rule) -> tuple[Any, ...]:
    """A channel after writes, alone in a tuple; () where the rule cannot tell."""
    if any(overwritten(write)[0] for write in writes):
        return ()
    try:
        return (rule.fold(saved.values[name] if name in saved.values else rule.start(), writes),)
    except Unsuited:
        return ()


def _gives(rule: Rule, name: str, parent: Saved, child: Saved, writes: Sequence[Any]) -> bool:
    """Whether a rule gives what a step led to; a reducer of messages gives ids to those without one."""
    made, held = _after(parent, name, writes, rule), child.values[name]
    if isinstance(rule, MessageRule):
        return bool(made) and _agree(made[0], held)
    return bool(made) and type(made[0]) is type(held) and bool(made[0] == held)


def _agree(made: Any, held: Any) -> bool:
    """Whether two values are the same, but for ids of messages that one of them does not have yet."""
    if isinstance(made, list) and isinstance(held, list):
        return len(made) == len(held) and all(map(_agree, made, held))
    if is_message(made) and is_message(held):
        ids = made["id"], held["id"]
        return (ids[0] == ids[1] or None in ids) and {**made, "id": None} == {**held, "id": None}
    return type(made) is type(held) and bool(made == held)
