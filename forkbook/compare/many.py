"""Many checkpoints side by side, of one thread or of many: one row each. Pure."""

import itertools
from collections import Counter as Counts
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, Protocol

from ..checkpoint_facts import CheckpointFacts
from ..columns import FLOAT, INT, TEXT, Columns, Row
from ..errors import InvalidInput
from ..frames import DETAILS, METHOD, STATUS, details, frame, money_of_path, tokens, with_prices
from ..model.messages import messages_in, role, text
from ..model.text import cut, short, shown, visible
from ..tokens import Totals, amount
from ..tokens.prices import rate_of
from .show_comparison import overview_html
from .side import Side
from .two import SPENT, Comparison
from .two import compare as compare_two

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


COLUMNS: Columns = {
    "label": TEXT, "thread_id": TEXT, "branch": TEXT, "checkpoint_id": TEXT, "parted_at_id": TEXT, "parted_at": TEXT,
    "status": STATUS, "n_checkpoints": INT, "n_since": INT, "shared_tokens": INT, "own_tokens": INT, **SPENT,
    "reported_tokens": INT, "estimated_tokens": INT, "method": METHOD, **DETAILS, "context_tokens": INT,
    "seconds": FLOAT, "n_messages": INT, "text": TEXT, "known_tokens": INT,
}  # fmt: skip
SHOWN = 60  # characters of a text, and rows, in the repr


class HasTips(Protocol):
    """What stands for several checkpoints, as a history does for the tips of its branches."""

    @property
    def tips(self) -> Sequence[CheckpointFacts]:
        """The checkpoints."""


@dataclass(frozen=True)
class Path:
    """One checkpoint's path among those it is compared with.

    Attributes:
        label: What it is called.
        side: The checkpoint.
        shared: Positions on its path that another of these paths holds, too.
        own: The others.
    """

    label: str
    side: Side
    shared: list[int]
    own: list[int]


@dataclass(frozen=True, repr=False)
class Overview:
    """Checkpoints side by side; what several of their paths hold is counted once.

    Attributes:
        sides: The checkpoints by their labels.
    """

    sides: Mapping[str, Side]

    @cached_property
    def paths(self) -> list[Path]:
        """One path per checkpoint. Copies of a thread share what has the same ids in both."""
        holders = Counts(id_ for side in self.sides.values() for id_ in side.path_ids)
        return [
            Path(
                label,
                side,
                [at for at, id_ in zip(side.path, side.path_ids, strict=True) if holders[id_] > 1],
                [at for at, id_ in zip(side.path, side.path_ids, strict=True) if holders[id_] == 1],
            )
            for label, side in self.sides.items()
        ]

    @property
    def total_tokens(self) -> int | None:
        """Spent tokens of all of them, each checkpoint once; None: unknown."""
        return self.totals.total

    @cached_property
    def totals(self) -> Totals:
        """The sums over all of them, each checkpoint once."""
        sides = {
            id_: (side, at) for side in self.sides.values() for at, id_ in zip(side.path, side.path_ids, strict=True)
        }
        return reduce(Totals.both, (side.totals([at]) for side, at in sides.values()), Totals())

    def pair(self, a: str, b: str) -> Comparison:
        """Two of them in detail, by their labels.

        Raises:
            InvalidInput: There is no such label.
        """
        for label in (a, b):
            if label not in self.sides:
                raise InvalidInput(f"no {label!r} here; there is {', '.join(self.sides)}", candidates=list(self.sides))
        return compare_two(self.sides[a], self.sides[b])

    def df(self, prices: Any = None) -> "pd.DataFrame":
        """One row per checkpoint.

        Args:
            prices: As in `History.tokens_df`; adds `cost` and `unpriced_tokens` of the whole path, and
                `shared_cost` + `own_cost` = `cost`.

        Returns:
            Columns: label, thread_id, branch, checkpoint_id, parted_at_id (the last checkpoint of its path that another
            one here holds, too), parted_at (what made it, and its short id), status, n_checkpoints (of its path),
            n_since (those since it parted), shared_tokens (spent up to there), own_tokens (since), input_tokens,
            output_tokens, total_tokens, reported_tokens, estimated_tokens, method, cache_read_tokens,
            cache_creation_tokens, reasoning_tokens, context_tokens, seconds (since), n_messages, text (of the last AI
            message), known_tokens (the least that total_tokens can be, where it is unknown and so null). Counts and
            sums over states that are not known as a whole are null.
        """
        rows = list(self.rows)
        if prices is not None:
            rate = rate_of(prices)
            parts = [[path.side.bill(part, rate) for part in (path.shared, path.own)] for path in self.paths]
            rows = [{**row, **money_of_path(*bills)} for row, bills in zip(rows, parts, strict=True)]
        return frame(rows, with_prices(COLUMNS, prices))

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of `df`."""
        rows: list[Row] = []
        for path in self.paths:
            facts, here = path.side.facts, path.side.position
            parted = path.shared[-1] if path.shared else None
            shared, own, sums = map(path.side.totals, (path.shared, path.own, path.side.path))
            row = {
                "label": path.label,
                "thread_id": facts.thread_id,
                "branch": facts.tree.label(here),
                "checkpoint_id": path.side.id,
                "parted_at_id": None if parted is None else facts.tree.heads[parted].id,
                "parted_at": None if parted is None else f"{facts.title(parted)} {facts.tree.heads[parted].id[-6:]}",
                "status": facts.status(here),
                "n_checkpoints": len(path.side.path),
                "n_since": len(path.own),
                "shared_tokens": shared.total,
                "own_tokens": own.total,
                "reported_tokens": sums.reported,
                "estimated_tokens": sums.estimated,
                "method": facts.ledger.method(sums),
                "context_tokens": facts.ledger.context[here],
                "seconds": path.side.seconds(path.own),
                "n_messages": facts.ledger.n_messages[here],
                "text": None if path.side.hidden else last_text(path.side.values),
                "known_tokens": sums.known.total,
            }
            rows.append(row | tokens(sums) | details(sums))
        return rows

    def figure(self) -> "go.Figure":
        """Spent tokens as bars, one per path: shared and own."""
        from ..plot.tokens import Bar, token_bars

        bars = []
        for path in self.paths:
            shared, own = path.side.totals(path.shared), path.side.totals(path.own)
            bars.append(
                Bar(
                    label=path.label,
                    shared_reported=shared.known.reported,
                    shared_estimated=shared.known.estimated,
                    own_reported=own.known.reported,
                    own_estimated=own.known.estimated,
                    detail=last_text(path.side.values) or "",
                    is_known=shared.is_known and own.is_known,
                )
            )
        counters = sorted({side.facts.ledger.counter for side in self.sides.values()})
        note = f"all of them together spent {self.totals}: what paths share counts once"
        return token_bars(bars, method=", ".join(counters), title=f"{len(bars)} paths", notes=[note])

    @shown
    def __repr__(self) -> str:
        lines = [f"{len(self.sides)} paths · {self.totals} tokens spent, what they share counted once"]
        for row in self.rows[:SHOWN]:
            said = f" · {cut(visible(row['text']), SHOWN)}" if row["text"] else ""
            lines.append(
                f"{row['label']}: shared {amount(row['shared_tokens'])} + own {amount(row['own_tokens'])} = "
                f"{amount(row['total_tokens'], row['known_tokens'])} tokens ({row['method']}) · {row['status']}{said}"
            )
        more = len(self.sides) - SHOWN
        return "\n".join(lines + ([f"… and {more} more: df() has all"] if more > 0 else []))

    def html(self) -> str:
        """The comparison as HTML: one row per path."""
        return overview_html(self.rows, self.totals)

    def _repr_html_(self) -> str:
        return self.html()


def last_text(values: Any) -> str | None:
    """What the last AI message of a state says; None if there is none."""
    said = [text(message) for _, message in messages_in(values) if role(message) == "ai"]
    return said[-1] if said else None


def compare(checkpoints: "HasTips | Iterable[CheckpointFacts] | Mapping[str, CheckpointFacts]") -> Overview:
    """Compare any number of checkpoints, usually tips, of one thread, of several, or of several books.

    Args:
        checkpoints: Checkpoints, as `history.tips`; a mapping names them, else each is called by its branch. A history
            stands for its tips.

    Raises:
        InvalidInput: There is none, or something else among them.

    Example:
        >>> fb.compare(history.tips).df().total_tokens.tolist()
        [21, 18]
    """
    checkpoints = getattr(checkpoints, "tips", checkpoints)
    named = checkpoints if isinstance(checkpoints, Mapping) else None
    listed = named.values() if named is not None else checkpoints
    given: list[Any] = list(listed) if isinstance(listed, Iterable) else [listed]
    for item in given:
        if not isinstance(item, CheckpointFacts):
            named_by = f"; of a history that is history.pick({short(item)})" if isinstance(item, str) else ""
            raise InvalidInput(f"compare() takes checkpoints, such as history.tips, not {short(item)}{named_by}")
    if not given:
        raise InvalidInput("compare() needs at least one checkpoint, such as history.tips")
    names = [str(name) for name in named] if named is not None else labels(given)
    return Overview({name: Side(item.facts, item.position) for name, item in zip(names, given, strict=True)})


def labels(checkpoints: Sequence[CheckpointFacts]) -> list[str]:
    """One name per checkpoint: its branch, and what sets it apart: thread, short id, a number."""
    names: list[str] = []
    several = len({checkpoint.thread_id for checkpoint in checkpoints}) > 1
    for cp in checkpoints:
        branch = f"{cp.branch} of {cp.thread_id[-6:]}" if several else cp.branch
        tries = itertools.chain(
            [branch] * cp.is_tip, [f"{branch} {cp.short_id}"], map(f"{branch} ({{}})".format, itertools.count(2))
        )
        names.append(next(name for name in tries if name not in names))
    return names
