"""Threads from one place to another: the whole tree, nothing twice, compared checkpoint by checkpoint."""

from collections.abc import Iterable
from typing import Any

from .reports import MigrateReport


def migrate(
    src: Any,
    dst: Any,
    threads: Iterable[str] | None = None,
    *,
    dry_run: bool = False,
    limit: int | None = None,
    on_conflict: str = "skip",
    concurrency: int = 4,
    graph_id: str | None = None,
) -> MigrateReport:
    """Write threads of one place to another, every branch of them, and compare each checkpoint of both.

    Args:
        src: A Book, or anything that `connect` takes.
        dst: A Book, or anything that `connect` takes: an Agent Server, or a compiled graph with its checkpointer.
        threads: Ids; None: all.
        dry_run: Read and plan only; the target gets no request that could change it.
        limit: At most so many threads.
        on_conflict: Where another thread has the id at the target: `skip` it; `compare` the two; `new_id` writes
            ours under a new one, the same each time.
        concurrency: Threads that are written at a time.
        graph_id: The graph of threads whose metadata names none.
    """
    raise NotImplementedError
