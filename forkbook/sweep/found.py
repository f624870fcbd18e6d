"""Find the sweeps that set out from a thread again, after the kernel that ran them is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..acts.act import BookOf, C, H
from ..errors import InvalidInput
from ..facts import Facts, read
from ..marks import SWEEP, SWEEP_OF
from .result import Sweep
from .rows import Row, marked
from .variants import unpacked, variant_of

KEPT = ("outcome", "start_id", "error", "deviation", "seconds")

Places = dict[str, tuple[Facts, int]]  # for each mark of a branch where it is, and the first position that carries it


def sweeps(book: BookOf[H, C], thread_id: str) -> list[Sweep[H, C]]:
    """The sweeps of a thread, oldest first, from what its metadata, its checkpoints and its copies say.

    An Agent Server keeps all rows. A checkpointer keeps only checkpoints, so there a variant that failed before its
    run wrote one is missing, and `notes` says how many are.

    Raises:
        ThreadNotFound: There is no such thread.
    """
    found = {sweep.id: sweep for sweep in _from_journals(book, thread_id)}
    threads = {thread_id: read(book.backend, thread_id, book.counter)}
    for copy_id in reversed(_copies(book, thread_id)):  # oldest first: what is in a copy of a copy is known then
        if copy_id not in threads:
            threads[copy_id] = read(book.backend, copy_id, book.counter)
    places = _places(threads.values())
    for sweep in _from_marks(book, thread_id, places):
        found.setdefault(sweep.id, sweep)
    for sweep in found.values():
        sweep._read |= threads
        sweep.rows = [_caught_up(row, places.get(sweep._marks(row)[SWEEP])) for row in sweep.rows]
    return sorted(found.values(), key=lambda sweep: (sweep.started, sweep.id))


def _copies(book: BookOf[H, C], thread_id: str) -> list[str]:
    """The copies in which its sweeps ran, newest first; a store that cannot search for them has none to show."""
    try:
        return [str(thread["thread_id"]) for thread in book.backend.threads(metadata={SWEEP_OF: thread_id})]
    except InvalidInput:
        return []


def _from_journals(book: BookOf[H, C], thread_id: str) -> Iterable[Sweep[H, C]]:
    metadata = book.backend.thread(thread_id).get("metadata") or {}
    for key, text in metadata.items():
        kept = unpacked(text) if key.startswith(f"{SWEEP}_") else {}
        if kept.get("of") == thread_id and "rows" in kept:  # a copy of a thread has its journals, too
            rows = [_ended(_row(record, record["thread_id"])) for record in kept["rows"]]
            yield Sweep(book, thread_id, kept["checkpoint"], key.removeprefix(f"{SWEEP}_"), kept["started"], rows)


def _row(record: Mapping[str, Any], thread_id: str) -> Row:
    known = {name: record[name] for name in KEPT if name in record}
    return Row(variant_of(record), record["repeat"], thread_id, **known)


def _ended(row: Row) -> Row:
    """What was running when its kernel ended is cut off."""
    return replace(row, outcome="cancelled") if row.outcome == "running" else row


def _caught_up(row: Row, place: tuple[Facts, int] | None) -> Row:
    """The row with what its checkpoints say: the journal is a second late, and a kernel that is killed ends it."""
    if place is None or row.outcome not in ("not run", "cancelled"):
        return row
    facts, own = place
    start_id = row.start_id or _edited(row.variant.record(), facts, own)
    return replace(row, outcome="cancelled", thread_id=facts.thread_id, start_id=start_id)


def _places(threads: Iterable[Facts]) -> Places:
    found: Places = {}
    for facts in threads:
        for mark, own in marked(facts).items():
            found.setdefault(mark, (facts, own[0]))
    return found


def _from_marks(book: BookOf[H, C], thread_id: str, places: Places) -> Iterable[Sweep[H, C]]:
    groups: dict[str, list[tuple[dict[str, Any], Facts, int]]] = {}
    for mark, (facts, first_own) in places.items():
        if "sweep" in (record := unpacked(mark)):
            groups.setdefault(record["sweep"], []).append((record, facts, first_own))
    for sweep_id, members in groups.items():
        members.sort(key=lambda member: (member[0]["variant"], member[0]["repeat"]))
        first = members[0][0]
        rows = [
            _row(record | {"outcome": "ended", "start_id": _edited(record, facts, own)}, facts.thread_id)
            for record, facts, own in members
        ]
        missing = first["rows"] - len(rows)
        note = f"{missing} of its {first['rows']} branches left no checkpoint that could tell of them"
        yield Sweep(
            book,
            thread_id,
            first["checkpoint"],
            sweep_id,
            first["started"],
            rows,
            planned=first["rows"],
            notes=(note,) if missing else (),
        )


def _edited(record: Mapping[str, Any], facts: Facts, own: int) -> str | None:
    """The checkpoint of a variant's edit: what its run's first checkpoint stands on."""
    parent = facts.tree.parents[own]
    return facts.tree.heads[parent].id if "edit" in record and parent >= 0 else None
