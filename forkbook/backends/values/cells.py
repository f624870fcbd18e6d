"""A cell of a table, whatever type it holds: SQLite puts any value in any column, whatever the column says. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import ForkbookError, ProtocolError

NAME_BYTES = 10_000  # of an id, a type, the name of a channel: what is longer is damage
DAMAGES = (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, RecursionError)
KINDS = {bytes: "a blob", str: "text", int: "an integer", float: "a real number", type(None): "nothing"}


def sized(column: str, largest: str) -> str:
    """SQL of SQLite for two columns: a cell's size in bytes, and the cell if it is not larger than a parameter.

    Numbers have a size, too; that of the text they would be. `length` alone counts the characters of a text.
    """
    size = f"CASE typeof({column}) WHEN 'text' THEN length(CAST({column} AS BLOB)) ELSE length({column}) END"
    return f"{size}, CASE WHEN {size} <= {largest} THEN {column} END"


def as_bytes(cell: Any) -> bytes | None:
    """The bytes of a cell; of text its UTF-8, of nothing none; None: it is a number or anything else."""
    if cell is None:
        return b""
    if isinstance(cell, str):
        return cell.encode("utf-8", "surrogatepass")
    return bytes(cell) if isinstance(cell, bytes | bytearray | memoryview) else None


def as_text(cell: Any) -> str:
    """A cell that should be text, as text; nothing is ""."""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return "" if cell is None else str(cell)


def id_of(cell: Any, of: str, thread_id: str) -> str:
    """A cell that is the id of a checkpoint.

    Raises:
        ProtocolError: It is no text, or too long a one, so this is no row of LangGraph's.
    """
    if isinstance(cell, str) and len(cell) <= NAME_BYTES:
        return cell
    raise ProtocolError(
        f"thread {thread_id!r} has a checkpoint with {kind_of(cell)} in the place of {of}: its row is damaged, so take "
        "the store from a backup; other threads can be read",
        thread_id=thread_id,
        lasting=True,
    )


def kind_of(cell: Any) -> str:
    """What a cell holds, in words."""
    if isinstance(cell, bytes | str) and len(cell) > NAME_BYTES:
        return f"more than {NAME_BYTES:,} bytes"
    return KINDS.get(type(cell), f"a {type(cell).__name__}")


@contextmanager
def understood(place: str, thread_id: str) -> Iterator[None]:
    """Tell what rows of a wrong shape raise as the damage of one thread.

    Raises:
        ProtocolError: The rows are not what LangGraph writes.
    """
    try:
        yield
    except ForkbookError:
        raise
    except DAMAGES as error:
        raise ProtocolError(
            f"thread {thread_id!r} of {place} cannot be read, its rows are not what LangGraph writes "
            f"({type(error).__name__}: {error}); other threads can be read",
            thread_id=thread_id,
            lasting=True,
        ) from error
