"""The bounds of what is read from outside."""

import pytest

import forkbook as fb
from forkbook.backends.budget import UNITS
from forkbook.backends.json_bounds import BLOCK, count_items, is_deeper
from forkbook.backends.server.body import check_structure


@pytest.mark.parametrize("bound", UNITS)
@pytest.mark.parametrize("most", [0, -1, True, "5", None, float("nan")])
def test_a_bound_is_a_number_above_zero(bound, most):
    with pytest.raises(fb.InvalidInput, match=bound):
        fb.Budget(**{bound: most})


def test_a_meter_adds_up_and_its_error_says_which_bound_was_met_by_what():
    meter = fb.Budget(items=1000).meter("thread 't1' of x.forkbook", thread_id="t1")
    meter.take(items=600)
    meter.take(items=400, nbytes=10)
    with pytest.raises(fb.OverBudget, match=r"thread 't1' of x.forkbook .* 1,001 items") as met:
        meter.take(items=1)
    assert "1,000 is the bound" in str(met.value)
    assert "Budget(items=" in str(met.value)
    assert met.value.details == {"bound": "items", "most": 1000, "met": 1001}
    assert met.value.thread_id == "t1"


def test_a_meter_bounds_the_time():
    with pytest.raises(fb.OverBudget, match="seconds"):
        fb.Budget(seconds=1e-9).check("seconds", 0.1, "the answer")


def test_commas_and_brackets_within_a_text_are_no_items():
    text = b'{"text": "' + b",[" * 4_999 + b'"}'
    assert count_items(text) == 1
    for each in (text, b'["\\",\\\\", "]]]]"]'):
        check_structure(each, fb.Budget(items=10, depth=3).meter("the answer"))


def test_items_and_depth_are_counted_over_the_border_of_a_block():
    text = b'[{"a": "' + b'\\"[' * BLOCK + b'", "b": [[1, 2], {}]}, 3]'
    assert count_items(text) == 8 + 1  # {} counts as one
    assert [is_deeper(text, depth) for depth in (3, 4)] == [True, False]
    with pytest.raises(fb.OverBudget, match="4 levels"):
        check_structure(text, fb.Budget(depth=3).meter("the answer"))
