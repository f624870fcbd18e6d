"""What a checkpoint store may cost: a small file takes little, and one thread that takes too much takes itself only."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import textwrap
import time

import ormsgpack
import pytest
from databases import fresh_database

import forkbook as fb
from forkbook.backends.databases.sqlite import SqliteBackend
from forkbook.backends.values.counting import TooMany, check_msgpack, json_items
from forkbook.backends.values.decode import Decoder

COLUMNS = "thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"
WRITES = "thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value"


def id_(n):
    return f"1f1ebc0a-40c1-6720-8000-{n:012x}"


def row(n, thread="t", **values):
    body = {
        "v": 4, "id": id_(n), "ts": "2026-07-31T20:14:19+00:00", "channel_values": {"n": n, **values},
        "channel_versions": {}, "versions_seen": {},
    }  # fmt: skip
    return (thread, "", id_(n), None, "json", json.dumps(body).encode(), json.dumps({"step": n}).encode())


def store(path, rows, columns=COLUMNS, key="", ending=""):
    """A store of these rows, with columns as they are given."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(f"CREATE TABLE checkpoints({columns}{key}){ending}")
        db.execute(f"CREATE TABLE writes({WRITES})")
        db.executemany(f"INSERT INTO checkpoints({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return path


@pytest.mark.parametrize("column", COLUMNS.split(", "))
def test_generated_columns_are_refused_in_words(tmp_path, column):
    columns = COLUMNS.split(", ")
    made = ", ".join(f"{name} AS (printf('%.*c', 120000000, 'x'))" if name == column else name for name in columns)
    with contextlib.closing(sqlite3.connect(path := tmp_path / "s.db")) as db, db:
        db.execute(f"CREATE TABLE checkpoints(id, {made})")
        db.execute(f"CREATE TABLE writes({WRITES})")
        db.execute("INSERT INTO checkpoints(id) VALUES (1)")
    with pytest.raises(fb.SourceError, match=f"generated columns .*{column}"):
        fb.connect(path)


def test_a_generated_column_beside_those_of_langgraph_does_no_harm(tmp_path):
    path = store(tmp_path / "s.db", [row(1)], columns=f"{COLUMNS}, size AS (length(metadata))")
    assert len(fb.connect(path)["t"]) == 1


@pytest.mark.parametrize("column", COLUMNS.split(", ")[1:5])
def test_a_name_of_megabytes_is_refused_for_its_thread_alone(tmp_path, column):
    path = store(tmp_path / "s.db", [row(1), row(2), row(7, thread="well")])
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE checkpoints SET {column} = ? WHERE checkpoint_id = ?", ["x" * 30_000_000, id_(1)])
    book = fb.connect(path)
    with contextlib.suppress(fb.ForkbookError):
        assert "x" * 20_000 not in repr(book["t"].states)
    assert book["well"][-1].values == {"n": 7}
    assert "well" in set(book.threads().thread_id)


@pytest.mark.parametrize("name", ["rowid", "oid", "_rowid_", "ROWID", "rowid AS (1)", "oid, rowid, _rowid_"])
def test_a_column_that_is_called_like_a_row_id_hides_nothing(tmp_path, name):
    added = name if "AS" in name or "," in name else f"{name} DEFAULT 1"
    path = store(tmp_path / "s.db", [row(n) for n in range(20)], columns=f"{COLUMNS}, {added}")
    history = fb.connect(path)["t"]
    assert [cp.values["n"] for cp in history] == list(range(20))


def test_a_table_without_row_ids_is_read(tmp_path):
    key = ", PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)"
    path = store(tmp_path / "s.db", [row(n) for n in range(5)], key=key, ending=" WITHOUT ROWID")
    assert len(fb.connect(path)["t"]) == 5


def test_columns_of_other_case_are_the_same(tmp_path):
    path = store(tmp_path / "s.db", [row(n) for n in range(5)], columns=COLUMNS.upper())
    assert len(fb.connect(path)["t"]) == 5


@pytest.mark.parametrize(("collation", "threads"), [("NOCASE", ("a", "A")), ("RTRIM", ("a", "a  "))])
def test_threads_stay_apart_whatever_the_collation(tmp_path, collation, threads):
    columns = ", ".join(f"{column} TEXT COLLATE {collation}" for column in COLUMNS.split(", ")[:4])
    rows = [row(n, thread=threads[n % 2]) for n in range(6)]
    path = store(tmp_path / "s.db", rows, columns=f"{columns}, type, checkpoint, metadata")
    book = fb.connect(path)
    assert set(book.threads().thread_id) == set(threads)
    assert [[cp.values["n"] for cp in book[thread]] for thread in threads] == [[0, 2, 4], [1, 3, 5]]
    assert len(book.tree(threads[0]).heads) == 3


def test_a_value_beyond_the_bound_is_shown_as_what_it_is(tmp_path):
    path = store(tmp_path / "s.db", [row(1), row(2, text="x" * 5_000)])
    small, large = fb.connect(path, budget=fb.Budget(value_bytes=4_000))["t"]
    assert small.values == {"n": 1}
    assert large.values["reason"] == "larger than 4,000 bytes"


@pytest.mark.parametrize("bound", [{"read_bytes": 20_000}, {"items": 2_000}])
def test_a_thread_beyond_the_bound_leaves_the_others_readable(tmp_path, bound):
    rows = [*(row(n, numbers=[1] * 300, text="x" * 5_000) for n in range(9)), row(10, thread="well")]
    path = store(tmp_path / "s.db", rows)
    book = fb.connect(path, budget=fb.Budget(**bound))
    with pytest.raises(fb.OverBudget, match=next(iter(bound))) as met:
        book["t"]
    assert met.value.thread_id == "t"
    assert book["well"][-1].values == {"n": 10}
    report = book.export(tmp_path / "e.forkbook")
    assert set(report.errors) == {"t"}
    assert len(fb.connect(tmp_path / "e.forkbook")["well"]) == 1


def test_a_query_that_takes_too_long_is_stopped(tmp_path):
    path = store(tmp_path / "s.db", [row(n) for n in range(20_000)])
    began = time.perf_counter()
    with pytest.raises(fb.OverBudget, match="seconds"):  # noqa: PT012  # it is one of them that is too slow
        for _ in range(100):
            list(SqliteBackend(path, budget=fb.Budget(seconds=0.01)).pages("t"))
    assert time.perf_counter() - began < 5


MANY = {
    "msgpack lists": ("msgpack", b"\xdd" + (4_000_000).to_bytes(4, "big") + b"\x90" * 4_000_000),
    "msgpack dicts": ("msgpack", b"\xdd" + (4_000_000).to_bytes(4, "big") + b"\x80" * 4_000_000),
    "msgpack lists in lists": ("msgpack", b"\xdd" + (2_000_000).to_bytes(4, "big") + b"\x91\x90" * 2_000_000),
    "msgpack texts": ("msgpack", b"\xdd" + (2_000_000).to_bytes(4, "big") + b"\xa2ab" * 2_000_000),
    "msgpack bytes": ("msgpack", b"\xdd" + (4_000_000).to_bytes(4, "big") + b"\xc4\x00" * 4_000_000),
    "msgpack in an extension": ("msgpack", b"\xc9" + (4_000_005).to_bytes(4, "big") + b"\x07"
                                + b"\xdd" + (4_000_000).to_bytes(4, "big") + b"\x90" * 4_000_000),
    "json lists": ("json", b"[" + b"[]," * 2_600_000 + b"[]]"),
    "json dicts": ("json", b"[" + b"{}," * 2_600_000 + b"{}]"),
    "json numbers": ("json", b"[" + b"1," * 4_000_000 + b"1]"),
}  # fmt: skip


@pytest.mark.parametrize("value", MANY)
def test_millions_of_items_are_not_unpacked(value):
    began = time.thread_time()  # not of the clock, which other processes slow
    found = Decoder().decode(*MANY[value])
    assert time.thread_time() - began < 2
    assert found["reason"] == "more than 1,000,000 items"


def test_a_user_may_have_them_unpacked():
    found = Decoder(fb.Budget(items=100_000_000)).decode(*MANY["msgpack lists"])
    assert len(found) == 4_000_000


def test_many_values_of_many_items_are_over_the_budget_of_the_read():
    decoder = Decoder(budget := fb.Budget(items=4_000_000))
    decoder.meter = budget.meter("thread 't'", thread_id="t")
    value = b"\xdd" + (900_000).to_bytes(4, "big") + b"\x90" * 900_000
    with pytest.raises(fb.OverBudget, match="items"):  # noqa: PT012  # it is one of them that is too many
        for _ in range(5):
            decoder.decode("msgpack", value)


def test_items_in_extensions_are_counted_before_the_value_ends():
    inner = b"\xdd" + (900_000).to_bytes(4, "big") + b"\x90" * 899_999
    parts = [b"\xc9" + (len(inner) + 1).to_bytes(4, "big") + b"\x07" + inner + bytes([n]) for n in range(8)]
    value = b"\x98" + b"".join(parts)
    decoder = Decoder(budget := fb.Budget(items=2_000_000))
    decoder.meter = budget.meter("thread 't'")
    with pytest.raises(fb.OverBudget):
        decoder.decode("msgpack", value)


@pytest.mark.parametrize(
    "value", [[], {}, [1, [2.5, None, "a", "ä" * 40, b"b" * 300]], {"a": [{"b": "c" * 70_000}] * 20}, [2**40, -7] * 99]
)
def test_items_are_counted_exactly(value):
    def number(value):
        parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        return 1 + sum(map(number, parts))

    data, exact = ormsgpack.packb(value), number(value)
    check_msgpack(data, exact)
    with pytest.raises(TooMany):
        check_msgpack(data, exact - 1)


def test_separators_in_texts_are_no_items():
    assert json_items(json.dumps(["[,{" * 4_000, '"\\' * 50, {"é": "\n"}]).encode(), 1_000) == 4


def test_depth_is_bounded_by_the_budget():
    nested = [[[[[[1]]]]]]
    for kind, data in (("msgpack", ormsgpack.packb(nested)), ("json", json.dumps(nested).encode())):
        assert Decoder(fb.Budget(depth=6)).decode(kind, data) == nested
    assert Decoder(fb.Budget(depth=5)).decode("msgpack", ormsgpack.packb(nested))["reason"].endswith("deeper than 5")


@pytest.mark.outside
@pytest.mark.parametrize("kind", ["many small values", "one id for all"])
def test_a_small_store_takes_little_memory(tmp_path, kind):
    if kind == "many small values":
        lists = b"\x81\xaechannel_values\x81\xa1a\xdd" + (80_000).to_bytes(4, "big") + b"\x90" * 80_000
        path = store(tmp_path / "s.db", [(*row(n)[:4], "msgpack", lists, b"{}") for n in range(20)])
    else:
        path = store(tmp_path / "s.db", [row(n) for n in range(2_000)])
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute("ALTER TABLE writes RENAME COLUMN channel TO other")
            db.execute(f"ALTER TABLE writes ADD COLUMN channel DEFAULT '{'x' * 9_000}'")
            db.executemany(
                "INSERT INTO writes(thread_id, checkpoint_ns, checkpoint_id, task_id, type) VALUES ('t','',?,?,'null')",
                [(id_(n % 2_000), str(n)) for n in range(50_000)],
            )
    program = textwrap.dedent(f"""
        import resource, contextlib
        import forkbook as fb, pandas, plotly.graph_objects
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with contextlib.suppress(fb.ForkbookError):
            history = fb.connect({str(path)!r})["t"]
            repr(history), history.checkpoints_df()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 256 * 1024


def killed(path):
    """A store whose writer was killed in the middle of a transaction, with the journal that it left."""
    with contextlib.closing(sqlite3.connect(source := path.with_name("live.db"), isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN")
        db.execute("UPDATE checkpoints SET checkpoint = checkpoint || ' '")
        path.write_bytes(source.read_bytes())
        path.with_name(f"{path.name}-journal").write_bytes(source.with_name("live.db-journal").read_bytes())
        db.execute("ROLLBACK")


def test_a_killed_writer_is_named(tmp_path):
    store(tmp_path / "live.db", [row(n, text="x" * 1_000) for n in range(500)])
    killed(path := tmp_path / "s.db")
    with pytest.raises(fb.ConnectionFailed, match=r"killed.*s\.db-journal.*own program") as met:
        fb.connect(path)["t"]
    assert "-wal" not in str(met.value)


def test_damage_of_a_file_is_told_at_once(tmp_path):
    path = store(tmp_path / "s.db", [row(1), row(2), row(3, thread="well")])
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE checkpoints SET checkpoint_id = x'ff' WHERE checkpoint_id = ?", [id_(2)])
    began = time.perf_counter()
    with fb.connect(path) as book:
        report = book.export(tmp_path / "e.forkbook")
    assert set(report.errors) == {"t"}
    assert time.perf_counter() - began < 1


@pytest.fixture(scope="module")
def on_postgres(postgres):
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver
    from seeding import compiled, seed

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        threads = seed(compiled(saver))
    return uri, next(iter(threads.values())), psycopg


def test_postgres_ids_of_a_collation_that_merges_them_stay_apart(postgres):
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver
    from savers import graph_on

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        for thread in ("a", "A"):
            graph_on(saver).invoke({"messages": []}, {"configurable": {"thread_id": thread}})
    with psycopg.connect(uri, autocommit=True) as db:
        try:
            db.execute("CREATE COLLATION merging (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        except psycopg.Error:
            pytest.skip("this Postgres was built without ICU")
        for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            db.execute(f"ALTER TABLE {table} ALTER COLUMN thread_id TYPE text COLLATE merging")
    with fb.connect(uri) as book:
        assert set(book.threads().thread_id) == {"a", "A"}
        assert len(book["a"]) == len(book["A"]) == len(book.tree("a").heads)
        assert not {cp.id for cp in book["a"]} & {cp.id for cp in book["A"]}


def test_postgres_queries_are_bounded_in_time(on_postgres):
    uri, thread, _ = on_postgres
    with fb.connect(uri, budget=fb.Budget(seconds=0.2)) as book:
        with pytest.raises(fb.OverBudget, match="seconds"), book.backend._reading("waiting") as connection:
            connection.execute("select pg_sleep(5)")
        assert len(book[thread])


def test_postgres_names_documents_and_values_are_bounded(on_postgres):
    uri, thread, psycopg = on_postgres
    with fb.connect(uri, budget=fb.Budget(value_bytes=50)) as book:
        assert {cp.values.get("reason") for cp in book[thread]} == {"larger than 50 bytes"}
    with fb.connect(uri, budget=fb.Budget(items=3)) as book, pytest.raises(fb.OverBudget) as met:
        book[thread]
    assert met.value.thread_id == thread
    with psycopg.connect(uri, autocommit=True) as db:
        db.execute("UPDATE checkpoint_writes SET channel = repeat('x', 1000000) WHERE thread_id = %s", [thread])
        db.execute("UPDATE checkpoints SET parent_checkpoint_id = repeat('x', 1000000) WHERE thread_id = %s", [thread])
    with fb.connect(uri) as book, pytest.raises(fb.ProtocolError, match="more than 10,000 bytes"):
        book[thread]
