"""The layouts of stores that other versions and other writers of LangGraph make."""

import pathlib
import warnings

import psycopg
import pytest
from databases import fresh_database
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from odd_runs import MAKERS, at

import forkbook as fb

DATA = pathlib.Path(__file__).parent / "data"


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_postgres_without_task_path(postgres, make):
    """As Python's saver made it before 2.0.13: everything reads as before."""
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        _, threads = make(saver)
    with fb.connect(uri) as book:
        before = {thread: book.history(thread, subgraphs=True) for thread in threads if thread in book}
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("alter table checkpoint_writes drop column task_path")
    with fb.connect(uri) as book:
        for thread, history in before.items():
            now = book.history(thread, subgraphs=True)
            assert [(cp.id, cp.values) for cp in now] == [(cp.id, cp.values) for cp in history]
            for a, b in zip(history, now, strict=True):
                assert b.next in (None, a.next)
                assert [item["id"] for item in b.waiting_for] == [item["id"] for item in a.waiting_for]
                assert b.status == a.status or b.status == "unknown"


@pytest.fixture(scope="module")
def shallow(postgres):
    """A store of LangGraph's ShallowPostgresSaver, and graphs on it: one that ended, one that waits."""
    from langgraph.checkpoint.postgres import ShallowPostgresSaver

    uri = fresh_database(postgres)
    with warnings.catch_warnings(), ShallowPostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        builder = StateGraph(MessagesState).add_node("say", lambda state: {"messages": [AIMessage("r", id="r")]})
        ends = builder.add_edge(START, "say").compile(checkpointer=saver)
        ends.invoke({"messages": [HumanMessage("x", id="x")]}, at("ended"))
        builder = StateGraph(MessagesState).add_node("ask", lambda state: {"messages": [interrupt("ok?")]})
        asks = builder.add_edge(START, "ask").compile(checkpointer=saver)
        asks.invoke({"messages": [HumanMessage("x", id="x")]}, at("waits"))
        yield uri, ends, asks


def test_a_shallow_store_is_read(shallow):
    uri, ends, _ = shallow
    with fb.connect(uri) as book:
        assert set(book.threads().thread_id) == {"ended", "waits"}
        history, waits = book["ended"], book["waits"]
        assert len(history) == len(waits) == 1
        for each in (history, waits):
            assert "older checkpoints were pruned or never kept" in each.summary()
            assert each.pruned == [each[0]]
        snapshot = ends.get_state(at("ended"))
        assert history[0].id == snapshot.config["configurable"]["checkpoint_id"]
        assert [message["id"] for message in history[0].values["messages"]] == ["x", "r"]
        assert (history[0].next, history[0].status, waits[0].status) == ((), "finished", "waiting")
        assert [item["value"] for item in waits[0].waiting_for] == ["ok?"]
        assert [head.id for head in book.tree("ended").heads] == [history[0].id]
        assert len(history.refresh()) == 1


def test_a_graph_on_a_shallow_saver_is_read_and_refuses_copies(shallow):
    uri, ends, asks = shallow
    for graph, thread in ((ends, "ended"), (asks, "waits")):
        with fb.connect(graph) as book, fb.connect(uri) as store:
            assert [cp.id for cp in book[thread]] == [cp.id for cp in store[thread]]
            assert book[thread][0].status == store[thread][0].status
            before = content(uri)
            for act in (
                lambda book=book, thread=thread: book.copy(thread),
                lambda book=book, thread=thread: book.copy(thread, book[thread][0]),
                lambda book=book, thread=thread: book[thread][0].edit({"messages": []}, in_copy=True),
                lambda book=book: fb.migrate(DATA / "langgraph-0.4.sqlite", book, ["answered"]),
            ):
                with pytest.raises(fb.Unsupported, match="keeps the newest checkpoint"):
                    act()
            assert content(uri) == before


def test_a_preview_on_a_shallow_saver_is_made_in_memory(shallow):
    uri, ends, _ = shallow
    before = content(uri)
    with fb.connect(ends) as book:
        seen = book["ended"][0].preview({"messages": [HumanMessage("p", id="p")]}, as_node="say")
        assert [message["id"] for message in seen.values["messages"]] == ["x", "r", "p"]
    assert content(uri) == before


def content(uri):
    tables = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
    with psycopg.connect(uri) as connection:
        return [connection.execute(f"select t::text from {table} t order by 1").fetchall() for table in tables]
