"""A real Agent Server that is killed (SIGKILL): in mid-stream of a run, and at a request of any other operation.

Whoever waits is told in bounded time, by a `ForkbookError`, and of a run that it may go on. Everyday runs kill one
server in a run that is watched; `pytest -m slow tests/campaigns/test_server_killed.py` at each moment, and once in each
operation.
"""

import os
import random
import signal
import threading
import time
import uuid

import psutil
import pytest
from agents.server import HERE, agent_process
from langgraph_sdk import get_sync_client
from misbehaving import misbehaving
from network_operations import OPERATIONS, Place

import forkbook as fb
from forkbook.backends import retry
from forkbook.demo import seed

SECONDS = 40  # that one operation may take
GRAPHS = {"talker": f"{HERE / 'graphs.py'}:talker", "agent": "forkbook.demo.agent:graph"}
ACTS = {
    "run": lambda book, thread_id, **more: book.run(thread_id, {"topic": "dogs"}, assistant="talker", **more),
    "resume": lambda book, thread_id, **more: start(book, thread_id).resume(**more),
    "fork": lambda book, thread_id, **more: start(book, thread_id).fork({"topic": "cats"}, **more),
    "fork in a copy": lambda book, thread_id, **more: start(book, thread_id).fork(
        {"topic": "cats"}, in_copy=True, **more
    ),
}
EVENTS = (1, 2, 5, 9)  # at which of a run's events its server is killed
pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("a server that is killed")]


class Killed:
    """A server with a thread of each graph, until it is killed."""

    def __init__(self, url, process):
        self.url, self._process = url, process
        self.client = get_sync_client(url=url, api_key=None)

    def talked(self):
        """A thread where the talker ran once."""
        thread_id = str(uuid.uuid4())
        self.client.threads.create(thread_id=thread_id, graph_id="talker")
        self.client.runs.wait(thread_id, "talker", input={"topic": "birds"})
        return thread_id

    def kill(self):
        """Kill it, and whatever it started."""
        family = [psutil.Process(self._process.pid)]
        for each in family + family[0].children(recursive=True):
            os.kill(each.pid, signal.SIGKILL)
        self._process.wait()

    def kill_in_a_run(self):
        """Kill it soon after another run than those of now is under way."""
        before = self._runs()
        while self._runs() <= before:
            time.sleep(0.01)
        time.sleep(0.2)  # the talker takes a second
        self.kill()

    def _runs(self):
        threads = self.client.threads.search(select=["thread_id"])
        return sum(len(self.client.runs.list(thread["thread_id"])) for thread in threads)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(retry, "SILENCE_S", 5)
    with agent_process(GRAPHS) as (url, process):
        yield Killed(url, process)


def start(book, thread_id):
    return next(each for each in book.history(thread_id) if each.next == ("think",))


def told(act):
    """The error that ends an act; it may be None."""
    began = time.monotonic()
    try:
        act()
    except fb.ForkbookError as error:
        return error
    finally:
        assert time.monotonic() - began < SECONDS
    return None


def check(error, book, thread_id):
    assert isinstance(error, fb.ConnectionFailed), error
    assert "may go on there" in str(error)
    assert error.details["run_id"]
    with pytest.raises(fb.ConnectionFailed, match="cannot reach"):
        book.history(thread_id)


def killed_at_event(server, name, at):
    thread_id, seen = server.talked(), []

    def on_event(event):
        seen.append(event)
        if len(seen) == at:
            server.kill()

    with fb.connect(server.url) as book:
        check(told(lambda: ACTS[name](book, thread_id, on_event=on_event)), book, thread_id)
    assert len(seen) >= at


def test_a_server_killed_in_mid_stream(server):
    killed_at_event(server, "run", EVENTS[-1])


@pytest.mark.slow
@pytest.mark.parametrize("at", EVENTS)
@pytest.mark.parametrize("name", ACTS)
def test_a_server_killed_at_an_event(server, name, at):
    killed_at_event(server, name, at)


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTS)
def test_a_server_killed_while_a_run_is_waited_for(server, name):
    thread_id = server.talked()
    with fb.connect(server.url) as book:
        killer = threading.Thread(target=server.kill_in_a_run)
        killer.start()
        error = told(lambda: ACTS[name](book, thread_id))
        killer.join()
        check(error, book, thread_id)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_server_killed_at_a_request(server, tmp_path, operation):
    thread_id, dice = seed.seed(server.url)["time travel"], random.Random(operation)

    def done(folder, misdeed):
        with misbehaving(server.url, misdeed) as (url, arrived), fb.connect(url) as book:
            (place := tmp_path / folder).mkdir()
            error = told(lambda: OPERATIONS[operation](Place(book, thread_id, place)))
            assert [path for path in place.iterdir() if path.suffix == ".new"] == []
            return error, len(arrived)

    error, requests = done("clean", lambda request: None)
    assert error is None
    left = dice.randrange(1, max(requests, 2))

    def misdeed(request):
        nonlocal left
        left -= 1
        if left == 0:
            server.kill()

    error, _ = done("killed", misdeed)
    assert error is None or isinstance(error, fb.ForkbookError)
