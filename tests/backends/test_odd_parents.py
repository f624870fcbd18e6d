"""Ids and parents that make no history: refused by name in bounded time, and every other thread stays readable."""

import json
import sqlite3

import pytest

import forkbook as fb

ID = "1f1ebc0a-40c1-6720-8000-{:012x}".format
TREES = {
    "an empty id": [("", ID(1)), (ID(1), None), (ID(2), ID(1))],
    "an empty parent": [(ID(1), ""), (ID(2), ID(1))],
    "a parent that sorts later": [(ID(1), ID(3)), (ID(2), None), (ID(3), ID(2))],
}
CIRCLES = {
    "its own parent": [(ID(1), None), (ID(2), ID(2))],
    "each other's parents": [(ID(1), ID(2)), (ID(2), ID(1)), (ID(3), None)],
}


def store(path, pairs):
    with sqlite3.connect(path) as db:
        db.execute(
            "create table checkpoints(thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, "
            "metadata, primary key(thread_id, checkpoint_ns, checkpoint_id))"
        )
        db.execute("create table writes(thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)")
        for thread, pairs_of in (("t", pairs), ("well", [(ID(7), None)])):
            for step, (id_, parent) in enumerate(pairs_of):
                body = {"v": 4, "id": id_, "ts": "2026-07-31T20:14:19+00:00", "channel_values": {"n": step}}
                body |= {"channel_versions": {}, "versions_seen": {}}
                row = (thread, "", id_, parent, "json", json.dumps(body), json.dumps({"step": step, "source": "loop"}))
                db.execute("insert into checkpoints values (?,?,?,?,?,?,?)", row)
    return path


def places(tmp_path, pairs):
    """The store, and what is exported from it."""
    path = store(tmp_path / "store.db", pairs)
    yield path
    for name in ("store.json", "store.forkbook"):
        with fb.connect(path) as book:
            assert book.export(tmp_path / name).threads == 2
        yield tmp_path / name


@pytest.mark.parametrize("pairs", TREES.values(), ids=TREES)
def test_odd_parents_make_a_tree(tmp_path, pairs):
    for path in places(tmp_path, pairs):
        with fb.connect(path) as book:
            history = book["t"]
            assert {cp.id for cp in history} == {id_ for id_, _ in pairs}
            ids = {id_ for id_, _ in pairs}
            wanted = {id_: parent if parent in ids and parent else None for id_, parent in pairs}
            assert {cp.id: cp.parent and cp.parent.id for cp in history} == wanted
            assert history.summary() in repr(history)
            assert history.figure().data
            assert len(history.checkpoints_df()) == len(pairs)
            assert {cp.id for cp in book["well"]} == {ID(7)}
            assert len(history.refresh()) == len(pairs)


@pytest.mark.parametrize("pairs", CIRCLES.values(), ids=CIRCLES)
def test_a_circle_of_parents_is_refused_by_name(tmp_path, pairs):
    for path in places(tmp_path, pairs):
        with fb.connect(path) as book:
            with pytest.raises(fb.ProtocolError, match="is its own ancestor") as refused:
                book["t"]
            assert set(refused.value.candidates) <= {id_ for id_, _ in pairs}
            assert {cp.id for cp in book["well"]} == {ID(7)}
            report = book.export(tmp_path / f"{path.name}.parquet")
            assert (report.threads, list(report.errors)) == (1, ["t"])
