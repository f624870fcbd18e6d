"""A server that misbehaves: every fault comes out as a ForkbookError that says where and what next."""

import json
import socket
import uuid
from itertools import islice

import pytest
from proxy import answering, proxy

import forkbook as fb
from forkbook import errors
from forkbook.backends.server.backend import ServerBackend

THREAD = str(uuid.uuid4())


def a_state(**more):
    """A page of one state, as JSON."""
    state = {"values": {}, "next": [], "tasks": [], "metadata": {}, "checkpoint": {"checkpoint_id": "1"}}
    return json.dumps([state | more]).encode()


@pytest.mark.outside
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ({"status": 500, "body": b'{"detail": "boom"}'}, errors.ServerFault, "500 .boom"),
        ({"status": 503}, errors.ServerFault, "503"),
        ({"status": 429}, errors.ServerFault, "429"),
        ({"status": 401, "body": b'{"detail": "who are you"}'}, errors.AccessDenied, "api_key"),
        ({"status": 302, "headers": [("location", "/x")]}, errors.ProtocolError, "Agent Server"),
        ({"body": b""}, errors.ProtocolError, "Agent Server"),
        ({"body": b"<html>sign in</html>"}, errors.ProtocolError, "JSON"),
        ({"body": b'[{"values": NaN}]'}, errors.ProtocolError, "JSON"),
        ({"body": b'{"no": "list"}'}, errors.ProtocolError, "a list belongs"),
        ({"body": b'[{"values": {}}]'}, errors.ProtocolError, "checkpoint id"),
        ({"body": b'["x"]'}, errors.ProtocolError, "an object belongs"),
        ({"body": a_state(tasks=[None])}, errors.ProtocolError, "checkpoint 1 with None among its tasks"),
        ({"body": a_state(tasks=[{"interrupts": [5]}])}, errors.ProtocolError, "5 among its interrupts"),
        ({"body": a_state(next=[None])}, errors.ProtocolError, "None among its next"),
        ({"body": b"[" + b" " * 500 + b"]", "cut": 100}, errors.ConnectionFailed, "broke"),
        ({"reset": True}, errors.ConnectionFailed, "broke"),
    ],
)
def test_a_fault_while_reading(answer, error, says):
    with answering(**answer) as (url, _), pytest.raises(error, match=says) as caught:
        list(ServerBackend(url).pages(THREAD))
    assert f"thread {THREAD} (0 checkpoints so far)" in str(caught.value)


@pytest.mark.outside
def test_a_thread_that_is_not_there_is_named():
    with answering(status=404) as (url, _), pytest.raises(errors.ThreadNotFound, match=r"book\.threads") as caught:
        list(ServerBackend(url).pages(THREAD))
    assert f"no thread '{THREAD}' on {url}" in str(caught.value)


@pytest.mark.outside
def test_a_dead_server_is_told_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(errors.ConnectionFailed, match="Is the server running"):
            fb.connect(f"http://127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.outside
def test_a_write_whose_answer_is_lost_is_not_repeated():
    with answering(reset=True) as (url, seen), pytest.raises(errors.ConnectionFailed, match="unknown"):
        ServerBackend(url).update(THREAD, "1", {}, None)
    assert len(seen) == 1


def test_the_history_says_how_far_it_got(demo_url, demo_threads):
    pages = []

    def second_page_breaks(method, path, body):
        if path.endswith("/history"):
            pages.append(body)
            return b"{" if len(pages) == 2 else None
        return None

    with proxy(demo_url, second_page_breaks) as (url, _), fb.connect(url) as book:
        with pytest.raises(errors.ProtocolError, match="3 checkpoints so far"):
            book.history(demo_threads["branches"], page_size=3)
        assert len(book.history(demo_threads["branches"])) > 3


def test_a_server_that_ignores_before_is_found_out(demo_url, demo_threads):
    first = []

    def always_the_first(method, path, body):
        if path.endswith("/history"):
            first.append(body)
            return first[0]
        return None

    with (
        proxy(demo_url, always_the_first) as (url, _),
        fb.connect(url) as book,
        pytest.raises(errors.ProtocolError, match="does not page as LangGraph does"),
    ):
        book.history(demo_threads["branches"], page_size=5)


def test_a_server_that_cuts_pages_short_loses_nothing(demo_url, demo_threads, book):
    import json

    def at_most_two(method, path, body):
        return json.dumps(json.loads(body)[:2]).encode() if path.endswith("/history") else None

    with proxy(demo_url, at_most_two) as (url, _), fb.connect(url) as short:
        assert short.history(demo_threads["branches"]).states == book.history(demo_threads["branches"]).states


@pytest.mark.outside
@pytest.mark.parametrize("page", [b'[{"thread_id": "t", "metadata": {}}]', b'[{"thread_id": 7}]', b"[{}]"])
def test_a_list_that_never_ends_ends(page):
    with answering(body=page) as (url, seen):
        listed = ServerBackend(url).threads()
        with pytest.raises(errors.ProtocolError, match="10 times, so it does not page as LangGraph does"):
            list(islice(listed, 5))
    assert len(seen) <= 11


@pytest.mark.outside
def test_threads_that_are_made_while_they_are_listed_hide_none():
    pages = [range(100, 200)] * 3 + [range(200, 230), range(0)]
    sent = iter([json.dumps([{"thread_id": str(n)} for n in page]).encode() for page in pages])

    def page(write):
        body = next(sent)
        write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)

    with answering(raw=page) as (url, seen):
        backend = ServerBackend(url)
        assert list(backend.threads(limit=0)) == []
        assert not seen
        assert [int(thread["thread_id"]) for thread in backend.threads()] == [*range(100, 230)]
    assert len(seen) == len(pages)
