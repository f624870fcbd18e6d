"""LangGraph's checkpointers take a thread of an empty id, so it is opened wherever it is listed."""

from typing import TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

import forkbook as fb

AT = {"configurable": {"thread_id": ""}}


def adding(saver):
    builder = StateGraph(TypedDict("State", {"n": int})).add_node("add", lambda state: {"n": state["n"] + 1})
    return builder.add_edge(START, "add").compile(checkpointer=saver)


@pytest.fixture
def store(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "s.sqlite")) as saver:
        adding(saver).invoke({"n": 1}, AT)
    return tmp_path / "s.sqlite"


@pytest.mark.parametrize("name", ["s.sqlite", "s.forkbook", "s.json"])
def test_it_is_listed_and_opened(store, name):
    path = store.with_name(name)
    with fb.connect(store) as book:
        if path != store:
            assert book.export(path, [""]).threads == 1
        expected = [cp.id for cp in book[""]]
    with fb.connect(path) as book:
        assert list(book.threads()["thread_id"]) == [""]
        assert [cp.id for cp in book[""]] == expected
        assert book[""][-1].values == {"n": 2}
        assert set(book[""].checkpoints_df()["thread_id"]) == {""}
    assert fb.migrate(path, adding(InMemorySaver()))


def test_a_graph_acts_on_it_and_copies_it():
    graph = adding(InMemorySaver())
    graph.invoke({"n": 1}, AT)
    with fb.connect(graph) as book:
        assert book.copy("")
        assert set(book.copies("")["thread_id"]) == set(book.threads()["thread_id"]) - {""}
        threads = len(book.threads())
        assert book[""][1].preview({"n": 5}).next == ("add",)
        assert len(book.threads()) == threads, "a preview leaves no copy behind"
        assert book[""][1].fork({"n": 5}).checkpoint.values == {"n": 6}
        assert book.run("", {"n": 8}).checkpoint.values == {"n": 9}
        assert list(dict.fromkeys(book.threads()["thread_id"])).count("") == 1


def test_a_new_thread_may_have_it():
    with fb.connect(adding(InMemorySaver())) as book:
        assert book.run("", {"n": 1}, if_not_exists="create").history.thread_id == ""


def test_a_server_has_none(demo_url):
    with fb.connect(demo_url) as book:
        with pytest.raises(fb.errors.ThreadNotFound, match="a server takes no empty id"):
            book[""]
        assert "" not in book
