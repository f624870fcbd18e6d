"""What the page of an explorer asks to see: one row of a table per question. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..compare.blocks_of import blocks_of
from ..compare.many import Overview, compare
from ..compare.two import Comparison
from ..errors import InvalidInput
from ..face.blocks import Block, note
from ..face.document import Document
from ..face.find import find
from ..face.page import messages, page, text, value
from ..face.views import VIEWS
from ..history import History
from ..model.reserved import END
from ..model.text import short
from ..store.memory_blocks import memory_blocks
from . import drafts
from .codes_of_acts import Kept, act_blocks
from .fields import fields, graph_of, nodes_of

CONVERSATION, MEMORY, CODE = "Conversation", "Memory", "Code"
TABS = (CONVERSATION, *VIEWS, MEMORY, CODE)
About = Mapping[str, Any]
MOST_LABELS, MOST_MESSAGES, MOST_FOUND = 1_000, 200, 500


class Shows(Protocol):
    """An explorer, as far as questions about what it shows are concerned."""

    history: History
    document: Document
    kept: list[Kept]
    coming: Kept | None
    comparison: Comparison | Overview | None

    @property
    def labels(self) -> Mapping[str, Mapping[str, Any]]:
        """By checkpoint id its label, note and star."""


@dataclass(frozen=True, slots=True)
class Question:
    """A row of the table.

    Attributes:
        answer: Takes the explorer and what the question is about; bytes go beside the message.
        slow: Whether it asks the place, or may look through much, so that it is answered from a thread.
    """

    answer: Callable[[Shows, About], Any]
    slow: bool = False


def position_in(shows: Shows, about: About, name: str = "position") -> int:
    """A position of the history shown.

    Raises:
        InvalidInput: There is no such checkpoint.
    """
    return checked(shows, about.get(name))


def checked(shows: Shows, position: Any) -> int:
    number = len(shows.history)
    if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position < number:
        raise InvalidInput(f"there is no checkpoint at position {short(position)}: the history has {number:,}")
    return position


def checked_all(shows: Shows, positions: Any, most: int) -> list[int]:
    if not isinstance(positions, list | tuple) or len(positions) > most:
        raise InvalidInput(f"positions are a list of at most {most:,}, not {short(positions)}")
    return [checked(shows, position) for position in positions]


def rows_answer(shows: Shows, about: About) -> bytes:
    """The rows from a position on."""
    start = about.get("from", 0)
    return shows.document.rows(start if isinstance(start, int) and 0 <= start <= len(shows.history) else 0)


def labels_answer(shows: Shows, about: About) -> dict[str, Any]:
    """What stands beside some rows."""
    return dict(shows.document.labels(checked_all(shows, about.get("positions"), MOST_LABELS)))


def show_answer(shows: Shows, about: About) -> Block:
    """The page of a checkpoint."""
    return page_of(shows, position_in(shows, about))


def page_of(shows: Shows, position: int) -> Block:
    """The page of a checkpoint, with what people wrote on it."""
    facts = shows.history.facts
    return page(facts, position, shows.labels.get(facts.tree.heads[position].id, {}))


def messages_answer(shows: Shows, about: About) -> list[Block]:
    """Some messages of a checkpoint."""
    start, end = about.get("from"), about.get("to")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= start + MOST_MESSAGES):
        raise InvalidInput(f"messages are asked for from one index to another, at most {MOST_MESSAGES}")
    return messages(shows.history.facts, position_in(shows, about), start, end)


def text_answer(shows: Shows, about: About) -> str:
    """The whole text of a message."""
    index = about.get("index")
    if not isinstance(index, int) or index < 0:
        raise InvalidInput(f"there is no message {short(index)}")
    return text(shows.history.facts, position_in(shows, about), index)


def value_answer(shows: Shows, about: About) -> str:
    """A value, whole, as JSON text."""
    channel, path = str(about.get("channel")), tuple(about.get("path") or ())
    return value(shows.history.facts, position_in(shows, about), channel, path)


def view_answer(shows: Shows, about: About) -> list[Block]:
    """What a tab shows."""
    tab, position = str(about.get("tab")), position_in(shows, about)
    if tab == MEMORY:
        return memory_blocks(shows.history.book.store, shows.history[position])
    if tab == CODE:
        coming = [] if shows.coming is None else [shows.coming]
        return [block for kept in (*coming, *reversed(shows.kept)) for block in act_blocks(kept)] or [NO_CODE]
    if tab == CONVERSATION:
        return []  # the page of the checkpoint has it
    if tab not in VIEWS:
        raise InvalidInput(f"there is no tab {short(tab)}; there is {', '.join(TABS)}", candidates=TABS)
    return VIEWS[tab](shows.history.facts, position)


NO_CODE = note("What you do here is written down as code.")


def find_answer(shows: Shows, about: About) -> Block:
    """Checkpoints that fit a search."""
    limit = about.get("limit", MOST_FOUND)
    return find(
        shows.document,
        text=about.get("text") or "",
        node=about.get("node"),
        flags=about.get("flags") or 0,
        since=about.get("since"),
        until=about.get("until"),
        limit=min(limit, MOST_FOUND) if isinstance(limit, int) and limit > 0 else MOST_FOUND,
    )


def compare_answer(shows: Shows, about: About) -> list[Block]:
    """Checkpoints side by side: two in detail."""
    positions = list(dict.fromkeys(checked_all(shows, about.get("positions"), 300)))
    if not positions:
        raise InvalidInput("mark the checkpoints to compare")
    picked = [shows.history[position] for position in positions]
    found = shows.history.compare(*picked) if len(picked) == 2 else compare(picked)
    shows.comparison = found
    return blocks_of(found)


def schema_answer(shows: Shows, about: About) -> Block:
    """What can be edited at a checkpoint: channels with their types, nodes to write as, nodes to stop before."""
    checkpoint = shows.history[position_in(shows, about)]
    graph = graph_of(checkpoint)
    nodes = list(nodes_of(checkpoint, graph))
    return {"fields": fields(checkpoint.state["values"], graph), "nodes": [*nodes, END], "stops": nodes}


def check_answer(shows: Shows, about: About) -> Block:
    """What is wrong with edits."""
    checkpoint = shows.history[position_in(shows, about)]
    graph = graph_of(checkpoint)
    schema = None if graph is None else graph.schema
    return {"errors": drafts.check(checkpoint.state["values"], drafts.read(about.get("edits")), schema)}


def code_answer(shows: Shows, about: About) -> list[Block]:
    """The code of one act of this sitting."""
    act = about.get("act")
    if not isinstance(act, int) or not 0 <= act < len(shows.kept):
        raise InvalidInput(f"there is no act {short(act)}: there are {len(shows.kept)} in this sitting")
    return act_blocks(shows.kept[act])


QUESTIONS: Mapping[str, Question] = {
    "rows": Question(rows_answer),
    "labels": Question(labels_answer),
    "show": Question(show_answer),
    "messages": Question(messages_answer),
    "text": Question(text_answer),
    "value": Question(value_answer),
    "view": Question(view_answer, slow=True),
    "find": Question(find_answer, slow=True),
    "compare": Question(compare_answer, slow=True),
    "schema": Question(schema_answer, slow=True),
    "check": Question(check_answer, slow=True),
    "code": Question(code_answer),
}
