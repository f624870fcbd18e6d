"""States of a thread as LangGraph makes them, and of checkpoints of which it makes none, as their saver has them."""

import copy
import warnings
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

from ...errors import ForkbookError
from ...model.states import State, id_of
from ...model.text import visible_lines
from ..pydantic_reasons import exception_in_one_line
from ..wire import items_in
from .calls import Caller
from .holding import newest_only
from .snapshots import Reading, config
from .task_results import corrected

FIRST_PAGE = 10  # checkpoints
LARGEST_PAGE = 100
ITEMS_IN_A_PAGE = 5000  # items of lists in its states


class StateReader:
    """Reads the states of threads through a graph.

    A checkpoint of which LangGraph itself makes no state (its values fail the validation of today's graph) is read from
    the saver alone: what runs next is unknown there.

    Args:
        call: How the graph and its checkpointer are called.
        is_quiet: Whether nothing is to be said of a thread, as of a preview's copy.

    Attributes:
        unread: Why LangGraph makes no state of some checkpoint of a thread, by the thread's id.
        notes: The same as a note for the user, who is warned once.
    """

    def __init__(self, call: Caller, is_quiet: Callable[[str], bool]) -> None:
        self._call, self._is_quiet = call, is_quiet
        self.unread: dict[str, str] = {}
        self.notes: dict[str, str] = {}

    def pages(self, graph: Any, thread_id: str, ns: str, page_size: int | None) -> Iterator[list[State]]:
        """All states of a namespace, newest first; without a size in pages of about `ITEMS_IN_A_PAGE`."""
        graph, reading, before, limit = copy.copy(graph), Reading(), None, page_size or FIRST_PAGE
        saver, graph.checkpointer = graph.checkpointer, reading.sharing(graph.checkpointer)
        while states := self._page(graph, reading, config(thread_id, ns=ns), limit, before):
            yield states
            if newest_only(saver):
                return
            before = config(thread_id, min(map(id_of, states)), ns)
            if page_size is None:
                limit = max(FIRST_PAGE, min(LARGEST_PAGE, ITEMS_IN_A_PAGE // max(1, items_in(states[-1]))))

    def _page(self, graph: Any, reading: Reading, at: Any, limit: int, before: Any) -> list[State]:
        ask = {"limit": limit, "before": before}
        try:
            states = self._call.each(reading.state, graph, "get_state_history", at, **ask)
            return [corrected(state, partial(self._saved, graph)) for state in states]
        except ForkbookError:
            raise
        except Exception:
            places = self._call.each(lambda saved: saved.config, graph.checkpointer, "list", at, **ask)
        found = [self._state(graph, reading, place) for place in places]
        return [state for state in found if state is not None]

    def state(self, graph: Any, thread_id: str, checkpoint_id: str | None, ns: str) -> State | None:
        """One checkpoint's state, or the newest's; None if there is none."""
        return self._state(graph, Reading(), config(thread_id, checkpoint_id, ns))

    def states(self, graph: Any, thread_id: str, ids: Collection[str], ns: str) -> dict[str, State]:
        """The states of several checkpoints by id; equal values are one object."""
        graph, reading = copy.copy(graph), Reading()
        graph.checkpointer = reading.sharing(graph.checkpointer)
        found = {id_: self._state(graph, reading, config(thread_id, id_, ns)) for id_ in ids}
        return {id_: state for id_, state in found.items() if state is not None}

    def _state(self, graph: Any, reading: Reading, at: Any) -> State | None:
        try:
            snapshot = self._call(graph, "get_state", at)
        except ForkbookError:
            raise
        except Exception as error:
            if (saved := self._call(graph.checkpointer, "get_tuple", at)) is None:
                return None
            self._note(at["configurable"]["thread_id"], exception_in_one_line(error))
            return reading.unread(saved, graph.stream_channels_list)
        if snapshot.created_at is None:
            return None
        return corrected(reading.state(snapshot), partial(self._saved, graph))

    def _saved(self, graph: Any, state: State) -> Any:
        return self._call(graph.checkpointer, "get_tuple", {"configurable": state["checkpoint"]})

    def _note(self, thread_id: str, reason: str) -> None:
        self.unread[thread_id] = reason
        if thread_id not in self.notes and not self._is_quiet(thread_id):
            note = (
                f"LangGraph makes no state of some checkpoints of thread {thread_id}: what runs next is unknown there"
            )
            self.notes[thread_id] = f"{note} ({reason})"
            warnings.warn(visible_lines(self.notes[thread_id]), stacklevel=2)
