"""The rows of a sweep's frame and picture: where each branch is, how it ended, what it cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import isfinite
from typing import Any

from ..columns import BOOL, FLOAT, INT, OBJECT, TEXT, Columns
from ..columns import Row as Record
from ..facts import Facts
from ..frames import METHOD, PRICED, STATUS, money
from ..marks import SWEEP
from ..model.messages import role, text
from ..model.text import cut, visible
from ..tokens import Totals
from ..tokens.prices import Bill, Rate
from .variants import Answer, Variant, names

ENDS: tuple[str, ...] = (*STATUS, "running", "cancelled", "not run")
OWN: Columns = {
    "thread_id": TEXT, "branch": TEXT, "tip_id": TEXT, "variant": INT, "repeat": INT, "name": TEXT, "as_node": TEXT,
    "answer": OBJECT, "input": OBJECT, "status": ENDS, "error": TEXT, "deviation": TEXT, "spent_tokens": INT,
    "input_tokens": INT, "output_tokens": INT, "method": METHOD, "seconds": FLOAT, "score": FLOAT, "score_error": TEXT,
    "text": TEXT, "known_tokens": INT,
}  # fmt: skip
SHOWN_ROWS, NAME_LENGTH = 40, 44


@dataclass(frozen=True, slots=True)
class Row:
    """One branch of a sweep.

    Attributes:
        variant: What it tries.
        repeat: Which time, from 0.
        thread_id: Where: the sweep's thread, or a copy of it.
        outcome: `not run`, `running`, `ended`, `error` or `cancelled`.
        start_id: The checkpoint of its edit.
        error: Why it failed, as far as the run or forkbook said so.
        deviation: Where its edit did not come out as typed, in words.
        seconds: How long edit and run took, by the clock.
        score: What the score function said: a number, bool, text, or a dict of them.
        score_error: Why there is none: the exception that it raised, or what else it gave.
    """

    variant: Variant
    repeat: int
    thread_id: str
    outcome: str = "not run"
    start_id: str | None = None
    error: str | None = None
    deviation: str | None = None
    seconds: float | None = None
    score: Any = None
    score_error: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row's branch is.

    Attributes:
        facts: Its thread; None: it was not read.
        own: Positions of the checkpoints that its runs wrote, those of subgraphs among them if they were read.
        tip: Position of its last checkpoint; None: it left none.
        status: How it ended: a tip's status, or `cancelled`, `not run`, `running`.
        error: Why it failed.
    """

    facts: Facts | None
    own: Sequence[int]
    tip: int | None
    status: str
    error: str | None

    @property
    def totals(self) -> Totals:
        """What its runs spent."""
        return self.facts.ledger.totals(self.own) if self.facts else Totals()

    def cost(self, rate: Rate) -> float | None:
        """The money that has a price; None: there is none, or it is unknown."""
        bill = self.bill(rate)
        return bill.cost if bill.is_known else None

    def bill(self, rate: Rate) -> Bill:
        """What that cost."""
        bills = (self.facts.bill(at, rate) for at in self.own) if self.facts else ()
        return reduce(Bill.plus, bills, Bill())


def marked(facts: Facts) -> dict[str, list[int]]:
    """The positions that carry each mark of a sweep."""
    found: dict[str, list[int]] = {}
    for position, state in enumerate(facts.states):
        if mark := (state["metadata"] or {}).get(SWEEP):
            found.setdefault(mark, []).append(position)
    return found


def placed(row: Row, mark: str, facts: Facts | None, marks: Mapping[str, list[int]]) -> Place:
    """Where a row's branch is in its thread."""
    status = {"ended": "unknown"}.get(row.outcome, row.outcome)
    if facts is None:
        gone = None if row.outcome == "not run" else f"thread {row.thread_id} is gone"
        return Place(None, (), None, status, row.error or gone)
    own = marks.get(mark, [])
    start = facts.tree.index.get(row.start_id or "")
    outer = [position for position in own if not facts.tree.heads[position].ns]
    tip = outer[-1] if outer else start
    error = row.error
    if tip is not None and row.outcome in ("ended", "cancelled"):
        reached = facts.status(tip)
        status = reached if row.outcome == "ended" or reached in ("finished", "waiting", "error") else status
    if status == "error" and tip is not None:
        error = facts.error(tip) or error
    return Place(facts, own, tip, status, error)


def columns(found: Sequence[Row]) -> Columns:
    """The frame's columns: ids, what was tried, how it ended, what it cost, what it is worth.

    A channel that an edit has is a column of its own, with `edit.` before it where the name is taken; `as_node`,
    `answer` and `input` are there where a variant has one, `score.x` for each x of a dict of scores.
    """
    given = [row.variant for row in found]
    used = {
        "as_node": any(variant.as_node for variant in given),
        "answer": any(isinstance(variant.change, Answer) for variant in given),
        "input": any(variant.input is not None for variant in given),
    }
    edits: Columns = {column(name): _dtype([variant.values.get(name) for variant in given]) for name in names(given)}
    scores: Columns = {
        name: _dtype([score_of(row).get(name) for row in found]) for row in found for name in score_of(row)
    }
    result: dict[str, str | tuple[str, ...]] = {}
    for name, dtype in OWN.items():
        if name == "score":
            result |= scores or {name: dtype}
        elif used.get(name, True):
            result[name] = dtype
        if name == "name":
            result |= edits
    return result


def column(channel: str) -> str:
    """The column of an edited channel."""
    return f"edit.{channel}" if channel in {*OWN, *PRICED} or channel.startswith(("score.", "edit.")) else channel


def records(found: Sequence[Row], places: Sequence[Place], rate: Rate | None = None) -> Iterator[Record]:
    """One row per branch, variant by variant.

    `status` is that of the branch's tip (finished, waiting, pending, error), or `cancelled` or `not run`. Spent tokens
    are those of its own runs (null where no AI message was spent, or where they are unknown: `known_tokens` is the
    least that they can be), `seconds` by the clock for edit and run, `text` is
    the last thing that an AI message said on it, `deviation` says where an edit did not come out as typed.
    With a rate, `cost` is the money of the spent tokens whose model has a price, `unpriced_tokens` counts the others.
    """
    for row, here in zip(found, places, strict=True):
        variant, sums = row.variant, here.totals
        facts: Any = here.facts
        method = facts.ledger.method(sums) if here.own else "none"
        yield {
            "thread_id": row.thread_id,
            "branch": None if here.tip is None else facts.tree.label(here.tip),
            "tip_id": None if here.tip is None else facts.tree.heads[here.tip].id,
            "variant": variant.number,
            "repeat": row.repeat,
            "name": variant.name(),
            "as_node": variant.as_node,
            "answer": variant.change.said if isinstance(variant.change, Answer) else None,
            "input": variant.input,
            "status": here.status,
            "error": here.error,
            "deviation": row.deviation,
            "method": method,
            "seconds": row.seconds,
            "score_error": row.score_error,
            "text": said(here),
            **({} if method == "none" else {
                "spent_tokens": sums.total, "input_tokens": sums.input, "output_tokens": sums.output,
                "known_tokens": sums.known.total,
            }),
            **({} if rate is None or method == "none" else money(here.bill(rate))),
            **{column(name): value for name, value in variant.values.items()},
            **score_of(row),
        }  # fmt: skip


def said(here: Place) -> str | None:
    """The last text of an AI message that is new on the branch."""
    new = here.facts.ledger.new if here.facts else []
    for position in reversed(here.own):
        for item in reversed(new[position]):
            if role(item.message) == "ai" and (words := text(item.message)):
                return words
    return None


def score_of(row: Row) -> dict[str, Any]:
    """A row's scores by column."""
    if isinstance(row.score, Mapping):
        return {f"score.{name}": value for name, value in row.score.items()}
    return {} if row.score is None else {"score": row.score}


def _dtype(values: Sequence[Any]) -> str:
    """The dtype that holds all of them as they are."""
    kinds = {type(value) for value in values if value is not None}
    known: tuple[tuple[str, set[type]], ...] = ((TEXT, {str}), (BOOL, {bool}), (INT, {int}), (FLOAT, {int, float}))
    for dtype, fits in known:
        if kinds and kinds <= fits and not (dtype == INT and any(abs(v) >= 2**63 for v in values if v is not None)):
            return dtype
    return OBJECT if kinds else FLOAT


@dataclass(frozen=True, slots=True)
class Point:
    """A branch in the picture.

    Attributes:
        variant: The variant's number.
        name: What it tries; foreign text.
        status: How it ended.
        tokens: Spent tokens; None: no AI message, it never ran, or they are unknown.
        estimated: Whether some of them are an estimate.
        score: The score that is drawn; None: none.
        detail: More, for the box that opens over it; foreign text.
        cost: The money of the spent tokens; None: no price, or it is unknown.
        unknown: Where it is unknown what it spent, the least that it can be, in words.
    """

    variant: int
    name: str
    status: str
    tokens: int | None
    estimated: bool
    score: float | None
    detail: str
    cost: float | None = None
    unknown: str = ""


def numeric_scores(found: Sequence[Row]) -> list[str]:
    """The columns of scores that have numbers: the first is drawn."""
    return list(dict.fromkeys(name for row in found for name, value in score_of(row).items() if _is_number(value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and isfinite(value)


def points(found: Sequence[Row], places: Sequence[Place], rate: Rate | None = None) -> list[Point]:
    """The branches as the picture needs them."""
    made = []
    drawn = next(iter(numeric_scores(found)), "")
    for row, here in zip(found, places, strict=True):
        sums = here.totals
        score: Any = score_of(row).get(drawn)
        spent = None if sums.is_nothing else sums.total
        detail = here.error if here.status == "error" else row.score_error or said(here)
        made.append(
            Point(
                row.variant.number,
                row.variant.name(),
                here.status,
                spent,
                bool(sums.known.estimated),
                float(score) if _is_number(score) else None,
                detail or "",
                here.cost(rate) if rate else None,
                "" if sums.is_known else f"spent tokens: {sums}",
            )
        )
    return made


def listed(found: Sequence[Row], places: Sequence[Place]) -> list[str]:
    """One line per branch, for a terminal: the first ones, and how many there are."""
    made = []
    for row, here in list(zip(found, places, strict=True))[:SHOWN_ROWS]:
        cost = f"{here.totals} tokens" if here.own else ""
        scores = ", ".join(f"{name} {value}" for name, value in score_of(row).items() if value is not None)
        scores = "score failed" if row.score_error else scores
        why = cut(visible(here.error), 80) if here.error else ""
        name = cut(visible(row.variant.name()), NAME_LENGTH)
        parts = " · ".join(filter(None, [here.status, cost, scores, why]))
        again = f" #{row.repeat}" if row.repeat or any(other.repeat for other in found) else ""
        made.append(f"  {row.variant.number:>3}{again}  {name:<{NAME_LENGTH}}  {parts}")
    rest = len(found) - SHOWN_ROWS
    return made + ([f"  … and {rest} more: df() has them all"] if rest > 0 else [])
