"""Migrations that are killed, whose server dies, whose line misbehaves: honest rows, and a second run that ends it.

The campaign is `python -m pytest tests/transfer/test_migrate_faults.py -m slow`; how often it kills is in kills.py.
"""

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import psycopg
import pytest
from databases import fresh_database
from kills import share
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph_sdk import get_sync_client
from misbehaving import Misdeed, misbehaving
from seeding import compiled
from shapes import shape
from stored import stored

import forkbook as fb
from forkbook.backends import retry
from forkbook.backends.graph.backend import GraphBackend
from forkbook.backends.server.backend import ServerBackend
from forkbook.demo.loopback import HOST, fetch_json, free_port
from forkbook.demo.server import _INHERITED, _SETTINGS
from forkbook.demo.tether import Tethered
from forkbook.marks import IMPORT
from forkbook.transfer import to_server
from forkbook.transfer.migrate import GONE_ON
from forkbook.transfer.migrate import migrate as migrate_backends

pytestmark = pytest.mark.xdist_group("migrations that fail")  # one server of their own, which they count
CONFIG = {"dependencies": ["."], "graphs": {"agent": "./agent.py:graph"}}
AGENT = """
import contextlib, threading, time
from forkbook.demo.agent import graph
from langgraph_runtime_inmem import _persistence

def save():  # on its own the server saves every 10 seconds
    while True:
        time.sleep(0.2)
        for store in list(_persistence._stores.values()):
            with contextlib.suppress(Exception):
                store().sync()

threading.Thread(target=save, daemon=True).start()
"""
KEY = "lsv2_sk_0123456789abcdef"


class Deployment:
    """A server with the sample agent that may be killed, and comes up again on the same port with what it had saved."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://{HOST}:{self.port}"
        (folder / "langgraph.json").write_text(json.dumps(CONFIG), "utf-8")
        (folder / "agent.py").write_text(AGENT, "utf-8")
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

    def renew(self):
        """Another server in its place: one that deleted many threads is slow."""
        self.kill()
        shutil.rmtree(self.folder / ".langgraph_api")
        self.start()

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
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(to_server, "QUIET", 0.1)


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
    def test_at_many_moments_into_a_server(self, archive, threads, target):
        self.into_a_server(archive, threads, target, share("into a server"))

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
            if number % 20 == 19:
                target.renew()
                migrate()  # the first one is slow
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
    def test_at_many_moments_into_a_checkpointer(self, archive, tmp_path):
        self.into_a_checkpointer(archive, tmp_path, share("into a checkpointer", 2))

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


class TestTheServerDies:
    """kill -9 of the target's server; what it had saved comes up again: records marked as done, without checkpoints."""

    def test_once(self, archive, threads, target):
        self.campaign(archive, threads, target, 1)

    @pytest.mark.slow
    def test_at_20_moments(self, archive, threads, target):
        self.campaign(archive, threads, target, 20)

    def campaign(self, archive, threads, target, kills):
        dice, ends = random.Random(3), []
        for number in range(kills):
            target.empty()
            report = self.cut(archive, target, dice.randint(5, 30))
            assert not report
            assert sorted(move.thread_id for move in report.moves) == sorted(threads.values())
            for move in report.moves:
                assert move.outcome in ("created", "error", "not reached")
                assert (move.outcome == "error") == any(each in str(move.reason) for each in ("broke", "cannot reach"))
            target.start()
            left = target.visible()
            again = fb.migrate(archive, target.url)
            said = f"kill {number}: {report} {left} {again}"
            assert again, said
            assert target.visible() == sorted(threads.values()), said
            assert fb.verify(archive, target.url), said
            ends.append((report.counts["created"], len(left), again.counts["created"]))
        print(f"\na server that dies: (created before, there after the restart, created then): {ends}")

    def cut(self, archive, target, writes):
        """A migration whose target is killed at the n-th write."""
        count = itertools.count(1)

        def misdeed(request):
            if request.is_write and next(count) == writes:
                time.sleep(0.25)  # so that it has saved something
                target.kill()

        with misbehaving(target.url, misdeed) as (url, _):
            return fb.migrate(archive, url, concurrency=random.Random(writes).choice((1, 4)))


def test_what_was_lost_of_a_finished_thread_is_written_however_often_that_is_cut_short(archive, threads, target):
    """A server that came up without a thread's last checkpoints, though its record says that they were written."""
    thread_id = threads["nested"]
    fb.migrate(archive, target.url, [thread_id])
    record = target.client.threads.get(thread_id)
    target.client.threads.delete(thread_id)
    report = cut_at_its_forks(archive, target, thread_id)
    assert report.counts["error"] == 1
    mark = record["metadata"][IMPORT] | {"head": "f" * 8}  # newer than all that is there
    target.client.threads.update(thread_id, metadata={IMPORT: mark})
    assert cut_at_its_forks(archive, target, thread_id).counts["error"] == 1
    assert target.client.threads.get(thread_id)["metadata"][IMPORT]["state"] == "writing"
    assert fb.migrate(archive, target.url, [thread_id]).counts["created"] == 1
    assert fb.verify(archive, target.url, [thread_id])


def cut_at_its_forks(archive, target, thread_id):
    """A migration that writes a trunk and two more checkpoints."""
    forks = itertools.count(1)

    def misdeed(request):
        is_fork = request.method == "POST" and request.path == f"/threads/{thread_id}/state"
        return Misdeed("400") if is_fork and next(forks) > 2 else None

    with misbehaving(target.url, misdeed) as (url, _):
        return fb.migrate(archive, url, [thread_id])


def test_a_thread_that_went_on_at_the_target_is_left_alone(archive, threads, target):
    thread_id = threads["memory"]
    fb.migrate(archive, target.url, [thread_id])
    target.client.threads.update_state(thread_id, {"topic": "later"}, as_node="chat")
    with misbehaving(target.url) as (url, arrived):
        (move,) = fb.migrate(archive, url, [thread_id]).moves
    assert (move.outcome, move.verdict, move.reason) == ("already there", None, GONE_ON)
    assert not [request for request in arrived if request.is_write]
    (compared,) = fb.migrate(archive, target.url, [thread_id], on_conflict="compare").moves
    assert (compared.outcome, compared.verdict) == ("already there", "differs")


def test_a_thread_without_checkpoints_has_no_head_and_is_there_once(target, threads, tmp_path):
    thread_id = target.client.threads.create()["thread_id"]
    with fb.connect(target.url) as book:
        assert book.backend.state(thread_id) is None
    (tmp_path / "threads.json").write_text(json.dumps([{"thread_id": thread_id, "metadata": {}, "history": []}]))
    target.empty()
    for outcome in ("created", "already there"):
        assert [move.outcome for move in fb.migrate(tmp_path / "threads.json", target.url).moves] == [outcome]


def planted(source, path, **more):
    with SqliteSaver.from_conn_string(str(path)) as saver:
        return fb.migrate(source, compiled(saver), **more)


def soon(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds))


MISDEEDS = {
    "reset": lambda: Misdeed("reset"),
    "cut": lambda: Misdeed("cut"),
    "429": lambda: Misdeed("429", (("retry-after", "0.05"),)),
    "429 with a date": lambda: Misdeed("429", (("retry-after", soon(0.2)),)),
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
    "drip": "too slow to read",
    "empty": "Agent Server",
    "302": "Agent Server",
}


def about(thread_id):
    """Whether a request is about a thread, in its path or in its body."""
    return lambda request: (
        thread_id in request.path or (request.path == "/threads" and thread_id.encode() in request.body)
    )


def in_time(kind):
    """How to connect to a server that may drip, so that it is found out soon."""
    return {"budget": fb.Budget(seconds=0.5)} if kind == "drip" else {}


def written(url, archive, threads, **how):
    """A migration of three threads to an address, with a key that shows nowhere."""
    with fb.connect(url, api_key=KEY, **how) as book:
        report = fb.migrate(archive, book, [threads[name] for name in THREE])
    assert KEY not in repr(report) + json.dumps(report.json()) + report.df().to_string()
    return report


THREE = ("approval", "nested", "memory")


def blind(arrived):
    """Writes that were sent again although nobody had looked, since the last time, what became of them.

    After a 429 nobody has to look: it says that nothing was done.
    """
    repeated, last = [], None
    for request in arrived:
        same = (request.method, request.path, request.body)
        if request.is_write and request.method == "POST":
            repeated += [same] if same == last else []
            last = None if request.fault == "429" else same
        elif not request.is_write:
            last = None
    return repeated


class TestTheLineToTheTarget:
    """One thread's requests fail, again and again: its row says why, the others are moved, the next run ends it."""

    @pytest.mark.parametrize(
        ("of", "kind"),
        [
            *itertools.product(["reads", "writes"], MISDEEDS),
            *itertools.product(["writes that are carried out"], ["reset", "cut", "503", "drip", "empty"]),
        ],
    )
    def test_one_thread_fails(self, archive, threads, target, kind, of, monkeypatch):
        bad, broken = about(threads["nested"]), []

        def misdeed(request):
            if not bad(request) or request.is_write == (of == "reads"):
                return None
            broken.append(request)
            return replace(MISDEEDS[kind](), carried_out=of.endswith("out"))

        with misbehaving(target.url, misdeed) as (url, arrived):
            monkeypatch.setattr(retry.Retry.__init__, "__defaults__", (3, 60.0, time.sleep))
            report = written(url, archive, threads, **in_time(kind))
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

        with misbehaving(target.url, misdeed) as (url, arrived), fb.connect(url, **in_time(kind)) as book:
            report = fb.migrate(archive, book, concurrency=1)
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


class TestTheLineToTheSource:
    @pytest.mark.parametrize("kind", MISDEEDS)
    def test_one_thread_fails(self, demo_url, threads, kind, monkeypatch):
        bad, failing = about(threads["nested"]), [True]

        def misdeed(request):
            return MISDEEDS[kind]() if failing and bad(request) else None

        wanted = [threads[name] for name in THREE]
        into = compiled(InMemorySaver())
        how = {"api_key": KEY, "sweep": False} | in_time(kind)
        with misbehaving(demo_url, misdeed) as (url, arrived), fb.connect(url, **how) as source:
            with monkeypatch.context() as patched:
                patched.setattr(retry.Retry.__init__, "__defaults__", (3, 60.0, time.sleep))
                report = fb.migrate(source, into, wanted)
            moves = dict(zip(THREE, report.moves, strict=True))
            assert [moves[name].outcome for name in ("approval", "memory")] == ["created", "created"]
            assert (moves["nested"].outcome, moves["nested"].new_thread_id) == ("error", None)
            assert REASONS[kind] in moves["nested"].reason
            assert KEY not in repr(report) + json.dumps(report.json()) + report.df().to_string()
            failing.clear()
            again = fb.migrate(source, into, wanted)
            assert [move.verdict for move in again.moves] == ["identical"] * 3
            assert fb.verify(source, into, wanted)
            assert not [request for request in arrived if request.is_write]

    @pytest.mark.parametrize("kind", ["drip"])
    def test_every_fault_in_turn(self, demo_url, threads, kind):
        count, turns = itertools.count(1), itertools.cycle(MISDEEDS.values())
        into = compiled(InMemorySaver())
        with (
            misbehaving(demo_url, lambda request: None if next(count) % 3 else next(turns)()) as (url, arrived),
            contextlib.closing(ServerBackend(url, **in_time(kind))) as source,
        ):
            report = migrate_backends(source, GraphBackend(into), threads.values())
        assert report, report
        assert len([request for request in arrived if request.fault]) > len(MISDEEDS) // 2


@pytest.mark.parametrize("shift", [0, 275, 280, 285, 290, 295])  # the text is cut somewhere in the key
def test_a_server_that_says_the_key_again(demo_url, threads, shift):
    """An error page that shows the request's headers."""

    def echo(request):
        said = "x" * shift + request.headers.get("x-api-key", "") + "y" * 200
        return (
            Misdeed("500", body=json.dumps({"detail": said}).encode())
            if "threads/" + thread_id in request.path
            else None
        )

    thread_id = threads["nested"]
    with misbehaving(demo_url, echo) as (url, _), fb.connect(url, api_key=KEY, sweep=False) as book:
        with pytest.raises(fb.ForkbookError, match="500") as caught:
            book.backend.thread(thread_id)
        report = fb.migrate(book, compiled(InMemorySaver()), [thread_id])
    said = "".join(traceback.format_exception(caught.value)) + repr(report)
    assert "xxx" in said or not shift
    assert KEY[:5] not in said


def test_what_comes_before_the_threads_is_asked_again_too(archive, threads, target):
    """The search for what an earlier migration left, and the list of the source's threads."""
    misdeeds = iter([Misdeed("503")] * 2)
    into = compiled(InMemorySaver())
    with (
        misbehaving(target.url, lambda request: next(misdeeds, None)) as (url, _),
        contextlib.closing(ServerBackend(url)) as backend,
        fb.connect(archive) as source,
    ):
        assert migrate_backends(source.backend, backend, [threads["memory"]])
        misdeeds = iter([Misdeed("reset")] * 2)
        assert migrate_backends(backend, GraphBackend(into)).counts["created"] == 1


def test_an_empty_answer_is_no_sign_that_a_mark_was_written(archive, threads, target):
    misdeeds = iter([Misdeed("empty")])
    with misbehaving(target.url, lambda request: next(misdeeds, None) if request.method == "PATCH" else None) as (
        url,
        _,
    ):
        assert fb.migrate(archive, url, [threads["memory"]])
    assert target.client.threads.get(threads["memory"])["metadata"][IMPORT]["state"] == "done"


def test_tries_end_where_answers_take_too_long(archive, threads, target, monkeypatch):
    monkeypatch.setattr(retry, "MAX_ELAPSED_S", 0.0)
    bad = about(threads["memory"])
    with misbehaving(target.url, lambda request: Misdeed("503") if bad(request) else None) as (url, arrived):
        (move,) = fb.migrate(archive, url, [threads["memory"]]).moves
    assert (move.outcome, len([request for request in arrived if request.fault])) == ("error", 1)


class TestDryRun:
    def test_nothing_changes_beside_what_a_killed_migration_left(self, archive, threads, target):
        left = target.client.threads.create(metadata={IMPORT: {"of": "x", "at": "y", "state": "writing"}})["thread_id"]
        half = {"of": threads["memory"], "at": threads["memory"], "state": "writing"}
        target.client.threads.create(thread_id=threads["memory"], metadata={IMPORT: half})
        target.client.threads.create(thread_id=threads["approval"], metadata={"owner": "somebody"})
        for on_conflict in ("skip", "compare", "new_id"):
            with misbehaving(target.url) as (url, arrived):
                report = fb.migrate(archive, url, dry_run=True, on_conflict=on_conflict)
            assert report.counts["planned"] == (6 if on_conflict == "new_id" else 5)
            assert len(arrived) > 6
            assert [request for request in arrived if request.is_write] == []
        assert sorted(target.threads()) == sorted([left, threads["memory"], threads["approval"]])

    def test_a_checkpointer_stays_as_it_is(self, archive, tmp_path):
        planted(archive, tmp_path / "x", dry_run=True)
        with contextlib.closing(sqlite3.connect(tmp_path / "x")) as connection:
            for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
                assert connection.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_a_server_goes_into_postgres_though_it_is_killed_on_the_way(demo_url, threads, postgres):
    def migrated(uri):
        with PostgresSaver.from_conn_string(uri) as saver:
            return fb.migrate(demo_url, compiled(saver), threads.values())

    def dumped(uri):
        with psycopg.connect(uri) as connection:
            return [
                connection.execute(f"select t::text from {table} t order by 1").fetchall()
                for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
            ]

    uris = [fresh_database(postgres) for _ in range(3)]
    for uri in uris:
        with PostgresSaver.from_conn_string(uri) as saver:
            saver.setup()
    migrated(uris[0])
    seconds, final = timed(lambda: migrated(uris[1])), dumped(uris[0])
    assert dumped(uris[1]) == final
    for part in (0.8, 0.6, 0.4, 0.2):  # of the time that it takes; once in the middle is enough
        killed(seconds * part, lambda: migrated(uris[2]))
        there = len(dumped(uris[2])[0])
        assert there < len(final[0]) or part == 0.8
        if there:
            break
    report = migrated(uris[2])
    assert {move.verdict for move in report.moves} == {"identical"}, report
    assert dumped(uris[2]) == final
    with fb.connect(uris[2]) as store:
        assert fb.verify(demo_url, store, threads.values())
