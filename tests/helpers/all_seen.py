"""Look at everything that a place holds."""

import contextlib

import forkbook as fb


def seen(path):
    """Looks at everything, in the threads and in the memory; nothing but a ForkbookError may come out."""
    with contextlib.suppress(fb.ForkbookError), fb.connect(path) as book:
        for look in (lambda: book.threads(), lambda: book.store.items_df(), lambda: book.store.namespaces()):
            with contextlib.suppress(fb.ForkbookError):
                look()
        with contextlib.suppress(fb.ForkbookError):
            book.tree("bad")
        with contextlib.suppress(fb.ForkbookError):
            history = book["bad"]
            repr(history)
            for name in ("checkpoints", "messages", "tasks", "branches", "tokens"):
                getattr(history, f"{name}_df")()
    return fb.connect(path)
