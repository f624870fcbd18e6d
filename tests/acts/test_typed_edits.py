"""Edits and inputs in every form that a person types, on a server and on a graph in this process."""

import re
from functools import partial

import pytest
from agents.graphs import Colour, Job, Point, Remark
from langchain_core.messages import HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from places import in_process, on_server
from proxy import Fault, proxy
from pydantic import BaseModel
from typing_extensions import TypedDict

import forkbook as fb


@pytest.fixture(params=[pytest.param("server", marks=pytest.mark.outside), "graph"])
def begun(request):
    """Runs a graph; the book and the thread's id."""
    return in_process if request.param == "graph" else partial(on_server, request.getfixturevalue("testbed"))


def ids(act):
    return [message["id"] for message in act.checkpoint.values["messages"]]


def said(act):
    return [message["content"] for message in act.checkpoint.values["messages"]]


def human(id_, text="hi"):
    return {"type": "human", "id": id_, "content": text}


@pytest.fixture
def chat(begun):
    """A checkpoint with the messages h1 and h2 before the node that speaks."""
    book, thread_id = begun("sleeper", {"topic": "x", "messages": [human("h1"), human("h2", "ho")]},
                            interrupt_before=["sleep"])  # fmt: skip
    return book[thread_id].tips[0]


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ([{"type": "remove", "id": "h1"}], ["h2"]),
        ({"type": "remove", "id": "h2"}, ["h1"]),
        ([{"role": "remove", "id": "h2"}], ["h1"]),
        ([RemoveMessage("h1")], ["h2"]),
        ([{"type": "remove", "id": "h1"}, {"type": "remove", "id": "h2"}], []),
        ([{"type": "remove", "id": "__remove_all__"}], []),
        ([RemoveMessage("__remove_all__"), human("h3")], ["h3"]),
        ([{"type": "remove", "id": "h1"}, human("h3")], ["h2", "h3"]),
        ([{"type": "remove", "id": "__remove_all__"}, human("h1", "new"), human("h3")], ["h1", "h3"]),
    ],
)
def test_messages_are_removed(chat, typed, left):
    act = chat.edit({"messages": typed}, in_copy=True)
    assert (ids(act), act.deviations) == (left, ())
    assert [message["id"] for message in chat.preview({"messages": typed}).values["messages"]] == left
    if left != ["h2", "h3"]:  # whether h1 is to go, or all but h3 is to go, is not clear
        exact = chat.edit({"messages": typed}, replace=True, in_copy=True)
        assert (ids(exact), exact.deviations) == (left, ())


@pytest.mark.parametrize(
    ("typed", "added"),
    [
        ("you", ["you"]), (("user", "you"), ["you"]), ([("user", "you"), "me"], ["you", "me"]),
        ({"role": "user", "content": "you"}, ["you"]), ([{"role": "user", "content": "you"}], ["you"]),
        ([HumanMessage("you")], ["you"]), ([{"type": "human", "content": "you"}, human("h3")], ["you", "hi"]),
    ],
)  # fmt: skip
def test_an_appended_message_is_as_typed(chat, typed, added):
    act = chat.edit({"messages": typed}, in_copy=True)
    assert (said(act), act.deviations) == (["hi", "ho", *added], ())
    exact = chat.edit({"messages": typed}, in_copy=True, replace=True)
    assert (said(exact), exact.deviations) == (added, ())


def test_messages_of_a_channel_without_a_reducer_stay_messages():
    class State(TypedDict, total=False):
        said: list

    builder = StateGraph(State).add_sequence(
        [
            ("say", lambda s: {"said": [HumanMessage("hi", id="h")]}),
            ("join", lambda s: {"said": [HumanMessage(" ".join(message.content for message in s["said"]))]}),
        ]
    )
    graph = builder.add_edge(START, "say").compile(checkpointer=InMemorySaver())
    graph.invoke({}, {"configurable": {"thread_id": "t"}})
    cp = fb.connect(graph)["t"].at(step=1)
    for typed in ([{"role": "user", "content": "you"}], [{**cp.values["said"][0], "content": "you"}]):
        for replace in (False, True):
            act = cp.fork({"said": typed}, replace=replace, in_copy=True)
            assert (act.status, act.deviations) == ("finished", ())
            assert act.checkpoint.values["said"][0]["content"] == "you"


def test_an_edit_of_nothing_is_refused_or_records_that_a_node_ran(begun):
    book, thread_id = begun("strict", {}, interrupt_before=["two"])
    stopped = book[thread_id].tips[0]
    for empty in (
        stopped.edit,
        stopped.preview,
        stopped.fork,
        lambda values: stopped.fork(values, input={"size": 1}),
        lambda values: stopped.edit(values, replace=True, in_copy=True),
    ):
        with pytest.raises(
            fb.Refused, match=r"as_node='…' it records that this node ran.*resume\(\) runs on.*one, two"
        ) as e:
            empty({})
        assert e.value.candidates == ("one", "two", "__end__")
    assert len(stopped.history.refreshed()) == len(stopped.history)
    assert repr(stopped.preview({}, as_node="two")) == "preview: nothing written; runs nothing next"
    assert stopped.preview({}, as_node="one").next == ("two",)
    act = stopped.edit({}, as_node="two")
    assert (act.status, act.checkpoint.values, act.checkpoint.source) == ("finished", stopped.values, "update")
    forked = stopped.fork({}, as_node="one")
    assert (forked.status, forked.checkpoint.values["size"]) == ("finished", 2)


@pytest.mark.parametrize("without_id", [{}, {"id": None}, {"id": ""}])
def test_a_removal_that_names_no_message_is_refused(chat, without_id):
    with pytest.raises(fb.InvalidInput, match="named by its id"):
        chat.edit({"messages": [{"type": "remove", **without_id}]})


def test_an_end_where_nodes_have_written_already_says_what_runs_next(begun):
    book, thread_id = begun("strict", {})
    ran = book[thread_id].at(step=0)
    said = "does not end the thread.*two would run next"
    assert re.search(said, repr(ran.preview({}, as_node="__end__")))
    act = ran.edit({}, as_node="__end__")
    assert (act.status, act.checkpoint.next) == ("pending", ("two",))
    assert re.search(said, " ".join(act.notes))
    ended = act.checkpoint.edit({}, as_node="__end__")
    assert (ended.status, ended.checkpoint.next, "does not end" in repr(ended)) == ("finished", (), False)


@pytest.mark.parametrize("name", ["questions", "nested", "strict"])
def test_a_paused_thread_is_ended(begun, name):
    book, thread_id = begun(name, {}, **({"interrupt_before": ["two"]} if name == "strict" else {}))
    paused = book[thread_id].tips[0]
    assert paused.preview({}, as_node="__end__").next == ()
    with pytest.raises(fb.Refused, match="ends the thread and writes no values"):
        paused.edit({next(iter(paused.values)): 1}, as_node="__end__")
    copied = paused.edit({}, as_node="__end__", in_copy=True)
    assert (copied.status, copied.checkpoint.next) == ("finished", ())
    act = paused.edit({}, as_node="__end__")
    assert (act.status, act.checkpoint.next, act.checkpoint.waiting_for) == ("finished", (), [])
    assert act.checkpoint.values == paused.values
    assert book.backend.thread(thread_id)["status"] in (None, "idle")
    with pytest.raises(fb.Refused, match="is finished: there is nothing to end"):
        act.checkpoint.edit({}, as_node="__end__")


INPUTS = [[3, 4], "text", 5, 0, "", [], {}, False, 2.5, {"any": "key"}, {"deep": [{"x": None}]}]


def history_of(book, row):
    return book[row.thread_id][row.tip_id]


def test_a_functional_graph_takes_any_input(begun):
    book, thread_id = begun("flow", [1, 2])
    for given in INPUTS:
        act = book.run(thread_id, given)
        assert (act.status, act.checkpoint.values["given"]) == ("finished", given)
    for given in (["x"], 7, 0):
        assert book[thread_id].tips[0].resume(input=given, in_copy=True).checkpoint.values["given"] == given
    sweep = book[thread_id].tips[0].sweep([None], inputs=INPUTS[:4])
    assert list(sweep.df().status) == ["finished"] * 4
    assert [history_of(book, row).values["given"] for row in sweep.df().itertuples()] == INPUTS[:4]
    with pytest.raises(fb.Refused, match="is finished"):
        book.run(thread_id, None)


def test_an_edit_of_a_functional_graph_keeps_the_other_keys(begun):
    book, thread_id = begun("flow", [1, 2])
    tip = book[thread_id].tips[0]
    assert tip.preview({"ok": "EDITED"}).values == {"given": [1, 2], "ok": "EDITED", "before": None}
    act = tip.edit({"ok": "EDITED"})
    assert (act.checkpoint.values, act.deviations) == ({"given": [1, 2], "ok": "EDITED", "before": None}, ())
    assert book.run(thread_id, 3).checkpoint.values == {"given": 3, "ok": "fine", "before": "EDITED"}
    exact = tip.edit({"given": []}, replace=True)
    assert (exact.checkpoint.values, exact.deviations) == ({"given": [], "ok": "fine", "before": None}, ())
    for whole in ({"__root__": {"new": 1}}, {"__end__": {"new": 1}}):
        act = tip.edit(whole, in_copy=True)
        assert (act.checkpoint.values, act.deviations) == ({"new": 1}, ())
    with pytest.raises(fb.Refused, match=r"no key 'okay'; it has .*ok.*'__root__': …"):
        tip.edit({"okay": 1})
    sweep = tip.sweep([{"ok": "a"}, {"ok": "b"}], inputs=[1], parallel=True)
    assert (list(sweep.df().status), list(sweep.df().deviation.isna())) == (["finished"] * 2, [True] * 2)


def test_an_edit_of_a_functional_graph_leaves_what_it_saved_apart():
    @entrypoint(checkpointer=InMemorySaver())
    def count(given, *, previous=None):
        return entrypoint.final(value={"said": given, "n": previous or 0}, save=(previous or 0) + 1)

    count.invoke("a", {"configurable": {"thread_id": "t"}})
    book = fb.connect(count)
    act = book["t"].tips[0].edit({"said": "EDITED"})
    assert (act.checkpoint.values, act.deviations) == ({"said": "EDITED", "n": 0}, ())
    assert book.run("t", "b").checkpoint.values == {"said": "b", "n": 1}


def test_a_state_that_is_one_value_is_edited_and_run(begun):
    book, thread_id = begun("listed", [human("h1")])
    tip = book[thread_id].tips[0]
    act = tip.edit({"__root__": [{"type": "remove", "id": "h1"}, "more"]})
    assert ([m["content"] for m in act.checkpoint.values["__root__"]], act.deviations) == (["hi", "more"], ())
    assert len(book.run(thread_id, [human("h2")]).checkpoint.values["__root__"]) == 4
    assert len(book.run(thread_id, human("h3")).checkpoint.values["__root__"]) == 6
    assert len(book.run(thread_id, {"__root__": ["x"]}).checkpoint.values["__root__"]) == 8

    book, thread_id = begun("counter", 3)
    tip = book[thread_id].tips[0]
    assert tip.values == {"__root__": 4}
    if book.backend.kind == "the graph":
        assert tip.edit({"__root__": 7}, replace=True, in_copy=True).checkpoint.values == {"__root__": 7}
        assert "the state has 11 now" in str(tip.preview({"__root__": 7}))
    else:
        with pytest.raises(fb.InvalidInput, match=r"cannot take this edit: 7 is not valid.*nothing was written"):
            tip.preview({"__root__": 7})
    assert book.run(thread_id, 10).checkpoint.values == {"__root__": 15}
    assert book.run(thread_id, 0).checkpoint.values == {"__root__": 16}
    with pytest.raises(fb.Refused, match="has no channel 'x'; it has __root__"):
        tip.edit({"x": 1})

    book, thread_id = begun("merged", {"a": 1})
    tip = book[thread_id].tips[0]
    act = tip.edit({"a": 2})
    assert (act.checkpoint.values, act.deviations) == ({"a": 2, "more": 1}, ())
    assert book.run(thread_id, {"b": 3}).checkpoint.values == {"a": 2, "more": 1, "b": 3}


def test_code_of_edits_and_inputs_of_any_form(begun):
    book, thread_id = begun("flow", [1, 2])
    tip = book[thread_id].tips[0]
    act = tip.edit({"ok": "EDITED"}, in_copy=True)
    assert '{"given": [1, 2], "ok": "EDITED", "before": None}' in act.code("graph")
    for language, falsy in (("python", "input=0"), ("javascript", "input: 0"), ("curl", '"input": 0')):
        code = tip.resume(input=0, in_copy=True).code(language)
        assert falsy in code
    ended = begun("questions", {})
    code = ended[0][ended[1]].tips[0].edit({}, as_node="__end__", in_copy=True).code()
    assert "None" in code
    assert 'as_node="__end__"' in code


def test_an_input_of_another_graph_is_refused(begun):
    book, thread_id = begun("strict", {})
    for given in (["x"], "x", 5):
        with pytest.raises(fb.InvalidInput, match="an input maps channels to values"):
            book.run(thread_id, given)
    with pytest.raises(fb.Refused, match="no channel 'sizes'; it has label, size"):
        book.run(thread_id, {"sizes": 1})


PLANNED = [
    {"job": {"name": "new"}}, {"job": {"name": "new", "colour": "blue", "done": True}},
    {"jobs": [{"name": "p"}, {"name": "q"}, {"name": "r"}]}, {"jobs": []}, {"by_name": {"k": {"name": "p"}}},
    {"anything": {"name": "p"}}, {"remark": {"text": "p"}}, {"point": {"x": 5, "y": 6}}, {"point": [5, 6]},
    {"colour": "blue"}, {"log": [{"name": "more"}]},
]  # fmt: skip


@pytest.mark.parametrize("typed", PLANNED, ids=lambda typed: next(iter(typed)))
@pytest.mark.parametrize("replace", [False, True])
def test_a_channel_that_holds_objects_keeps_them(typed, replace):
    book, thread_id = in_process("jobs", {})
    planned = book[thread_id].at(step=1)
    reads = planned.values
    (channel,) = typed
    shown = {channel: reads[channel]}  # as a checkpoint shows it
    assert planned.fork(shown, replace=True, in_copy=True).status == "finished"
    act = planned.fork(typed, replace=replace, in_copy=True)
    assert (act.status, act.error) == ("finished", None)
    if channel != "log" or replace:
        assert act.deviations == ()


def test_objects_that_are_typed_stay_what_they_are():
    book, thread_id = in_process("jobs", {})
    planned = book[thread_id].at(step=1)
    typed = {
        "job": Job(name="b"),
        "jobs": [Job(name="c")],
        "remark": Remark("r"),
        "colour": Colour.BLUE,
        "point": Point(3, 4),
    }
    act = planned.fork(typed)
    assert (act.status, act.deviations) == ("finished", ())
    assert act.checkpoint.values["remark"]["text"] == "r BLUE 3 b c d e g"
    assert "Job(name=" in act.code()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"job": {"name": 5}}, "a Job becomes a dict (name: Input should be a valid string)"),
        ({"job": {"name": "b", "note": "x"}}, "a Job cannot hold all that was typed"),
        ({"jobs": [{"name": "b"}, {"nam": "c"}]}, "a Job becomes a dict"),
        ({"by_name": {"d": {"name": None}}}, "a Job becomes a dict"),
        ({"anything": {"other": 1}}, "a Job becomes a dict"),
        ({"remark": {"stars": "many"}}, "a Remark becomes a dict"),
        ({"point": [1, 2, 3]}, "a Point becomes a list"),
        ({"colour": "green"}, "a Colour becomes a str"),
    ],
)
def test_the_preview_says_what_becomes_of_objects_that_cannot_be_made(typed, says):
    book, thread_id = in_process("jobs", {})
    planned = book[thread_id].at(step=1)
    seen = planned.preview(typed)
    assert says in str(seen)
    (deviation,) = seen.deviations
    assert {deviation.channel} == typed.keys()
    assert says in str(planned.edit(typed, in_copy=True).deviations[0])
    with pytest.raises(fb.Refused, match="becomes a"):
        planned.edit(typed, replace=True)


def test_objects_are_made_by_their_annotations_where_the_channel_holds_none():
    book, thread_id = in_process("jobs", {}, interrupt_before=["plan"])
    begun = book[thread_id].tips[0]
    typed = {"job": {"name": "a"}, "jobs": [{"name": "b"}], "by_name": {"c": {"name": "c"}}, "colour": "red",
             "remark": {"text": "r"}, "point": [1, 2], "log": [{"name": "l"}], "anything": Job(name="x")}  # fmt: skip
    act = begun.fork(typed, as_node="plan")
    assert (act.status, act.deviations) == ("finished", ())
    assert act.checkpoint.values["remark"]["text"] == "r RED 1 a b c l x"


def test_a_class_that_langgraph_does_not_find_again_is_told():
    class Inner(BaseModel):
        name: str

    class State(TypedDict, total=False):
        inner: Inner

    builder = StateGraph(State).add_sequence(
        [("make", lambda s: {"inner": Inner(name="a")}), ("use", lambda s: {"inner": s["inner"].model_copy()})]
    )
    graph = builder.add_edge(START, "make").compile(checkpointer=InMemorySaver())
    graph.invoke({}, {"configurable": {"thread_id": "t"}})
    made = fb.connect(graph)["t"].at(step=1)
    for typed in ({"inner": {**made.values["inner"], "name": "b"}}, {"inner": Inner(name="b")}):
        assert "inner: a Inner becomes a dict: LangGraph does not find this class" in str(made.preview(typed))


def test_a_server_says_that_objects_may_become_dicts(testbed):
    book, thread_id = on_server(testbed, "jobs", {})
    planned = book[thread_id].at(step=1)
    seen = planned.preview({"job": {**planned.values["job"], "name": "b"}})
    assert "job: this place takes JSON" in str(seen)
    assert "Job" in str(seen)
    assert planned.preview({"colour": "blue"}).notes == ()
    for value, what in (([5, 6], "a list"), ({"x": 5, "y": 6}, "a dict")):
        (note,) = planned.preview({"point": value}).notes
        assert f"holds {what} where the graph may expect a named tuple Point" in note
    (note,) = planned.preview({"anything": {"name": "z", "colour": "red", "done": True}}).notes
    assert "plain dicts where the graph may expect objects" in note
    assert planned.preview({"anything": 5}).notes == ()
    act = planned.fork({"jobs": []}, in_copy=True)
    assert not any("takes JSON" in note for note in act.notes)


def test_a_refused_edit_names_the_field_and_the_reason(begun):
    book, thread_id = begun("strict", {}, interrupt_before=["two"])
    stopped = book[thread_id].tips[0]
    for typed, says in (
        ({"size": -5}, r"size: Input should be greater than or equal to 0 \(given -5\)"),
        ({"size": "x"}, "size: Input should be a valid integer"),
        ({"size": 1.5, "label": 7}, "size: Input should be a valid integer.*label: Input should be a valid string"),
    ):
        for refused in (stopped.preview, stopped.edit, stopped.fork, lambda values: stopped.edit(values, in_copy=True)):
            with pytest.raises(fb.InvalidInput, match=says) as caught:
                refused(typed)
            text = str(caught.value)
            assert stopped.id in text
            assert thread_id in text
            assert "nothing was written to the thread" in text
            assert "unknown" not in text
            assert (caught.value.thread_id, caught.value.checkpoint_id) == (thread_id, stopped.id)
        frame = stopped.sweep([typed], parallel=True).df()
        assert thread_id in frame.error[0]
        assert says.split(":")[0] in frame.error[0]
    assert len(stopped.history.refreshed()) == len(stopped.history)


BROKEN = [
    (Fault(), "/copy"), (Fault(carried_out=True), "/copy"), (Fault(503), "/copy"), (Fault(), "/state"),
    (Fault(carried_out=True), "/state"), (Fault(500), "/state"), (Fault(503, carried_out=True), "/state"),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "where"), BROKEN)
def test_a_fault_of_the_scratch_copy_leaves_nothing_open(testbed, broken, where):
    near, thread_id = on_server(testbed, "strict", {}, interrupt_before=["two"])

    def fault(method, path):
        return broken if method == "POST" and path.endswith(where) else None

    with proxy(testbed, fault=fault) as (url, _), fb.connect(url) as book:
        stopped = book[thread_id].tips[0]
        for tried in (stopped.preview, stopped.edit, stopped.fork):
            with pytest.raises((fb.SourceError, fb.InvalidInput)) as caught:
                tried({"label": "x"})
            text = str(caught.value)
            assert stopped.id in text
            assert thread_id in text
            assert "nothing was written to the thread" in text
            assert "unknown" not in text
            assert (caught.value.thread_id, caught.value.checkpoint_id) == (thread_id, stopped.id)
    assert len(near[thread_id]) == len(stopped.history)


def test_an_edit_that_could_come_from_several_nodes_names_them(begun):
    book, thread_id = begun("joined", {})
    both = book[thread_id].at(step=1)
    with pytest.raises(fb.InvalidInput, match="give as_node, which is one of left, right") as caught:
        both.preview({"answers": ["x"]})
    assert caught.value.candidates == ("left", "right")
    assert thread_id in str(caught.value)
    assert both.preview({"answers": ["x"]}, as_node="left").deviations


@pytest.mark.parametrize("value", ["a\ud83d", {"k": ["a\ud83d"]}, HumanMessage("a\ud83d")])
def test_half_a_character_that_a_graph_cannot_store_is_told(value):
    builder = StateGraph(TypedDict("State", {"topic": object})).add_node("node", lambda state: {})
    graph = builder.add_edge(START, "node").compile(checkpointer=InMemorySaver())
    graph.invoke({"topic": "x"}, {"configurable": {"thread_id": "t"}})
    with fb.connect(graph) as book:
        start = book["t"][1]
        for act in (start.preview({"topic": value}), start.edit({"topic": value}, in_copy=True)):
            assert any("topic: a lone surrogate" in note and "'?'" in note for note in act.notes)
        for whole in ("a😀", "a literal \\ud83d"):
            assert not any("surrogate" in note for note in start.preview({"topic": whole}).notes)


def test_half_a_character_is_refused_by_a_server(testbed):
    book, thread_id = on_server(testbed, "jobs", {})
    with pytest.raises(fb.errors.InvalidInput, match="surrogates not allowed"):
        book[thread_id].at(step=1).preview({"anything": "a\ud83d"})
