"""Threads that have their turn one after the other, several at a time: a bad one never stops the others."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..errors import AccessDenied, ConnectionFailed, ForkbookError
from ..model.states import Thread
from .outcome import Move

UNREACHABLE = 3  # threads in a row whose place is gone: then it is gone for the rest, too


@dataclass(frozen=True, slots=True)
class Moved:
    """A move, and whether a place could not be reached for it."""

    move: Move
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    """What came of all threads.

    Attributes:
        moves: One per thread.
        unreachable: Why a place could not be reached, which ended it early; None: both places could.
        interrupted: Whether Ctrl-C ended it early.
    """

    moves: tuple[Move, ...]
    unreachable: str | None = None
    interrupted: bool = False


def each(move: Callable[[Thread], Move], wanted: Sequence[Thread], workers: int, said: str) -> Turns:
    """Give every thread its turn.

    Args:
        move: What is done with a thread.
        wanted: The threads' records, or just their ids.
        workers: How many at a time.
        said: What is being done, for the progress bar.
    """
    from tqdm.auto import tqdm

    moved: dict[int, Moved] = {}
    gone, unreachable, interrupted = 0, None, False
    with tqdm(total=len(wanted), desc=said, unit="", delay=1, leave=False) as bar:
        try:
            for number in _done(lambda number: moved.update({number: _safely(move, wanted[number])}), wanted, workers):
                bar.update()
                gone = gone + 1 if moved[number].unreachable else 0
                if gone == UNREACHABLE < len(wanted):
                    unreachable = moved[number].move.reason
                    break
        except KeyboardInterrupt:
            interrupted = True
    unreached = [Moved(Move(str(record["thread_id"]), None, "not reached")) for record in wanted]
    moves = tuple(moved.get(number, left).move for number, left in enumerate(unreached))
    return Turns(moves, unreachable, interrupted)


def _done(work: Callable[[int], None], wanted: Sequence[Thread], workers: int) -> Iterator[int]:
    """The numbers of the threads that are done, in their order; those under way are ended when this is left early."""
    if workers == 1:
        for number in range(len(wanted)):
            work(number)
            yield number
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="forkbook-turn") as pool:
        futures = [pool.submit(work, number) for number in range(len(wanted))]
        try:
            for number, future in enumerate(futures):
                future.result()
                yield number
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _safely(move: Callable[[Thread], Move], record: Thread) -> Moved:
    """One thread's row, whatever happens."""
    thread_id = str(record["thread_id"])
    try:
        return Moved(move(record))
    except ForkbookError as error:
        gone = isinstance(error, ConnectionFailed) or (isinstance(error, AccessDenied) and error.everywhere)
        return Moved(Move(thread_id, None, "error", reason=str(error)), gone)
    except Exception as error:
        return Moved(Move(thread_id, None, "error", reason=f"{type(error).__name__}: {error}"))
