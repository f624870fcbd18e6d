"""Why a rebuilt thread differs, where that is known."""

import pytest

from forkbook.transfer.compare_by_shape import DROPPED, LATE, MERGED, STEPS, reason, reasons
from forkbook.transfer.equality import Difference


def tasks(*copied, at="c"):
    return [
        Difference(at, f"tasks[{n}].result", {"x": n}, result) if n else Difference(at, "tasks[0].result.x", 0, result)
        for n, result in enumerate(copied)
    ]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (tasks(None), LATE),
        (tasks(None, None), LATE),
        (tasks([0, 1], None), MERGED),
        (tasks([0, 1]), None),
        ([Difference("c", "next", ["__start__"], ["ask", "__start__"])], DROPPED),
        ([Difference("c", "next", ["ask"], ["ask", "__start__"])], None),
        ([Difference("c", "next", ["__start__"], ["ask"])], None),
        ([Difference("c", "metadata.step", 3, 0)], STEPS),
        ([Difference("c", "tasks[0].error", "nothing", "boom")], None),
        ([Difference("c", "values.x", 1, 2)], None),
        ([*tasks(None), *tasks(None, at="d")], LATE),
        ([*tasks(None), Difference("c", "tasks[0].error", "nothing", "boom")], LATE),
        ([*tasks([0, 1], None), *tasks(None, at="d")], f"{MERGED}; {LATE}"),
        ([], None),
    ],
)
def test_each_difference_has_its_reason_or_none(found, why):
    assert reasons(found) == why


def test_what_happened_at_another_checkpoint_is_no_reason():
    lost, merged = tasks(None), tasks([0, 1], None, at="d")
    assert reason(lost[0], [*lost, *merged]) == LATE
