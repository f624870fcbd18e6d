"""Calls that only read, made side by side; a process that ends does not wait for their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

AT_ONCE = 6  # reads side by side where a user waits for one thread
K = TypeVar("K")
T = TypeVar("T")


class Readers:
    """Threads that take one call after the other.

    The standard library's pool is joined when a process ends: after Ctrl-C that waits for a server's slowest answer.

    Args:
        number: How many threads.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        for n in range(number):
            Thread(target=self._work, name=f"forkbook-reader_{n}", daemon=True).start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Have a call made when its turn comes, unless its future is cancelled before."""
        from concurrent.futures import Future

        future: Future[T] = Future()

        def made() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)

        self._calls.put(made)
        return future

    def close(self) -> None:
        """End the threads, each after the call that it is at."""
        for _ in range(self._number):
            self._calls.put(None)

    def _work(self) -> None:
        while call := self._calls.get():
            call()


def side_by_side(read: Callable[[K], T], keys: Sequence[K], readers: int) -> list[T]:
    """What is read under each of these keys, in their order; several are read at a time."""
    if min(readers, len(keys)) <= 1:
        return [read(key) for key in keys]
    pool = Readers(min(readers, len(keys)))
    futures = [pool.submit(partial(read, key)) for key in keys]
    try:
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()
        pool.close()
