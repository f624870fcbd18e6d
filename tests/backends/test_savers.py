"""Checkpointers without a graph, opened read-only; and backends of other people."""

import sqlite3

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from test_own_savers import on

import forkbook as fb
from forkbook.backends.databases.sqlite import SqliteBackend
from forkbook.backends.graph.saver import SaverBackend


class OwnSaver(InMemorySaver):
    """A saver as other people write it for a store of their own."""


@pytest.fixture
def own():
    return on(OwnSaver())


def test_a_saver_is_read_as_its_graph_reads_it(own):
    by_graph, by_saver = fb.connect(own), fb.connect(own.checkpointer)
    assert list(by_saver.threads().thread_id) == list(by_graph.threads().thread_id) == ["t"]
    a, b = by_graph["t"], by_saver["t"]
    assert [cp.values for cp in b][1:] == [cp.values for cp in a][1:]  # of an input, a graph shows empty channels, too
    for name in ("next", "step", "source", "parent", "status", "title"):
        assert [getattr(cp, name) for cp in b] == [getattr(cp, name) for cp in a], name
    assert b.total_tokens == a.total_tokens
    assert b.refreshed().facts is b.facts or b.refreshed().states == b.states


def test_a_saver_says_who_reads_it_and_refuses_to_write(own):
    book = fb.connect(own.checkpointer)
    assert repr(book) == (
        "<Book on the checkpointer OwnSaver (read by LangGraph: may import classes and change the file)>"
    )
    with pytest.raises(fb.Unsupported, match="cannot edit"):
        book["t"].tips[0].edit({"messages": []})
    with pytest.raises(fb.ThreadNotFound, match=r"book\.threads"):
        book["none"]
    with pytest.raises(fb.InvalidInput, match="ids and limit"):
        book.threads(metadata={"a": 1})


def test_a_sqlite_saver_is_read_by_our_own_reader(tmp_path):
    file = tmp_path / "store.sqlite"
    with SqliteSaver.from_conn_string(str(file)) as saver:
        on(saver)
        book = fb.connect(saver)
        assert isinstance(book.backend, SqliteBackend)
        assert len(book["t"]) == 3


def test_a_sqlite_saver_in_memory_is_read_by_langgraph():
    saver = SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))
    on(saver)
    book = fb.connect(saver)
    assert isinstance(book.backend, SaverBackend)
    assert len(book["t"]) == 3


def test_a_backend_of_others_is_opened_as_it_is(own):
    backend = SaverBackend(own.checkpointer)
    book = fb.connect(backend)
    assert book.backend is backend
    assert len(book["t"]) == 3
