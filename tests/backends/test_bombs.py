"""Small files that would be gigabytes: reading stops at the budget, names the bound, and leaves the other threads."""

import json
import os
import resource
import stat
import subprocess
import sys
import textwrap
import time
from base64 import b64encode

import pytest
from forged import Forged, endless_lists, hash_of_list, squeezed_hard
from held import conversation, everything, state_of

import forkbook as fb
from forkbook.backends.archive import ArchiveBackend
from forkbook.backends.archive.text import encoded, hash_of
from forkbook.backends.jsonfile.backend import JsonBackend

MEGABYTES = 1 << 20
SMALL = fb.Budget(value_bytes=100_000, read_bytes=2_000_000, items=20_000, depth=20)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.forkbook"


def naming(hash_):
    """The skeleton of a state with one channel that stands for this hash."""
    return encoded(state_of(0, {"x": b64encode(hash_).decode()}))


def doubled(times, items=20):
    """Stored lists that each are the last one twice, and the first one's leaf."""
    text = encoded({"a": 1})
    lists = [encoded([-1, *[1] * items])] + [encoded([n, *[[0, items << n]] * 2]) for n in range(times)]
    return text, [squeezed_hard(each) for each in lists], hash_of_list([text] * items)


def deep(levels):
    return b"[" * levels + b"]" * levels


BOMBS = {
    "lists that double": ("items", lambda: dict(zip(["leaves", "lists", "skeletons"], _of_lists(20), strict=True))),
    "many long lists": (
        "read_bytes",
        lambda: dict(zip(["leaves", "lists", "skeletons"], _of_long_lists(), strict=True)),
    ),
    "texts in sum": (
        "read_bytes",
        lambda: {"leaves": [squeezed_hard(b'"' + b"x" * 90_000 + b'"')] * 30, "lists": [], "skeletons": [naming(b"")]},
    ),
    "items in sum": (
        "items",
        lambda: {"leaves": [squeezed_hard(encoded([0] * 5_000))] * 30, "lists": [], "skeletons": [naming(b"")]},
    ),
    "a large record": (
        "value_bytes",
        lambda: {"record": encoded({"thread_id": "bad", "metadata": {"x": "x" * 200_000}})},
    ),
    "a deep record": ("depth", lambda: {"record": b'{"thread_id":"bad","metadata":{"x":' + deep(500) + b"}}"}),
    "a large skeleton": ("value_bytes", lambda: {"skeletons": [encoded(state_of(0, {}, more="x" * 200_000))]}),
    "a deep skeleton": (
        "depth",
        lambda: {"skeletons": [encoded(state_of(0, {}) | {"x": 7}).replace(b'"x":7', b'"x":' + deep(800))]},
    ),
    "many namespaces": ("value_bytes", lambda: {"namespaces": encoded([""] * 50_000)}),
    "one leaf again and again": ("items", lambda: {"ranges": encoded([[0, 2**40]] * 5_000)}),
}


def _of_lists(times):
    text, lists, hash_ = doubled(times)
    return [text], lists, [naming(hash_)]


def _of_long_lists():
    text = encoded({"a": 1})
    lists = [encoded([-1, *[1] * 9_000])] + [encoded([n, [0, 9_000]]) for n in range(40)]
    return [text], [squeezed_hard(each) for each in lists], [naming(hash_of_list([text] * 9_000))]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_in_an_archive_is_told_and_the_others_are_read(path, tmp_path, name):
    bound, parts = BOMBS[name]
    with Forged(path) as archive:
        archive.thread("bad", conversation("bad", 3), **parts())
        archive.thread("first", conversation("first", 5))
        archive.thread("last", conversation("last", 5))
    assert path.stat().st_size < 200_000
    with fb.connect(path, budget=SMALL) as book:
        assert set(book.threads().thread_id) == {"first", "bad", "last"}
        with pytest.raises(fb.OverBudget, match=r"thread bad of archive .* is too (large|deep) to read") as caught:
            [book.backend.thread("bad"), book.backend.namespaces("bad"), book["bad"]]
        assert (caught.value.details["bound"], caught.value.thread_id) == (bound, "bad")
        assert [len(book[id_]) for id_ in ("first", "last")] == [5, 5]
        for suffix in (".json", ".forkbook"):
            report = book.export(tmp_path / f"others{suffix}")
            assert (report.threads, list(report.errors)) == (2, ["bad"])
            assert "where " in report.errors["bad"]
    report = fb.verify(path, budget=SMALL)
    assert [bool(verdict) for verdict in report.threads] == [False, True, True]
    assert " is the bound" in report.damage[0]


@pytest.mark.parametrize(
    ("text", "reason", "size"),
    [
        (b'"' + b"x" * 200_000 + b'"', "too large to be read: the budget's value_bytes is 100,000", 200_002),
        (deep(400), "nested too deeply to be read: the budget's depth is 20", 800),
    ],
)
def test_a_value_beyond_the_budget_is_shown_as_what_it_is(path, text, reason, size):
    with Forged(path) as archive:
        archive.thread(
            "t", [], skeletons=[naming(hash_of("leaf", text))], leaves=[squeezed_hard(text), squeezed_hard(text)]
        )
    with fb.connect(path, budget=SMALL) as book:
        (state,) = everything(book.backend, "t")
        assert state["values"]["x"] == {"__type__": "opaque", "reason": reason, "size": size}
        assert "not known at 1 checkpoint: x" in repr(book["t"])
    assert fb.verify(path, budget=SMALL)
    if size > 1_000:
        assert everything(fb.connect(path).backend, "t")[0]["values"]["x"] == json.loads(text)


def test_queries_of_an_archive_that_never_end_are_told(path):
    with Forged(path) as archive:
        archive.thread("bad", conversation("bad", 3))
        archive.thread("good", [state_of(0, {"x": 1}, "good")])
    endless_lists(path)
    budget, began = fb.Budget(seconds=0.3), time.monotonic()
    with fb.connect(path, budget=budget) as book:
        with pytest.raises(fb.OverBudget, match=r"thread bad of archive .* is too slow to read") as caught:
            book["bad"]
        assert (caught.value.details["bound"], caught.value.thread_id) == ("seconds", "bad")
        assert book["good"][-1].values == {"x": 1}
    report = fb.verify(path, budget=budget)
    assert report.whole == ("good",)
    assert any("thread bad of archive" in damage and "is too slow to read" in damage for damage in report.damage)
    assert time.monotonic() - began < 5


GOOD = '{"thread_id": "good", "values": {"x": "]}"}}'
IN_JSON = {
    "items": '{"x": 1, "thread_id": "bad", "values": {"y": [' + "[]," * 30_000 + "0]}}",
    "depth": '{"x": 1, "thread_id": "bad", "metadata": {"y": ' + "[" * 90 + "]" * 90 + "}}",
}


@pytest.mark.parametrize("bound", IN_JSON)
@pytest.mark.parametrize("shape", ["[{good}, {bad}]", '{{"more": {bad}, "threads": [{bad}, {good}]}}', "{bad}"])
def test_a_bomb_in_a_json_file_is_told_and_the_others_are_read(tmp_path, bound, shape):
    (path := tmp_path / "x.json").write_text(shape.format(good=GOOD, bad=IN_JSON[bound]))
    with fb.connect(path, budget=SMALL) as book:
        with pytest.raises(fb.OverBudget, match=r"thread bad in .*x.json is too (large|deep) to read") as caught:
            book["bad"]
        assert (caught.value.details["bound"], caught.value.thread_id) == (bound, "bad")
        if "good" in shape:
            assert set(book.threads().thread_id) == {"good", "bad"}
            assert book["good"][-1].values == {"x": "]}"}
            report = book.export(tmp_path / "others.forkbook")
            assert (report.threads, list(report.errors)) == (1, ["bad"])


def test_a_json_file_that_is_too_large_is_not_opened(tmp_path):
    (path := tmp_path / "x.json").write_text("[" + " " * 3_000_000 + GOOD + "]")
    with pytest.raises(fb.OverBudget, match=r"the file .*x.json is too large to read"):
        fb.connect(path, budget=SMALL)


@pytest.mark.parametrize("suffix", ["json", "forkbook", "sqlite"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_file_is_not_opened(tmp_path, suffix, kind):
    path = tmp_path / f"x.{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    else:
        path.symlink_to("/dev/zero")
    doors = [fb.connect, ArchiveBackend if suffix == "forkbook" else JsonBackend, fb.verify]
    for door in doors[: 3 if suffix == "forkbook" else 2]:
        with pytest.raises(fb.InvalidInput, match=f"is a {kind}, not a file: it was not opened"):
            door(path)


ATTACK = """
    import sys, time
    import forkbook as fb
    try:
        with fb.connect(sys.argv[1]) as book:
            list(book.threads().thread_id)
            history = book["bad"]
            history.checkpoints_df(), history.messages_df(), history.tokens_df(), repr(history), history.figure()
            print("read")
    except fb.ForkbookError as error:
        print(type(error).__name__, error)
"""


def attacked(path, megabytes):
    """What a process says that reads a file's thread "bad" with so much memory."""
    limit = megabytes * MEGABYTES
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ATTACK), str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.outside
class TestMemory:
    """Against the default budget, in a process of little memory."""

    def test_lists_that_double(self, path):
        text, lists, hash_ = doubled(20, items=500)
        with Forged(path) as archive:
            archive.thread("bad", [], leaves=[text], lists=lists, skeletons=[naming(hash_)])
        assert "OverBudget" in attacked(path, 2_000)

    def test_deep_leaves(self, path):
        text = deep(4_000_000)
        with Forged(path) as archive:
            archive.thread(
                "bad", [], leaves=[squeezed_hard(text)] * 10, lists=[], skeletons=[naming(hash_of("leaf", text))]
            )
        assert "OverBudget" in attacked(path, 1_500)

    def test_a_record_of_hundreds_of_megabytes(self, path):
        text = b'{"thread_id":"bad","metadata":{"x":"' + b"x" * 250_000_000 + b'"}}'
        with Forged(path) as archive:
            archive.thread("bad", conversation("bad", 2), record=text)
        assert path.stat().st_size < 1_000_000
        assert "OverBudget" in attacked(path, 1_000)

    @pytest.mark.parametrize("shape", ["[{}]", '{{"threads": [{}]}}'])
    def test_millions_of_empty_lists_in_json(self, tmp_path, shape):
        thread = '{"thread_id": "bad", "values": {"x": [' + "[]," * 2_700_000 + "0]}}"
        (path := tmp_path / "x.json").write_text(shape.format(thread))
        assert attacked(path, 2_000) == "read\n"
