"""Stores with one thing wrong, read by every operation: nothing but a ForkbookError comes out, in bounded time."""

import contextlib
import json
import random
import shutil
import sqlite3
from functools import partial

import pytest
from all_seen import look
from many import faults, hundreds
from mutants import mutate, stores

import forkbook as fb


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return stores(tmp_path_factory.mktemp("stores"))


@pytest.fixture(scope="module")
def want(good):
    """What the thread that is well holds in each of them."""
    with fb.connect(good[0]) as book:
        return well(book)


def looked_at(path, folder, want):
    """Let every operation read a store; the thread that is well is read and exported, whatever the other one holds."""
    with fb.connect(path) as book:
        look(book, "bad")
        assert well(book) == want
        for name in ("e.forkbook", "e.json"):
            book.export(folder / name)
            with fb.connect(folder / name) as again:
                assert well(again) == want


def well(book):
    return [checkpoint.values for checkpoint in book["well"]]


def faults_of(numbers, good, want, folder):
    def make(number, place):
        shutil.copy(good[number % len(good)], path := place / "x.db")
        return path, mutate(path, random.Random(number))

    return faults(numbers, folder, make, partial(looked_at, want=want))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 120, 30))
def test_a_store_with_one_thing_wrong(good, want, tmp_path, first):
    assert not faults_of(range(first, first + 30), good, want, tmp_path)


@pytest.mark.slow
@hundreds("stores")
def test_many_mutants_of_stores(good, want, tmp_path, numbers):
    assert not faults_of(numbers, good, want, tmp_path)


def id_(n):
    return f"1f1ebc0a-40c1-6720-8000-{n:012x}"


BODY = {
    "v": 4, "ts": "2026-07-31T20:14:19+00:00", "channel_values": {"n": 1}, "channel_versions": {"n": 1},
    "versions_seen": {},
}  # fmt: skip
ODD = {
    "a parent of itself": {"parent_checkpoint_id": id_(2)},
    "a parent in a circle": {"parent_checkpoint_id": id_(3)},
    "metadata that is a list": {"metadata": b"[1]"},
    "metadata that is a number": {"metadata": b"5"},
    "versions that are no dict": {"checkpoint": json.dumps({**BODY, "channel_versions": [1]})},
    "versions of kinds": {"checkpoint": json.dumps({**BODY, "channel_versions": {"n": {}, "branch:to:a": None}})},
    "seen that is no dict": {"checkpoint": json.dumps({**BODY, "versions_seen": {"a": 5}})},
    "a format of text": {"checkpoint": json.dumps({**BODY, "v": "4"})},
    "a format of a true": {"checkpoint": json.dumps({**BODY, "v": True})},
    "a long number": {"checkpoint": json.dumps(BODY).replace(": 1}", f": {'9' * 5_000}}}", 1)},
    "a deep value": {"checkpoint": json.dumps(BODY).replace(": 1}", f": {'[' * 1_000}{']' * 1_000}}}", 1)},
    "a lone surrogate": {"checkpoint": json.dumps({**BODY, "channel_values": {"n\ud800": "\udfff"}})},
    "a step of 80 digits": {"metadata": json.dumps({"step": int("9" * 80), "source": "loop"})},
    "a step that is true": {"metadata": json.dumps({"step": True, "source": ["loop"]})},
    "parents of kinds": {"metadata": json.dumps({"step": 1, "parents": {"": {}, "a": [1]}})},
    "a surrogate in metadata": {"metadata": json.dumps({"step": 1, "source": "\ud800", "user": "\udfff"})},
    "times without a zone": {"checkpoint": json.dumps({**BODY, "ts": "2026-07-31T20:14:19"})},
    "a time of a dict": {"checkpoint": json.dumps({**BODY, "ts": {"a": 1}})},
    "an id that is a blob": {"checkpoint_id": b"\xff"},
    "an id that is nothing": {"checkpoint_id": None},
    "an id that is a number": {"checkpoint_id": 5},
    "a namespace that is nothing": {"checkpoint_ns": None},
    "a namespace that is a blob": {"checkpoint_ns": b"a"},
    "a type that is a blob": {"type": b"json"},
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_row_is_shown_with_it_unknown_or_refused_in_words(good, want, tmp_path, odd):
    shutil.copy(good[0], path := tmp_path / "x.db")
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM checkpoints WHERE thread_id = 'bad'")
        for n in range(1, 5):
            row = {
                "thread_id": "bad", "checkpoint_ns": "", "checkpoint_id": id_(n), "type": "json",
                "parent_checkpoint_id": id_(n - 1) if n > 1 else None, "checkpoint": json.dumps(BODY),
                "metadata": json.dumps({"step": n, "source": "loop"}), **(ODD[odd] if n == 2 else {}),
            }  # fmt: skip
            db.execute(
                f"INSERT INTO checkpoints({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
            )
    looked_at(path, tmp_path, want)
    if ODD[odd].keys() & {"checkpoint_id", "checkpoint_ns", "parent_checkpoint_id"}:
        with pytest.raises(fb.ProtocolError):
            fb.connect(path)["bad"]
    else:
        assert len(fb.connect(path)["bad"]) == 4
