"""Acts on a graph in this process take Python's own objects, and what a checkpoint shows can be written back."""

import datetime as dt
import decimal
import operator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

import forkbook as fb


class State(TypedDict, total=False):
    msgs: list[Any]
    when: dt.datetime
    log: Annotated[list[Any], operator.add]
    odd: Any


def first(state):
    messages = [HumanMessage("hi", id="1"), AIMessage("ho", id="2")]
    return {"msgs": messages, "when": dt.datetime(2020, 1, 1), "log": ["a"], "odd": {1: (2, {3})}}


def second(state):
    return {"log": [state["when"].year, state["msgs"][0].content]}


@pytest.fixture
def before_second():
    builder = StateGraph(State).add_node(first).add_node(second).add_edge(START, "first").add_edge("first", "second")
    graph = builder.add_edge("second", END).compile(checkpointer=InMemorySaver())
    graph.invoke({"log": []}, {"configurable": {"thread_id": "t"}})
    with fb.connect(graph) as book:
        yield book.history("t").at(step=1)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    ("values", "log"),
    [
        ({"msgs": [HumanMessage("bye", id="1")]}, ["a", 2020, "bye"]),
        ({"msgs": [{"type": "human", "content": "bye", "id": "1"}]}, ["a", 2020, "bye"]),
        ({"when": dt.datetime(2021, 1, 1)}, ["a", 2021, "hi"]),
        ({"odd": decimal.Decimal("1.5")}, ["a", 2020, "hi"]),
        ({"odd": {1, 2}}, ["a", 2020, "hi"]),
        ({"odd": b"raw"}, ["a", 2020, "hi"]),
    ],
)
def test_objects_reach_the_nodes_as_what_they_are(before_second, values, log, replace):
    act = before_second.fork(values, replace=replace)
    assert (act.status, act.error, act.deviations) == ("finished", None, ())
    assert act.checkpoint.values["log"] == log


def test_what_a_checkpoint_shows_can_be_written_back(before_second):
    shown = before_second.values
    act = before_second.fork({name: shown[name] for name in ("msgs", "when", "odd")}, replace=True)
    assert (act.status, act.deviations) == ("finished", ())
    assert act.checkpoint.values["odd"] == shown["odd"]
    with pytest.raises(fb.InvalidInput, match="cannot be written back"):
        before_second.edit({"odd": {"__type__": "opaque", "reason": "pickled", "size": 3}})


def test_a_list_without_a_reducer_is_replaced_whole(before_second):
    act = before_second.edit({"msgs": before_second.values["msgs"][:1], "log": ["only"]}, replace=True)
    assert ([m["id"] for m in act.checkpoint.values["msgs"]], act.checkpoint.values["log"]) == (["1"], ["only"])


def test_an_edit_after_which_langgraph_cannot_read_the_state_is_refused():
    class Strict(BaseModel):
        a: int = 0

    builder = StateGraph(Strict).add_node("n", lambda state: {"a": state.a + 1}).add_edge(START, "n").add_edge("n", END)
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({"a": 1}, {"configurable": {"thread_id": "t"}})
    with fb.connect(graph) as book:
        history = book.history("t")
        for deed in (history[1].preview, history[1].edit, history[1].fork):
            with pytest.raises(fb.InvalidInput, match="cannot read the state any more"):
                deed({"a": "text"})
        assert len(history.refreshed()) == len(history)


@dataclass
class Who:
    user: str


def test_context_and_configurable_side_by_side():
    seen = []

    def node(state, runtime, config):
        seen.append((runtime.context.user, config["configurable"].get("lang")))
        return {"log": ["x"]}

    from langchain_core.runnables import RunnableConfig
    from langgraph.runtime import Runtime

    node.__annotations__ = {"runtime": Runtime[Who], "config": RunnableConfig}
    builder = StateGraph(State, context_schema=Who).add_node("n", node).add_edge(START, "n").add_edge("n", END)
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({"log": []}, {"configurable": {"thread_id": "t", "lang": "de"}}, context=Who("ada"))
    with fb.connect(graph) as book:
        start = book.history("t").at(step=0)
        start.resume(context=Who("bob"))
        start.resume(context=Who("cy"), config={"configurable": {"lang": "fr"}})
        with pytest.raises(fb.Refused, match="thread_id"):
            start.resume(config={"configurable": {"thread_id": "other"}}, context=Who("x"))
    assert seen == [("ada", "de"), ("bob", "de"), ("cy", "fr")]


def test_an_archive_does_not_mix_up_threads_of_one_id(tmp_path):
    def place(n):
        builder = StateGraph(State).add_node("n", lambda state: {"log": [n]}).add_edge(START, "n").add_edge("n", END)
        graph = builder.compile(checkpointer=InMemorySaver())
        graph.invoke({"log": []}, {"configurable": {"thread_id": "same"}})
        return fb.connect(graph)

    with place(1) as one, place(2) as two:
        assert one.export(tmp_path / "x.forkbook")
        report = two.export(tmp_path / "x.forkbook")
        assert "holds another thread 'same'" in report.errors["same"]
        with fb.connect(tmp_path / "x.forkbook") as archive:
            assert archive.history("same").states == one.history("same").states
