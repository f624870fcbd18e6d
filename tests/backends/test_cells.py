"""Cells of any type in any column: a thread is read without them or refused in words, the others are read as ever."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from all_seen import seen
from held import Memory, conversation
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.sqlite import SqliteStore
from savers import graph_on

import forkbook as fb
from forkbook.backends.values.cells import as_bytes, as_text
from forkbook.backends.values.decode import decode
from forkbook.transfer.export import export

CELLS = {"integer": 2_000_000_000, "real": 1.5e300, "text": "text", "blob": b"\xff\x00", "null": None, "small": -1}
STORE_COLUMNS = {
    "checkpoints": (
        "thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "type", "checkpoint", "metadata",
    ),
    "writes": ("thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx", "channel", "type", "value"),
    "store": ("prefix", "key", "value", "created_at", "updated_at"),
}  # fmt: skip
ARCHIVE_COLUMNS = {
    "about": ("key", "value"),
    "threads": ("id", "record", "digest", "namespaces", "checkpoints", "lists", "leaves", "sample", "seal"),
    "checkpoints": ("thread", "place", "id", "body"),
    "lists": ("thread", "place", "body"),
    "leaves": ("body",),
    "hashes": ("hash", "leaf"),
}


def untyped(path, source):
    """A store with the rows of another, whose columns have no types: SQLite then keeps any value as it is."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("ATTACH ? AS old", [str(source)])
        for table in STORE_COLUMNS:
            columns = ", ".join(name for _, name, *_ in db.execute(f"PRAGMA old.table_info({table})"))
            db.execute(f"CREATE TABLE {table}({columns})")
            db.execute(f"INSERT INTO {table} SELECT * FROM old.{table}")
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    with SqliteSaver.from_conn_string(str(folder / "typed.db")) as saver:
        for thread in ("bad", "well"):
            graph_on(saver).invoke({"messages": []}, {"configurable": {"thread_id": thread}})
    with SqliteStore.from_conn_string(str(folder / "typed.db")) as store:
        store.setup()
        for n in range(2):
            store.put(("m", "1"), f"k{n}", {"n": n})
    untyped(folder / "untyped.db", folder / "typed.db")
    export(folder / "a.forkbook", Memory({id_: conversation(id_, 4) for id_ in ("bad", "well")}))
    return folder


def put(path, table, column, cell):
    """Put a value into a column of the first row of the thread `bad`."""
    with contextlib.closing(sqlite3.connect(path)) as db, db, contextlib.suppress(sqlite3.IntegrityError):
        rowid = "rowid" if table not in ("about", "hashes") and path.suffix == ".db" else None
        names = {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}
        where = "thread_id = 'bad'" if "thread_id" in names else "thread = 1" if "thread" in names else "1"
        where += f" AND rowid = (SELECT min(rowid) FROM {table} WHERE {where})" if rowid else ""
        db.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {where}", [cell])


@pytest.mark.long
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in STORE_COLUMNS for column in STORE_COLUMNS[table]]
)
@pytest.mark.parametrize("kind", ["typed", "untyped"])
def test_any_cell_of_a_store(good, tmp_path, kind, table, column, cell):
    shutil.copy(good / f"{kind}.db", path := tmp_path / "x.db")
    with fb.connect(good / "typed.db") as book:
        want = book["well"].states
    put(path, table, column, CELLS[cell])
    with seen(path) as book:
        assert book["well"].states == want
        if table == "store":
            assert {"n": 1} in list(book.store.items_df().value)


@pytest.mark.long
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in ARCHIVE_COLUMNS for column in ARCHIVE_COLUMNS[table]]
)
def test_any_cell_of_an_archive(good, tmp_path, table, column, cell):
    shutil.copy(good / "a.forkbook", path := tmp_path / "x.forkbook")
    put(path, table, column, CELLS[cell])
    with contextlib.suppress(fb.ForkbookError):
        fb.verify(path)
    with contextlib.suppress(fb.ForkbookError), seen(path) as book:
        assert len(book["well"]) == 4
    with contextlib.suppress(fb.ForkbookError):
        export(path, Memory({id_: conversation(id_, 5) for id_ in ("bad", "well")}))


@pytest.mark.outside
@pytest.mark.parametrize(
    "change",
    [
        ("typed.db", "UPDATE checkpoints SET checkpoint = 2000000000, metadata = 2000000000"),
        ("typed.db", "UPDATE checkpoints SET checkpoint = 2e9, metadata = 2e9"),
        ("typed.db", "UPDATE writes SET value = 2000000000, type = 'msgpack'"),
        ("typed.db", "UPDATE store SET value = 2000000000"),
        ("typed.db", "UPDATE checkpoints SET type = zeroblob(60000000), checkpoint = '\u00e9'"),
        ("a.forkbook", "UPDATE about SET value = 2000000000"),
        ("a.forkbook", "UPDATE threads SET lists = 2000000000, seal = 2000000000"),
        ("a.forkbook", "UPDATE leaves SET body = 2000000000"),
        ("a.forkbook", "UPDATE checkpoints SET body = zeroblob(900000000) WHERE place = 0 AND thread = 1"),
    ],
)
def test_it_takes_no_memory(good, tmp_path, change):
    name, sql = change
    shutil.copy(good / name, path := tmp_path / name)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(sql)
    program = textwrap.dedent(f"""
        import contextlib, resource, sys
        sys.path[:0] = {[str(folder) for folder in sys.path]!r}
        from all_seen import fb, seen
        import pandas
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with contextlib.suppress(fb.ForkbookError):
            seen({str(path)!r})
        with contextlib.suppress(fb.ForkbookError):
            fb.verify({str(path)!r})
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 256 * 1024


def test_a_number_says_why_it_is_not_shown():
    assert decode("msgpack", 2_000_000_000) == {
        "__type__": "opaque", "reason": "damaged: there is an integer where bytes belong", "size": 0,
    }  # fmt: skip
    assert decode("json", 1.5)["reason"] == "damaged: there is a real number where bytes belong"
    assert decode(b"json", b"{}")["reason"] == "damaged: its type is a blob"


def test_bytes_and_text():
    assert [as_bytes(cell) for cell in (b"a", bytearray(b"a"), memoryview(b"a"), "é", None, 5, 1.5)] == [
        b"a", b"a", b"a", "é".encode(), b"", None, None,
    ]  # fmt: skip
    assert [as_text(cell) for cell in ("a", b"a\xff", None, 5)] == ["a", "a\ufffd", "", "5"]


@pytest.mark.long
def test_the_size_of_a_text_is_that_of_its_bytes(good, tmp_path):
    """A text is measured in bytes: as characters, or up to a NUL, it would seem smaller than it is."""
    shutil.copy(good / "untyped.db", path := tmp_path / "x.db")
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        text = "a\0" + json.dumps({"x": "é" * 40_000_000}, ensure_ascii=False)
        db.execute("UPDATE checkpoints SET checkpoint = ?, type = 'json' WHERE thread_id = 'bad'", [text])
    with fb.connect(path) as book:
        reasons = {cp.values["reason"] for cp in book["bad"]}
    assert reasons == {"larger than 64,000,000 bytes"}


def id_(n):
    return f"1f1ebc0a-40c1-6720-8000-{n:012x}"


def row(n, parent=None, thread="bad", ts="2026-07-31T20:14:19+00:00", metadata=None):
    body = {"v": 4, "id": id_(n), "ts": ts, "channel_values": {"n": n}, "channel_versions": {}, "versions_seen": {}}
    said = {"step": n, "source": "loop"} if metadata is None else metadata
    return (thread, "", id_(n), parent, "json", json.dumps(body).encode(), json.dumps(said).encode())


@pytest.mark.parametrize(
    ("rows", "unknown"),
    [
        ([row(1, ts="2026-07-31T20:14:19.80415;+00:00")], "created_at"),
        ([row(1, ts=5)], "created_at"),
        ([row(1, ts="2026-07-31T20:14:19"), row(2, id_(1))], None),
        ([row(1, metadata={"step": "x", "source": "loop"})], "step"),
        ([row(1, metadata={"step": 2**63, "source": "loop"})], "step"),
        ([row(1, metadata={"step": 1.5, "source": "loop"})], "step"),
        ([row(1, metadata={"step": 1, "source": {}})], "source"),
        ([row(1, metadata={"step": 1, "source": ["loop"]})], "source"),
        ([row(1, metadata={"step": 1, "counters_since_delta_snapshot": 5})], None),
    ],
)
def test_a_field_of_another_type_is_unknown_and_the_state_is_read(tmp_path, rows, unknown):
    with contextlib.closing(sqlite3.connect(path := tmp_path / "x.db")) as db, db:
        db.execute(f"CREATE TABLE checkpoints({', '.join(STORE_COLUMNS['checkpoints'])})")
        db.execute(f"CREATE TABLE writes({', '.join(STORE_COLUMNS['writes'])})")
        db.executemany("INSERT INTO checkpoints VALUES (?,?,?,?,?,?,?)", [*rows, row(7, thread="well")])
    with fb.connect(path) as book:
        assert book["well"][-1].values == {"n": 7}
        history = book["bad"]
        assert [cp.values["n"] for cp in history] == list(range(1, len(rows) + 1))
        frame = history.checkpoints_df()
        assert {name for name in ("created_at", "step", "source") if frame[name].isna().any()} <= {unknown, "source"}
        assert unknown is None or frame[unknown].isna().all()
        repr(history), history.figure(), history.tasks_df(), history.messages_df(), history.tokens_df()
