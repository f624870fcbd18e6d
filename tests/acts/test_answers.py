"""Runs with an input or metadata, and answers to interrupts, on a real server and on a graph in this process."""

import asyncio
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import pytest
from places import history_in_process, history_on_server

import forkbook as fb
from forkbook.acts.answer import questions, waiting_for

OLD = find_spec("langgraph.pregel._task_status") is None  # before langgraph 1.2.13


@pytest.fixture(params=[pytest.param("server", marks=pytest.mark.outside), "graph"])
def begun(request) -> Callable[..., fb.History]:
    """Runs one of the test graphs with an input; its history. On the server each run takes a second."""
    if request.param == "graph":
        return history_in_process
    return partial(history_on_server, request.getfixturevalue("testbed"))


def test_a_new_turn_goes_on_from_any_checkpoint(begun):
    history = begun("fanout", items=["x"])
    act = history.tips[0].resume(input={"items": ["y"]}, metadata={"why": "again", "n": 2})
    assert act.checkpoint.values["answers"] == ["x=unasked", "joined", "y=unasked", "joined"]
    assert (act.kind, act.status, act.checkpoint.branch) == ("resume", "finished", "A")
    new = act.history[len(history) :]
    assert [cp.source for cp in new] == ["input", "loop", "loop", "loop", "loop"]
    assert {(cp.metadata["why"], cp.metadata["n"]) for cp in new} == {("again", 2)}

    forked = history.tips[0].fork({"answers": ["mine"]}, as_node="join", input={"items": ["z"]}, metadata={"why": "f"})
    assert forked.checkpoint.values["answers"] == ["x=unasked", "joined", "mine", "z=unasked", "joined"]
    assert (forked.kind, forked.checkpoint.metadata["why"], forked.checkpoint.branch) == ("fork", "f", "B")

    later = act.checkpoint.resume(input={"items": []})
    assert "why" not in later.checkpoint.metadata, "what one act marks, the next does not carry on"
    assert not later.settings.config.get("configurable")


WRONG = [
    ({"input": {"itms": []}}, fb.Refused, "no channel 'itms'; it has answers, ask, items"),
    ({"input": ["x"]}, fb.InvalidInput, "an input maps channels to values"),
    ({"metadata": {"source": "me"}}, fb.Refused, "'source': LangGraph or forkbook writes that itself"),
    ({"metadata": {"run_id": "1"}}, fb.Refused, "run_id"),
    ({"metadata": {"tags": ["a"]}}, fb.InvalidInput, "'tags'.*only text, numbers and booleans"),
    ({"metadata": {"x": float("nan")}}, fb.InvalidInput, "'x' is nan"),
    ({"metadata": "mine"}, fb.InvalidInput, "metadata maps names"),
]


def test_a_wrong_input_or_metadata_is_refused_and_nothing_written(begun):
    history = begun("fanout", items=[])
    for wrong, error, says in WRONG:
        for refused in (history[1].resume, lambda **wrong: history[1].fork({"ask": False}, **wrong)):
            with pytest.raises(error, match=says):
                refused(**wrong)
    assert len(history.refreshed()) == len(history)


def answers(act) -> list[str]:
    return act.checkpoint.values["answers"]


def test_an_open_question_is_answered_where_it_waits(begun):
    asking = begun("questions").tips[0]
    (waiting,) = asking.waiting_for
    assert (waiting["value"], waiting["node"], waiting["id"]) == ("first?", "first", asking.interrupts[0]["id"])
    act = asking.answer("a", metadata={"by": "test"})
    assert (act.kind, act.status, answers(act)) == ("answer", "waiting", ["first=a"])
    assert (act.checkpoint.parent, act.checkpoint.metadata["by"]) == (asking, "test")
    assert act.checkpoint.waiting_for[0]["value"] == "second?"
    assert act.history[asking.id].waiting_for == []
    assert any("first ran again from the top" in note for note in act.notes)
    assert repr(act).startswith("answer → ")


def test_three_questions_are_answered_again_alternately_on_branches_of_their_own(begun):
    first = begun("questions").tips[0]
    second = first.answer("a").checkpoint
    third = second.answer("b").checkpoint
    done = third.answer("c")
    assert (answers(done), done.status, done.history.branches) == (
        ["first=a", "second=b", "third=c"],
        "finished",
        ["A"],
    )

    tries = [
        (third, "C", ["first=a", "second=b", "third=C"]),
        (first, "A", ["first=A"]),
        (second, "B", ["first=a", "second=B"]),
        (first, "AA", ["first=AA"]),
    ]
    for again, (asked, value, expected) in enumerate(tries, 1):
        act = asked.answer(value)
        assert answers(act) == expected
        assert len(act.history.branches) == 1 + again, "each a branch of its own"
        fresh = act.checkpoint.parent
        assert (fresh.source, fresh.parent) == ("fork", asked)
        assert any("answered before" in note for note in act.notes)

    on_branch = act.history.at(branch="C").answer("BB").checkpoint.answer("CCC")
    assert answers(on_branch) == ["first=A", "second=BB", "third=CCC"]
    fresh = next(cp for cp in on_branch.checkpoint.lineage if cp.source == "fork")
    beside = on_branch.history[fresh.id].answer("A4")
    assert answers(beside) == ["first=A4"]
    assert beside.checkpoint.parent.parent == first, "a replay's checkpoint is asked anew from where it came from"
    assert done.checkpoint.id in {tip.id for tip in beside.history.tips}


def test_a_node_with_two_questions_asks_the_first_one_anew(begun):
    if OLD and begun is not history_in_process:
        pytest.skip("on langgraph 1.2.12 a server does not tell a task that asks again from one that wrote nothing")
    both = begun("twice").tips[0]
    act = both.answer({})
    assert (act.checkpoint, act.checkpoint.waiting_for[0]["value"]) == (both, "two?")
    assert any("still open there: 'two?'" in note for note in act.notes)
    act = act.checkpoint.answer(None)
    assert answers(act) == ["both={}+None", "after"]
    anew = both.answer("y")
    assert (anew.status, anew.checkpoint.parent, anew.checkpoint.waiting_for[0]["value"]) == ("waiting", both, "one?")
    assert anew.notes[0].startswith("nothing was answered: it asks something else now"), "y was for the other question"
    act = anew.checkpoint.answer("x").checkpoint.answer("y")
    assert answers(act) == ["both=x+y", "after"]


def test_parallel_questions_are_answered_by_their_ids(begun):
    asking = begun("fanout", ask=True).tips[0]
    ids = {item["value"]: item["id"] for item in asking.waiting_for}
    every = tuple(ids[value] for value in ("a?", "b?", "c?"))
    for plain in ("x", {ids["b?"]: "B"}, dict.fromkeys(every, "x")):
        with pytest.raises(fb.Refused, match=r"asks 3 questions, so say which: answer\(by_id=") as caught:
            asking.answer(plain)
        assert caught.value.candidates == every
    for unknown in ({"0" * 32: "x"}, {"b?": "B"}, {ids["a?"]: "A", "0" * 32: "x"}):
        with pytest.raises(fb.Refused, match=r"no interrupt (0{32}|b\?) at .*; open there: .*a\?") as caught:
            asking.answer(by_id=unknown)
        assert caught.value.candidates == every
    for wrong in ({}, {"value": "x", "by_id": {ids["a?"]: "A"}}, {"by_id": {}}, {"by_id": "x"}, {"by_id": [ids["a?"]]}):
        with pytest.raises(fb.InvalidInput, match=r"give one answer|by_id maps ids"):
            asking.answer(**wrong)
    assert asking.history.refreshed().states == asking.history.states

    some = asking.answer(by_id={ids["b?"]: "B"})
    assert (some.status, some.checkpoint) == ("waiting", asking)
    assert [item["value"] for item in some.checkpoint.waiting_for] == ["a?", "c?"]
    done = some.checkpoint.answer(by_id={ids["c?"]: {"C": 1}, ids["a?"]: "A"})
    assert answers(done) == ["a=A", "b=B", "c={'C': 1}", "joined"]

    again = asking.answer(by_id={ids["c?"]: "CC"})
    assert [item["value"] for item in again.checkpoint.waiting_for] == ["a?", "b?"]
    assert again.checkpoint.source == "fork"
    new = {item["value"]: item["id"] for item in again.checkpoint.waiting_for}
    last = again.checkpoint.answer(by_id={new["a?"]: "AA", new["b?"]: "BB"})
    assert answers(last) == ["a=AA", "b=BB", "c=CC", "joined"]


def test_a_question_inside_two_levels_of_subgraphs_is_answered_from_the_root(begun):
    asking = begun("nested").tips[0]
    assert (asking.waiting_for[0]["value"], asking.waiting_for[0]["node"]) == ("deep?", "outer")
    assert answers(asking.answer("a")) == ["prepared", "ask=a", "end"]
    again = asking.answer("b")
    assert (answers(again), again.checkpoint.branch) == (["prepared", "ask=b", "end"], "B")
    assert answers(asking.answer("c")) == ["prepared", "ask=c", "end"]


def test_an_answer_in_a_copy_leaves_the_thread_as_it_is(begun):
    asking = begun("questions").tips[0]
    act = asking.answer("a", in_copy=True)
    again = act.history[asking.id].answer("b", in_copy=True)
    assert (answers(act), answers(again)) == (["first=a"], ["first=b"])
    assert len({asking.thread_id, act.checkpoint.thread_id, again.checkpoint.thread_id}) == 3
    assert asking.history.refreshed().states == asking.history.states


def test_where_nothing_is_asked_an_answer_is_refused(begun):
    history = begun("questions")
    with pytest.raises(
        fb.Refused, match=r"stands before __start__, and resume\(\) goes on; checkpoints that ask: \w{6}"
    ):
        history[0].answer("x", in_copy=True)
    finished = begun("fanout", items=["x"])
    with pytest.raises(fb.Refused, match=r"it is finished$"):
        finished.tips[0].answer("x")
    assert len(finished.refreshed()) == len(finished)
    stopped = finished[1].resume(interrupt_before="join")
    assert (stopped.checkpoint.waiting_for, stopped.status) == ([], "pending")
    with pytest.raises(fb.Refused, match="stands before join"):
        stopped.checkpoint.answer("x")
    assert stopped.checkpoint.resume().status == "finished"


def test_nodes_to_stop_at_do_not_keep_a_question_from_being_asked_anew():
    asking = history_in_process("questions").tips[0]
    asking.answer("a")
    for nodes in ("second", "*"):
        act = asking.answer("b", interrupt_before=nodes)
        assert (answers(act), act.status, act.checkpoint.next) == (["first=b"], "pending", ("second",))
    assert answers(asking.answer("c", interrupt_after="*")) == ["first=c"]


def test_an_answer_that_made_the_node_fail_is_given_anew():
    asking = history_in_process("questions").tips[0]
    failed = asking.answer("fail")
    assert (failed.status, failed.error, failed.checkpoint) == ("error", "ValueError('the answer is fail')", asking)
    assert failed.checkpoint.waiting_for == []
    act = failed.checkpoint.answer("good")
    assert (answers(act), act.checkpoint.parent.parent) == (["first=good"], asking)
    again = asking.answer("fail").checkpoint.answer("better")
    assert (answers(again), again.checkpoint.parent.parent) == (["first=better"], asking)


def test_at_an_edit_that_is_the_head_everything_is_asked_anew_beside_it():
    edit = history_in_process("fanout", items=["a", "b"])[1].fork({"ask": True}, as_node="plan").checkpoint
    ids = {item["value"]: item["id"] for item in edit.waiting_for}
    assert edit.answer(by_id={ids["b?"]: "B"}).checkpoint == edit
    act = edit.answer(by_id={ids["b?"]: "BB"})
    assert [item["value"] for item in act.checkpoint.waiting_for] == ["a?"]
    assert (act.checkpoint.source, act.checkpoint.parent) == ("fork", edit.parent)
    assert answers(act.checkpoint.answer("A")) == ["a=A", "b=BB", "joined"]
    assert answers(act.history[edit.id].answer("A")) == ["a=A", "b=B", "joined"]


def test_several_questions_inside_one_subgraph_are_told_apart():
    asking = history_in_process("team", ask=True, items=["a", "b"]).tips[0]
    ids = {item["value"]: item["id"] for item in asking.waiting_for}
    some = asking.answer(by_id={ids["a?"]: "A"})
    assert [item["value"] for item in some.checkpoint.waiting_for] == ["b?"]
    assert answers(some.checkpoint.answer("B")) == ["a=A", "b=B", "joined"]
    act = asking.history.refreshed()[asking.id].answer("BB")
    assert [item["value"] for item in act.checkpoint.waiting_for] == ["a?"]
    assert answers(act.checkpoint.answer("AA")) == ["a=AA", "b=BB", "joined"]


def test_a_mapping_is_the_answer_itself_whatever_its_keys(begun):
    asking = begun("questions").tips[0]
    for mapping in ({"0" * 32: 1}, {"id": {"0" * 32: 1}}, {}, {asking.waiting_for[0]["id"]: "x"}):
        act = asking.answer(mapping, in_copy=True)
        assert answers(act) == [f"first={mapping}"]
        assert any("by_id={…} answers by ids" in note for note in act.notes) == (asking.waiting_for[0]["id"] in mapping)
    assert answers(asking.answer(by_id={asking.waiting_for[0]["id"]: "y"}, in_copy=True)) == ["first=y"]


def test_two_questions_that_say_the_same_are_told_apart(begun):
    asking = begun("fanout", ask=True, items=["a", "a"]).tips[0]
    first, second = (item["id"] for item in asking.waiting_for)
    done = asking.answer(by_id={first: 1, second: 2})
    assert answers(done) == ["a=1", "a=2", "joined"]
    again = asking.answer(by_id={second: "B"})
    (left,) = again.checkpoint.waiting_for
    assert answers(again.checkpoint.answer(by_id={left["id"]: "A"})) == ["a=A", "a=B", "joined"]


def test_a_sweep_answers_one_question_or_several_by_their_ids(begun):
    asking = begun("fanout", ask=True, items=["a", "b"]).tips[0]
    ids = [item["id"] for item in asking.waiting_for]
    several = [fb.Answer(by_id=dict(zip(ids, values, strict=True))) for values in (("x", "y"), ("p", "q"))]
    for parallel in (True, False):
        sweep = asking.sweep([*several, fb.Answer("one")], parallel=parallel)
        frame = sweep.df()
        assert list(frame.status) == ["finished", "finished", "error"]
        assert [answers_at(cp) for cp in sweep.checkpoints[:2]] == [
            ["a=x", "b=y", "joined"],
            ["a=p", "b=q", "joined"],
        ]
        assert list(frame.answer) == [dict(zip(ids, "xy", strict=True)), dict(zip(ids, "pq", strict=True)), "one"]
        assert "by_id" in frame.error[2]
    with pytest.raises(fb.InvalidInput):
        fb.Answer()
    with pytest.raises(fb.InvalidInput):
        fb.Answer("x", {"y": 1})


def answers_at(cp):
    return cp.values["answers"]


def test_an_answer_that_is_no_json_is_not_sent(testbed):
    asking = history_on_server(testbed, "questions").tips[0]
    for wrong in ({1, 2}, float("nan"), object()):
        with pytest.raises(fb.InvalidInput):
            asking.answer(wrong)
    with pytest.raises(fb.Refused, match="no node 'nope'"):
        asking.answer("x", interrupt_before="nope", in_copy=True)
    assert asking.history.refreshed().states == asking.history.states


def test_the_demos_approval_is_given_and_withheld(book, demo_threads):
    asking = book.history(demo_threads["approval"]).tips[0]
    yes = asking.answer("yes", in_copy=True)
    assert yes.checkpoint.values["messages"][-1]["content"] == "Done: published"
    no = yes.history[asking.id].answer("no")
    assert no.checkpoint.values["messages"][-1]["content"] == "Done: not published (no)"
    assert (no.history.branches, no.settings.config) == (["A", "B"], yes.settings.config)


def test_answers_for_async_code():
    asking = history_in_process("questions").tips[0]
    assert answers(asyncio.run(asking.aanswer("a", in_copy=True))) == ["first=a"]
    by_id = {asking.waiting_for[0]["id"]: {"b": 1}}
    assert answers(asyncio.run(asking.aanswer(by_id=by_id))) == ["first={'b': 1}"]


def test_of_a_question_in_a_store_what_is_not_kept_is_none():
    asked = {"id": None, "name": None, "interrupts": [{"id": None, "value": "how?"}]}
    assert waiting_for({"tasks": [asked]}) == [{"id": None, "value": "how?", "node": None, "task_id": None}]
    (question,) = questions({"tasks": [asked]})
    assert str(question) == "an interrupt without an id (a task asks 'how?')"
