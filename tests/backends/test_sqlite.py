"""Reading a SQLite store changes nothing of it, sees one moment, and survives whatever lies in the file."""

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from contract import BackendContract
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from savers import graph_on
from seeding import compiled, seed

from forkbook.backends.databases.sqlite import SqliteBackend
from forkbook.book import Book
from forkbook.errors import (
    AccessDenied,
    ConnectionFailed,
    ForkbookError,
    InvalidInput,
    ProtocolError,
    SourceError,
    ThreadNotFound,
)

DATA = pathlib.Path(__file__).parent / "data"
AWKWARD = ["it's", 'say "hi"', "100%", "a\0b", "; DROP TABLE checkpoints", "ünï/☃", "?mode=rwc#x"]


def write(file, *threads, mode="WAL"):
    with SqliteSaver.from_conn_string(str(file)) as saver:
        graph = graph_on(saver)
        for thread in threads:
            graph.invoke({"messages": [HumanMessage("hi", id="h")]}, {"configurable": {"thread_id": thread}})
        saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        saver.conn.execute(f"PRAGMA journal_mode={mode}")
    return file


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "store.sqlite", "one", "two")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    file = tmp_path_factory.mktemp("sqlite") / "seeded.sqlite"
    with SqliteSaver.from_conn_string(str(file)) as saver:
        threads = seed(compiled(saver))
    with Book(SqliteBackend(file)) as book:
        yield book, threads


class TestSqlite(BackendContract):
    pass


def read_all(file, thread="one"):
    backend = SqliteBackend(file)
    list(backend.threads())
    backend.thread(thread)
    backend.heads(thread)
    backend.state(thread)
    return [state for page in backend.pages(thread) for state in page]


def look(folder):
    """Everything that a reader could change: names, bytes, times and modes."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in sorted(folder.iterdir())
    }


def test_a_thread_is_read(file):
    backend = SqliteBackend(file)
    assert {thread["thread_id"] for thread in backend.threads()} == {"one", "two"}
    states = read_all(file)
    assert [state["metadata"]["step"] for state in states] == [1, 0, -1]
    assert [state["next"] for state in states] == [[], ["chat"], ["__start__"]]
    assert [head.id for head in backend.heads("one")] == [state["checkpoint"]["checkpoint_id"] for state in states]
    assert backend.thread("one")["created_at"][:19] == states[-1]["created_at"][:19]
    assert backend.state("one") == states[0]
    assert backend.state("one", states[1]["checkpoint"]["checkpoint_id"]) == states[1]
    assert backend.state("one", "none such") is None


def test_what_is_not_there_is_said(file):
    backend = SqliteBackend(file)
    with pytest.raises(ThreadNotFound, match="no thread 'three'"):
        backend.thread("three")
    assert list(backend.pages("three")) == []
    with pytest.raises(InvalidInput, match="status"):
        list(backend.threads(status="busy"))
    assert [thread["thread_id"] for thread in backend.threads(ids=["two"])] == ["two"]
    assert len(list(backend.threads(limit=1))) == 1


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_reading_changes_nothing(tmp_path, mode):
    file = write(tmp_path / "100% a?b#c.sqlite", "one", mode=mode)
    before = look(tmp_path)
    assert list(before) == [file.name]
    assert len(read_all(file)) == 3
    assert look(tmp_path) == before


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_read_only_folder_is_read(tmp_path, mode):
    file = write(tmp_path / "store.sqlite", "one", mode=mode)
    file.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        before = look(tmp_path)
        assert len(read_all(file)) == 3
        assert look(tmp_path) == before
    finally:
        tmp_path.chmod(0o755)


def test_beside_a_live_writer_only_its_own_files_change(file):
    with SqliteSaver.from_conn_string(str(file)) as saver:
        graph = graph_on(saver)
        for count in (6, 9):
            graph.invoke({"messages": []}, {"configurable": {"thread_id": "one"}})
            before = look(file.parent)
            assert {f"{file.name}-wal", f"{file.name}-shm"} < before.keys()
            assert len(read_all(file)) == count
            after = look(file.parent)
            assert before.keys() == after.keys()
            assert before[file.name] == after[file.name]


def test_what_was_read_before_is_not_read_again_unless_it_changed(file):
    backend = SqliteBackend(file)
    old = read_all(file)[0]
    with SqliteSaver.from_conn_string(str(file)) as saver:
        first = [state for page in backend.pages("one") for state in page]
        graph_on(saver).update_state({"configurable": {"thread_id": "one"}}, {"messages": [("user", "more")]})
        again = [state for page in backend.pages("one") for state in page]
        assert again[1]["values"] is not None
        assert again[2]["values"]["messages"][0] is first[1]["values"]["messages"][0]
        assert len(again) == len(first) + 1
        saver.conn.execute("REPLACE INTO checkpoints SELECT * FROM checkpoints WHERE checkpoint_id LIKE ?", [
            old["checkpoint"]["checkpoint_id"]])  # fmt: skip
        saver.conn.commit()
        assert [state for page in backend.pages("one") for state in page] == again


def test_each_read_sees_one_moment(file):
    stop = threading.Event()

    def keep_writing():
        with SqliteSaver.from_conn_string(str(file)) as saver:
            graph = graph_on(saver)
            while not stop.is_set():
                graph.invoke({"messages": []}, {"configurable": {"thread_id": "one"}}, durability="sync")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        backend = SqliteBackend(file)
        for _ in range(20):
            states = [state for page in backend.pages("one") for state in page]
            ids = {state["checkpoint"]["checkpoint_id"] for state in states}
            assert all((s["parent_checkpoint"] or {}).get("checkpoint_id", s["metadata"]["step"]) in ids | {-1}
                       for s in states)  # fmt: skip
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("thread", AWKWARD)
def test_awkward_thread_ids(tmp_path, thread):
    file = write(tmp_path / "store.sqlite", thread, "plain")
    assert {item["thread_id"] for item in SqliteBackend(file).threads()} == {thread, "plain"}
    assert len(read_all(file, thread)) == 3


def checkpoints(file, sql, *parameters):
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(sql, parameters)
        connection.commit()


def empty(file):
    file.write_bytes(b"")


def nonsense(file):
    file.write_bytes(b"not a database, " * 1000)


def no_tables(file):
    file.unlink()
    checkpoints(file, "CREATE TABLE other (a)")


def view(file):
    checkpoints(file, "ALTER TABLE checkpoints RENAME TO hidden")
    checkpoints(file, "CREATE VIEW checkpoints AS SELECT * FROM hidden")


def generated(file):
    checkpoints(file, "DROP TABLE checkpoints")
    checkpoints(
        file,
        "CREATE TABLE checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, metadata, "
        "checkpoint AS (zeroblob(1000000000)))",
    )


def truncated(file):
    os.truncate(file, file.stat().st_size // 2)


def directory(file):
    file.unlink()
    file.mkdir()


def missing(file):
    file.unlink()


def locked(file):
    checkpoints(file, "PRAGMA journal_mode=DELETE")
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def pipe(file):
    file.unlink()
    os.mkfifo(file)


FILES = [
    (empty, SourceError), (nonsense, SourceError), (no_tables, SourceError), (view, SourceError),
    (generated, SourceError), (truncated, ProtocolError), (directory, SourceError), (missing, ConnectionFailed),
    (locked, ConnectionFailed), (pipe, SourceError),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "error"), FILES, ids=lambda item: item.__name__)
def test_a_file_that_is_no_store(file, spoil, error):
    held = spoil(file)
    before = {p.name: p.stat().st_mtime_ns for p in file.parent.iterdir()}
    started = time.perf_counter()
    with pytest.raises(error, match=r"store\.sqlite") as raised:
        read_all(file)
    assert isinstance(raised.value, ForkbookError)
    assert time.perf_counter() - started < 2
    assert {p.name: p.stat().st_mtime_ns for p in file.parent.iterdir()} == before
    if held:
        held.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(file):
    file.chmod(0)
    with pytest.raises(AccessDenied):
        read_all(file)


NESTED = b"\x91" * 5000
IN_A_CHANNEL = b"\x81\xaechannel_values\x81\xa1a" + b"\x91" * 900 + b"\xc0"
DAMAGES = {
    "cut": ("checkpoint = substr(checkpoint, 1, length(checkpoint) / 2)", "damaged"),
    "deep": (f"checkpoint = x'{NESTED.hex()}'", "damaged"),
    "deep in a channel": (f"checkpoint = x'{IN_A_CHANNEL.hex()}'", "damaged: nested"),
    "zeros": ("checkpoint = zeroblob(70000000)", "larger than"),
    "pickle": ("type = 'pickle'", "pickled"),
    "encrypted": ("type = 'msgpack+aes'", "encrypted"),
    "text": ("checkpoint = 'text'", "damaged"),
    "null": ("checkpoint = NULL", "damaged"),
    "number": ("checkpoint = 5", "damaged"),
}


@pytest.mark.long
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_row_leaves_the_others_readable(file, damage):
    change, reason = DAMAGES[damage]
    newest = "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = 'one'"
    checkpoints(file, f"UPDATE checkpoints SET {change} WHERE checkpoint_id = ({newest})")
    started = time.perf_counter()
    bad, *good = read_all(file)
    assert time.perf_counter() - started < 2
    assert bad["values"]["__type__"] == "opaque"
    assert bad["values"]["reason"].startswith(reason)
    assert (bad["next"], bad["tasks"]) == (None, None)
    assert all("messages" in state["values"] or state["metadata"]["step"] == -1 for state in good)
    assert len(read_all(file, "two")) == 3


@pytest.mark.long
@pytest.mark.parametrize("column", ["metadata", "type", "parent_checkpoint_id", "checkpoint_ns", "thread_id"])
def test_other_columns_of_any_size_and_kind(file, column):
    for value in ("zeroblob(70000000)", "x'00ff'", "5", "'[]'", "NULL"):
        with contextlib.suppress(sqlite3.IntegrityError):
            checkpoints(file, f"UPDATE OR IGNORE checkpoints SET {column} = {value} WHERE rowid = 1")
            with contextlib.suppress(ForkbookError):
                read_all(file)
            with contextlib.suppress(ForkbookError):
                read_all(file, "two")


@pytest.mark.long
@pytest.mark.parametrize("change", ["value = zeroblob(70000000)", "value = x'92'", "type = 'pickle'", "idx = 'x'"])
def test_damaged_writes(file, change):
    checkpoints(file, f"UPDATE OR IGNORE writes SET {change} WHERE rowid < 3")
    assert len(read_all(file)) == 3


@pytest.mark.outside
def test_memory_of_bad_input_is_bounded(file):
    checkpoints(file, "UPDATE checkpoints SET checkpoint = zeroblob(900000000) WHERE rowid = 1")
    checkpoints(file, "UPDATE writes SET value = zeroblob(70000000) WHERE rowid = 1")
    program = textwrap.dedent(f"""
        import resource
        from forkbook.backends.databases.sqlite import SqliteBackend
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        backend = SqliteBackend({str(file)!r})
        states = [state for page in backend.pages("one") for state in page]
        assert len(states) == 3
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 256 * 1024


@pytest.mark.outside
def test_a_store_is_read_without_langgraph(file):
    program = textwrap.dedent(f"""
        import sys
        from forkbook.backends.databases.sqlite import SqliteBackend
        assert len([state for page in SqliteBackend({str(file)!r}).pages("one") for state in page]) == 3
        print([name for name in sys.modules if name.partition(".")[0] in ("langgraph", "langchain_core", "pandas")])
    """)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def old_stores():
    return sorted(DATA.glob("langgraph-[0-9]*.sqlite"))


@pytest.mark.parametrize("old", old_stores(), ids=lambda path: path.stem)
def test_stores_of_old_versions(tmp_path, old, capsys):
    """What langgraph 0.2 and 0.4 wrote (see data/make_old_store.py), beside what they said of it themselves."""
    file = shutil.copy(old, tmp_path / old.name)
    before = look(tmp_path)
    backend, truth, unknown, count = SqliteBackend(file), json.loads(old.with_suffix(".json").read_text()), [], 0
    assert {thread["thread_id"] for thread in backend.threads()} == truth.keys()
    for thread, said in truth.items():
        states = [state for page in backend.pages(thread) for state in page]
        assert [state["checkpoint"]["checkpoint_id"] for state in states] == [other["id"] for other in said]
        for state, other in zip(states, said, strict=True):
            count += 1
            assert sorted(state["values"]) == [name for name in other["channels"] if name in state["values"]]
            assert state["values"].get("jokes", []) == other["jokes"]
            if state["next"] is None:
                unknown.append("next")
            else:
                assert sorted(state["next"]) == sorted(other["next"])
            if state["tasks"] is None:
                unknown.append("tasks")
                continue
            known = {task["id"]: task for task in other["tasks"]}
            for task in state["tasks"]:
                if task["id"] is None:
                    continue
                assert task["name"] in (None, known[task["id"]]["name"])
                assert task["error"] == known[task["id"]]["error"]
                assert [item["value"] for item in task["interrupts"]] == known[task["id"]]["asks"]
        assert [task["asks"] for task in said[0]["tasks"] if task["asks"]] == [
            [item["value"] for item in task["interrupts"]] for task in states[0]["tasks"] or () if task["interrupts"]
        ]
        assert {task["error"] for task in said[0]["tasks"]} - {None} == {
            task["error"] for task in states[0]["tasks"] or ()
        } - {None}
    with capsys.disabled():
        print(f"\n{old.stem}: {count} states, unknown: next {unknown.count('next')}, tasks {unknown.count('tasks')}")
    assert look(tmp_path) == before
