"""Stores read again: only what changed, by one connection a book, beside whoever writes."""

import os
import sqlite3
import threading
from contextlib import closing

import pytest
from databases import fresh_database
from delta import agent, config
from langchain_core.messages import HumanMessage, RemoveMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

import forkbook as fb
from forkbook.backends.databases.listing import check_search, fitting
from forkbook.backends.databases.sqlite_file import SqliteFile


def steps(graph):
    """A thread that grows, forks, waits, is answered and edited; pauses after each deed."""
    for n in range(4):
        graph.invoke({"messages": [HumanMessage(f"q{n}", id=f"h{n}")]}, config())
        yield
    past = list(graph.get_state_history(config()))
    for at, edit in ((past[3], [RemoveMessage("h0")]), (past[5], [HumanMessage("other", id="h1")]), (past[3], [])):
        edited = graph.update_state(at.config, {"messages": edit}, as_node="answer")
        yield
        graph.invoke(None, edited)
        yield
    graph.invoke(Command(resume="yes", update={"messages": "by the way"}), config())
    yield
    graph.invoke({"messages": "more"}, config(), durability="exit")
    yield


def check(graph, place, subgraphs):
    deeds = steps(graph)
    next(deeds)
    with fb.connect(place) as book:
        history = book.history("t", subgraphs=subgraphs)
        for _ in deeds:
            before = history.states
            history.refresh()
            with fb.connect(place) as other:
                whole = other.history("t", subgraphs=subgraphs)
                assert history.states == whole.states
                ids = [*list(whole.states)[::3], "nobody"]
                roots = {id_: state for id_, state in whole.states.items() if not state["checkpoint"]["checkpoint_ns"]}
                assert book.backend.states("t", ids) == {id_: roots[id_] for id_ in ids if id_ in roots}
            assert history.refreshed().states == history.states
        assert sum(before.get(id_) is state for id_, state in history.states.items()) > len(before) / 2


@pytest.mark.long
@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("asks", [False, True])
def test_a_sqlite_store_is_refreshed_to_what_a_whole_read_gives(tmp_path, subgraphs, asks):
    with closing(sqlite3.connect(tmp_path / "store.db", check_same_thread=False)) as connection:
        check(agent(SqliteSaver(connection), 3, asks=asks), tmp_path / "store.db", subgraphs)


@pytest.mark.parametrize("subgraphs", [False, True])
def test_a_postgres_store_is_refreshed_to_what_a_whole_read_gives(postgres, subgraphs):
    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        check(agent(saver, 3, asks=True), uri, subgraphs)


@pytest.fixture
def file(tmp_path):
    """A closed store, and its thread's ids."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        for _ in steps(agent(SqliteSaver(connection), 3)):
            pass
    return path


def test_a_file_that_was_replaced_is_read_anew(file, tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as other, closing(sqlite3.connect(file)) as source:
        source.backup(other)
        other.execute("update checkpoints set metadata = replace(metadata, '\"step\": 0', '\"step\": 7')")
        other.commit()
    with fb.connect(file) as book:
        old = book["t"]
        os.replace(tmp_path / "other.db", file)
        new = book["t"]
        assert list(new.states) == list(old.states)
        assert sum(cp.step == 7 for cp in new) > sum(cp.step == 7 for cp in old)


def test_checkpoints_that_are_deleted_go(file):
    with fb.connect(file) as book:
        history = book["t"]
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("delete from checkpoints where checkpoint_id = ?", [history[-1].id])
            connection.commit()
        assert list(history.refreshed().states) == list(history.states)[:-1]


def test_a_book_that_stays_open_keeps_no_log_from_being_folded_in(file):
    """The last writer folds a WAL log into its file; a reader that stayed would hold it back."""
    with fb.connect(file) as book:
        history = book["t"]
        with closing(sqlite3.connect(file, check_same_thread=False)) as connection:
            agent(SqliteSaver(connection), 3).invoke({"messages": "x"}, config())
            assert len(history.refresh()) > 20
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        assert len(book["t"]) == len(history)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_threads_of_a_process_share_one_connection(file):
    with fb.connect(file) as book:
        want, found = book["t"].states, []
        readers = [threading.Thread(target=lambda: found.append(book["t"].states)) for _ in range(8)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        assert found == [want] * 8


@pytest.mark.parametrize("columns", ["rowid default 1", "rowid, _rowid_, oid", "RowId integer"])
def test_columns_named_like_row_ids_are_none(file, tmp_path, columns):
    path = tmp_path / "copied.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"attach '{file}' as old")
        for table in ("checkpoints", "writes"):
            names = ", ".join(row[1] for row in connection.execute(f"pragma old.table_info({table})"))
            connection.execute(f"create table {table}({names}, {columns})")
            connection.execute(f"insert into {table}({names}) select {names} from old.{table}")
        connection.commit()
    with fb.connect(path) as book:
        history = book["t"]
        assert history.states == fb.connect(file)["t"].states
        assert history.refreshed().states == history.states
        assert book.tree("t").heads == history.tree.heads


def test_a_table_without_row_ids(file, tmp_path):
    path = tmp_path / "copied.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"attach '{file}' as old")
        for table in ("checkpoints", "writes"):
            (made,) = connection.execute("select sql from old.sqlite_schema where name = ?", [table]).fetchone()
            connection.execute(f"{made} without rowid")
            connection.execute(f"insert into {table} select * from old.{table}")
        connection.commit()
    with fb.connect(path) as book:
        history = book["t"]
        assert history.states == fb.connect(file)["t"].states
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("delete from writes where checkpoint_id = ?", [history[1].id])
            connection.commit()
        assert history.refreshed()[1].tasks != history[1].tasks


def test_a_thread_that_was_deleted_and_made_anew_has_its_new_values(postgres):
    """Versions that count from 1, as LangGraph.js writes them, come again then."""
    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
    with PostgresSaver.from_conn_string(uri) as saver, fb.connect(uri) as book:
        saver.get_next_version = lambda current, channel: (current or 0) + 1
        graph = agent(saver, 3, asks=False)
        for text in ("first", "second"):
            graph.invoke({"messages": [HumanMessage(text, id="h")]}, config())
            assert book["t"][-1].values["messages"][0]["content"] == text
            saver.delete_thread("t")


def test_a_fault_of_a_file_that_changes_meanwhile_is_no_damage(tmp_path):
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        agent(SqliteSaver(connection), 3, asks=False).invoke({"messages": "x"}, config())
    file, tries = SqliteFile(path), []

    def work(connection):
        tries.append(connection)
        if len(tries) == 1:
            os.utime(path, ns=(1, 1))
            raise sqlite3.DatabaseError("database disk image is malformed")
        return connection.execute("select count(*) from checkpoints").fetchone()[0]

    assert file.read("counting", work) > 0
    assert len(tries) == 2
    file.close()


@pytest.mark.parametrize(
    ("search", "found"), [({}, "abc"), ({"ids": []}, ""), ({"ids": "ac"}, "ac"), ({"limit": 2}, "ab")]
)
def test_threads_are_searched_by_ids_and_number(search, found):
    check_search(search)
    assert fitting([(id_, None) for id_ in "abc"], search) == [(id_, None) for id_ in found]
    with pytest.raises(fb.InvalidInput, match="ids only"):
        check_search({"status": "idle"})
