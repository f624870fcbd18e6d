"""The bounds of what is read from outside."""

import json

import pytest
from held import Memory, conversation, state_of
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

import forkbook as fb
from forkbook.backends.budget import MOST, UNITS
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


@pytest.mark.parametrize("bound", UNITS)
def test_a_bound_that_cannot_be_kept_is_refused(bound):
    largest = MOST[bound]
    assert getattr(fb.Budget(**{bound: largest}), bound) == largest
    for most in (largest + 1, float("inf"), 10**400):
        with pytest.raises(fb.InvalidInput, match=rf"Budget\({bound}=.*: {bound} is .*, and at most {largest:,.0f}$"):
            fb.Budget(**{bound: most})


@pytest.mark.parametrize("bound", sorted({*UNITS} - {"seconds"}))
def test_bytes_items_and_levels_are_whole(bound):
    with pytest.raises(fb.InvalidInput, match="is a whole number"):
        fb.Budget(**{bound: 50.0})


@pytest.fixture(params=[".json", ".forkbook", ".sqlite"])
def place(request, tmp_path):
    """A file with a thread of three checkpoints."""
    path = tmp_path / f"x{request.param}"
    if path.suffix == ".sqlite":
        with SqliteSaver.from_conn_string(str(path)) as saver:
            built = StateGraph(MessagesState).add_node("chat", lambda state: {}).add_edge(START, "chat")
            built.compile(saver).invoke({"messages": ["hello"]}, {"configurable": {"thread_id": "t"}})
    else:
        fb.connect(Memory({"t": conversation("t", 3)})).export(path)
    return path


@pytest.mark.parametrize("bound", UNITS)
def test_the_largest_bounds_let_everything_be_read(place, bound):
    budget = fb.Budget(**{bound: MOST[bound]})
    with fb.connect(place, budget=budget) as book:
        assert len(book["t"]) == 3
        assert book.export(again := place.with_name("again.forkbook"))
    assert fb.verify(again, budget=budget)
    assert fb.verify(place, again, budget=budget)


def test_the_deepest_bound_is_what_can_be_written_again(tmp_path):
    path, levels = tmp_path / "x.json", "[" * MOST["depth"] + "]" * MOST["depth"]
    written = json.dumps([{"thread_id": "t", "history": [state_of(1, {"x": "VALUE"})]}])
    for more in (0, 40):
        path.write_text(written.replace('"VALUE"', "[" * more + levels + "]" * more))
        with fb.connect(path, budget=fb.Budget(depth=MOST["depth"])) as book:
            if more:
                with pytest.raises(fb.OverBudget, match="levels"):
                    book["t"]
            else:
                assert book["t"][0].values["x"] == json.loads(levels)
                assert book.export(tmp_path / "x.forkbook")
