"""Export beside a writer that goes on writing: each exported thread is one that was there at some moment.

A thread only grows here, and its ids are ordered in time. So a thread that was there at some moment has all checkpoints
of the finished thread up to its newest one, with their parents, values and metadata. The whole campaign is `python -m
pytest tests/campaigns/test_beside_a_writer.py -m slow`; FORKBOOK_ROUNDS is another number of exports.
"""

import contextlib
import itertools
import multiprocessing
import os
import random
import sqlite3

import pytest
from databases import fresh_database
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from seeding import compiled, human

import forkbook as fb
from forkbook.model.states import id_of

SIDE_BY_SIDE = 4  # threads that are being written
SOME, MANY = 3, int(os.environ.get("FORKBOOK_ROUNDS", "50"))
LONGEST = 60  # checkpoints of a thread; another one takes its place then
PAUSE = 0.05  # seconds between two writes, or one export takes ever longer than the one before
pytestmark = pytest.mark.outside


@contextlib.contextmanager
def sqlite_saver(path, journal):
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False, timeout=30)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()
        assert connection.execute(f"pragma journal_mode = {journal}").fetchone() == (journal,)
        yield saver


@pytest.fixture(params=["sqlite, wal", "sqlite, delete", "postgres"])
def store(request, tmp_path):
    """The address of a store, and what opens a checkpointer on it."""
    if request.param == "postgres":
        address = fresh_database(request.getfixturevalue("postgres"))
        with PostgresSaver.from_conn_string(address) as saver:
            saver.setup()
        return address, lambda: PostgresSaver.from_conn_string(address)
    path = tmp_path / "store.sqlite"
    return path, lambda: sqlite_saver(path, request.param.partition(", ")[2])


def write(open_saver, rounds_are_over, is_ready):
    """Go on with threads, and fork them, until it is said to end; each has a few at the beginning."""
    dice, names = random.Random(7), itertools.count(1)
    threads = [f"thread-{next(names)}" for _ in range(SIDE_BY_SIDE)]
    with open_saver() as saver:
        graph = compiled(saver)
        for number in itertools.count(1):
            place = number % SIDE_BY_SIDE
            config = {"configurable": {"thread_id": threads[place], "user_id": "1"}}
            graph.invoke(human(number, "what is 6 * 7?"), config)
            states = list(graph.get_state_history(config))
            graph.update_state(dice.choice(states).config, {"topic": f"topic {number}"}, as_node="generate_topic")
            if len(states) > LONGEST:
                threads[place] = f"thread-{next(names)}"
            if number == 2 * SIDE_BY_SIDE:
                is_ready.set()
            if rounds_are_over.wait(PAUSE):
                return


@contextlib.contextmanager
def a_writer(open_saver):
    """A process that writes, as long as the block lasts."""
    processes = multiprocessing.get_context("fork")
    over, ready = processes.Event(), processes.Event()
    writer = processes.Process(target=write, args=(open_saver, over, ready))
    writer.start()
    try:
        assert ready.wait(60)
        yield writer
        assert writer.is_alive()
    finally:
        over.set()
        writer.join(30)
        writer.kill() if writer.is_alive() else None
    assert writer.exitcode == 0


def seen(place):
    """Of each thread of a store or a file: what no later write changes, by checkpoint."""
    with fb.connect(place) as book:
        ids = [record["thread_id"] for record in book.backend.threads()]
        pages = {thread_id: list(book.backend.pages(thread_id)) for thread_id in ids}
    return {
        thread_id: {id_of(state): of_state(state) for page in found for state in page}
        for thread_id, found in pages.items()
    }


def of_state(state):
    """What no later write changes; values that a first input alone cannot tell yet are as empty as they will be."""
    return parent(state), state["values"] or {}, state["metadata"]


def parent(state):
    return (state["parent_checkpoint"] or {}).get("checkpoint_id")


def test_some_rounds(store, tmp_path):
    campaign(*store, tmp_path, SOME)


@pytest.mark.slow
def test_many_rounds(store, tmp_path):
    campaign(*store, tmp_path, MANY)


def campaign(address, open_saver, folder, rounds):
    exported = []
    with a_writer(open_saver):
        for number in range(rounds):
            path = folder / f"{number}{('.forkbook', '.json')[number % 2]}"
            with fb.connect(address) as book:
                report = book.export(path)
            assert report, report
            assert path.suffix != ".forkbook" or fb.verify(path)
            exported.append(seen(path))
    finished = seen(address)
    wrong = [
        f"round {number}, {thread_id}: {fault}"
        for number, threads in enumerate(exported)
        for thread_id, thread in threads.items()
        if (fault := unlike_any_moment(thread, finished[thread_id]))
    ]
    sizes = [sum(map(len, threads.values())) for threads in exported]
    print(f"\n{rounds} rounds, {sizes[0]} to {sizes[-1]} checkpoints, of {sum(map(len, finished.values()))} in the end")
    assert not wrong, "\n".join(wrong[:10])
    assert sizes == sorted(sizes), "an export is older than the one before"
    assert len(set(sizes)) > rounds / 2, "the writer stood still"


def unlike_any_moment(thread, finished):
    """In words, why a thread is none that was there at some moment."""
    if orphans := [id_ for id_, (parent, *_) in thread.items() if parent is not None and parent not in thread]:
        return f"no parents of {orphans}"
    then = {id_: held for id_, held in finished.items() if id_ <= max(thread)}
    if lost := then.keys() - thread.keys():
        return f"lost {sorted(lost)}"
    return f"changed {[id_ for id_ in thread if thread[id_] != then.get(id_)]}" if thread != then else None
