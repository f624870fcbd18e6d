"""Every operation that reads, on a place that may hold anything."""

import contextlib

import forkbook as fb

OF_A_BOOK = (
    repr, lambda book: book.threads(), lambda book: list(book.backend.ids()), lambda book: book.store.items_df(),
    lambda book: book.store.namespaces(),
)  # fmt: skip
OF_A_THREAD = (
    lambda book, thread_id: book.tree(thread_id), lambda book, thread_id: book.backend.state(thread_id),
    lambda book, thread_id: book.history(thread_id, subgraphs=True).tasks_df(),
)  # fmt: skip
FRAMES = (
    lambda history: history.checkpoints_df(), lambda history: history.messages_df(),
    lambda history: history.tasks_df(), lambda history: history.branches_df(), lambda history: history.tokens_df(),
)  # fmt: skip
OF_A_HISTORY = (
    repr, lambda history: history.summary(), lambda history: history._repr_mimebundle_(),
    lambda history: history.figure(), lambda history: history.graph, lambda history: history.compare(0, -1),
    lambda history: history.refresh(), *FRAMES,
)  # fmt: skip
OF_A_CHECKPOINT = (
    repr, lambda cp: cp.values, lambda cp: cp.created_at, lambda cp: cp.next, lambda cp: cp.tasks,
    lambda cp: cp.status, lambda cp: cp.lineage, lambda cp: cp.waiting_for, lambda cp: cp.own_settings,
)  # fmt: skip


def look(book, *thread_ids):
    """Let every operation read, and show what it read; each may be refused, but only with a ForkbookError."""
    for read in OF_A_BOOK:
        tried(read, book)
    for thread_id in thread_ids:
        for read in OF_A_THREAD:
            tried(read, book, thread_id)
        history = tried(book.history, thread_id)
        for read in OF_A_HISTORY if history else ():
            tried(read, history)
        for checkpoint in history or ():
            for read in OF_A_CHECKPOINT:
                tried(read, checkpoint)


def tried(read, *about):
    """What an operation returns; None where it is refused, with an error that can be shown."""
    try:
        repr(found := read(*about))
    except fb.ForkbookError as error:
        str(error), repr(error)
        return None
    return found


def seen(path):
    """The book of a place, after its frames and those of its thread `bad` were read."""
    with contextlib.suppress(fb.ForkbookError), fb.connect(path) as book:
        for read in OF_A_BOOK:
            tried(read, book)
        history = tried(book.history, "bad")
        for read in FRAMES if history else ():
            tried(read, history)
    return fb.connect(path)
