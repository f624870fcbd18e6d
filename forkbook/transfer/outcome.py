"""What a copy, a migration, a comparison or an export did, thread by thread."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.redaction import left_out_note
from ..model.text import shown
from ..model.tree import PRUNED
from .equality import Difference

if TYPE_CHECKING:
    import pandas as pd
from ..errors import Unsupported
from ..snippets import Code, Place, code, of_copy

PROVEN = ("identical", "identical under new ids")
OUTCOMES = ("created", "already there", "conflict", "planned", "missing", "error", "not reached")
MOST_SHOWN = 10
CONFLICTS = "conflicts: on_conflict='compare' compares the two threads, 'new_id' writes this one under a new id"
OUTDATED = (
    "conflicts with an earlier migration: delete the thread at the target to have it written anew, or "
    "on_conflict='new_id' writes this one beside it"
)
KEPT = "{path} is as it was before: it has threads that this export did not write, or cannot be read"


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one thread; `bool(move)` says whether it is at the target and nothing differs.

    Attributes:
        thread_id: At the source.
        new_thread_id: At the target; None: it is not there.
        outcome: `created`; `already there` (by an earlier migration, or it was compared and is the same); `conflict`
            (another thread has the id, and was left alone); `planned` (a dry run); `missing` (nothing stands for it,
            when two places are compared); `error`; `not reached` (stopped before, or while it was written).
        verdict: `identical` (ids, too), `identical under new ids`, `differs`; None: not compared.
        checkpoints: Of the source, those of subgraphs, too; None: not read.
        differences: What differs, by checkpoint and field.
        not_kept: What this kind of target cannot keep, in words, with the number of places.
        left_out: Names of secrets in configurable, context and metadata that were not taken along.
        reason: Why it is a conflict or an error, or what else is to be known.
        outdated: Whether it is a conflict with what an earlier migration may have made of this thread.
    """

    thread_id: str
    new_thread_id: str | None
    outcome: str
    verdict: str | None = None
    checkpoints: int | None = None
    differences: tuple[Difference, ...] = ()
    not_kept: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None
    left_out: tuple[str, ...] = ()
    outdated: bool = False

    def __bool__(self) -> bool:
        return self.outcome in ("created", "already there", "planned") and self.verdict != "differs"

    @shown
    def __str__(self) -> str:
        where = f" as {self.new_thread_id}" if self.renamed else ""
        said = [
            self.outcome + where,
            *([self.verdict] if self.verdict else []),
            *([self.reason] if self.reason else []),
        ]
        return f"{self.thread_id}: {', '.join(said)}"

    @property
    def renamed(self) -> bool:
        """Whether what stands for it at the target has another id."""
        return self.new_thread_id not in (None, self.thread_id)


@dataclass(frozen=True, slots=True, repr=False)
class MigrateReport:
    """What a migration did; `bool(report)` is whether every thread is at the target and nothing differs.

    Attributes:
        source: Where the threads came from, without secrets.
        target: Where they went.
        moves: One per thread.
        dry_run: Whether nothing was to be written.
        stopped: What ended it early, in words; run again, it goes on.
        interrupted: Whether Ctrl-C ended it early; if not, and it was stopped, a place could not be reached.
    """

    source: str
    target: str
    moves: tuple[Move, ...]
    dry_run: bool = False
    stopped: str | None = None
    interrupted: bool = False

    def __bool__(self) -> bool:
        return all(self.moves) and self.stopped is None

    @property
    def counts(self) -> dict[str, int]:
        """How many threads had each outcome, and `total`."""
        found = Counter(move.outcome for move in self.moves)
        return {outcome: found[outcome] for outcome in OUTCOMES} | {"total": len(self.moves)}

    @property
    def remarks(self) -> list[str]:
        """What is to be known of threads that are at the target, each with the number of threads."""
        found = Counter(f"{move.outcome}: {move.reason}" for move in self.moves if move and move.reason)
        return [f"{remark} ({count:,})" for remark, count in found.items()]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of secrets in configurable, context and metadata that were not taken along, of all threads."""
        return tuple(dict.fromkeys(name for move in self.moves for name in move.left_out))

    def json(self) -> dict[str, Any]:
        """Plain data: `source`, `target`, `ok`, `dry_run`, `stopped`, `interrupted`, `counts`, `left_out`, and
        `threads`, one dict per thread."""
        return {
            "source": self.source,
            "target": self.target,
            "ok": bool(self),
            "dry_run": self.dry_run,
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "counts": self.counts,
            "left_out": self.left_out,
            "threads": [dataclasses.asdict(move) for move in self.moves],
        }

    def df(self) -> pd.DataFrame:
        """One row per thread: `thread_id`, `new_thread_id`, `outcome`, `verdict`, `checkpoints`, `differences` (how
        many), `not_kept`, `reason`, `left_out` and `outdated`."""
        from ..frame_files import Frame

        columns = [field.name for field in dataclasses.fields(Move)]
        rows = [
            {name: getattr(move, name) for name in columns} | {"differences": len(move.differences)}
            for move in self.moves
        ]
        return Frame(rows, columns=columns).astype({"checkpoints": "Int64", "differences": "Int64"})

    @shown
    def __repr__(self) -> str:
        counted = ", ".join(f"{count:,} {name}" for name, count in self.counts.items() if count or name == "total")
        lines = [f"{'dry run of ' if self.dry_run else ''}{self.source} → {self.target}: {counted}"]
        lines += [f"  stopped: {self.stopped}"] if self.stopped else []
        for move in [move for move in self.moves if not move][:MOST_SHOWN]:
            lines += [f"  {move}"] + [f"    {difference}" for difference in move.differences[:3]]
        renamed = [f"  {move.thread_id} → {move.new_thread_id}" for move in self.moves if move and move.renamed]
        lines += renamed[:MOST_SHOWN]
        lines += [f"  … and {len(renamed) - MOST_SHOWN:,} more new ids: .df()"] if len(renamed) > MOST_SHOWN else []
        lines += [f"  {remark}" for remark in (*self.remarks, *left_out_note(self.left_out))]
        kinds = {move.outdated for move in self.moves if move.outcome == "conflict"}
        lines += [f"  {hint}" for outdated, hint in ((False, CONFLICTS), (True, OUTDATED)) if outdated in kinds]
        lost = Counter[str]()
        for move in self.moves:
            lost.update(move.not_kept)
        return "\n".join(lines + [f"  not kept ({count:,}): {words}" for words, count in lost.items()])


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy is worth; `bool(report)` is whether it was compared and found the same.

    Attributes:
        thread_id: The original.
        new_thread_id: The copy.
        verdict: `identical` (ids, too), `identical under new ids`, `differs`, or `not compared`, which is no proof.
        compared: Checkpoints of the original that were compared, all of them; None: it was not compared.
        differences: Every field of every checkpoint that is not the same; thread ids do not count.
        not_kept: What a copy cannot keep, in words, with the number of places.
        checkpoint_id: The last checkpoint of a copied lineage; None: the whole thread was copied.
        way: `copied` by the place itself, `planted` checkpoint by checkpoint (both keep ids), or `rebuilt` through the
            graph's reducers, which makes new ids.
        ids: Checkpoint ids of the original with those that stand for them, where they are new and were compared.
        place: Where they are; `code` needs it.
    """

    thread_id: str
    new_thread_id: str
    verdict: str
    compared: int | None = None
    differences: tuple[Difference, ...] = ()
    not_kept: Mapping[str, int] = field(default_factory=dict)
    checkpoint_id: str | None = None
    way: str = "copied"
    ids: Mapping[str, str] = field(default_factory=dict)
    place: Place = field(default_factory=Place)

    def __bool__(self) -> bool:
        return self.verdict in PROVEN

    @shown
    def __repr__(self) -> str:
        upto = f" up to checkpoint {self.checkpoint_id[-6:]}, {self.way}" if self.checkpoint_id else ""
        lines = [f"copy {self.new_thread_id} of thread {self.thread_id}{upto}: {self._found()}"]
        lines += [f"  {difference}" for difference in self.differences[:MOST_SHOWN]]
        lines += [f"  … and {more} more"] if (more := len(self.differences) - MOST_SHOWN) > 0 else []
        return "\n".join(lines + [f"  not kept ({count:,}): {words}" for words, count in self.not_kept.items()])

    def _found(self) -> str:
        if self.compared is None:
            return "not compared, so nothing is proven"
        if not self:
            return f"{self.compared:,} checkpoints compared, {len(self.differences):,} differences"
        under = " under new ids" if self.verdict == PROVEN[1] else ""
        return f"{self.compared:,} checkpoints compared, the histories are the same{under}"

    def code(self, language: str | None = None) -> Code:
        """How to copy the thread and compare the two, as it could be typed; languages as in `Act.code`.

        Raises:
            Unsupported: It is a lineage, which forkbook alone copies.
        """
        if self.checkpoint_id is not None:
            raise Unsupported(
                f"no client copies a part of a thread in one call: book.copy({self.thread_id!r}, "
                f"{self.checkpoint_id!r}) does",
                thread_id=self.thread_id,
            )
        return code(self.place, of_copy(self.thread_id), language)


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did; `bool(report)` is whether every thread is there now.

    Attributes:
        path: The archive, file or folder that was asked for.
        threads: Threads that were written.
        checkpoints: Checkpoints that were written, those of subgraphs, too.
        skipped: Threads that the archive already held, identical.
        errors: Threads that could not be read or kept, with the reason.
        bytes: The size of what is there now.
        later: Threads that went on while they were read: how many checkpoints came after the head that was exported.
        dangling: Threads that name parents which the source itself does not have, with these ids.
        pruned: Threads of which older checkpoints were pruned at the source, or never kept there.
        notes: What else is worth knowing.
        gone: Threads that were listed, and deleted at the source before they were read; they are no errors.
        kept: Whether `path` is still the file or folder that it was before, because it has threads that this export
            did not write; never of an archive, which keeps its threads in any case.
        left_out: Names of secrets in configurable, context and metadata that were not written.
        partial: Where the threads are that this export wrote, if that is not `path`, as in `threads.partial.json`.
    """

    path: Path
    threads: int
    checkpoints: int
    skipped: int
    errors: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
    later: Mapping[str, int] = field(default_factory=dict)
    dangling: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pruned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    kept: bool = False
    partial: Path | None = None
    left_out: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.errors and not self.kept

    @property
    def lacking(self) -> list[str]:
        """What the source itself lacks of the threads, in sentences."""
        return [
            *(f"thread {id_} lacks a parent: {', '.join(ids)}" for id_, ids in self.dangling.items()),
            *(f"thread {id_}: {PRUNED}" for id_ in self.pruned),
        ]

    @shown
    def __repr__(self) -> str:
        lines = [
            f"{self.partial or self.path}: {self.threads:,} threads with {self.checkpoints:,} checkpoints written, "
            f"{self.skipped:,} already there, {len(self.errors):,} not exported; {self.bytes:,} bytes"
        ]
        said = [
            *([KEPT.format(path=self.path)] if self.kept else []),
            *self.errors.values(),
            *(f"thread {id_} went on: {count:,} later checkpoints are left out" for id_, count in self.later.items()),
            *self.lacking,
            *([f"{len(self.gone):,} threads were deleted while others were read"] if self.gone else []),
            *left_out_note(self.left_out),
            *self.notes,
        ]
        more = [f"  … and {len(said) - MOST_SHOWN:,} more"] if len(said) > MOST_SHOWN else []
        return "\n".join([*lines, *(f"  {line}" for line in said[:MOST_SHOWN]), *more])
