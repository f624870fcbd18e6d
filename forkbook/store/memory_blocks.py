"""What is known about the user of a checkpoint's run, as blocks, which the explorer's page draws."""

from __future__ import annotations

from typing import Any

from ..acts.spot import HasSpot
from ..backends.store import text_of
from ..errors import ForkbookError, Unsupported
from .memory import Store, user_of
from .show_memory import NOT_FORKED, SHOWN, VALUE_SHOWN, said, when

Block = dict[str, Any]


def memory_blocks(store: Store, checkpoint: HasSpot) -> list[Block]:
    """The items about the user, those marked that were written after the checkpoint; else in words why there are none.

    It asks the place each time: the memory changes without the thread.
    """
    try:
        user = user_of(checkpoint)
        if user is None:
            spaces = store.namespaces()
            some = ", ".join(map(text_of, spaces[:SHOWN])) or "nothing"
            more = f" … {len(spaces) - SHOWN:,} more" if len(spaces) > SHOWN else ""
            unnamed = "The run that led here names no user_id, in its configurable or context"
            return [_note(f"{unnamed}; the store has {some}{more}."), _note(NOT_FORKED)]
        items = store.about(user)
    except Unsupported as error:
        return [_note(str(error))]
    except ForkbookError as error:
        return [{**_note(str(error)), "tone": "error"}]
    if not items:
        return [_note(f"Nothing is known about user {user}."), _note(NOT_FORKED)]
    rows = [
        [_cut(said(item.value)), text_of(item.namespace), item.key, when(item, checkpoint.spot.created_at)]
        for item in items[:SHOWN]
    ]
    columns = ["what", "namespace", "key", "written (UTC)"]
    count = f"{len(items):,} item{'' if len(items) == 1 else 's'} about user {user}"
    rest = len(items) - SHOWN
    return [
        _note(count if rest <= 0 else f"{count}, {rest:,} of them not shown"),
        {"kind": "table", "columns": columns, "numeric": [], "rows": rows, "marked": -1, "positions": None},
        _note(NOT_FORKED),
    ]


def _cut(text: str) -> str:
    rest = len(text) - VALUE_SHOWN
    return text if rest <= 0 else f"{text[:VALUE_SHOWN]} … {rest:,} more characters"


def _note(text: str) -> Block:
    return {"kind": "note", "tone": "", "text": text}
