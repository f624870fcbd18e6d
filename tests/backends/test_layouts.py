"""The layouts of stores that other versions and other writers of LangGraph make."""

import psycopg
import pytest
from test_graph import fresh_database, postgres  # noqa: F401  # a fixture
from test_saved import MAKERS

import forkbook as fb


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_postgres_without_task_path(postgres, make):  # noqa: F811
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
