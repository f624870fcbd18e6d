"""Reads are sent again where a fault may pass, writes are not; the bounds stand in one place."""

import time

import pytest
from proxy import Fault, answering, proxy, writes

import forkbook as fb
from forkbook.backends import retry
from forkbook.backends.server.backend import ServerBackend

pytestmark = pytest.mark.outside


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)


def often(times, fault, wanted=lambda path: True):
    """A fault of the first requests of each kind."""
    seen = {}

    def made(method, path):
        if not wanted(path):
            return None
        seen[method, path] = seen.get((method, path), 0) + 1
        return fault if seen[method, path] <= times else None

    return made


READS = {
    "threads": lambda book, id_: list(book.threads().thread_id),
    "history": lambda book, id_: book[id_].states,
    "record": lambda book, id_: book.backend.thread(id_)["thread_id"],
    "state": lambda book, id_: book.backend.state(id_)["values"],
    "store": lambda book, id_: book.store.items(("memories",)),
    "graph": lambda book, id_: book[id_].tips[0].assistant_graph(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize(
    "fault", [Fault(503), Fault(429, (("retry-after", "0.02"),)), Fault()], ids=["503", "429", "drop"]
)
def test_a_read_outlasts_two_faults(demo_url, demo_threads, book, read, fault):
    thread_id = demo_threads["branches"]
    with (
        proxy(demo_url, fault=often(2, fault, lambda path: not path.endswith("/ok"))) as (url, _),
        fb.connect(url) as far,
    ):
        assert read(far, thread_id) == read(book, thread_id)


@pytest.mark.parametrize(("status", "tries"), [(503, retry.TRIES), (500, 2), (404, 1), (422, 1)])
def test_tries_are_bounded(status, tries):
    with answering(status=status) as (url, seen), pytest.raises(fb.ForkbookError):
        list(ServerBackend(url).threads())
    assert len(seen) == tries


def test_no_try_is_made_where_the_server_wants_too_long_a_wait():
    began = time.monotonic()
    with answering(status=503, headers=[("retry-after", "100000")]) as (url, seen), pytest.raises(fb.ServerFault):
        list(ServerBackend(url).threads())
    assert len(seen) == 1
    assert time.monotonic() - began < 5


def test_an_export_does_not_multiply_the_tries(demo_url, demo_threads, tmp_path):
    fault = often(100, Fault(503), lambda path: path.endswith("/history"))
    with proxy(demo_url, fault=fault) as (url, requests), fb.connect(url) as book:
        report = book.export(tmp_path / "x.json", [demo_threads["branches"]])
    assert len(report.errors) == 1
    assert sum(path.endswith("/history") for _, path, _ in requests) == retry.TRIES


def test_a_write_is_sent_once(demo_url, book, demo_threads):
    tip = book[book.copy(demo_threads["branches"]).new_thread_id].tips[0]
    with proxy(demo_url, fault=often(9, Fault(503), lambda path: path.endswith("/state"))) as (url, requests):
        with pytest.raises(fb.ServerFault):
            ServerBackend(url).update(tip.thread_id, tip.id, {"topic": "x"}, None)
        assert len(writes(requests)) == 1
