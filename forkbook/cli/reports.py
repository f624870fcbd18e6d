"""Reports as text and as plain data."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from .screen import DIFFERENT, INTERRUPTED, OK, UNREACHABLE, Screen, here

if TYPE_CHECKING:
    from ..backends.archive import ExportReport, VerifyReport
    from ..book import Book
    from ..transfer import MigrateReport

ALWAYS = ("created", "already there", "error", "total")
UNCOMPARED = ("missing", "error", "not reached")
NAMES = {"error": "errors", "conflict": "conflicts"}
BEGINS_ANEW = "interrupted; nothing was written, and the same command begins anew"
MOST_SAVED = 20  # ids in a command
DIFFERENCES_SHOWN = 3  # of a thread


def export_document(book: Book, report: ExportReport) -> dict[str, Any]:
    """An export as plain data."""
    found = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
    return {"ok": bool(report), "source": book.backend.address, **found, "path": str(report.path)}


def say_export(screen: Screen, report: ExportReport) -> None:
    """Say what an export did."""
    screen.words(f"{report.path}: {report.bytes:,} bytes", "bold")
    screen.counts(
        [
            ("written", report.threads),
            ("already there", report.skipped),
            ("errors", len(report.errors)),
            ("total", report.threads + report.skipped + len(report.errors)),
        ]
    )
    notes = [
        *map(here, report.errors.values()),
        *(f"thread {id_} went on: {count:,} later checkpoints are left out" for id_, count in report.later.items()),
        *(f"thread {id_} lacks a parent: {', '.join(parents)}" for id_, parents in report.dangling.items()),
        *report.notes,
    ]
    screen.some(notes, "red" if report.errors else "")


def verify_document(report: VerifyReport) -> dict[str, Any]:
    """The verdicts on an archive as plain data."""
    return {"ok": bool(report), **dataclasses.asdict(report), "path": str(report.path)}


def say_verdicts(screen: Screen, report: VerifyReport) -> None:
    """Say whether an archive is whole; if not, what is damaged, what can still be read, and what to do next."""
    from ..backends.archive.verification import ADVICE

    whole, found = len(report.whole), len(report.threads)
    screen.words(str(report.path), "bold")
    screen.counts([("whole", whole), ("damaged", found - whole), ("found" if report.faults else "total", found)])
    screen.some(report.damage, "red")
    if report:
        return
    screen.words(ADVICE, indent=2)
    if not whole:
        screen.words("No thread of it can be read.", indent=2)
    else:
        screen.words("The whole threads can still be read; this saves them:", indent=2)
        ids = ",".join(report.whole) if whole <= MOST_SAVED else f"ID,…  ({whole:,} ids: --json has them)"
        screen.command(f"forkbook export {shlex.quote(str(report.path))} -o saved.forkbook --threads {ids}")


def say_migration(
    screen: Screen, report: MigrateReport, *, compared: bool = False, not_kept: bool = True, hint: str = ""
) -> int:
    """Say what a migration or a comparison did; the exit code.

    Args:
        screen: Where.
        report: What it did.
        compared: Whether it only compared.
        not_kept: Whether to say what the target cannot keep.
        hint: What can be done where another thread has the id.
    """
    arrow = "↔" if compared else "→"
    screen.words(f"{'dry run: ' if report.dry_run else ''}{report.source} {arrow} {report.target}", "bold")
    counts = report.counts
    if compared:
        verdicts = Counter(move.verdict for move in report.moves if move.verdict)
        counted = [*verdicts.items()] + [
            (name, counts[name]) for name in ("missing", "error", "not reached") if counts[name]
        ]
        screen.counts([*((NAMES.get(name, name), number) for name, number in counted), ("total", counts["total"])])
    else:
        screen.counts((NAMES.get(name, name), number) for name, number in counts.items() if number or name in ALWAYS)
    said = []
    for move in report.moves:
        if not move and move.outcome != "not reached":
            said += [here(str(move)), *(f"  {difference}" for difference in move.differences[:DIFFERENCES_SHOWN])]
    screen.some(said, "red")
    lost = Counter[str]()
    for move in report.moves if not_kept else ():
        lost.update(move.not_kept)
    screen.some([f"not kept ({count:,}): {words}" for words, count in lost.items()], "dim")
    if hint and report.counts["conflict"]:
        screen.words(hint, indent=2)
    if report.stopped:
        by_hand = report.stopped.startswith("interrupted")
        screen.note(f"Stopped: {BEGINS_ANEW if by_hand and (compared or report.dry_run) else report.stopped}", "yellow")
        return INTERRUPTED if by_hand else UNREACHABLE
    return OK if report else DIFFERENT
