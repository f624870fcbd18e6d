"""What a place holds, as frames and bare trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .backends.contract import Backend
from .backends.named import named
from .backends.search import check_search
from .model.tree import Tree
from .twins import twin

if TYPE_CHECKING:
    import pandas as pd


class BookViews:
    """The frames and bare trees of a book, which says what its `backend` is."""

    backend: Backend

    def threads(self, **search: Any) -> pd.DataFrame:
        """Every thread that fits, newest first; all pages are read.

        Args:
            **search: LangGraph's own: `metadata={"user": "x"}`, `status="interrupted"`, `values=…`, `sort_by`,
                `limit` (here: of all, not of a page) …

        Returns:
            One row per thread: `thread_id`, `status`, `created_at`, `updated_at`, `graph_id`, `metadata` (a dict).

        >>> history.thread_id in set(book.threads().thread_id)
        True
        """
        from .frames import THREADS, frame, threads_rows

        check_search(search)
        return frame(list(threads_rows(list(self.backend.threads(**search)))), THREADS)

    def tree(self, thread_id: str) -> Tree:
        """The bare tree of a thread: ids, parents, steps, sources; a store reads it without any value.

        >>> len(book.tree(history.thread_id).heads)
        6
        """

        def tree_of(id_: str) -> Tree:
            heads = self.backend.heads(id_)
            if not heads:
                self.backend.thread(id_)  # raises where there is no such thread
            return Tree(heads)

        return named(self.backend, thread_id, tree_of)

    def copies(self, thread_id: str) -> pd.DataFrame:
        """The copies made from a thread by forkbook, newest first; also by acts `in_copy` and by sweeps.

        A server's own `threads.copy` leaves no trace, unless the thread is itself a copy by forkbook. A checkpointer
        keeps no metadata, so there copies are known as long as the book is open that made them.

        Returns:
            One row per copy: the columns of `threads()`, and `copied_at`, `checkpoint_id` (the last of a copied
            lineage; null: the whole thread) and `whole` (False: its maker was killed before it was written to its end).

        Raises:
            ThreadNotFound: There is neither such a thread nor a copy of one; copies of a deleted thread are found.

        >>> list(book.copies(history.thread_id).columns[-3:])
        ['copied_at', 'checkpoint_id', 'whole']
        """
        from .frames import frame
        from .transfer.copy import COPIES, copies_rows

        return frame(named(self.backend, thread_id, lambda id_: copies_rows(self.backend, id_)), COPIES)

    def leftovers(self, *, delete: bool = False) -> pd.DataFrame:
        """Scratch copies that are still on a server: an edit is tried on one, and a killed program leaves it behind.

        Args:
            delete: Delete them all; look first, one that another program is using is among them.

        Returns:
            One row per thread, which `delete=True` has deleted: the columns of `threads()`, and `mark` (`scratch`, or
            `scratch?` where only its looks say that it is one), `copy_of` and `since`.
        """
        from .acts.leftovers import LEFTOVERS, leftovers
        from .frames import frame

        return frame(leftovers(self.backend, delete=delete), LEFTOVERS)

    athreads, atree, acopies = twin(threads), twin(tree), twin(copies)
