"""Work that writes one file or folder, for a process whose files fail (io_faults.py)."""

import re
from functools import partial

import openpyxl  # noqa: F401  # once, not in each child
import pandas as pd
import plotly.graph_objects  # noqa: F401
import pyarrow.feather
import pyarrow.parquet  # noqa: F401
from held import Memory, content, conversation, everything
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from seeding import compiled, seed
from stored import stored

import forkbook as fb
from forkbook.backends.archive import CachedBackend
from forkbook.backends.gather import at_once
from forkbook.book import Book
from forkbook.transfer.export import export


class Live(Memory):
    """Threads that are at hand, one checkpoint each, too."""

    def state(self, thread_id, checkpoint_id=None, *, ns=""):
        states = self.held[thread_id]
        found = [state for state in states if state["checkpoint"]["checkpoint_id"] == (checkpoint_id or "")]
        return (found or states)[0]


def threads(checkpoints, seed=0):
    return {f"t{n}": conversation(f"t{n}", checkpoints, size=400, seed=seed) for n in range(4)}


GRAPH = compiled(InMemorySaver())
SEEDED = tuple(seed(GRAPH).values())
OLD, NEW, LONGER = threads(8), threads(12, seed=1), threads(12)


def exported(path, held):
    report = export(path, Memory(held), ask=at_once)
    assert report, report


def cached(path, held):
    """Read by way of the cache what the place holds."""
    book = CachedBackend(Live(held), path)
    for thread_id, states in held.items():
        assert everything(book, thread_id) == states


def history(held):
    return Book(Live(held)).history("t0")


def reported(path, held):
    history(held).report(path)


def framed(path, held, method):
    getattr(history(held).checkpoints_df(), method)(path)


def migrated(path, held):
    """Copy threads of the graph in memory to a checkpointer's file."""
    with SqliteSaver.from_conn_string(str(path)) as saver:
        report = fb.migrate(GRAPH, compiled(saver), held)
    assert report, report


def both(work, new=NEW, **more):
    """The work that makes the old file, and that which makes the new one."""
    return partial(work, held=OLD, **more), partial(work, held=new, **more)


WORK = {
    "x.forkbook": both(exported),
    "x.json": both(exported),
    "x.parquet": both(exported),
    "x.html": both(reported),
    "cache.forkbook": both(cached, LONGER),
    "frame.csv": both(framed, method="to_csv"),
    "frame.parquet": both(framed, method="to_parquet"),
    "frame.feather": both(framed, method="to_feather"),
    "frame.xlsx": both(framed, method="to_excel"),
}

KILLED_ONLY = {"graph.sqlite": (partial(migrated, held=SEEDED[:2]), partial(migrated, held=SEEDED))}


READ = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".feather": pd.read_feather, ".xlsx": pd.read_excel}
BY_CHANCE = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|sha256-[\w+/=]+")  # ids of pictures in a page


def held_by(path):
    """What a file or folder holds, as far as it is the same each time; by name where threads stand apart."""
    if path.name.startswith("frame"):
        return {"": READ[path.suffix](path).to_json()}
    if path.suffix == ".sqlite":
        return dict.fromkeys((row for rows in stored(path) for row in rows), True)
    if path.suffix == ".html":
        return {"": BY_CHANCE.sub(b"", path.read_bytes())}
    return content(path)


def old(path):
    (WORK | KILLED_ONLY)[path.name][0](path)


def new(path):
    (WORK | KILLED_ONLY)[path.name][1](path)
