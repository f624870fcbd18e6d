"""Export threads to a file, and say what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.redaction import left_out_note
from .places import none_found
from .screen import Screen, here, say_when_stopping

if TYPE_CHECKING:
    from ..book import Book
    from ..transfer import ExportReport

NOT_WRITTEN = "not written: not one thread could be put in it"


def exported(
    screen: Screen, source: Book, path: Path, ids: Sequence[str] | None, secrets: bool = False
) -> dict[str, Any]:
    """Export threads to a file, and say it; a new archive is not left without one of them. Gives the document."""
    new = not path.exists()
    with say_when_stopping():
        report = source.export(path, ids, secrets=secrets)
    if new and report.errors and not report.threads and path.exists():
        path.unlink()
        report = replace(report, bytes=0)
    held = _held(report)
    say_export(screen, report, held)
    if ids is None and not (report.threads or report.skipped or report.errors):
        screen.words(none_found(source.backend.address), indent=2)
    return export_document(source, report, held)


def _held(report: ExportReport) -> int | None:
    """How many threads a file holds after an export: an archive those of earlier ones, too. None: it was not read."""
    from ..transfer.export import format_of

    form = format_of(report.path, None)
    if not form.adds or not report.path.exists():
        return None if report.kept and report.partial is None else report.threads
    ids = form.held(report.path)
    return None if ids is None else len(ids)


def export_document(book: Book, report: ExportReport, held: int | None) -> dict[str, Any]:
    """An export as plain data."""
    found = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
    return {"ok": bool(report), "source": book.backend.address, **found, "path": str(report.path), "held": held}


def say_export(screen: Screen, report: ExportReport, held: int | None) -> None:
    """Say what an export did, and how many threads its file holds now."""
    from ..transfer.outcome import KEPT

    file = report.partial or report.path
    now = NOT_WRITTEN
    if held is not None and file.exists():
        now = f"{report.bytes:,} bytes, holds {held:,} thread{'' if held == 1 else 's'} now"
    screen.words(f"{file}: {now}", "bold")
    screen.counts(
        [
            ("written", report.threads),
            ("already there", report.skipped),
            ("errors", len(report.errors)),
            ("total", report.threads + report.skipped + len(report.errors)),
        ]
    )
    if report.kept:
        screen.words(KEPT.format(path=report.path), indent=2)
    notes = [
        *map(here, report.errors.values()),
        *(f"thread {id_} went on: {count:,} later checkpoints are left out" for id_, count in report.later.items()),
        *report.lacking,
        *map(here, left_out_note(report.left_out)),
        *report.notes,
    ]
    screen.some(notes, "red" if report.errors else "")
