"""From what a user names to the place it is: one front door, precise backends behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .aio import in_thread
from .backends.budget import DEFAULT_BUDGET, Budget
from .backends.contract import Backend
from .backends.open_store import FOR_STORES, file_backend, is_saver, rules_given, saver_backend
from .backends.server.keys import held_headers
from .backends.typed_place import existing_path, for_libpq, held_place, kind_of
from .book import Book
from .errors import AccessDenied, ConnectionFailed, InvalidInput, ServerFault, SourceError
from .extras import require_langgraph
from .model.held import Secret
from .model.meant import other_scheme
from .tokens import counter_of

if TYPE_CHECKING:
    from .backends.archive import VerifyReport
    from .backends.databases.rules import Reducer
    from .backends.server.backend import ServerBackend
    from .model.states import Thread
    from .transfer import MigrateReport

SERVERS = ("server", "demo")


def connect(
    source: Any,
    api_key: str | Secret | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    insecure: bool = False,
    cache: str | os.PathLike[str] | None = None,
    counter: Any = None,
    sweep: bool = True,
    reducers: Mapping[str, Reducer] | None = None,
    graph: Any = None,
    budget: Budget = DEFAULT_BUDGET,
) -> Book:
    """Open a place that holds threads.

    Args:
        source: One of
            an Agent Server's address, as in "http://localhost:2024";
            a compiled graph with a checkpointer, in this process;
            a checkpointer alone, read-only: a SqliteSaver's and a PostgresSaver's store is read by forkbook itself, any
            other one by LangGraph, which may import classes and change the file;
            a `Backend` of your own (see `forkbook.backends.contract`);
            the path of a SQLite checkpoint store, read-only;
            a "postgresql://…" address of a Postgres checkpoint store, read-only;
            the path of an archive, "study.forkbook";
            the path of a JSON file of threads, "threads.json": an export, or a migration script's backup;
            "demo", a private server with a sample agent, which needs no key and no network and ends with this process.
        api_key: A key for this server; "env" takes LANGGRAPH_API_KEY, LANGSMITH_API_KEY or LANGCHAIN_API_KEY from
            the environment. None sends none, whatever the environment holds.
        headers: More headers for every request to a server.
        insecure: Let a key travel over plain http to another machine.
        cache: An archive that keeps what was read from a server, so that the next time only what is new is fetched.
        counter: What counts tokens: a function from a message (a dict) to its tokens, or a name: "approximate", an
            encoding as in "cl100k_base", a model as in "gpt-4". None: o200k where its wheel is installed.
        sweep: Delete the scratch copies that a killed preview left on a server.
        reducers: For a checkpoint store: reducers of DeltaChannels by the channel's name, where the store alone cannot
            show a value. They take the state and a list of writes, as LangGraph calls them, all of it plain data (a
            message is a dict), and give the new state.
        graph: For a checkpoint store: the compiled graph that wrote it, whose own reducers are used so.
        budget: The most that one read may cost in bytes, items, depth and seconds; see `Budget`. It does not bound
            what LangGraph reads, of a compiled graph or a checkpointer.

    Raises:
        InvalidInput: This is no such place, or a key would travel in the clear.
        SourceError: It cannot be opened; the text says why.
    """
    source, api_key, headers = held_place(source), Secret.of(api_key), held_headers(headers)  # for the locals of errors
    counter, kind = None if counter is None else counter_of(counter), kind_of(source)
    for name, given in (("api_key", api_key), ("headers", headers), ("cache", cache)):
        if given is not None and kind not in SERVERS:
            raise InvalidInput(f"{name} is for Agent Servers; what is opened here is none, so leave it out")
    if (reducers or graph is not None) and (
        kind in (*SERVERS, "address") or (kind == "object" and not is_saver(source))
    ):
        raise InvalidInput(FOR_STORES)
    rules = rules_given(reducers, graph)
    if kind == "postgres":
        from .backends.databases.postgres import PostgresBackend

        backend: Backend = PostgresBackend(for_libpq(source), rules, budget)
    elif kind in (*SERVERS, "address"):
        backend = _server(source, api_key, headers, insecure, sweep, budget)
        if cache is not None:
            from .backends.archive import CachedBackend

            backend = CachedBackend(backend, Path(cache))
    elif kind == "path":
        backend = file_backend(source, rules, budget)
    elif kind == "nothing":
        raise InvalidInput("connect() got an empty text where an address or a path belongs")
    elif hasattr(source, "get_state_history") and hasattr(source, "checkpointer"):
        require_langgraph()
        from .backends.graph.backend import GraphBackend

        backend = GraphBackend(source)
    elif is_saver(source):
        backend = saver_backend(source, rules, budget)
    elif isinstance(source, Backend):
        backend = source
    elif hasattr(source, "compile"):
        raise InvalidInput("this graph is not compiled: fb.connect(builder.compile(checkpointer=…))")
    else:
        raise InvalidInput(
            f"connect() takes an address, a path, a compiled graph or 'demo', not {type(source).__name__}; it "
            "also opens a checkpointer alone, and an instance of your own forkbook.backends.contract.Backend"
        )
    return Book(backend, counter, _sweep_bar)


def migrate(
    src: Any,
    dst: Any,
    threads: Iterable[str] | None = None,
    *,
    dry_run: bool = False,
    limit: int | None = None,
    on_conflict: str = "skip",
    concurrency: int = 4,
    assistant: str | None = None,
    secrets: bool = False,
    budget: Budget = DEFAULT_BUDGET,
) -> MigrateReport:
    """Write threads of one place to another, every branch of them, and compare each checkpoint of both.

    Thread ids and metadata are kept. A server writes checkpoints of its own, through the graph's reducers, so that
    their ids, times and sources are new; shape, steps, next, values and writes are the same, or the report says where
    they are not, and why. A thread is never there twice: run again after a fault, it goes on.

    Args:
        src: A Book, or anything that `connect` takes.
        dst: A Book, or anything that `connect` takes and that can be written to.
        threads: Their ids; None: all.
        dry_run: Look and report; the target gets no request that could change it.
        limit: Move at most so many.
        on_conflict: Where another thread has the id: `skip` it; `compare` the two; `new_id`: write this one under a
            new id, the same one each time.
        concurrency: Threads on their way at a time, 1 to 64, where both places allow that.
        assistant: Assistant id or graph name for threads that do not say which one they belong to.
        secrets: Take along the API keys, passwords and tokens in configurable, context and metadata; without it they
            are left out, and the report names them.
        budget: The most that one read of a place that is opened here may cost; see `Budget`. A Book keeps its own.

    Returns:
        One row per thread; `bool(report)` is whether every thread is there, and nothing differs.

    Raises:
        InvalidInput: An argument cannot be right.
        Unsupported: Nothing can be written to this target.
        SourceError: The source's threads cannot be listed.
    """
    from .transfer.migrate import migrate

    src, dst = held_place(src), held_place(dst)  # for the locals of errors
    sweep = not dry_run
    with _opened(src, sweep=sweep, budget=budget) as source, _opened(dst, sweep=sweep, budget=budget) as target:
        return migrate(
            source,
            target,
            threads,
            dry_run=dry_run,
            limit=limit,
            on_conflict=on_conflict,
            concurrency=concurrency,
            assistant=assistant,
            secrets=secrets,
        )


@overload
def verify(src: str | os.PathLike[str] | Secret, *, budget: Budget = DEFAULT_BUDGET) -> VerifyReport: ...
@overload
def verify(
    src: Any, dst: Any, threads: Iterable[str] | None = None, *, budget: Budget = DEFAULT_BUDGET
) -> MigrateReport: ...
def verify(
    src: Any, dst: Any = None, threads: Iterable[str] | None = None, *, budget: Budget = DEFAULT_BUDGET
) -> VerifyReport | MigrateReport:
    """Look whether an archive is whole, or whether two places hold the same threads; `bool(report)` is the verdict.

    Args:
        src: An archive: each thread is compared with its digest. With `dst`: a Book, or anything that `connect` takes.
        dst: Where the same threads should be; checkpoints are matched by id, or under new ids by the tree's shape.
        threads: Ids at the source; None: all.
        budget: The most that one read of a place that is opened here may cost; see `Budget`. A Book keeps its own.

    Raises:
        SourceError: A place cannot be opened, or its threads cannot be listed.
    """
    src, dst = held_place(src), held_place(dst)  # for the locals of errors
    if dst is None:
        from .backends.archive import verify

        return verify(existing_path(src), budget)
    from .transfer.verify import verify_places

    with _opened(src, budget=budget) as source, _opened(dst, budget=budget) as target:
        return verify_places(source, target, threads)


async def amigrate(src: Any, dst: Any, threads: Iterable[str] | None = None, **how: Any) -> MigrateReport:
    """`migrate` for async code; between servers it goes on to its end in its thread when this is cancelled."""
    src, dst = held_place(src), held_place(dst)
    return await in_thread(migrate, src, dst, threads, **how)


@overload
async def averify(src: str | os.PathLike[str] | Secret, *, budget: Budget = DEFAULT_BUDGET) -> VerifyReport: ...
@overload
async def averify(
    src: Any, dst: Any, threads: Iterable[str] | None = None, *, budget: Budget = DEFAULT_BUDGET
) -> MigrateReport: ...
async def averify(
    src: Any, dst: Any = None, threads: Iterable[str] | None = None, *, budget: Budget = DEFAULT_BUDGET
) -> VerifyReport | MigrateReport:
    """`verify` for async code."""
    src, dst = held_place(src), held_place(dst)
    return await in_thread(verify, src, dst, threads, budget=budget)


@contextmanager
def _opened(place: Any, *, sweep: bool = False, budget: Budget = DEFAULT_BUDGET) -> Iterator[Backend]:
    """A place's backend, closed afterwards unless it was open before."""
    if isinstance(place, Book):
        place.check_open()
        yield place.backend
        return
    with connect(place, sweep=sweep, budget=budget) as book:
        yield book.backend


def _server(address: Any, api_key: Any, headers: Any, insecure: bool, sweep: bool, budget: Budget) -> Backend:
    from .acts.write import sweep_scratches
    from .backends.server.backend import ServerBackend

    if kind_of(address) == "demo":
        from .demo import serve

        address = serve()
    backend = ServerBackend(address, api_key, headers, insecure=insecure, budget=budget)
    try:
        left = _opened_scratches(backend)
        if sweep:
            sweep_scratches(backend, left)
    except BaseException:
        backend.close()
        raise
    return backend


def _opened_scratches(backend: ServerBackend) -> list[Thread]:
    """The scratch copies on a server; none where this user may not search, who can open a thread by its id.

    Raises:
        ConnectionFailed: It cannot be reached, or with https in the place of http, or the other way round.
        SourceError: It is no Agent Server, or does not know this user.
    """
    try:
        try:
            return backend.scratches()
        except (AccessDenied, ServerFault) as error:
            if error.details.get("status") == 401:
                raise
            backend.check()
            return []
    except (SourceError, InvalidInput) as error:
        if isinstance(error, AccessDenied) or (other := other_scheme(backend.address)) is None:
            raise
        spoken = other.partition("://")[0]
        raise ConnectionFailed(
            f"{error} At this port a server speaks {spoken}: try {spoken}://, {other!r}", candidates=[other]
        ) from error


def _sweep_bar(sweep: Any) -> Callable[[int], object]:
    """The bar of a sweep in the background, shown under the running cell."""
    from .widgets.sweep_bar import SweepBar

    return SweepBar(sweep).shown().advance
