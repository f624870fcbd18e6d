"""What the inspector shows of the shared memory: what is known about the user of the picked checkpoint's run."""

from ..checkpoint import Checkpoint
from ..errors import ForkbookError, Unsupported
from ..plot.html import GREY, esc, lines
from ..store import user_of
from ..store.show_memory import known_html, unknown_html


def memory_view(checkpoint: Checkpoint) -> str:
    """The items about the user, those marked that were written after the checkpoint; else in words why there are none.

    It asks the place each time: the memory changes without the thread.
    """
    store = checkpoint.history.book.store
    try:
        user = user_of(checkpoint)
        if user is None:
            return unknown_html(store.namespaces())
        return known_html(user, store.about(user), checkpoint.created_at)
    except Unsupported as error:
        return lines(f"<i style='{GREY}'>{esc(error)}</i>")
    except ForkbookError as error:
        return lines(f"<div style='color:#c62828'>✗ {esc(error)}</div>")
