"""Threads on an Agent Server, rebuilt by supersteps: the trunk in one request, then every fork."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..backends.contract import Backend
from ..backends.retry import RETRYABLE, Retry
from ..errors import ActFailed, ForkbookError, InvalidInput, Refused, ThreadBusy, ThreadNotFound
from ..marks import import_mark
from ..model.states import State
from .compare_by_shape import may_lack_writes, unlike_tasks, unlike_values
from .match_messages import ValueMatcher
from .original import Original, read
from .plan import Step, steps
from .trial import Learned, ScratchTrial, learn

MOST_STARTS = 3  # where checkpoints are found that this migration did not plan


class Rebuilding:
    """One thread on its way: checkpoints are written in the order of the steps, so the n-th there is the n-th step's.

    Args:
        backend: The server.
        original: The thread.
        thread_id: Its id there.
        metadata: Its metadata there, with the import's mark.
        graph_id: Its graph.
        learned: What earlier threads taught about the graph's channels.
    """

    def __init__(
        self,
        backend: Backend,
        original: Original,
        thread_id: str,
        metadata: Mapping[str, Any],
        graph_id: str,
        learned: Learned,
    ) -> None:
        self._backend, self._original, self._thread_id = backend, original, thread_id
        self._metadata, self._graph_id, self._patience = metadata, graph_id, Retry()
        nodes = self._patience.read(lambda: backend.graph(graph_id)).nodes if original.states else ()
        nodes = original.nodes if nodes is None else nodes
        self._trunk, self._forks = steps(original, nodes)
        self._steps = [*self._trunk, *self._forks]
        for step in self._steps:
            learn(original, step, learned)
        self._trial = ScratchTrial(backend, original, thread_id, graph_id, learned)
        self._states: dict[str, State] | None = None  # those at the target by id, in the order of writing
        self._ids: dict[int, str] = {}  # theirs, by position in the original's tree
        self._starts, self._matcher, self._learned = 0, ValueMatcher(), learned

    def run(self) -> None:
        """Write everything, and whatever comes out wrong anew, until all is right or everything was tried."""
        with self._trial:
            self._look()
            if self._states is not None and not self._may_go_on():
                self._start_over()
            while (wrong := self._wrong_after_writing()) is not None:
                if self._improved(wrong):
                    self._start_over()

    def _improved(self, step: Step) -> bool:
        """Find the best way to make a checkpoint, which others of its kind then begin with; whether it is a new one."""
        changed = self._trial.improve(step, self._ids)
        for other in self._steps:
            if not other.settled:
                learn(self._original, other, self._learned)
        return changed

    def _look(self) -> None:
        """Read what is there."""
        try:
            there = self._patience.read(lambda: read(self._backend, {"thread_id": self._thread_id}))
        except ThreadNotFound:
            self._states, self._ids = None, {}
            return
        by_id = {state["checkpoint"]["checkpoint_id"]: state for state in there.roots}
        self._states = {id_: by_id[id_] for id_ in sorted(by_id)}
        self._ids = {step.position: id_ for step, id_ in zip(self._steps, self._states, strict=False)}
        if any((state["metadata"] or {}).get("run_id") for state in self._states.values()):
            raise Refused(
                f"thread {self._thread_id} on {self._backend.address} was begun by a migration and never finished, and "
                "has been run since: delete it, or leave it out",
                thread_id=self._thread_id,
            )

    def _may_go_on(self) -> bool:
        """Whether what an earlier attempt left is whole up to some fork, and right."""
        whole = len(self._trunk) <= len(self._states or ()) <= len(self._steps)
        return whole and not any(self._is_wrong(step) for step in self._steps if step.position in self._ids)

    def _start_over(self) -> None:
        self._patience.read(self._deleted)
        self._trial.forget()
        self._states, self._ids = None, {}

    def _deleted(self) -> None:
        with suppress(ThreadNotFound):  # by a request whose answer was lost
            mark = import_mark(self._backend.thread(self._thread_id).get("metadata"))
            if mark.get("by") != import_mark(self._metadata).get("by"):
                raise Refused(f"another migration has gone on with thread {self._thread_id}", thread_id=self._thread_id)
            self._backend.delete(self._thread_id)

    def _wrong_after_writing(self) -> Step | None:
        """Write what is missing; the first step that came out wrong, and for which not everything was tried."""
        if self._states is None and (wrong := self._wrong_in_trunk()):
            return wrong
        if len(self._ids) < len(self._steps):
            for step in self._forks:
                if step.position not in self._ids:
                    self._fork(step)
            self._look()
        if len(self._states or ()) > len(self._steps):  # a request that had seemed lost
            self._starts += 1
            if self._starts == MOST_STARTS:
                raise ActFailed(
                    f"thread {self._thread_id} on {self._backend.address} has checkpoints that were not written by "
                    "this migration: another program is writing to it",
                    thread_id=self._thread_id,
                )
            self._start_over()
            return self._wrong_after_writing()
        return next((step for step in self._steps if not step.settled and self._is_wrong(step)), None)

    def _wrong_in_trunk(self) -> Step | None:
        refusal = self._create()
        self._look()
        for step in self._trunk:
            if step.position not in self._ids:
                if step.settled:
                    raise refusal or ActFailed(f"thread {self._thread_id} was not written", thread_id=self._thread_id)
                return step
            if not step.settled and self._is_wrong(step):
                return step
        return None

    def _create(self) -> ForkbookError | None:
        """Make the thread with its trunk; what the server refused of it."""
        supersteps = [step.updates() for step in self._trunk]
        for wait in self._patience.again():
            try:
                self._backend.create(self._thread_id, self._graph_id, self._metadata, supersteps)
            except InvalidInput as error:
                return error
            except ThreadBusy as error:  # an earlier try did it, or another program
                return self._unless_ours(error)
            except RETRYABLE as error:
                self._look()
                if self._states is not None and error.details.get("status") != 429:
                    return error
                wait(error)
                continue
            return None
        return None

    def _unless_ours(self, error: ForkbookError) -> ForkbookError:
        try:
            there = self._patience.read(lambda: self._backend.thread(self._thread_id))
        except ThreadNotFound:  # another user's, which is not shown
            error.details["hidden"] = True
            raise error from None
        if import_mark(there.get("metadata")) != import_mark(self._metadata):
            raise error
        return error

    def _fork(self, step: Step) -> None:
        """Write one checkpoint at another one."""
        if step.way == "edit" and not step.settled:
            self._improved(step)
        try:
            self._ids[step.position] = self._updated(step)
        except InvalidInput:
            if step.settled:
                raise
            self._improved(step)
            self._ids[step.position] = self._updated(step)

    def _updated(self, step: Step) -> str:
        (update,) = step.updates()
        at = self._place(step)
        for wait in self._patience.again():
            try:
                return self._backend.update(self._thread_id, at, update["values"], update["as_node"])
            except RETRYABLE as error:
                newest = self._patience.read(lambda: self._backend.state(self._thread_id))
                if newest is not None and (found := newest["checkpoint"]["checkpoint_id"]) not in self._ids.values():
                    return str(found)
                wait(error)
        raise AssertionError("the last wait raises")

    def _place(self, step: Step) -> str | None:
        """The checkpoint at which a step is made; the last one at the head if it can be.

        From an update at a named checkpoint, be it the newest, a server takes the thread's status and values as they
        are there, not as the update made them.
        """
        at = self._ids.get(step.base)
        if step is self._steps[-1] and at == max(self._ids.values(), default=""):
            return None
        return at or self._original.tree.heads[step.position].parent_id or str(uuid.uuid4())

    def _is_wrong(self, step: Step) -> bool:
        """Whether a checkpoint is not what it was; its step apart, which nothing could change."""
        originals = self._original.roots
        state = self._state(step.position)
        if state is None:
            return True
        if any(unlike_values(originals[step.position], state, self._matcher)) or (step.last and state["next"]):
            return True
        parent = self._original.tree.parents[step.position]
        if parent < 0 or self._original.tree.children[parent][0] != step.position:
            return False
        before = self._state(parent)
        return before is None or any(
            unlike_tasks(originals[parent], before, self._matcher, lacking=may_lack_writes(self._original, parent))
        )

    def _state(self, position: int) -> State | None:
        return (self._states or {}).get(self._ids.get(position, ""))
