"""Stores with one thing wrong: a cell of any kind, or a node of a stored value that is another."""

import contextlib
import json
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import delta
import ormsgpack
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.sqlite import SqliteStore
from savers import graph_on
from seeding import compiled, seed

DATA = Path(__file__).parents[1] / "backends/data"
OLD = {
    "langgraph-js.sqlite": ("nested", "fan-out", "functional asks", "stopped"),
    "langgraph-js-0.2.sqlite": ("nested", "two questions"),
    "langgraph-0.2.sqlite": ("fan-out", "open"),
}

TABLES = {
    "checkpoints": (
        "thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "type", "checkpoint", "metadata",
    ),
    "writes": ("thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx", "channel", "type", "value"),
    "store": ("prefix", "key", "value", "created_at", "updated_at"),
}  # fmt: skip
VALUES = {"checkpoint", "metadata", "value"}
CELLS = [
    None, b"", b"\xff\x00", b"\xc1", "", "text", "a\x00b", "\x1b]52;c;aGk=\x07\u202e", "x" * 20_000, -1, 0, 2**63 - 1,
    -(2**63), 1.5, 1e300, "null", "[]", "{}", "msgpack", "json", "pickle", "2026-07-31T20:14:19",
    "1f1ebc0a-40c1-6720-8000-000000000001", "9" * 5_000, "|", "a|b:c|1", "__start__",
]  # fmt: skip
NODES = [
    None, True, False, [], {}, [None], {"a": None}, "", "text", "\x00", "9" * 400, 0, -1, 2**63, 2**64 - 1, -(2**63),
    1e300, float("inf"), float("nan"), [[[[]]]], {"": {}}, b"", b"\xff", [[1, 2], {"x": []}], {"__type__": "opaque"},
    {"__type__": "dict", "value": 5}, {"__overwrite__": []}, {"lc": 1, "type": "constructor", "id": []}, {5: 6},
    {"type": "ai", "content": None}, {"type": "human", "content": [None], "id": []}, {"node": None, "arg": 5},
    "2026-07-31T20:14:19", "2026-13-45T99:99:99+99:99", "loop", "input", "fork", "branch:to:a", "__pregel_tasks",
]  # fmt: skip
TEXTS = ["\ud800", "[" * 1_000 + "]" * 1_000, "9" * 5_000, '{"a":' * 300 + "1" + "}" * 300, "NaN", "-Infinity", "1e999"]


def stores(folder: Path) -> list[Path]:
    """Stores that real savers wrote, each with a thread called `bad`, one called `well`, and an item of the memory.

    Their columns have no types, so that SQLite keeps any value as it is.
    """
    made = folder / "made.db"
    with SqliteSaver.from_conn_string(str(made)) as saver:
        threads = list(seed(compiled(saver)).values())
        agent = delta.agent(saver, every=3, asks=True)
        for n in range(4):
            agent.invoke({"messages": [("user", f"question {n}")]}, delta.config("delta"))
        graph_on(saver).invoke({"messages": []}, {"configurable": {"thread_id": "well"}})
    with SqliteStore.from_conn_string(str(made)) as store:
        store.setup()
        store.put(("m", "1"), "k", {"n": 1})
    sources = [(made, thread) for thread in (*threads, "delta")]
    sources += [(Path(shutil.copy(DATA / name, folder)), thread) for name, names in OLD.items() for thread in names]
    return [_untyped(folder / f"{n}.db", made, *source) for n, source in enumerate(sources)]


def _untyped(path: Path, made: Path, source: Path, thread: str) -> Path:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("ATTACH ? AS made", [str(made)])
        db.execute("ATTACH ? AS source", [str(source)])
        for table in TABLES:
            place = "made" if table == "store" else "source"
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA {place}.table_info({table})"))
            db.execute(f"CREATE TABLE main.{table}({columns})")
            if table == "store":
                db.execute("INSERT INTO main.store SELECT * FROM made.store")
                continue
            db.execute(f"INSERT INTO main.{table} SELECT * FROM source.{table} WHERE thread_id = ?", [thread])
            db.execute(f"UPDATE main.{table} SET thread_id = 'bad'")
            shared = ", ".join(name for name in columns.split(", ") if name in TABLES[table])
            db.execute(f"INSERT INTO main.{table}({shared}) SELECT {shared} FROM made.{table} WHERE thread_id = 'well'")
    return path


def mutate(path, choice: random.Random) -> str:
    """Change one cell of a store; says which one and how."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        table = choice.choices(list(TABLES), [5, 4, 1])[0]
        held = [column for column in TABLES[table] if column in VALUES]
        column = choice.choice([*TABLES[table], *held * 4])
        rows = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {of_bad(table)}").fetchall()
        if not rows:
            return "nothing"
        rowid, old = choice.choice(rows)
        if column in VALUES and choice.random() < 0.8:
            new = changed(old, choice)
        else:
            new = choice.choice([*CELLS, *odd_ids(rows)])
        with contextlib.suppress(sqlite3.IntegrityError):
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", [new, rowid])
    return f"{table}.{column} of row {rowid}: {str(new)[:80]!r}"


def of_bad(table: str) -> str:
    return "1" if table == "store" else "thread_id = 'bad'"


def odd_ids(rows: list[Any]) -> list[Any]:
    """Ids of other rows: a parent of itself, one in a circle, a doubled one."""
    return [cell for _, cell in rows if isinstance(cell, str)][:20]


def changed(old: Any, choice: random.Random) -> Any:
    """A stored value of which one node is another."""
    raw = old if isinstance(old, bytes) else str(old).encode()
    with contextlib.suppress(ValueError):
        value = json.loads(raw)
        return in_json(value, choice)
    with contextlib.suppress(Exception):
        value = ormsgpack.unpackb(raw, ext_hook=ormsgpack.Ext, option=ormsgpack.OPT_NON_STR_KEYS)
        return in_msgpack(value, choice)
    return choice.choice(CELLS)


def in_json(value: Any, choice: random.Random) -> bytes:
    if choice.random() < 0.2:
        marked = replaced(value, "@@here@@", choice)
        return json.dumps(marked).replace('"@@here@@"', choice.choice(TEXTS)).encode("utf-8", "surrogatepass")
    node = choice.choice([node for node in NODES if not isinstance(node, bytes)])
    return json.dumps(replaced(value, node, choice)).encode()


def in_msgpack(value: Any, choice: random.Random) -> bytes:
    for _ in range(20):
        with contextlib.suppress(TypeError, ValueError):
            new = replaced(value, choice.choice(NODES), choice)
            return ormsgpack.packb(new, option=ormsgpack.OPT_NON_STR_KEYS)
    return b"\xc0"


def replaced(value: Any, node: Any, choice: random.Random, depth: int = 0) -> Any:
    """The value with another node somewhere, or without a key, or with a key more."""
    parts = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if isinstance(value, ormsgpack.Ext):
        return in_extension(value, node, choice)
    if not parts or (depth and choice.random() < 0.3):
        return node
    at = choice.choice(parts)
    copy = value.copy()
    if isinstance(copy, dict) and choice.random() < 0.1:
        del copy[at]
    elif isinstance(copy, dict) and choice.random() < 0.1:
        copy[choice.choice(["", "__root__", "messages", "branch:to:x", "parents", "step", "__type__"])] = node
    else:
        copy[at] = replaced(value[at], node, choice, depth + 1)
    return copy


def in_extension(value: Any, node: Any, choice: random.Random) -> Any:
    if choice.random() < 0.2:
        return ormsgpack.Ext(choice.randrange(-128, 127), value.data)
    inner = ormsgpack.unpackb(value.data, ext_hook=ormsgpack.Ext, option=ormsgpack.OPT_NON_STR_KEYS)
    new = replaced(inner, node, choice, depth=choice.choice([0, 1]))
    return ormsgpack.Ext(value.tag, ormsgpack.packb(new, option=ormsgpack.OPT_NON_STR_KEYS))
