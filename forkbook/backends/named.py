"""A thread by its id, or, where there is none, by how people write its id."""

from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import ForkbookError, InvalidInput, ThreadNotFound
from ..model.lookup import id_like, is_piece
from ..model.text import short
from .contract import Backend

T = TypeVar("T")


def named(backend: Backend, thread_id: Any, act: Callable[[str], T]) -> T:
    """What `act` gives of a thread; where no thread has this id, of the one whose id is like it.

    Args:
        backend: The place; its ids are listed where a piece of an id was given.
        thread_id: An id, an id as it is shown (`5868deb3…cf84`), or the end of one.
        act: Raises `ThreadNotFound` where there is no thread of an id.

    Raises:
        InvalidInput: This is no id.
        ThreadNotFound: No thread is like it, or several are.
    """
    checked_id(thread_id)
    try:
        return act(thread_id)
    except ThreadNotFound as error:
        if not is_piece(thread_id):
            raise
        try:
            ids = list(backend.ids())
        except ForkbookError:
            raise error from None
        return act(id_like(thread_id, ids, error))


def checked_id(thread_id: Any) -> None:
    """Check that this can be a thread's id; LangGraph's checkpointers take an empty one, too.

    Raises:
        InvalidInput: It is none.
    """
    if not isinstance(thread_id, str):
        raise InvalidInput(f"a thread id is text, not {short(thread_id)}; book.threads() lists them")
    try:
        thread_id.encode()
    except UnicodeEncodeError:
        raise ThreadNotFound(f"no thread {thread_id!a}: no place can hold such an id") from None
