"""What a command wrote to a channel shows in a store as LangGraph shows it, until a step has taken it up and after."""

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Overwrite, interrupt

import forkbook as fb

AT = {"configurable": {"thread_id": "t"}}


def merged(old, new):
    return {**(old or {}), **new}


class Channels(TypedDict, total=False):
    joined: Annotated[list, operator.add]
    text: Annotated[str, operator.add]
    number: Annotated[int, operator.add]
    merged: Annotated[dict, merged]
    plain: Any
    own: Annotated[list, lambda old, new: sorted({*old, *new})]


FIRST = {"joined": [1], "text": "a", "number": 1, "merged": {"a": 1}, "plain": {"a": 1}, "own": [3, 1]}
THEN = {"joined": [2], "text": "b", "number": 2, "merged": {"b": 2}, "plain": {"b": 2}, "own": [2, 1]}
SENT = {"joined": [3], "text": "c", "number": 4, "merged": {"a": 3}, "plain": {"c": 3}, "own": [0]}


def graph_of(schema, saver, *writes):
    """A node for each of the writes, then one that asks."""
    builder = StateGraph(schema).add_node("ask", lambda state: interrupt("?") and {})
    before = START
    for number, write in enumerate(writes):
        builder.add_node(f"node{number}", lambda state, write=write: write).add_edge(before, f"node{number}")
        before = f"node{number}"
    return builder.add_edge(before, "ask").compile(checkpointer=saver)


def shown(graph):
    """LangGraph's own account, oldest first; a channel before its first write may be empty or missing."""
    return [{k: v for k, v in each.values.items() if v} for each in graph.get_state_history(AT)][::-1]


def stored(path):
    with fb.connect(path) as book:
        return [{k: v for k, v in cp.values.items() if v} for cp in book["t"]]


@pytest.mark.parametrize("answered", [False, True])
def test_channels_of_every_common_kind(tmp_path, answered):
    path = tmp_path / "s.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = graph_of(Channels, saver, THEN, THEN)
        graph.invoke(FIRST, AT)
        graph.invoke(Command(update=SENT, goto="ask", **({"resume": "yes"} if answered else {})), AT)
        expected, found = shown(graph), stored(path)
        assert [{k: v for k, v in each.items() if k != "own"} for each in expected] == [
            {k: v for k, v in each.items() if k != "own"} for each in found
        ]
        assert found[3]["joined"] == [1, 2, 2, 3]
        assert found[3]["own"] == [1, 2, 3], "a rule of the user's own: as it is stored"
        with fb.connect(path, graph=graph) as book:
            assert book["t"][3].values["own"] == [0, 1, 2, 3]


@pytest.mark.parametrize("brought", [
    [AIMessage("few-shot", id="new")],
    [HumanMessage("other", id="h")],
    [RemoveMessage(id="h")],
    AIMessage("alone", id="new"),
    "a text",
])  # fmt: skip
def test_messages(tmp_path, brought):
    path = tmp_path / "s.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = graph_of(MessagesState, saver, {"messages": [AIMessage("a", id="a")]}, {"messages": [AIMessage("b")]})
        graph.invoke({"messages": [HumanMessage("hi", id="h")]}, AT)
        graph.invoke(Command(update={"messages": brought}, goto="ask"), AT)
        contents = [[message.content for message in each.get("messages", ())] for each in shown(graph)]
    found = [[message["content"] for message in each.get("messages", ())] for each in stored(path)]
    assert found == contents


def test_messages_before_the_first_step(tmp_path):
    path = tmp_path / "s.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = graph_of(MessagesState, saver)
        graph.invoke({"messages": [HumanMessage("hi", id="h")]}, AT)
        graph.invoke(Command(update={"messages": [AIMessage("few-shot", id="new")]}, goto="ask"), AT)
        assert fb.verify(path, graph)
    assert [message["id"] for message in stored(path)[1]["messages"]] == ["h", "new"]


def test_what_the_steps_do_not_tell_apart_shows_as_it_is_stored(tmp_path):
    """One step alone is what every rule makes of it."""
    path = tmp_path / "s.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = graph_of(Channels, saver)
        graph.invoke({"joined": [1]}, AT)
        graph.invoke(Command(update={"joined": [2]}, goto="ask"), AT)
        assert shown(graph)[1] == {"joined": [1, 2]}
    assert stored(path)[1] == {"joined": [1]}


def test_a_command_that_replaces_a_value_shows_as_it_is_stored(tmp_path):
    path = tmp_path / "s.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = graph_of(Channels, saver, THEN, THEN)
        graph.invoke(FIRST, AT)
        graph.invoke(Command(update={"joined": Overwrite([9])}, goto="ask"), AT)
    assert stored(path)[3]["joined"] == [1, 2, 2]


def test_a_read_again_gives_the_same_states(tmp_path):
    path = tmp_path / "s.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = graph_of(Channels, saver, THEN, THEN)
        graph.invoke(FIRST, AT)
        with fb.connect(path) as book:
            before = book["t"]
            assert before[-1].values["joined"] == [1, 2, 2]
            graph.invoke(Command(update=SENT, goto="ask"), AT)
            after = book["t"]
            assert after[-1].values["joined"] == [1, 2, 2, 3]
            again = book["t"]
            assert all(again.states[id_] is state for id_, state in after.states.items())
            assert after[-1].rebuilt["joined"] == "operator.add"
