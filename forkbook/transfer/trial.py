"""Updates tried on a scratch copy, until one makes the checkpoint that is wanted; the thread itself stays clean."""

import uuid
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from ..acts.write import scratch
from ..backends.contract import Backend
from ..backends.retry import RETRYABLE, Retry
from ..errors import ForkbookError, InvalidInput, ProtocolError
from ..marks import mark_of_scratch
from ..model.reserved import COPY
from ..model.states import State
from .compare_by_shape import may_lack_writes, shown, unlike_tasks
from .match_messages import ValueMatcher
from .original import Original
from .plan import Step

MOST_TRIALS = 60  # a checkpoint; each is two or three small requests
Learned = dict[tuple[Any, ...], Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an update made: the channels that are not what they were, and whether next and the parent's writes are."""

    channels: frozenset[str] = frozenset()
    next: bool = False
    writes: bool = False
    refused: bool = False

    @property
    def score(self) -> tuple[bool, int, bool, bool]:
        """The higher, the better; values count most, then next, then writes."""
        return not self.refused, -len(self.channels), self.next, self.writes


class ScratchTrial:
    """Finds the update that makes a checkpoint what it was; a context that leaves no scratch copy behind.

    Args:
        backend: The server.
        original: The thread that is rebuilt.
        thread_id: Where it is rebuilt.
        graph_id: Its graph.
        learned: What was found for one checkpoint is tried first for others of its kind; kept here.
    """

    def __init__(self, backend: Backend, original: Original, thread_id: str, graph_id: str, learned: Learned) -> None:
        self._backend, self._original, self._thread_id = backend, original, thread_id
        self._graph_id, self._learned, self._patience = graph_id, learned, Retry()
        self._stack, self._copy, self._held = ExitStack(), "", frozenset[str]()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop the scratch copy: the thread has changed."""
        self._stack.close()
        self._held = frozenset()

    def improve(self, step: Step, ids: dict[int, str]) -> bool:
        """Try what may make a step's checkpoint what it was, and settle for the best; whether that is another choice.

        Args:
            step: The step; its choice changes.
            ids: Of the checkpoints that are there, by position.
        """
        first = best = step.choice.copy(), step.node
        score = None
        for _ in range(MOST_TRIALS):
            outcome = self._tried(step, ids)
            if score is None or outcome.score > score:
                best, score = (step.choice.copy(), step.node), outcome.score
            if not _advanced(step, outcome):
                break
        step.choice, step.node = best[0], best[1]
        step.settled = True
        remember(self._original, step, self._learned)
        return best != first

    def _tried(self, step: Step, ids: dict[int, str]) -> Outcome:
        """What a step's updates make; a fault of the line costs a scratch copy, no more."""
        updates, failed = step.updates(), False
        for wait in self._patience.again():
            try:
                if step.base < 0:
                    return self._judged(step, self._alone(updates), None)
                return self._judged(step, *self._at(ids[step.base], frozenset(ids.values()), updates))
            except InvalidInput:
                return Outcome(refused=True)
            except RETRYABLE as error:
                self.forget()
                by_the_graph = error.details.get("status") == 500  # or by the server, once
                if by_the_graph and failed:
                    return Outcome(refused=True)
                failed = by_the_graph
                wait(error)
        raise AssertionError("the last wait raises")

    def _alone(self, updates: list[dict[str, Any]]) -> State:
        """What updates make of nothing."""
        thread_id = str(uuid.uuid4())
        try:
            self._backend.create(thread_id, self._graph_id, mark_of_scratch(self._thread_id), [updates])
            return self._read(thread_id, None)
        finally:
            with suppress(ForkbookError):  # swept at a later connect
                self._backend.delete(thread_id)

    def _at(self, checkpoint_id: str, known: frozenset[str], updates: list[dict[str, Any]]) -> tuple[State, State]:
        """What updates make of a checkpoint: on a copy of it, so that no trial sees what another one wrote."""
        if checkpoint_id not in self._held:
            self.forget()
            self._copy = self._stack.enter_context(scratch(self._backend, self._thread_id)).thread_id
            self._held = known
        listed: Any = [[update["values"], update["as_node"]] for update in updates]
        made = self._read(self._copy, self._backend.update(self._copy, checkpoint_id, listed, COPY))
        return made, self._read(self._copy, made["parent_checkpoint"]["checkpoint_id"])

    def _read(self, thread_id: str, checkpoint_id: str | None) -> State:
        state = self._backend.state(thread_id, checkpoint_id)
        if state is None:
            raise ProtocolError(f"checkpoint {checkpoint_id} of scratch copy {thread_id} cannot be read back")
        return state

    def _judged(self, step: Step, state: State, before: State | None) -> Outcome:
        wanted, matcher = self._original.roots[step.position], ValueMatcher()
        old, new = wanted["values"] or {}, shown(wanted["values"], state["values"], matcher) or {}
        names = old.keys() | new.keys() if isinstance(old, dict) and isinstance(new, dict) else set()
        off = {name for name in names if any(matcher.differences(old.get(name), new.get(name)))}
        following = [] if step.last else wanted["next"]
        follows = following is None or sorted(following) == sorted(state["next"] or ())
        tree, writes = self._original.tree, True
        if before is not None and tree.children[step.base][0] == step.position:
            lacking = may_lack_writes(self._original, step.base)
            writes = not any(unlike_tasks(self._original.roots[step.base], before, matcher, lacking=lacking))
        return Outcome(frozenset(off), follows, writes)


def _advanced(step: Step, outcome: Outcome) -> bool:
    """Go on to the next thing to try; False where nothing is left, or everything is right."""
    if outcome.refused and step.others:
        step.node = step.others.pop(0)
        return True
    off = step.tries.keys() if outcome.refused else outcome.channels & step.tries.keys()
    more = [name for name in off if step.tries[name].at(step.choice.get(name, 0) + 1)]
    if more:
        step.choice |= {name: step.choice.get(name, 0) + 1 for name in more}
        return True
    if not (outcome.next and outcome.writes) and step.others:
        step.node = step.others.pop(0)
        return True
    return False


def learn(original: Original, step: Step, learned: Learned) -> None:
    """Let a step begin with what was found for others of its kind."""
    kind = _kind(original, step)
    for channel, tries in step.tries.items():
        label = learned.get((*kind, channel))
        if label is not None and (number := tries.number_of(label)) is not None:
            step.choice[channel] = number
    if kind in learned and (node := learned[kind]) in step.others:
        step.others = [step.node, *(other for other in step.others if other != node)]
        step.node = node


def remember(original: Original, step: Step, learned: Learned) -> None:
    """Keep what was found for a step."""
    kind = _kind(original, step)
    for channel, number in step.choice.items():
        if found := step.tries[channel].at(number):
            learned[(*kind, channel)] = found[0]
    if len(step.nodes) == 1:
        learned[kind] = step.node


def _kind(original: Original, step: Step) -> tuple[Any, ...]:
    """What steps have in common that the same updates make right."""
    following = [
        tuple(sorted(original.roots[position]["next"] or ())) if position >= 0 else None
        for position in (step.base, step.position)
    ]
    return step.way, len(step.nodes), *following
