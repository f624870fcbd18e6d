"""A thread and what was written of it elsewhere, compared checkpoint by checkpoint under the map of their ids. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backends.wire import IN_METADATA, own
from ..model.reserved import START
from ..model.states import State
from ..model.tree import Tree
from .compare_by_id import UNNAMED
from .equality import Difference, unequal
from .match_messages import ValueMatcher
from .original import Original

UNKNOWN = "next and tasks: the source does not know them, so they were not compared"
SOURCES = "source: checkpoints are marked {new} where they were {old}"
TIMES = "created_at: the time of writing"
RUNS = "run ids, and what runs leave in the metadata of checkpoints (user_id, assistant_id and the like)"
SUBGRAPHS = "the checkpoints of subgraphs, in namespaces of their own"
OPEN = (
    "open interrupts: the node asks again when it runs, from its first question on; answers that it got before are "
    "gone, so look what it asks before you answer"
)
ANSWERED = "interrupts that were answered"
ERRORS = "errors of tasks"
PARTS = "results of tasks that finished beside one that waits or failed: they run again"
INPUT = "an input that no task has taken up yet"
UNRECORDED = "what the source did not record as a task's writes, as of edits: the target does"
NOTHING_WRITTEN = "tasks that ran and wrote nothing: they look as if they had not run"
DANGLING = "ids of parents that the history itself does not hold"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is the same under the map of ids.

    Attributes:
        ids: Checkpoint ids of the original's root namespace with those that stand for them.
        differences: Where shape, step, next, values or writes do not agree.
        not_kept: What else is not there, in words, with the number of checkpoints; of forms, of places.
    """

    ids: Mapping[str, str]
    differences: tuple[Difference, ...]
    not_kept: Mapping[str, int]


def compare(original: Original, rebuilt: Original) -> Comparison:
    """Compare a thread with what stands for it."""
    places = by_shape(original.tree, rebuilt.tree)
    matcher, lost = ValueMatcher(), Counter[str]()
    found: list[Difference] = []
    for position, state in enumerate(original.roots):
        checkpoint_id = original.tree.heads[position].id
        if position not in places:
            found.append(Difference(checkpoint_id, "", "present", "missing"))
            continue
        other = rebuilt.roots[places[position]]
        is_tip, lacking = not original.tree.children[position], may_lack_writes(original, position)
        as_shown = _yet_to_run(state) if is_tip else state
        found += (Difference(checkpoint_id, *each) for each in unlike(as_shown, other, matcher, lacking=lacking))
        found += (Difference(checkpoint_id, *each) for each in unlike_stops(state, other))
        lost.update(not_kept(state, other, is_tip=is_tip))
    extra = set(range(len(rebuilt.tree))) - set(places.values())
    found += (Difference(rebuilt.tree.heads[position].id, "", "missing", "present") for position in sorted(extra))
    found += _heads(original, rebuilt, places)
    lost[SUBGRAPHS] += len(original.states) - len(original.roots)
    lost[DANGLING] += len(original.tree.dangling)
    lost.update(matcher.forms)
    ids = {original.tree.heads[a].id: rebuilt.tree.heads[b].id for a, b in places.items()}
    return Comparison(ids, tuple(found), {words: count for words, count in lost.items() if count})


def _yet_to_run(state: State) -> State:
    """A state without the result of `__start__`: it is the input, which a server that has yet to run does not show."""
    if state["next"] != [START]:
        return state
    return {**state, "tasks": state["tasks"] and [{**task, "result": None} for task in state["tasks"]]}


def _heads(original: Original, rebuilt: Original, places: Mapping[int, int]) -> Iterator[Difference]:
    """The newest checkpoint, at which the next run goes on, where another one is that."""
    heads = len(original.tree) - 1, len(rebuilt.tree) - 1
    if min(heads) >= 0 and heads[0] in places and places[heads[0]] != heads[1]:
        yield Difference(original.tree.heads[heads[0]].id, "head", "the newest checkpoint", "an older one")


def may_lack_writes(original: Original, position: int) -> bool:
    """Whether an edit came after a checkpoint, or a run of which a file may not say the writes: they may be unknown."""
    children = original.tree.children[position]
    return bool(children) and original.tree.heads[children[0]].source in ("update", "loop")


def unlike(state: State, other: State, matcher: ValueMatcher, *, lacking: bool) -> Iterator[tuple[str, Any, Any]]:
    """Fields in which a checkpoint and what stands for it disagree: step, next, values, tasks and their writes."""
    steps = [(each["metadata"] or {}).get("step") for each in (state, other)]
    if steps[0] != steps[1] and steps[0] is not None:
        yield "metadata.step", steps[0], steps[1]
    yield from unlike_values(state, other, matcher)
    yield from unlike_tasks(state, other, matcher, lacking=lacking)


def unlike_values(state: State, other: State, matcher: ValueMatcher) -> Iterator[tuple[str, Any, Any]]:
    """Values that are not the same, and next."""
    yield from matcher.differences(state["values"], shown(state["values"], other["values"], matcher), "values")
    if state["next"] is not None and sorted(state["next"]) != sorted(other["next"] or ()):
        yield "next", state["next"], other["next"]


def shown(values: Any, others: Any, matcher: ValueMatcher) -> Any:
    """Values of another checkpoint without the channels that hold nothing, where stores leave these out."""
    if not isinstance(values, dict) or not isinstance(others, dict):
        return others
    empty = [channel for channel, value in others.items() if channel not in values and not value and value is not None]
    matcher.forms[UNNAMED] += len(empty)
    return {channel: value for channel, value in others.items() if channel not in empty} if empty else others


def unlike_tasks(state: State, other: State, matcher: ValueMatcher, *, lacking: bool) -> Iterator[tuple[str, Any, Any]]:
    """Writes of a checkpoint's tasks that are not those of the tasks which stand for them.

    Args:
        state: The original's.
        other: What stands for it.
        matcher: Compares.
        lacking: Whether what a task of the original wrote may be unknown, which is no difference.
    """
    tasks = state["tasks"]
    if tasks is None:
        return
    names = [[task["name"] for task in sorted_tasks(each)] for each in (state, other)]
    if names[0] != names[1]:
        if state["next"] is not None and sorted(state["next"]) == sorted(other["next"] or ()):
            yield "tasks", names[0], names[1]
        return
    unfinished = any(task["result"] is None for task in tasks)
    for index, (task, written) in enumerate(zip(sorted_tasks(state), sorted_tasks(other), strict=True)):
        if unfinished and written["result"] is None:
            continue  # a place without open tasks cannot hold it; `not_kept` counts it
        if lacking and task["result"] is None:
            matcher.forms[UNRECORDED] += 1
            continue
        if task["result"] == {} and written["result"] is None:
            matcher.forms[NOTHING_WRITTEN] += 1
            continue
        yield from matcher.differences(task["result"], written["result"], f"tasks[{index}].result", write=True)


def unlike_stops(state: State, other: State) -> Iterator[tuple[str, Any, Any]]:
    """Errors that only the other's tasks have, and other questions where both ask: they were run at the target."""
    if state["tasks"] is None:
        return
    known = dict(_numbered(state))
    for index, (key, task) in enumerate(_numbered(other)):
        before = known.get(key, {})
        if task.get("error") and not before.get("error"):
            yield f"tasks[{index}].error", "nothing", task["error"]
        questions = _questions(before), _questions(task)
        if all(questions):
            yield from unequal(*questions, f"tasks[{index}].interrupts")


def _numbered(state: State) -> Iterator[tuple[tuple[str, int], Mapping[str, Any]]]:
    """A state's tasks by name and by their place among those of that name."""
    seen = Counter[str]()
    for task in sorted_tasks(state):
        name = str(task["name"])
        yield (name, seen[name]), task
        seen[name] += 1


def _questions(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a task asks, without the ids of the questions, which are made of the task's."""
    return [{"value": asked.get("value")} for asked in task.get("interrupts") or ()]


def sorted_tasks(state: State) -> Sequence[Mapping[str, Any]]:
    """A state's tasks by name; of one name in their own order."""
    return sorted(state["tasks"] or (), key=lambda task: str(task["name"]))


def _by_name(tasks: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(str(task["name"]) for task in tasks)


def not_kept(state: State, other: State, *, is_tip: bool) -> Iterator[str]:
    """What is not in the checkpoint that stands for another one, and could not be."""
    old, new = state["metadata"] or {}, other["metadata"] or {}
    if old.get("source") != new.get("source"):
        yield SOURCES.format(old=old.get("source"), new=new.get("source"))
    if state["created_at"] != other["created_at"]:
        yield TIMES
    left = own(old, IN_METADATA) | {"run_id": old.get("run_id")}
    if any(any(unequal(value, new.get(key))) for key, value in left.items()):
        yield RUNS
    if state["next"] is None or state["tasks"] is None:
        yield UNKNOWN
    before, after = state["tasks"] or (), other["tasks"] or ()
    if any(task.get("error") for task in before) and not any(task.get("error") for task in after):
        yield ERRORS
    if any(task.get("interrupts") for task in before) and not any(task.get("interrupts") for task in after):
        is_open = is_tip and any(task.get("interrupts") and task.get("result") is None for task in before)
        yield OPEN if is_open else ANSWERED
    finished = [task for task in before if task.get("result") is not None]
    if len(finished) < len(before) and _by_name(finished) - _by_name(
        task for task in after if task.get("result") is not None
    ):
        yield PARTS
    if is_tip and state["next"] == [START] and not finished:
        yield INPUT


def by_shape(original: Tree, rebuilt: Tree) -> dict[int, int]:
    """Positions of the original with those of the other tree that stand at the same place.

    The n-th root stands for the n-th root, and the n-th child for the n-th child; children are in the order of their
    ids, which is that in which they were written. What has no counterpart is left out.
    """
    found = dict(zip(original.roots, rebuilt.roots, strict=False))
    for position in range(len(original)):
        if (other := found.get(position)) is not None:
            found |= dict(zip(original.children[position], rebuilt.children[other], strict=False))
    return found


MERGED = (
    "tasks: where parallel tasks ran at a fork, or before a join of them, their writes are sent as one update, so that "
    "they stand together on the first task; the values are the same"
)
LATE = (
    "tasks: a server records what a task wrote only at the newest checkpoint, and here another branch began before; "
    "the values are the same"
)
DROPPED = (
    "next: a run that begins with an input drops the tasks that waited, an update as an input does not, so they stand "
    "beside __start__ in that one checkpoint"
)
RESULT = re.compile(r"tasks\[\d+\]\.result")
STEPS = "step: a history that begins in the middle begins at step -1 or 0 there"


def reasons(found: Sequence[Difference]) -> str | None:
    """What is known of why these are there, each reason once; None: nothing."""
    return "; ".join(dict.fromkeys(why for each in found if (why := reason(each, found)))) or None


def reason(difference: Difference, found: Iterable[Difference]) -> str | None:
    """Why one of the differences is there, if that is known."""
    if difference.field == "metadata.step":
        return STEPS
    if difference.field == "next":
        dropped = difference.original == [START] and START in difference.copied
        return DROPPED if dropped else None
    if not RESULT.match(difference.field):
        return None
    written = [each.copied is not None for each in found if _beside(difference, each)]
    if not any(written):
        return LATE
    return None if all(written) else MERGED


def _beside(difference: Difference, other: Difference) -> bool:
    """Whether another difference is of what the same checkpoint's tasks wrote, too."""
    return other.checkpoint_id == difference.checkpoint_id and bool(RESULT.match(other.field))
