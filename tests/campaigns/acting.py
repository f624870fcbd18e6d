"""Places where acts can be done, each with an empty start, and the other ways to see what is there."""

import sqlite3

import psycopg
from agents.machine import build_machine
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from psycopg.rows import dict_row

import forkbook as fb


def graph_on(saver):
    return build_machine().compile(checkpointer=saver, name="machine")


class Memory:
    """A graph on a checkpointer in memory, all of its threads ours; copied lineages keep their ids."""

    is_ours = True

    def __init__(self, folder):
        self.book = fb.connect(graph_on(InMemorySaver()))

    def others(self):
        """The same threads, seen another way."""
        return ()

    def close(self):
        self.book.close()


class Sqlite(Memory):
    """A graph on a SQLite file, which forkbook can read by itself, too."""

    def __init__(self, folder):
        self.address = folder / "checkpoints.sqlite"
        self.line = sqlite3.connect(self.address, check_same_thread=False)
        self.book = fb.connect(graph_on(SqliteSaver(self.line)))

    def others(self):
        yield fb.connect(self.address)

    def close(self):
        super().close()
        self.line.close()


class Postgres(Sqlite):
    """A graph on a Postgres database, which forkbook can read by itself, too."""

    def __init__(self, address, folder):
        self.address = address
        self.line = psycopg.connect(address, autocommit=True, prepare_threshold=0, row_factory=dict_row)
        saver = PostgresSaver(self.line)
        saver.setup()
        self.line.execute("truncate checkpoints, checkpoint_blobs, checkpoint_writes")
        self.book = fb.connect(graph_on(saver))


class Server(Memory):
    """A real Agent Server; seen by way of a cache that is empty, and of the same one when it is full."""

    is_ours = False

    def __init__(self, url, folder):
        self.url, self.cache = url, folder / "cache.forkbook"
        self.book = fb.connect(url)

    def others(self):
        yield fb.connect(self.url, cache=self.cache)
        yield fb.connect(self.url, cache=self.cache)
