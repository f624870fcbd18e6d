"""The events of a run as a server may send them: of another shape, unknown, cut in the middle."""

import contextlib
import json
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from proxy import answering

import forkbook as fb
from forkbook.backends import retry
from forkbook.backends.events import EventStream
from forkbook.backends.records import RunSettings
from forkbook.backends.server.backend import ServerBackend

pytestmark = pytest.mark.outside
THREAD, RUN = str(uuid.uuid4()), str(uuid.uuid4())
CHECKPOINT = {
    "config": {"configurable": {"checkpoint_id": "1f1", "checkpoint_ns": ""}},
    "parent_config": {"configurable": {"checkpoint_id": "1f0", "checkpoint_ns": ""}},
    "values": {"topic": "cats"},
    "metadata": {"source": "loop", "step": 1, "parents": {}},
    "next": ["joke"],
    "tasks": [{"id": "t1", "name": "joke", "interrupts": [{"id": "i", "value": "?"}]}],
}
TASK = {"id": "t1", "name": "joke", "triggers": ["x"], "result": {"joke": "."}, "error": None, "interrupts": []}
MESSAGE = [{"id": "m1", "type": "AIMessageChunk", "content": "Why"}, {"langgraph_node": "joke"}]
MODES = {"checkpoints": CHECKPOINT, "tasks": TASK, "messages": MESSAGE}
ODD = {
    "null": None, "text": "x", "number": 5, "fraction": 0.5, "true": True, "list": [], "list of null": [None],
    "list of text": ["x"], "list of lists": [[]], "dict": {}, "dict of null": {"x": None}, "long": 10**25,
}  # fmt: skip


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(retry, "SILENCE_S", 0.5)


@contextmanager
def telling(*streams, headers=(), status="success"):
    """A server with one run, whose stream says one of these after the other, and ends its line; the last one again."""
    asked, left = [], list(streams)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            asked.append((self.path.partition("?")[0], None))
            self.said({"run_id": RUN, "status": "pending"})

        def do_GET(self):
            asked.append((self.path.partition("?")[0], self.headers.get("last-event-id")))
            if not asked[-1][0].endswith("/stream"):
                self.said({"run_id": RUN, "status": status})
                return
            self.send_response(200)
            for name, value in (("content-type", "text/event-stream"), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(left.pop(0) if len(left) > 1 else left[0])

        def said(self, answer):
            body = json.dumps(answer).encode()
            self.send_response(200)
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
        server.shutdown()
        server.server_close()


def event(mode, data, id=None):
    told = data if isinstance(data, bytes) else json.dumps(data).encode()
    return (f"id: {id}\n".encode() if id else b"") + b"event: " + mode.encode() + b"\ndata: " + told + b"\n\n"


END = event("end", None, 99)


def watched(backend):
    events = []
    outcome = backend.run(THREAD, None, RunSettings("agent"), on_event=events.append)
    return outcome, events


def paths(value, at=()):
    """Every place in a value."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from paths(item, (*at, key))


def spoiled(value, at, odd):
    if not at:
        return odd
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[at[0]] = spoiled(value[at[0]], at[1:], odd)
    return copied


PLACES = [(mode, at) for mode, whole in MODES.items() for at in paths(whole)]


def test_events_as_they_should_be():
    told = b"".join(event(mode, data, number) for number, (mode, data) in enumerate(MODES.items(), 1))
    with telling(told + END, END) as (url, _):
        outcome, events = watched(ServerBackend(url))
    assert outcome.status == "success"
    assert [each.kind for each in events] == ["start", "checkpoint", "task", "tokens", "end"]


@pytest.mark.parametrize(("mode", "at"), PLACES, ids=[".".join(map(str, (mode, *at))) for mode, at in PLACES])
def test_an_odd_event_is_an_error_of_the_server_or_what_is_odd_is_unknown(mode, at):
    with telling(*(event(mode, spoiled(MODES[mode], at, odd)) + b"event: end\n\n" for odd in ODD.values())) as (url, _):
        backend = ServerBackend(url)
        for _ in ODD:
            with contextlib.suppress(fb.errors.ProtocolError):
                outcome, events = watched(backend)
                assert outcome.status == "success"
                for each in events:
                    repr(each)
                    assert all(isinstance(name, str | None) for name in (each.node, each.message_id, each.task_id))


@pytest.mark.parametrize("data", [None, [], 5, "x", {}, [None], [[], {}], [{}, {}, {}]])
@pytest.mark.parametrize("mode", MODES)
def test_data_of_another_shape_is_told(mode, data):
    with telling(event(mode, data, 1) + END) as (url, _), pytest.raises(fb.errors.ProtocolError) as caught:
        watched(ServerBackend(url))
    assert str(caught.value).startswith(f"watching run {RUN} of thread {THREAD}: {url} sent")
    assert f"Run {RUN} may go on there" in str(caught.value)
    assert (caught.value.thread_id, caught.value.details["run_id"]) == (THREAD, RUN)


UNKNOWN = {
    "a mode of another day": event("tomorrow", {"a": 1}, 1),
    "a mode in a subgraph": event("tomorrow|a:1|b:2", [5], 1),
    "metadata without a run_id": event("metadata", {}, 1),
    "metadata that are null": event("metadata", None, 1),
    "no name": b"id: 1\ndata: 5\n\n",
    "no data": b"id: 1\nevent: values\n\n",
    "an id alone": b"id: 1\n\n",
    "a comment": b": x\n\n",
    "a field of another day": b"x: 1\nid: 1\n\n",
    "an error that is a number": event("error", 5, 1),
    "a bad retry": b"retry: x\nid: 1\n\n",
}


@pytest.mark.parametrize("stream", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_is_passed_over(stream):
    with telling(stream + END) as (url, _):
        outcome, events = watched(ServerBackend(url))
    assert (outcome.status, [each.kind for each in events]) == ("success", ["start", "end"])


BROKEN = {"no JSON": b"{", "no UTF-8": b'"\xff', "deep": b"[" * 3000 + b"]" * 3000, "NaN": b"NaN"}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_data_that_is_no_json_is_told(data):
    with telling(event("values", data, 1) + END) as (url, _), pytest.raises(fb.SourceError, match="may go on"):
        watched(ServerBackend(url))


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_stream_that_is_refused_without_end_is_read_for_its_reason_only(status):
    sent = []

    def refused(write):
        write(f"HTTP/1.1 {status} No\r\ncontent-type: text/plain\r\n\r\n".encode())
        while True:
            write(b"x" * 100_000)
            sent.append(100_000)

    events = EventStream(THREAD, RUN, [].append)
    with answering(raw=refused) as (url, _), pytest.raises(fb.ForkbookError):
        next(ServerBackend(url)._runs._read(events, THREAD, RUN, "-1"))
    assert sum(sent) < 20_000_000


@pytest.mark.parametrize("located", [False, True], ids=["", "with the SDK's own reconnection"])
@pytest.mark.parametrize("cut", [1, 10, 30, 60, -1])
def test_half_an_event_is_none_and_is_asked_for_again(cut, located):
    first, second = event("tasks", TASK, 1), event("tasks", {**TASK, "name": "second"}, 2)
    headers = [("location", f"/threads/{THREAD}/runs/{RUN}/stream")] if located else []
    with telling(first + second[:cut], second + END, END, headers=headers) as (url, asked):
        _, events = watched(ServerBackend(url))
    assert [each.node for each in events if each.kind == "task"] == ["joke", "second"]
    assert [last for path, last in asked if path.endswith("/stream")][:2] == ["-1", "1"]


@pytest.mark.parametrize("kind", [fb.errors.ConnectionFailed, fb.errors.ThreadNotFound, fb.SourceError, OSError])
def test_what_a_listener_raises_ends_the_run_whatever_it_is(kind):
    def listener(event):
        raise kind("mine")

    with telling(event("tasks", TASK, 1) + END) as (url, asked), pytest.raises(kind, match="mine"):
        ServerBackend(url).run(THREAD, None, RunSettings("agent"), on_event=listener)
    assert any(path.endswith("/cancel") for path, _ in asked)
