"""Two places compared, over lines that fail."""

import re

import pytest
from commands import run
from proxy import Fault, proxy

import forkbook as fb
from forkbook.backends import retry
from forkbook.cli import screen
from forkbook.transfer import verify

ONE = re.compile(r"/threads/[0-9a-f]{8}-")  # what connecting does not ask for


@pytest.fixture
def archive(book, demo_threads, tmp_path):
    book.export(tmp_path / "study.forkbook", demo_threads.values())
    return tmp_path / "study.forkbook"


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)


def test_a_server_that_is_busy_is_asked_again(demo_url, archive, demo_threads):
    seen = set()

    def fault(method, path):
        if path in seen or not ONE.match(path):
            return None
        seen.add(path)
        return Fault(503)

    with proxy(demo_url, fault=fault) as (url, _):
        assert fb.verify(archive, url)
        seen.clear()
        assert fb.verify(url, archive, demo_threads.values())


@pytest.mark.parametrize("where", ["source", "target"])
def test_a_thread_that_cannot_be_understood_never_stops_the_others(where, demo_url, archive, demo_threads, monkeypatch):
    bad = demo_threads["branches"]
    with fb.connect(demo_url) as book, fb.connect(archive) as other:
        pages = type(book.backend).pages

        def odd(self, thread_id, **how):
            if thread_id == bad:
                raise RuntimeError("nobody thought of this")
            return pages(self, thread_id, **how)

        monkeypatch.setattr(type(book.backend), "pages", odd)
        places = (book.backend, other.backend) if where == "source" else (other.backend, book.backend)
        report = verify.verify_places(*places, demo_threads.values())
    assert [move.outcome for move in report.moves if move.thread_id == bad] == ["error"]
    assert [move.verdict for move in report.moves if move.thread_id != bad] == ["identical"] * (len(demo_threads) - 1)


def test_a_place_that_is_gone_ends_it(demo_url, archive, monkeypatch):
    monkeypatch.setattr(verify, "AT_ONCE", 1)
    with proxy(demo_url, fault=lambda method, path: Fault(401) if ONE.match(path) else None) as (url, _):
        code, out, err = run("verify", archive, url)
    assert code == screen.UNREACHABLE
    assert re.search(r"errors +3\n +not reached +2\n +total +5\n", out)
    assert "denies access" in err


def test_ctrl_c_leaves_a_report(demo_url, archive, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "compared", interrupted)
    report = fb.verify(archive, demo_url)
    assert (bool(report), report.stopped, report.counts["not reached"]) == (False, "interrupted", 5)


def test_threads_are_a_list(archive, demo_url):
    with pytest.raises(fb.InvalidInput, match="list of ids"):
        fb.verify(archive, demo_url, "thread-1")
