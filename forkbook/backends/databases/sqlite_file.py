"""Opening a SQLite file to read a checkpoint store, so that nothing of it is created, changed or migrated.

A closed WAL database is opened as immutable, since an ordinary reader would leave `-wal` and `-shm` files beside it;
a database that a writer has open is read beside it. Views, virtual tables and generated columns are not read: a few
bytes of them may make gigabytes.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from ...errors import AccessDenied, ConnectionFailed, ProtocolError, SourceError
from ..budget import DEFAULT_BUDGET, Budget
from ..query_time import timed

TRIES = 5  # of a read that a writer comes into
CHANGED = "{}: a writer changed the file meanwhile; read again"
SMALLEST_LIMIT, LARGEST_LIMIT = 1_000_000, 2**31 - 1  # bytes of a cell that SQLite itself is let read
PATIENCE = 1.0  # seconds that a locked file is waited for
T = TypeVar("T")
MAGIC = b"SQLite format 3\0"
COLUMNS = {
    "checkpoints": {
        "thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "type", "checkpoint", "metadata",
    },
    "writes": {"thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx", "channel", "type", "value"},
}  # fmt: skip
TABLES = """
SELECT lower(name), type, upper(substr(sql, 1, 20)) FROM sqlite_schema WHERE lower(name) IN ('checkpoints', 'writes')
"""


class Changed(ConnectionFailed):
    """A writer changed a file that was closed when the read began."""


class SqliteFile:
    """A SQLite file with a checkpoint store, and the one connection to it; threads take turns.

    The connection stays open between reads, but for a WAL database that a writer has open: a reader that stays would
    keep the last writer from folding the log into the file, so that a copy of the file alone lacked what it holds.

    Args:
        path: The file.
        budget: The bounds of what is read.

    Attributes:
        number: Counts the files that were found there, one after the other.
    """

    def __init__(self, path: Path, budget: Budget = DEFAULT_BUDGET) -> None:
        self.path, self.budget, self.number = path, budget, 0
        self._file: tuple[int, int] | None = None
        self._lock = threading.RLock()
        self._last: _Look | None = None
        self._open: tuple[sqlite3.Connection, _Look] | None = None

    def read(self, deed: str, work: Callable[[sqlite3.Connection], T], thread_id: str | None = None) -> T:
        """What `work` makes of a connection in a read-only transaction; done again where a writer came in between.

        Args:
            deed: What is read, for the error's text.
            work: It may be called several times.
            thread_id: The thread in question.

        Raises:
            ConnectionFailed: The file is missing, locked, or changed again and again under an immutable read.
            AccessDenied: It may not be read.
            ProtocolError: SQLite finds it damaged.
            SourceError: It is no checkpoint store.
            OverBudget: It takes too long.
        """
        for _ in range(TRIES - 1):
            with suppress(Changed), self._reading(deed, thread_id) as connection:
                return work(connection)
        with self._reading(deed, thread_id) as connection:
            return work(connection)

    def close(self) -> None:
        """Close the connection; the next read opens one again."""
        with self._lock:
            if self._open:
                self._open[0].close()
            self._open = None

    @contextmanager
    def _reading(self, deed: str, thread_id: str | None) -> Iterator[sqlite3.Connection]:
        where = f"{deed} of {self.path}" if thread_id is None else f"{deed} of thread {thread_id!r}, {self.path}"
        try:
            with self._lock:
                look = self._look()
                self.number += look.file != self._file
                self._file = look.file
                connection = self._connection(look)
                clock = self.budget.meter(where, thread_id=thread_id)
                try:
                    with timed(connection, clock):
                        connection.execute("BEGIN")
                        _check_tables(connection, where)
                        yield connection
                        connection.execute("COMMIT")
                except BaseException as error:
                    self.close()
                    if isinstance(error, Exception) and self._changed(look):  # that may be why
                        raise Changed(CHANGED.format(where), thread_id=thread_id) from error
                    raise
                if look.live:
                    self.close()
                if self._changed(look):
                    raise Changed(CHANGED.format(where), thread_id=thread_id)
        except sqlite3.Error as error:
            raise _as_error(where, error, thread_id, self.path) from error
        except PermissionError as error:
            raise AccessDenied(f"{where}: this user may not read the file", thread_id=thread_id) from error
        except (OSError, ValueError) as error:
            raise ConnectionFailed(f"{where}: {error}; check the path", thread_id=thread_id) from error

    def _changed(self, look: "_Look") -> bool:
        """Whether a writer came into a read that nothing protects from it."""
        return look.immutable and look != self._look()

    def _look(self) -> "_Look":
        """How the file is found now; its header is read again only where the file changed."""
        found = self._last
        if found is None or (found.file, found.stamp) != _identity(self.path):
            self._last = found = _look(self.path)
        elif found.immutable or found.live:
            log = _has_log(self.path)
            self._last = found = replace(found, immutable=not log, live=log)
        return found

    def _connection(self, look: "_Look") -> sqlite3.Connection:
        """The connection, or a new one where the file is another one, or is not as it was when that was opened."""
        if self._open and not self._open[1].lets_stay(look):
            self.close()
        if not self._open:
            self._open = _connect(self.path, look.immutable, self.budget), look
        return self._open[0]


@dataclass(frozen=True, slots=True)
class _Look:
    """How a file is found before it is read.

    Attributes:
        file: What it is on the disk.
        stamp: Its size in bytes and when it was changed.
        immutable: Whether it is a WAL database that is closed, so that nothing but its one file counts.
        live: Whether it is a WAL database that a writer has open.
    """

    file: tuple[int, int]
    stamp: tuple[int, int]
    immutable: bool
    live: bool

    def lets_stay(self, now: "_Look") -> bool:
        """Whether a connection that was opened then is right now."""
        same = (self.file, self.immutable, self.live) == (now.file, now.immutable, now.live)
        return same and (not self.immutable or self.stamp == now.stamp)


def _look(path: Path) -> _Look:
    """How a file is found.

    Raises:
        OSError: It cannot be opened.
        SourceError: It is no SQLite database.
    """
    if not path.exists():
        raise ConnectionFailed(f"there is no file {path}; check the path", lasting=True)
    if not path.is_file():
        raise SourceError(f"{path} is no file; give the path of the SQLite file itself")
    file, stamp = _identity(path)
    with path.open("rb") as opened:
        header = opened.read(20)
    if not header.startswith(MAGIC):
        raise SourceError(f"{path} is no SQLite database; is it the file that SqliteSaver was given?")
    is_wal = header[18:20] == b"\2\2"
    log = is_wal and _has_log(path)
    return _Look(file, stamp, immutable=is_wal and not log, live=log)


def _identity(path: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """What a file is on the disk; its size in bytes and when it was changed."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise ConnectionFailed(f"there is no file {path}; check the path", lasting=True) from None
    return (stat.st_dev, stat.st_ino), (stat.st_size, stat.st_mtime_ns)


def _has_log(path: Path) -> bool:
    """Whether a WAL database's log holds anything."""
    try:
        return Path(f"{path}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _connect(path: Path, immutable: bool, budget: Budget) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    most = min(max(2 * int(budget.value_bytes), SMALLEST_LIMIT), LARGEST_LIMIT)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, most)
    connection.executescript("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
    return connection


def _check_tables(connection: sqlite3.Connection, where: str) -> None:
    found = {table: (kind, sql) for table, kind, sql in connection.execute(TABLES)}
    for table, needed in COLUMNS.items():
        kind, sql = found.get(table, ("", ""))
        stored, made = _columns(connection, table) if kind else (set[str](), set[str]())
        why = None
        if not kind:
            why = f"there is no table {table!r}"
        elif kind != "table" or sql.startswith("CREATE VIRTUAL") or needed - stored - made:
            why = f"{table!r} is a {kind}, not LangGraph's table"
        elif needed & made:
            why = f"{table!r} has generated columns in LangGraph's place ({', '.join(sorted(needed & made))})"
        if why:
            raise SourceError(f"{where}: {why}, so this is no checkpoint store; is it the right file?")


def _columns(connection: sqlite3.Connection, table: str) -> tuple[set[str], set[str]]:
    """The names of a table's columns in lower case: those that are stored, and those that reading makes."""
    rows = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
    stored = {str(row[1]).lower() for row in rows if not row[-1]}
    return stored, {str(row[1]).lower() for row in rows} - stored


def _as_error(where: str, error: sqlite3.Error, thread_id: str | None, path: Path) -> SourceError:
    said = str(error)
    if "locked" in said or "busy" in said:
        return ConnectionFailed(f"{where}: another program has locked the file; try again later", thread_id=thread_id)
    if "unsafe use of" in said:
        return SourceError(
            f"{where}: SQLite says {said}; a column or an index there calls a function that is not safe in a file of "
            "others: copy the tables checkpoints and writes to a file of their own",
            thread_id=thread_id,
        )
    if "unable to open" in said or "readonly" in said:
        return ConnectionFailed(f"{where}: SQLite says {said}; {_advice(path)}", thread_id=thread_id, lasting=True)
    return ProtocolError(
        f"{where}: SQLite says {said}; the file is damaged: take a whole copy", thread_id=thread_id, lasting=True
    )


def _advice(path: Path) -> str:
    """What to do about a file that SQLite would have to write before it can be read."""
    journal = Path(f"{path}-journal")
    if journal.exists():
        return (
            f"a program that wrote the file was killed, and {journal.name} beside it holds what must be taken back "
            "first, which forkbook does not do, since it changes nothing: open the file once with its own program, or "
            f"with sqlite3, on a copy of both files if you want to keep them as they are"
        )
    return "a database in use needs its -wal and -shm files beside it, in a folder that may be written: copy all there"
