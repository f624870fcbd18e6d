"""One thread written to an archive: in one transaction, and read back before it counts."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path

from ...errors import ArchiveDamaged, InvalidInput, OverBudget, Refused
from ...model.states import State, Thread, id_of, key_of
from ..budget import DEFAULT_BUDGET, MOST, Budget
from ..shape import Unfit, a_record, a_state
from .errors import damaged_file
from .file import transaction, writing
from .measure import Measure
from .pack import Packed, PackedList, pack
from .read import COLUMNS, WRONG, Reader, Row, exchanged, listed, listing
from .text import LARGEST, NotJson, encoded, hash_of, squeezed, unsqueezed

SAMPLE = 4096  # bytes of the first skeleton that the others are squeezed with
OF_OURS = Budget(**MOST | {"value_bytes": LARGEST})  # what was just written


def packed(record: Thread, states: Sequence[State]) -> Packed:
    """A thread taken apart.

    Raises:
        InvalidInput: An archive cannot hold it unchanged.
    """
    thread_id = str(record["thread_id"])
    if len({key_of(state) for state in states}) < len(states):
        raise InvalidInput(f"thread {thread_id} has a checkpoint twice, so it is no history", thread_id=thread_id)
    try:
        a_record(dict(record), thread_id)
        thread_id.encode()
        for state in states:
            id_of(a_state(dict(state))).encode()
        return pack(record, states)
    except (NotJson, RecursionError, Unfit, UnicodeEncodeError) as error:
        raise InvalidInput(
            f"thread {thread_id} cannot be kept unchanged in an archive: {error}", thread_id=thread_id
        ) from error


def store(db: sqlite3.Connection, path: Path, thread: Packed, namespaces: Collection[str]) -> bool:
    """`stored` in a transaction of its own."""
    with transaction(db):
        return stored(db, path, thread, namespaces)


def stored(db: sqlite3.Connection, path: Path, thread: Packed, namespaces: Collection[str]) -> bool:
    """Write a thread in place of what the archive holds of it; False if that is the same, and whole.

    Args:
        db: The archive, in a transaction.
        path: Its file, for errors.
        thread: The thread.
        namespaces: Those of which `thread` has all checkpoints.

    Raises:
        ArchiveDamaged: The archive does not take it; what was there is there still.
    """
    reader = Reader(db, path)
    known = squeezed(encoded(sorted(namespaces)))
    old = reader.find(thread.thread_id)
    if (
        old is not None
        and (old.digest, old.namespaces) == (thread.digest, known)
        and _is_whole(reader, thread.thread_id)
    ):
        return False
    if old is not None:
        _look_for_another(reader, old, thread, path)
        _forget(db, path, old)
    row = _insert(db, thread, known, old.n if old else _next(db, "threads"))
    _list_anew(db, path, row.seal)
    if old is not None:
        _sweep(db, old, row)
    if not _is_whole(Reader(db, path, OF_OURS), thread.thread_id):
        raise damaged_file(path, f"thread {thread.thread_id} did not come back as it was written")
    return True


def keep_older(db: sqlite3.Connection, path: Path, thread: Packed) -> None:
    """Check that a thread which was pruned at its source does not replace one with checkpoints from before.

    Args:
        db: The archive, in a transaction.
        path: Its file, for errors.
        thread: The thread.

    Raises:
        Refused: The archive holds older checkpoints of it.
    """
    reader = Reader(db, path)
    if (old := reader.find(thread.thread_id)) is None:
        return
    with suppress(ArchiveDamaged):  # else it is to be mended
        older = {head.id for head in reader.heads(old)} - set(thread.ids)
        if not any(id_ < max(thread.ids, default="") for id_ in older):
            return
        raise Refused(
            f"thread {thread.thread_id} was pruned at its source, and archive {path} holds {len(older):,} checkpoints "
            "of it that are gone there: it is kept there as it was; write to another file to have the thread as it is",
            thread_id=thread.thread_id,
            path=str(path),
        )


def _look_for_another(reader: Reader, old: Row, thread: Packed, path: Path) -> None:
    """Check that what is to be replaced is this thread, and not another one that has the same id elsewhere.

    Raises:
        InvalidInput: They have no checkpoint in common.
    """
    try:
        held = {head.id for head in reader.heads(old)}
    except ArchiveDamaged:
        return  # it is to be mended
    if held and held.isdisjoint(thread.ids):
        raise InvalidInput(
            f"archive {path} holds another thread {thread.thread_id!r}, with {len(held):,} checkpoints of which this "
            "one has none: export it to another file",
            thread_id=thread.thread_id,
        )


def remove(path: Path, thread_id: str) -> None:
    """Take one thread out of an archive, if it is there."""
    with writing(path) as db, transaction(db):
        if (old := Reader(db, path).find(thread_id)) is not None:
            _forget(db, path, old)
            _sweep(db, old)


def _is_whole(reader: Reader, thread_id: str) -> bool:
    try:
        reader.states(reader.row(thread_id))
    except (ArchiveDamaged, OverBudget):
        return False
    return True


def _insert(db: sqlite3.Connection, thread: Packed, namespaces: bytes, n: int) -> Row:
    numbers = _leaf_numbers(db, thread.leaves)
    sample = thread.skeletons[0][:SAMPLE] if thread.skeletons else b""
    skeletons = zip(thread.ids, thread.skeletons, strict=True)
    db.executemany(
        "INSERT INTO checkpoints VALUES (?, ?, ?, ?)",
        ((n, place, id_, squeezed(text, sample)) for place, (id_, text) in enumerate(skeletons)),
    )
    db.executemany(
        "INSERT INTO lists VALUES (?, ?, ?)",
        ((n, place, squeezed(_list_text(item, numbers))) for place, item in enumerate(thread.lists)),
    )
    row = Row(
        n=n,
        id=thread.thread_id,
        record=squeezed(thread.record),
        digest=thread.digest,
        namespaces=namespaces,
        checkpoints=len(thread.skeletons),
        lists=len(thread.lists),
        leaves=squeezed(encoded(_ranges(numbers.values()))),
        sample=squeezed(sample),
    )
    row = replace(row, seal=row.sealed())
    db.execute(
        f"INSERT INTO threads ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # our own names
        astuple(row),
    )
    return row


def _list_text(item: PackedList, numbers: Mapping[bytes, int]) -> bytes:
    return encoded([item.base, *(numbers[part] if isinstance(part, bytes) else part for part in item.parts)])


def _leaf_numbers(db: sqlite3.Connection, leaves: Mapping[bytes, bytes]) -> dict[bytes, int]:
    """The number of each leaf; one that is there, and whole, is used again."""
    numbers: dict[bytes, int] = {}
    new = []
    following = _next(db, "leaves")
    for hash_, text in leaves.items():
        found = db.execute("SELECT n, body FROM hashes JOIN leaves ON n = leaf WHERE hash = ?", (hash_,)).fetchone()
        if found is not None and _text(found[1], len(text)) == text:
            numbers[hash_] = found[0]
        else:
            numbers[hash_] = following
            new.append((hash_, following, squeezed(text)))
            following += 1
    db.executemany("INSERT INTO leaves VALUES (?, ?)", ((n, body) for _, n, body in new))
    db.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?)", ((hash_, n) for hash_, n, _ in new))
    return numbers


def _text(body: bytes, most: int = LARGEST) -> bytes | None:
    try:
        return unsqueezed(body, most=most)
    except WRONG:
        return None


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as `[first, last]` of each run."""
    ranges: list[list[int]] = []
    for n in sorted(numbers):
        if ranges and ranges[-1][1] == n - 1:
            ranges[-1][1] = n
        else:
            ranges.append([n, n])
    return ranges


def _next(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(n), 0) + 1 FROM {table}").fetchone()[0])  # noqa: S608  # our own names


def _forget(db: sqlite3.Connection, path: Path, old: Row) -> None:
    for table, key in (("checkpoints", "thread"), ("lists", "thread"), ("threads", "n")):
        db.execute(f"DELETE FROM {table} WHERE {key} = ?", (old.n,))  # noqa: S608  # our own names
    if old.seal == old.sealed():
        _list_anew(db, path, old.seal)
    else:  # it is not known which byte is wrong, so count what is left
        left = Reader(db, path).unchecked_rows()
        db.execute("INSERT OR REPLACE INTO about VALUES ('threads', ?)", (listing(left),))


def _list_anew(db: sqlite3.Connection, path: Path, seal: bytes) -> None:
    before = listed(db)
    if before is None:
        raise damaged_file(path, "its list of threads is not what was written")
    db.execute("INSERT OR REPLACE INTO about VALUES ('threads', ?)", (exchanged(before, seal),))


def _sweep(db: sqlite3.Connection, old: Row, new: Row | None = None) -> None:
    """Delete the leaves of a thread that was replaced, as far as no thread wants them; when in doubt they stay."""
    measure = Measure(DEFAULT_BUDGET.meter("the list of threads"))
    try:
        unwanted = _numbers(db, old, measure) - (_numbers(db, new, measure) if new else set())
        if unwanted:
            for row in Reader(db, Path()).unchecked_rows():
                unwanted -= _numbers(db, row, measure)
    except (*WRONG, OverBudget):
        return
    for n in unwanted:
        (body,) = db.execute("SELECT body FROM leaves WHERE n = ?", (n,)).fetchone() or (None,)
        if body is not None and (text := _text(body)) is not None:
            db.execute("DELETE FROM hashes WHERE hash = ? AND leaf = ?", (hash_of("leaf", text), n))
        db.execute("DELETE FROM leaves WHERE n = ?", (n,))


def _numbers(db: sqlite3.Connection, row: Row, measure: Measure) -> set[int]:
    """The numbers of a thread's leaves, of those that are there."""
    numbers = set()
    for between in row.ranges(measure):
        for (n,) in db.execute("SELECT n FROM leaves WHERE n BETWEEN ? AND ?", between):
            measure.row((n,))
            numbers.add(n)
    return numbers
