"""Why a rebuilt thread differs, where that is known: what LangGraph's updates cannot do. Pure."""

import re
from collections.abc import Iterable, Sequence

from .equality import Difference
from .step import START

MERGED = (
    "tasks: where parallel tasks ran at a fork, or before a join of them, their writes are sent as one update, so that "
    "they stand together on the first task; the values are the same"
)
LATE = (
    "tasks: a server records what a task wrote only at the newest checkpoint, and here another branch began before; "
    "the values are the same"
)
DROPPED = (
    "next: a run that begins with an input drops the tasks that waited, an update as an input does not, so they stand "
    "beside __start__ in that one checkpoint"
)
RESULT = re.compile(r"tasks\[\d+\]\.result")
STEPS = "step: a history that begins in the middle begins at step -1 or 0 there"


def reasons(found: Sequence[Difference]) -> str | None:
    """What is known of why these are there, each reason once; None: nothing."""
    return "; ".join(dict.fromkeys(why for each in found if (why := reason(each, found)))) or None


def reason(difference: Difference, found: Iterable[Difference]) -> str | None:
    """Why one of the differences is there, if that is known."""
    if difference.field == "metadata.step":
        return STEPS
    if difference.field == "next":
        dropped = difference.original == [START] and START in difference.copied
        return DROPPED if dropped else None
    if not RESULT.match(difference.field):
        return None
    written = [each.copied is not None for each in found if _beside(difference, each)]
    if not any(written):
        return LATE
    return None if all(written) else MERGED


def _beside(difference: Difference, other: Difference) -> bool:
    """Whether another difference is of what the same checkpoint's tasks wrote, too."""
    return other.checkpoint_id == difference.checkpoint_id and bool(RESULT.match(other.field))
