"""The file of an archive: one SQLite database that is made whole, opened without a change, and never torn."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ...errors import ForeignArchive, InvalidInput, SourceError
from ...files import new_name
from ...model.meant import near
from ..budget import Meter
from ..query_time import timed
from ..typed_place import no_file
from .errors import damaged_file, errorname
from .text import LARGEST

APPLICATION_ID = 0x666F726B  # "fork"
FORMAT = 1
MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
WRITER_PATIENCE, READER_PATIENCE = 30.0, 10.0  # seconds
LONGEST_BATCH = 0.3  # seconds until what was written is committed
TABLES = (
    "CREATE TABLE about(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE threads(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record BLOB NOT NULL, digest BLOB NOT NULL, "
    "namespaces BLOB NOT NULL, checkpoints INTEGER NOT NULL, lists INTEGER NOT NULL, leaves BLOB NOT NULL, "
    "sample BLOB NOT NULL, seal BLOB NOT NULL)",
    "CREATE TABLE checkpoints(thread INTEGER NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, "
    "PRIMARY KEY(thread, place)) WITHOUT ROWID",
    "CREATE TABLE lists(thread INTEGER NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL, "
    "PRIMARY KEY(thread, place)) WITHOUT ROWID",
    "CREATE TABLE leaves(n INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE hashes(hash BLOB PRIMARY KEY, leaf INTEGER NOT NULL) WITHOUT ROWID",
)


def check(path: Path) -> None:
    """Look at the first bytes, before SQLite does.

    Raises:
        InvalidInput: There is no such file, or it is no archive.
        ForeignArchive: It is one of another format.
        ArchiveDamaged: It is cut.
        SourceError: It cannot be read.
    """
    if missing := cut(path):
        raise damaged_file(path, missing)


def cut(path: Path) -> str | None:
    """Look at the first bytes as `check` does; in words, how much is there of a file that is cut."""
    if not is_there(path):
        raise InvalidInput(
            f"there is no file {path}; book.export({str(path)!r}) writes an archive{near(path)}", path=str(path)
        )
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder, not an archive: give a .forkbook file in it", path=str(path))
    if not path.is_file():
        raise InvalidInput(f"{path} is {no_file(path.stat().st_mode)}: it was not opened", path=str(path))
    with _read_from(path), path.open("rb") as file:
        header, size = file.read(HEADER_BYTES), path.stat().st_size
    if not header:
        raise InvalidInput(f"{path} is no archive, it is empty: book.export() writes one", path=str(path))
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise InvalidInput(f"{path} is no archive: book.export() writes one", path=str(path))
    if int.from_bytes(header[68:72]) != APPLICATION_ID:
        raise InvalidInput(f"{path} is a SQLite database, but no archive: book.export() writes one", path=str(path))
    if (version := int.from_bytes(header[60:64])) != FORMAT:
        raise ForeignArchive(
            f"archive {path} is of format {version}, and this forkbook knows format {FORMAT} only: open it with the "
            "forkbook that wrote it, or update this one (pip install -U forkbook)",
            path=str(path),
            format=version,
        )
    page_size = int.from_bytes(header[16:18])
    whole = int.from_bytes(header[28:32]) * (65536 if page_size == 1 else page_size)
    if size < whole and not _beside(path, "-journal").exists():
        return f"it is cut, {size:,} of its {whole:,} bytes are there"
    return None


def is_there(path: Path) -> bool:
    """Whether there is a file or folder of this name.

    Raises:
        SourceError: Nobody may look.
    """
    try:
        return path.exists()
    except OSError as error:
        raise SourceError(f"archive {path} cannot be looked at: {error.strerror}", path=str(path)) from error


@contextmanager
def reading(path: Path, clock: Meter, *, cut_too: bool = False) -> Iterator[sqlite3.Connection]:
    """The archive at one moment; nothing on disk changes, whatever state it was left in.

    Args:
        path: The file.
        clock: How long its queries may take.
        cut_too: Read a cut one as far as it is there: each thread is compared with its digest in any case.

    Raises:
        OverBudget: It takes too long.
    """
    if (missing := cut(path)) and not cut_too:
        raise damaged_file(path, missing)
    with ExitStack() as stack, as_errors(path, missing):
        db = _opened(path, stack, mode="ro", immutable=_is_closed_wal(path))
        stack.enter_context(timed(db, clock))
        if missing:
            db.execute("PRAGMA writable_schema = ON")  # else SQLite refuses the file; nothing is written
        try:
            db.execute("BEGIN")
            _check_tables(db, path, missing)
        except sqlite3.OperationalError as error:
            if errorname(error) != "SQLITE_READONLY_ROLLBACK":
                raise
            db = _opened(_copied(path, stack), stack, mode="rw")  # its writer was killed: undo that in a copy
            stack.enter_context(timed(db, clock))
            db.execute("BEGIN")
            _check_tables(db, path, missing)
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """The archive, to be written in transactions; made if there is none."""
    if not is_there(path):
        create(path)
    check(path)
    with ExitStack() as stack, as_errors(path):
        db = _opened(path, stack, mode="rw")
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA synchronous = FULL")
        _check_tables(db, path)
        for table in ("about", "threads"):  # a thread that its index does not show would be written twice
            if (found := db.execute(f"PRAGMA integrity_check({table})").fetchone()[0]) != "ok":
                raise damaged_file(path, found)
        yield db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


class Batches:
    """Transactions that each take in what is written within a third of a second; `with` commits the last.

    Args:
        db: The archive.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db, self._since = db, 0.0

    def __enter__(self) -> "Batches":
        return self

    def __exit__(self, *exception: object) -> None:
        self.commit()

    @contextmanager
    def part(self) -> Iterator[None]:
        """What is written here is written as a whole, or not at all."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
            self._since = time.monotonic()
        self._db.execute("SAVEPOINT part")
        try:
            yield
            self._db.execute("RELEASE part")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK TO part")
                self._db.execute("RELEASE part")
            raise

    def commit(self) -> None:
        """Keep what was written so far."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def waiting(self) -> float | None:
        """Commit what is due; the seconds until more is, None if nothing waits."""
        if not self._db.in_transaction:
            return None
        left = self._since + LONGEST_BATCH - time.monotonic()
        if left > 0:
            return left
        self.commit()
        return None


def create(path: Path) -> None:
    """Make an empty archive under another name and give it this one, unless another process was faster."""
    with new_name(path) as new:
        try:
            _fill(new)
        except sqlite3.Error as error:
            raise SourceError(f"archive {path} cannot be made: {error}", path=str(path)) from error
        try:
            os.link(new, path)
        except FileExistsError:
            return
        except OSError:  # no links on this file system
            new.rename(path)


@contextmanager
def as_errors(path: Path, missing: str | None = None) -> Iterator[None]:
    """What SQLite says, said of this archive; of a cut one how much of it is there."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite quoted something damaged
        raise damaged_file(path, missing or error) from error
    except sqlite3.Error as error:
        name = errorname(error)
        if name == "SQLITE_INTERRUPT":
            raise  # its time is over
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise SourceError(
                f"archive {path} is being written by another process: try again when that is done", path=str(path)
            ) from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
            raise SourceError(
                f"archive {path} cannot be used: {error}. What was written before is whole", path=str(path)
            ) from error
        raise damaged_file(path, missing or error) from error


def _opened(path: Path, stack: ExitStack, mode: str, *, immutable: bool = False) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if immutable else ''}"
    patience = READER_PATIENCE if mode == "ro" else WRITER_PATIENCE
    db = sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)
    stack.callback(db.close)
    db.text_factory = lambda text: text.decode("utf-8", "backslashreplace")  # a damaged id is still told
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * LARGEST)
    db.execute("PRAGMA trusted_schema = OFF")
    if mode == "ro":
        db.execute("PRAGMA query_only = ON")
    return db


def _check_tables(db: sqlite3.Connection, path: Path, missing: str | None = None) -> None:
    found = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if found != set(TABLES):
        raise damaged_file(path, missing or "its tables are not those of an archive")


def _is_closed_wal(path: Path) -> bool:
    """Whether something turned the file to WAL and closed it; else reading it would leave files beside it."""
    with _read_from(path), path.open("rb") as file:
        return file.read(20)[18:] == b"\2\2" and not _beside(path, "-wal").exists()


def _copied(path: Path, stack: ExitStack) -> Path:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="forkbook-")))
    for suffix in ("", "-journal"):
        with _read_from(path):
            shutil.copyfile(_beside(path, suffix), folder / f"archive{suffix}")
    return folder / "archive"


@contextmanager
def _read_from(path: Path) -> Iterator[None]:
    """What the system says of a file that is read without SQLite, said of this archive."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"archive {path} cannot be read: {error.strerror or error}", path=str(path)) from error


def _fill(new: Path) -> None:
    db = sqlite3.connect(new, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {FORMAT}")
        for table in TABLES:
            db.execute(table)
    finally:
        db.close()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
