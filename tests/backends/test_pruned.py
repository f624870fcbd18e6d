"""Threads whose older checkpoints are gone say so, and so do copies, migrations and exports of them."""

import json
import sqlite3
import uuid

import pytest
from databases import fresh_database
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

import forkbook as fb

AT = {"configurable": {"thread_id": "t"}}


def on(saver):
    inner = StateGraph(MessagesState).add_node("say", lambda state: {"messages": [AIMessage("r")]})
    inner = inner.add_edge(START, "say").compile()
    builder = StateGraph(MessagesState).add_node("inner", inner).add_node("end", lambda state: {})
    return builder.add_edge(START, "inner").add_edge("inner", "end").compile(checkpointer=saver)


def spoken(saver):
    graph = on(saver)
    for n in range(2):
        graph.invoke({"messages": [HumanMessage(f"{n}", id=f"h{n}")]}, AT)
    return graph


def test_an_export_of_a_pruned_thread_leaves_what_the_archive_holds(tmp_path):
    store, path = tmp_path / "s.sqlite", tmp_path / "a.forkbook"
    with SqliteSaver.from_conn_string(str(store)) as saver:
        spoken(saver)
        with fb.connect(store) as book:
            assert book.export(path)
            whole = [cp.id for cp in book["t"]]
        with saver.cursor() as cursor:
            cursor.executemany("DELETE FROM checkpoints WHERE checkpoint_id = ?", [(id_,) for id_ in whole[:3]])
    with fb.connect(store) as book:
        report = book.export(path)
        assert not report
        assert "3 checkpoints of it that are gone there: it is kept there as it was" in report.errors["t"]
        assert book.export(tmp_path / "other.forkbook").pruned == ("t",)
    with fb.connect(path) as archive:
        assert [cp.id for cp in archive["t"]] == whole


def are_pruned(history):
    assert "older checkpoints were pruned" in history.summary()
    assert "complete" not in history.summary()
    assert "older checkpoints were pruned" in repr(history)
    assert "older checkpoints were pruned" in history.figure().to_json()
    assert history.complete
    assert history.pruned == [cp for cp in history if cp.parent is None]


def test_postgres_keeps_the_latest(postgres, tmp_path):
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        graph = spoken(saver)
        saver.prune(["t"], strategy="keep_latest")
        for place in (uri, graph):
            with fb.connect(place) as book:
                history = book["t"]
                assert len(history) == 1
                are_pruned(history)
                nested = book.history("t", subgraphs=True)
                assert [cp.id for cp in nested.pruned] == [cp.id for cp in history]
        with fb.connect(graph) as book:
            report = book.copy("t")
            assert report
            assert [words for words in report.not_kept if "pruned" in words]
            assert "pruned" in repr(report)
            are_pruned(book[report.new_thread_id])
    with fb.connect(uri) as book:
        for name in ("x.forkbook", "x.json"):
            report = book.export(tmp_path / name, ["t"])
            assert report.pruned == ("t",)
            assert "older checkpoints were pruned" in repr(report)
            with fb.connect(tmp_path / name) as read:
                are_pruned(read["t"])
        moved = fb.migrate(book, on(InMemorySaver()), ["t"])
        assert moved
        assert "pruned" in repr(moved)


def test_rows_deleted_from_sqlite(tmp_path):
    path = tmp_path / "store.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        spoken(saver)
    with sqlite3.connect(path) as db:
        ids = [row[0] for row in db.execute("select checkpoint_id from checkpoints where checkpoint_ns='' order by 1")]
        db.execute("delete from checkpoints where checkpoint_ns = '' and checkpoint_id < ?", [ids[3]])
    with fb.connect(path) as book:
        history = book["t"]
        assert len(history) == len(ids) - 3
        are_pruned(history)
        assert [cp.id for cp in history.pruned] == [ids[3]]
        assert "newest only" in book.history("t", limit=1).summary()
        assert book.history("t", limit=1).pruned == []


def test_the_command_line_says_it(tmp_path, capsys):
    from typer.testing import CliRunner

    from forkbook.cli.app import app

    path = tmp_path / "store.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        spoken(saver)
    with sqlite3.connect(path) as db:
        db.execute("delete from checkpoints where json_extract(metadata, '$.step') < 1")
    shown = CliRunner().invoke(app, ["show", str(path), "t"])
    assert "older checkpoints were pruned" in " ".join(shown.stdout.split())
    shown = CliRunner().invoke(app, ["show", str(path), "t", "--json"])
    assert len(json.loads(shown.stdout)["pruned"]) == 1


@pytest.mark.parametrize("as_node", ["__start__", "inner"])
def test_a_parent_that_never_was_is_not_called_pruned(as_node):
    graph = spoken(InMemorySaver())
    bogus = {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": str(uuid.uuid1())}}
    graph.update_state(bogus, {"messages": [HumanMessage("b")]}, as_node=as_node)
    with fb.connect(graph) as book:
        history = book["t"]
        assert history.summary().endswith("complete · 1 root with a parent that does not exist")
        assert history.pruned == []
        assert not [words for words in book.copy("t").not_kept if "pruned" in words]


def test_a_run_that_saves_its_end_alone_says_so():
    graph = on(InMemorySaver())
    graph.invoke({"messages": [HumanMessage("x")]}, AT, durability="exit")
    with fb.connect(graph) as book:
        assert "older checkpoints were pruned or never kept" in book["t"].summary()


def test_a_thread_that_begins_with_an_edit_is_complete():
    graph = on(InMemorySaver())
    graph.update_state(AT, {"messages": [HumanMessage("x")]}, as_node="inner")
    graph.invoke(None, AT)
    with fb.connect(graph) as book:
        assert book["t"].summary().endswith("complete")
