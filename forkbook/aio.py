"""How a sync call waits for objects that live on an event loop: a graph with an async checkpointer, async nodes.

In the order of choice:

1. Nothing of it is async: no bridge.
2. No loop runs in this thread: the objects' own loop does the work, in whichever thread runs it; one that stands still
   is run by a thread of ours for the time of the call, and for objects without a living loop there is a spare one.
3. This thread runs the very loop that would have to do the work, as a notebook's kernel does while a cell runs: the
   loop is made re-entrant by nest_asyncio2, only then. A loop that it cannot patch (uvloop) is an error.

`in_thread` is what every `await` twin is made of: it needs no nesting and works under every loop.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .errors import Unsupported

if TYPE_CHECKING:  # `import forkbook` comes by here, and asyncio is a third of its time
    from asyncio import AbstractEventLoop as Loop
    from concurrent.futures import Future, ThreadPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class AwaitingLoop:
    """The loop that awaits a worker thread, and what the worker has handed back to it."""

    loop: Loop
    handed: set[Future[Any]] = field(default_factory=set)
    cancelled: bool = False

    def cancel(self) -> None:
        """Cancel what the worker waits for, and whatever it would hand in next."""
        self.cancelled = True
        for future in list(self.handed):
            future.cancel()


_awaiting: ContextVar[AwaitingLoop | None] = ContextVar("forkbook_awaiting", default=None)


@cache
def _workers() -> ThreadPoolExecutor:
    """Threads of our own: a loop's default ones may be needed by the very coroutine that a worker waits for."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=16, thread_name_prefix="forkbook")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a sync function of forkbook: it runs in a worker thread, and what it must await runs here, on this loop.

    Args:
        function: A sync function, such as `book.history`.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Returns:
        What it returns; what it raises is raised here. Cancelling this cancels what it awaits.
    """
    import asyncio

    awaiting, context = AwaitingLoop(asyncio.get_running_loop()), copy_context()
    context.run(_awaiting.set, awaiting)
    work = awaiting.loop.run_in_executor(_workers(), partial(context.run, function, *args, **kwargs))
    try:
        return await work
    except asyncio.CancelledError:
        awaiting.cancel()
        raise


def on_this_loop(listener: Callable[[Any], object] | None) -> Callable[[Any], object] | None:
    """A function for a worker thread that calls this one on the loop which awaits; an async one is awaited there."""
    if listener is None:
        return None

    async def called(event: Any) -> None:
        result = listener(event)
        if hasattr(result, "__await__"):
            await result

    return lambda event: wait(partial(called, event), None)


def given_up() -> bool:
    """Whether the caller no longer awaits what this worker thread does."""
    awaiting = _awaiting.get()
    return awaiting is not None and awaiting.cancelled


def wait(make: Callable[[], Coroutine[Any, Any, T]], own: Loop | None) -> T:
    """Wait for a coroutine, from wherever this is called.

    Args:
        make: Makes the coroutine.
        own: The loop that the objects in it belong to; None: they belong to none.

    Raises:
        Unsupported: This thread runs the loop that would have to do the work, and it cannot be nested.
    """
    import asyncio

    own = None if own is not None and own.is_closed() else own
    here, awaiting = running_loop(), _awaiting.get()
    if here is not None and own in (None, here):
        return _nested(make, here)
    if here is None and awaiting is not None and own in (None, awaiting.loop):
        return _handed_back(make, awaiting)
    with _turning(own or _spare()) as loop:
        try:
            return _result(asyncio.run_coroutine_threadsafe(make(), loop))
        except RuntimeError as error:
            if "different" not in str(error) or "loop" not in str(error):
                raise
            raise Unsupported(
                f"the graph's async objects belong to an event loop that is gone ({error}): make the checkpointer and "
                "the graph anew in the loop that is to use them, or open the checkpointer's store by its address"
            ) from error


def running_loop() -> Loop | None:
    """The loop that this thread is running."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _nested(make: Callable[[], Coroutine[Any, Any, T]], here: Loop) -> T:
    import asyncio

    if not isinstance(here, asyncio.BaseEventLoop):
        raise Unsupported(
            f"a sync call cannot wait here: the graph's async objects need this thread's event loop, a "
            f"{type(here).__module__}.{type(here).__qualname__}, which is running this very call and cannot be nested. "
            "Use the await twins: await book.ahistory(…), await book.athreads(), await book.acopy(…), "
            "await checkpoint.apreview(…), .aedit(…), .aresume(…), .afork(…)"
        )
    import nest_asyncio2  # type: ignore[import-untyped]

    nest_asyncio2.apply(here)
    return here.run_until_complete(make())


def _handed_back(make: Callable[[], Coroutine[Any, Any, T]], awaiting: AwaitingLoop) -> T:
    import asyncio

    if awaiting.cancelled:
        raise asyncio.CancelledError
    future = asyncio.run_coroutine_threadsafe(make(), awaiting.loop)
    awaiting.handed.add(future)
    if awaiting.cancelled:  # it came while this was being handed in
        future.cancel()
    try:
        return _result(future)
    finally:
        awaiting.handed.discard(future)


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BaseException:  # an interrupt of this thread must not leave the work running behind its back
        future.cancel()
        raise


@cache
def _spare() -> Loop:
    """The loop for objects whose own is closed, always the same one, so that what they bind to it stays in order."""
    import asyncio

    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


_turned: dict[Loop, tuple[int, threading.Thread]] = {}
_turning_lock = threading.Lock()


@contextmanager
def _turning(loop: Loop) -> Iterator[Loop]:
    """A loop that runs: in its own thread, or in one of ours until the last of several callers is done."""
    with _turning_lock:
        ours = loop in _turned or not loop.is_running()
        if ours:
            callers, thread = _turned.get(loop) or (0, threading.Thread(target=loop.run_forever, daemon=True))
            _turned[loop] = (callers + 1, thread)
            if not callers:
                thread.start()
    try:
        yield loop
    finally:
        if ours:
            with _turning_lock:
                callers, thread = _turned.pop(loop)
                if callers > 1:
                    _turned[loop] = (callers - 1, thread)
                else:
                    loop.call_soon_threadsafe(loop.stop)
                    thread.join()
