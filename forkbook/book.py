"""A book: a place that holds threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from .acts.act import Act
from .acts.options import Options, RunOptions
from .backends.closed import ClosedBackend
from .backends.contract import Backend
from .backends.named import checked_id, named
from .book_views import BookViews
from .errors import InvalidInput, ThreadNotFound
from .facts import Facts, read
from .history import History
from .model.secrets import veiled
from .model.text import shown
from .tokens import counter_of
from .twins import twin

if TYPE_CHECKING:
    from .checkpoint import Checkpoint
    from .store import Store
    from .sweep.result import Sweep
    from .transfer import CopyReport, ExportReport


class Book(BookViews):
    """A place that holds threads; closes with `close()` or `with`.

    Attributes:
        backend (Backend): What it reads: a server, a graph, a store or an archive.
        counter (Counter | None): What counts tokens; None: the default.
        sweep_bar (Callable | None): Shows how far a sweep in the background is, in a notebook.
    """

    def __init__(
        self,
        backend: Backend,
        counter: Any = None,
        sweep_bar: Callable[[Any], Callable[[int], object]] | None = None,
    ) -> None:
        self.backend = backend
        self.sweep_bar = sweep_bar
        self.counter = None if counter is None else counter_of(counter)

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; closing again is no error. What is asked of the book then raises `BookClosed`.

        Histories that were read before keep what they have, but cannot be refreshed or acted on.
        """
        self.backend.close()
        self.backend = ClosedBackend(self.backend)

    def check_open(self) -> None:
        """Check that the book was not closed.

        Raises:
            BookClosed: It was.

        >>> book.check_open()
        """
        if isinstance(self.backend, ClosedBackend):
            self.backend.refuse()

    @shown
    def __repr__(self) -> str:
        closed = ", closed" if isinstance(self.backend, ClosedBackend) else ""
        return f"<Book on {self.backend.kind} {self.backend.address}{closed}>"

    __iter__ = None  # a book is no sequence; its threads are in threads()

    def __contains__(self, thread_id: object) -> bool:
        try:
            checked_id(thread_id)
            self.backend.thread(str(thread_id))
        except (ThreadNotFound, InvalidInput):
            return False
        return True

    def __getitem__(self, thread_id: str) -> History:
        return self.history(thread_id)

    @property
    def store(self) -> Store:
        """The memory that threads share.

        >>> type(book.store).__name__
        'Store'
        """
        from .store import Store

        return Store(self)

    def history(
        self, thread_id: str, *, limit: int | None = None, page_size: int | None = None, subgraphs: bool = False
    ) -> History:
        """Every checkpoint of a thread.

        Args:
            thread_id: The thread's id; where there is none such, its id as it is shown, `5868deb3…cf84` (also with
                `...`), or its end, 4 characters or more that no other thread's id ends in.
            limit: Read at most so many, the newest; the history then says that it is not complete.
            page_size: Checkpoints a request, 1 to 1,000; by default chosen by their size.
            subgraphs: Read those of subgraphs, too, at any depth, each inside the checkpoint whose task ran it.

        Raises:
            ThreadNotFound: There is no such thread, or several ids end so.
            SourceError: It could not be read to its end; the text says how far it got.

        >>> len(book.history(history.thread_id))
        6
        """
        if limit is not None and not (isinstance(limit, int) and limit > 0):
            raise InvalidInput(f"limit is {limit!r}: give 1 or more, or None for all")

        def read_it(id_: str) -> Facts:
            return read(self.backend, id_, self.counter, limit=limit, page_size=page_size, subgraphs=subgraphs)

        return self.history_of(named(self.backend, thread_id, read_it))

    def history_of(self, facts: Facts) -> History:
        """The history of a thread of this book that was read.

        >>> len(book.history_of(history.facts))
        6
        """
        return History.of(self, facts)

    def checkpoint_of(self, history: History, position: int) -> Checkpoint:
        """A checkpoint of a history.

        >>> book.checkpoint_of(history, 0).title
        'input'
        """
        return history[position]

    def export(
        self,
        path: str | os.PathLike[str],
        threads: Iterable[str] | None = None,
        *,
        format: str | None = None,
        readers: int | None = None,
        secrets: bool = False,
    ) -> ExportReport:
        """Write threads to an archive, a JSON file, or a folder of Parquet tables; the name's suffix says which.

        Each thread is written as it was when its newest page was read; what came later is left out, and reported.

        `study.forkbook`, an archive: each value once. What it holds already and did not change is skipped, so an export
        that was stopped goes on where it was. `threads.json`: the plain list of threads with their values, metadata and
        history, newest first. `study.parquet`, a folder: `threads`, `checkpoints`, `messages`, `tasks`, `branches` and
        `tokens`, each to be read by `pd.read_parquet(folder / "checkpoints")`. File and folder appear when they are
        whole, in place of what was there; but one with threads that this export could not read stays, and what could
        be read is then in `report.partial`, as in `threads.partial.json`.

        Args:
            path: The file or folder.
            threads: Their ids; None: all.
            format: "archive", "json" or "parquet", where the suffix says nothing.
            readers: How many threads of a server are read side by side; None: 6.
            secrets: Write the API keys, passwords and tokens in configurable, context and metadata, too; without it
                they are left out, and the report names them.

        Returns:
            A report: what was written, what was there already, and the threads that could not be read, with reasons.

        Raises:
            InvalidInput: The format or the path cannot be right.
            MissingExtra: Parquet needs pyarrow: pip install 'forkbook[parquet]'.
            SourceError: It cannot be written, or the place is gone.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     book.export(f"{folder}/study.forkbook", [history.thread_id]).threads
        1
        """
        from .transfer.export import export_with_bar

        self.check_open()
        how: dict[str, Any] = {"format": format, "readers": readers, "counter": self.counter, "secrets": secrets}
        return export_with_bar(Path(path), self.backend, threads, **how)

    def sweeps(self, thread_id: str) -> list[Sweep[History, Checkpoint]]:
        """The sweeps that set out from a thread, oldest first, as `cp.sweep(…)` gave them; their scores are gone.

        A sweep whose kernel ended too early is found as far as it came. A checkpointer keeps only checkpoints, so there
        a branch that failed before its run wrote one is missing; the sweep's `notes` say so. A store or an archive
        cannot search for copies: it shows the sweeps in the thread itself.

        >>> book.sweeps(history.thread_id)
        []
        """
        from .sweep.found import sweeps

        return named(self.backend, thread_id, lambda id_: sweeps(self, id_))

    def run(
        self,
        thread_id: str | None = None,
        input: Mapping[str, Any] | None = None,
        *,
        thread_metadata: Mapping[str, Any] | None = None,
        if_not_exists: str = "reject",
        **options: Unpack[RunOptions],
    ) -> Act[History, Checkpoint]:
        """Run the graph on from a thread's head, or from nothing in a new thread, and wait for the end.

            book.run(None, {"topic": "cats"})  # a new thread; the place gives it an id
            book.run(thread_id, {"topic": "dogs"})  # goes on with that one
            book.run("mine", {"topic": "cats"}, if_not_exists="create")  # goes on with it, or begins it

        Assistant, config and context that are not given are those of the run that led to the head.

        Args:
            thread_id: The thread; None makes a new one, `act.history.thread_id`. On a server an id is a UUID, on a
                graph in this process any text.
            input: Channels to values, or whatever a functional graph takes; None: go on with what the head waits for,
                an interrupt aside (`cp.answer`).
            assistant: Assistant id or graph name; by default that of the thread, or the only one there is.
            config, context, interrupt_before, interrupt_after, metadata: As in `Checkpoint.resume`.
            thread_metadata: A new thread's own metadata, by which `threads(metadata=…)` finds it. One that is there
                keeps its own, and the act's `notes` say so.
            if_not_exists: LangGraph's own word for a thread that is not there: `reject` it, or `create` it under this
                id; it needs an input then.
            on_event: Called with each `Event` of the run as it comes: checkpoints, tokens, tasks. What it raises
                cancels the run; after `StopRun` the act comes back with what was written until then.
            busy: Where another run is under way: `refuse`, `wait` for its end, or `enqueue` this one on the server.
            busy_timeout: How many seconds to wait.
            multitask_strategy: LangGraph's own word in the place of `busy`, `interrupt` or `rollback` for one.

        Raises:
            ThreadNotFound: There is no such thread, and it was not to be created.
            InvalidInput: An argument cannot be right, such as an id that a server does not take.
            Refused: Nothing is left to run, or a channel or node does not exist; nothing was written.
            ThreadBusy: Another run is under way.

        >>> book.run(input={}).status
        'finished'
        """
        from .acts.thread_run import run

        if thread_id is not None:
            checked_id(thread_id)
        thread_metadata, how = veiled(thread_metadata), Options.of(options)
        return Act.of(self, run(self.backend, self.counter, thread_id, input, thread_metadata, if_not_exists, how))

    def copy(
        self,
        thread_id: str,
        checkpoint: Any = None,
        metadata: Mapping[str, Any] | None = None,
        verify: bool = True,
    ) -> CopyReport:
        """Copy a thread, every branch of it or what led to one checkpoint, and compare each checkpoint of both.

        A whole copy keeps all ids. So does a lineage in a checkpointer; a server makes it anew, with new ids. What else
        a copy could not keep is in the report. If anything fails, the copy is deleted.

        Args:
            thread_id: The thread.
            checkpoint: Copy only the conversation up to here: a checkpoint, or anything that names one. Its own tasks
                are yet to run in the copy.
            metadata: Text, numbers and other JSON by name, merged into the copy's metadata.
            verify: False: compare nothing.

        Returns:
            A report; `bool(report)` is the verdict, False also where nothing was compared; `report.new_thread_id` is
            the copy. A copy that differs is kept.

        Raises:
            ThreadNotFound, CheckpointNotFound: There is none.
            ThreadBusy: A run is under way.
            InvalidInput: The metadata cannot be set.
            SourceError: It failed; the text says what became of the copy.

        >>> book.copy(history.thread_id).verdict
        'identical'
        """
        from .transfer import copy_thread
        from .transfer.copy_lineage import copy_lineage

        if checkpoint is None:
            return named(self.backend, thread_id, lambda id_: copy_thread(self.backend, id_, metadata, verify))
        history = self.history(thread_id)
        if (other := getattr(checkpoint, "thread_id", history.thread_id)) != history.thread_id:
            raise InvalidInput(f"checkpoint {checkpoint.id} is of thread {other}, not of {history.thread_id}")
        last = history.pick(checkpoint)
        return copy_lineage(self.backend, history.thread_id, list(history.states.values()), last.id, metadata, verify)

    ahistory, aexport = twin(history), twin(export)
    acopy = twin(copy, "If it is cancelled, the copy is deleted.")
    asweeps, arun = twin(sweeps), twin(run)
