"""What a migration, or a comparison of two places, did, as text; and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..model.redaction import left_out_note
from .screen import DIFFERENT, INTERRUPTED, OK, UNREACHABLE, Screen, here

if TYPE_CHECKING:
    from ..transfer import MigrateReport

ALWAYS = ("created", "already there", "error", "total")
UNCOMPARED = ("missing", "error", "not reached")
NAMES = {"error": "errors", "conflict": "conflicts"}
BEGINS_ANEW = "interrupted; nothing was written, and the same command begins anew"
COMPARED, MOVED = "↔", "→"
MOST_RENAMED = 10
CONFLICTING = {
    "skip": "another thread has the id: --on-conflict compare compares the two, new_id writes this one under a new id",
    "compare": "another thread has the id, and differs: --on-conflict new_id writes this one under a new id",
}
OUTDATED = {
    "skip": "what an earlier migration wrote has the id: delete it at the target to have it written anew; "
    "--on-conflict compare compares the two, new_id writes this one beside it, under a new id",
    "compare": "what an earlier migration wrote has the id, and differs: delete it at the target to have it written "
    "anew; --on-conflict new_id writes this one beside it, under a new id",
}
DIFFERENCES_SHOWN = 3  # of a thread


def conflict_hints(report: MigrateReport, on_conflict: str) -> list[str]:
    """What can be done where another thread has the id, or one that an earlier migration wrote."""
    found = {move.outdated for move in report.moves if move.outcome == "conflict"}
    hints = ((False, CONFLICTING), (True, OUTDATED))
    return [texts[on_conflict] for kind, texts in hints if kind in found and on_conflict in texts]


def say_migration(
    screen: Screen,
    report: MigrateReport,
    *,
    compared: bool = False,
    not_kept: bool = True,
    hints: Sequence[str] = (),
    stopped: str = "",
) -> int:
    """Say what a migration or a comparison did; the exit code.

    Args:
        screen: Where.
        report: What it did.
        compared: Whether it only compared.
        not_kept: Whether to say what the target cannot keep.
        hints: What can be done next.
        stopped: What Ctrl-C leaves, where that is not what the report says.
    """
    arrow = COMPARED if compared else MOVED
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
    _say_ids(screen, report, arrow)
    said = []
    for move in report.moves:
        if not move and move.outcome != "not reached":
            said += [here(str(move)), *(f"  {difference}" for difference in move.differences[:DIFFERENCES_SHOWN])]
    screen.some(said, "red")
    screen.some([here(remark) for remark in (*report.remarks, *left_out_note(report.left_out))])
    lost = Counter[str]()
    for move in report.moves if not_kept else ():
        lost.update(move.not_kept)
    screen.some([f"not kept ({count:,}): {words}" for words, count in lost.items()], "dim")
    for hint in hints:
        screen.words(hint, indent=2)
    if report.stopped:
        left = f"{counts['not reached']:,} of {counts['total']:,} threads are left; " * (counts["total"] > 0)
        screen.note(f"Stopped: {left}{(report.interrupted and stopped) or report.stopped}", "yellow")
        return INTERRUPTED if report.interrupted else UNREACHABLE
    return OK if report else DIFFERENT


def _say_ids(screen: Screen, report: MigrateReport, arrow: str) -> None:
    """Say which thread it was, where it is one alone, and the ids of those that have another one at the target."""
    good = [move for move in report.moves if move]
    pairs = [f"{move.thread_id} {arrow} {move.new_thread_id}" for move in good if move.renamed]
    if good and len(report.moves) == 1:
        became = filter(None, ("" if arrow == COMPARED else good[0].outcome, good[0].verdict))
        screen.words(f"{(pairs or [good[0].thread_id])[0]}: {', '.join(became)}", indent=2)
    elif pairs:
        screen.words("under another id there:", indent=2)
        screen.some(pairs, most=MOST_RENAMED)
