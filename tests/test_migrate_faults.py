"""Migrations that are killed, whose server dies, whose line misbehaves: honest rows, and a second run that ends it.

The campaign is `python -m pytest tests/test_migrate_faults.py -m slow`: 200 kills for each kind of target.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph_sdk import get_sync_client
from misbehaving import Misdeed, misbehaving
from seeding import compiled
from test_graph import fresh_database, postgres  # noqa: F401  # a fixture
from test_migrate import shape

import forkbook as fb
from forkbook.backends import transport
from forkbook.demo.loopback import HOST, fetch_json, free_port
from forkbook.demo.server import _CONFIG, _INHERITED, _SETTINGS
from forkbook.demo.tether import Tethered
from forkbook.transfer import patience

pytestmark = pytest.mark.xdist_group("migrations that fail")  # one server of their own, which they count
KEY = "lsv2_sk_0123456789abcdef"


class Deployment:
    """A server with the sample agent that may be killed, and comes up again on the same port with what it had saved."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://{HOST}:{self.port}"
        (folder / "langgraph.json").write_text(json.dumps(_CONFIG), "utf-8")
        self.start()

    def start(self):
        env = {name: os.environ[name] for name in _INHERITED if name in os.environ} | _SETTINGS
        options = ["--no-browser", "--no-reload", "--n-jobs-per-worker", "2", "--host", HOST, "--port", str(self.port)]
        log = self.folder / "server.log"
        self.process = Tethered("the target", "langgraph_cli", ["dev", *options], log=log, env=env, cwd=self.folder)
        self.process.wait_until(lambda: fetch_json(f"{self.url}/ok") is not None, 60)

    def kill(self):
        os.killpg(self.process.process.pid, signal.SIGKILL)
        self.process.process.wait()

    def empty(self):
        """Delete every thread."""
        for thread_id in self.threads():
            self.client.threads.delete(thread_id)

    @property
    def client(self):
        return get_sync_client(url=self.url, api_key=None)

    def threads(self):
        """Ids of all threads, scratch copies too."""
        return [record["thread_id"] for record in self.client.threads.search(limit=1000)]

    def visible(self):
        """Ids of the threads that users of forkbook see: scratch copies wait for their sweep."""
        with fb.connect(self.url, sweep=False) as book:
            return sorted(record["thread_id"] for record in book.backend.threads())


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    deployed = Deployment(tmp_path_factory.mktemp("deployment"))
    yield deployed
    deployed.process.stop()


@pytest.fixture
def target(deployment):
    deployment.empty()
    return deployment


@pytest.fixture(scope="module")
def threads(demo_url, demo_threads):
    """The demo's threads and one whose forks have forks, by name."""
    with fb.connect(demo_url) as book:
        nested = book.copy(demo_threads["time travel"]).new_thread_id
        for text in ("dogs", "owls"):  # each at an edit of the one before
            start = next(cp for cp in list(book.history(nested))[::-1] if cp.next == ("write_joke",))
            start.edit({"topic": text})
            start.edit({"topic": text + "!"})
    return {**demo_threads, "nested": nested}


@pytest.fixture(scope="module")
def archive(demo_url, threads, tmp_path_factory):
    """All of them in a file."""
    path = tmp_path_factory.mktemp("migrated") / "threads.forkbook"
    with fb.connect(demo_url) as book:
        assert book.export(path, threads.values()).threads == 6
    return path


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(patience, "FIRST", 0.01)


def killed(seconds, work):
    """Whether `work` in a process of its own was ended by kill -9 after so many seconds."""
    child = os.fork()
    if not child:
        try:
            with open(os.devnull, "w") as null:
                os.dup2(null.fileno(), 2)
                work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class TestKill:
    """kill -9 of a migration: the next one ends in what an undisturbed one ends in."""

    def test_at_some_moments_into_a_server(self, archive, threads, target):
        self.into_a_server(archive, threads, target, 3)

    @pytest.mark.slow
    def test_at_200_moments_into_a_server(self, archive, threads, target):
        self.into_a_server(archive, threads, target, 200)

    def into_a_server(self, archive, threads, target, kills):
        def content():
            with fb.connect(target.url, sweep=False) as book:
                return {id_: shape(book[id_]) for id_ in threads.values()}

        migrate = lambda: fb.migrate(archive, target.url)  # noqa: E731
        migrate()  # the first one is slow
        final = content()
        target.empty()
        seconds = timed(migrate)
        dice, ends, scratches = random.Random(1), {}, 0
        for number in range(kills):
            target.empty()
            moment = dice.uniform(0, seconds * 1.2)
            ended = "killed" if killed(moment, migrate) else "done"
            left = target.threads()
            report = migrate()
            said = f"kill {number} after {moment:.3f} s of {seconds:.3f}: {len(left)} threads were left"
            assert report, (said, report)
            assert content() == final, said
            assert target.visible() == sorted(threads.values()), said
            ends[ended] = ends.get(ended, 0) + 1
            scratches += len(target.threads()) - len(threads)
        assert fb.verify(archive, target.url)
        print(f"\ninto a server: {ends}, {seconds:.2f} s undisturbed, {scratches} scratch copies left to the sweep")
        assert ends.get("killed", 0) > kills // 4

    def test_at_some_moments_into_a_checkpointer(self, archive, tmp_path):
        self.into_a_checkpointer(archive, tmp_path, 4)

    @pytest.mark.slow
    def test_at_200_moments_into_a_checkpointer(self, archive, tmp_path):
        self.into_a_checkpointer(archive, tmp_path, 200)

    def into_a_checkpointer(self, archive, folder, kills):
        planted(archive, folder / "first")
        seconds, final = timed(lambda: planted(archive, folder / "final")), stored(folder / "final")
        assert stored(folder / "first") == final
        dice, ends = random.Random(2), {}
        for number in range(kills):
            path, moment = folder / str(number), dice.uniform(0, seconds * 1.2)
            ended = "killed" if killed(moment, lambda path=path: planted(archive, path)) else "done"
            said = f"kill {number} after {moment:.3f} s of {seconds:.3f}"
            report = planted(archive, path)
            assert report, (said, report)
            assert {move.verdict for move in report.moves} == {"identical"}, said
            assert stored(path) == final, said
            ends[ended] = ends.get(ended, 0) + 1
        print(f"\ninto a checkpointer: {ends}, {seconds:.2f} s undisturbed")
        assert ends.get("killed", 0) > kills // 4


def planted(source, path, threads=None):
    with SqliteSaver.from_conn_string(str(path)) as saver:
        return fb.migrate(source, compiled(saver), threads)


def stored(path):
    """All that a checkpointer's file holds."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        return [sorted(connection.execute(f"select * from {table}").fetchall()) for table in ("checkpoints", "writes")]


def soon(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds))


MISDEEDS = {
    "reset": lambda: Misdeed("reset"),
    "cut": lambda: Misdeed("cut"),
    "429": lambda: Misdeed("429", (("retry-after", "0.05"),)),
    "429 with a date": lambda: Misdeed("429", (("retry-after", soon(0.5)),)),
    "503": lambda: Misdeed("503"),
    "drip": lambda: Misdeed("drip"),
    "empty": lambda: Misdeed("empty"),
    "302": lambda: Misdeed("302", (("location", f"/elsewhere?key={KEY}"),)),
}
REASONS = {
    "reset": "broke",
    "cut": "broke",
    "429": "answered 429",
    "429 with a date": "answered 429",
    "503": "answered 503",
    "drip": "not whole after 0.5 seconds",
    "empty": "Agent Server",
    "302": "Agent Server",
}


@pytest.fixture
def soon_over(monkeypatch, request):
    if request.node.callspec.params["kind"] == "drip":
        monkeypatch.setattr(transport, "LONGEST_ANSWER", 0.5)


def about(thread_id):
    """Whether a request is about a thread, in its path or in its body."""
    return lambda request: (
        thread_id in request.path or (request.path == "/threads" and thread_id.encode() in request.body)
    )


def written(url, archive, threads, **more):
    """A migration of three threads to an address, with a key that shows nowhere."""
    with fb.connect(url, api_key=KEY) as book:
        report = fb.migrate(archive, book, [threads[name] for name in THREE], **more)
    assert KEY not in repr(report) + json.dumps(report.json()) + report.df().to_string()
    return report


THREE = ("approval", "nested", "memory")


def blind(arrived):
    """Writes that were sent again although nobody had looked, since the last time, what became of them."""
    repeated, last = [], None
    for request in arrived:
        same = (request.method, request.path, request.body)
        if request.is_write and request.method == "POST":
            repeated += [same] if same == last else []
            last = same
        elif not request.is_write:
            last = None
    return repeated


@pytest.mark.usefixtures("soon_over")
class TestTheLineToTheTarget:
    """One thread's requests fail, again and again: its row says why, the others are moved, the next run ends it."""

    @pytest.mark.parametrize("kind", MISDEEDS)
    @pytest.mark.parametrize("of", ["reads", "writes", "writes that are carried out"])
    def test_one_thread_fails(self, archive, threads, target, kind, of, monkeypatch):
        bad, broken = about(threads["nested"]), []

        def misdeed(request):
            if not bad(request) or request.is_write == (of == "reads"):
                return None
            broken.append(request)
            return replace(MISDEEDS[kind](), carried_out=of.endswith("out"))

        with misbehaving(target.url, misdeed) as (url, arrived):
            monkeypatch.setattr(patience.Patience.__init__, "__defaults__", (3, 60.0, time.sleep))
            report = written(url, archive, threads)
        moves = dict(zip(THREE, report.moves, strict=True))
        assert [moves[name].outcome for name in ("approval", "memory")] == ["created", "created"]
        assert moves["nested"].outcome == "error"
        assert REASONS[kind] in moves["nested"].reason
        assert broken
        assert blind(arrived) == []
        assert finished(archive, threads, target)

    @pytest.mark.parametrize("kind", ["drip"])
    @pytest.mark.parametrize("of", ["reads", "writes", "writes that are carried out"])
    def test_every_fault_in_turn(self, archive, threads, target, kind, of):
        count, turns = itertools.count(1), itertools.cycle(MISDEEDS.values())

        def misdeed(request):
            if request.is_write == (of == "reads") or next(count) % 5:
                return None
            return replace(next(turns)(), carried_out=of.endswith("out"))

        with misbehaving(target.url, misdeed) as (url, arrived):
            report = fb.migrate(archive, url, concurrency=1)
        assert report, report
        assert len([request for request in arrived if request.fault]) > len(MISDEEDS)
        assert blind(arrived) == []
        assert target.visible() == sorted(threads.values())
        assert fb.verify(archive, target.url)


def finished(archive, threads, target):
    """Whether a second run ends it, with each thread there once, and no scratch copy."""
    wanted = [threads[name] for name in THREE]
    report = fb.migrate(archive, target.url, wanted)
    assert report, report
    assert target.visible() == sorted(wanted)
    return fb.verify(archive, target.url, wanted)
