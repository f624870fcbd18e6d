"""A run that is silent is asked for its status: who says that it runs is waited for, who does not answer is not."""

import itertools
import json
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import forkbook as fb
from forkbook.backends import retry
from forkbook.backends.records import RunSettings
from forkbook.backends.server.backend import ServerBackend

pytestmark = pytest.mark.outside
THREAD, RUN = str(uuid.uuid4()), str(uuid.uuid4())
FOREVER = 30


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(retry, "SILENCE_S", 0.3)


@contextmanager
def silent_server(statuses, sends=b""):
    """A server whose run says nothing, but for `sends` now and then; asked for its status it says one after the other.

    A status of None is no answer, one that is a number is an error.
    """
    asked, over, statuses = [], threading.Event(), iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            asked.append(self.path)
            self.said({"run_id": RUN, "status": "pending"})

        def do_GET(self):
            asked.append(self.path)
            if not self.path.endswith(RUN):
                self.silence()
            elif (status := next(statuses)) is None:
                over.wait(FOREVER)
            else:
                self.said({"run_id": RUN, "status": status}, status if isinstance(status, int) else 200)

        def silence(self):
            self.send_response(200)
            stream = self.path.split("?")[0].endswith("stream")
            self.send_header("content-type", "text/event-stream" if stream else "application/json")
            self.end_headers()
            try:
                while not over.wait(0.05):
                    self.wfile.write(sends)
            except OSError:
                pass

        def said(self, answer, status=200):
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def run(url, on_event):
    return ServerBackend(url).run(THREAD, None, RunSettings("agent"), on_event=on_event)


ON_EVENT = pytest.mark.parametrize("on_event", [None, lambda event: None], ids=["waiting", "watching"])
SENDS = pytest.mark.parametrize("sends", [b"", b" ", b": alive\n\n"], ids=["nothing", "spaces", "comments"])


@ON_EVENT
@SENDS
def test_a_silent_run_is_waited_for_while_the_server_says_that_it_runs(on_event, sends):
    with silent_server(["running", "pending", "running", *["success"] * 5], sends) as (url, asked):
        assert run(url, on_event).status == "success"
    assert sum(path.endswith(RUN) for path in asked) >= 4


@ON_EVENT
@pytest.mark.parametrize("answer", [None, 500, 502], ids=["silence", "500", "502"])
def test_a_server_that_does_not_answer_three_times_is_not_waited_for(on_event, answer):
    began = time.monotonic()
    statuses = ["running", *itertools.repeat(answer, 20)]
    with silent_server(statuses) as (url, asked), pytest.raises(fb.ForkbookError, match="may go on") as caught:
        run(url, on_event)
    assert isinstance(caught.value, fb.errors.ConnectionFailed)
    assert caught.value.details["run_id"] == RUN
    assert caught.value.thread_id == THREAD
    assert sum(path.endswith(RUN) for path in asked) == 1 + 3
    assert not [path for path in asked if "/cancel" in path]
    assert time.monotonic() - began < 10


@ON_EVENT
def test_a_server_that_is_gone_in_the_middle_of_a_run_is_not_waited_for(on_event):
    with silent_server(["running"]) as (url, asked):
        ended = []

        def begun():
            try:
                run(url, on_event)
            except fb.ForkbookError as error:
                ended.append(error)

        waiting = threading.Thread(target=begun)
        waiting.start()
        while not any(path.endswith(RUN) for path in asked):
            time.sleep(0.02)
    waiting.join(20)
    assert "may go on" in str(ended[0])


@pytest.mark.parametrize("ended", ["success", "error", "interrupted", "timeout"])
def test_one_answer_out_of_three_is_enough(ended):
    with silent_server([500, None, ended, *[ended] * 9]) as (url, _):
        assert run(url, None).status == ended
