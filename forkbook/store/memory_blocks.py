"""What is known about the user of a checkpoint's run, as blocks, which the explorer's page draws."""

from __future__ import annotations

from ..acts.spot import HasSpot
from ..backends.store import text_of
from ..errors import ForkbookError, Unsupported
from ..face.blocks import Block, note, shorter, table
from .memory import Store, user_of
from .show_memory import NOT_FORKED, SHOWN, VALUE_SHOWN, said, when


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
            return [note(f"{unnamed}; the store has {some}{more}."), note(NOT_FORKED)]
        items = store.about(user)
    except Unsupported as error:
        return [note(str(error))]
    except ForkbookError as error:
        return [note(str(error), "error")]
    if not items:
        return [note(f"Nothing is known about user {user}."), note(NOT_FORKED)]
    rows = [
        [
            shorter(said(item.value), VALUE_SHOWN),
            text_of(item.namespace),
            item.key,
            when(item, checkpoint.spot.created_at),
        ]
        for item in items[:SHOWN]
    ]
    columns = ["what", "namespace", "key", "written (UTC)"]
    count = f"{len(items):,} item{'' if len(items) == 1 else 's'} about user {user}"
    rest = len(items) - SHOWN
    return [
        note(count if rest <= 0 else f"{count}, {rest:,} of them not shown"),
        table(columns, rows),
        note(NOT_FORKED),
    ]
