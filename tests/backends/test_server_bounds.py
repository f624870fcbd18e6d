"""What a server sends is bounded in bytes, packed or not, items, depth and seconds."""

import gzip
import itertools
import json
import time
import uuid
import zlib

import pytest
from proxy import answering

import forkbook as fb
from forkbook import errors
from forkbook.backends import retry
from forkbook.backends.budget import MOST
from forkbook.backends.server import body
from forkbook.backends.server.backend import ServerBackend

pytestmark = pytest.mark.outside
THREAD = str(uuid.uuid4())
SMALL = fb.Budget(read_bytes=2_000_000, items=50_000, seconds=0.4)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
READS = {
    "history": lambda backend: list(backend.pages(THREAD)),
    "record": lambda backend: backend.thread(THREAD),
    "state": lambda backend: backend.state(THREAD),
    "threads": lambda backend: list(backend.threads()),
    "assistants": lambda backend: backend.assistants(),
    "items": lambda backend: backend.memory().items(()),
}


def forever(part, pause=0.0, head=OK + b"\r\n"):
    def send(write):
        write(head)
        for _ in itertools.count():
            write(part)
            time.sleep(pause)

    return {"raw": send}


def packed(*layers):
    """A body of 100 MB in 100 KB, in some layers of gzip."""
    content = b"[" + b" " * 100_000_000 + b"]"
    for _ in layers:
        content = gzip.compress(content, 1)
    return {"body": content, "headers": [("content-encoding", ", ".join(layers))]}


BODIES = {
    "without end": (forever(b" " * 50_000), "read_bytes"),
    "without end, chunked": (
        forever(b"1000\r\n" + b" " * 4096 + b"\r\n", head=OK + b"transfer-encoding: chunked\r\n\r\n"),
        "read_bytes",
    ),
    "an error without end that drips": (forever(b"x", 0.1, b"HTTP/1.1 404 No\r\n\r\n"), "seconds"),
    "a drip": (forever(b" ", 0.1), "seconds"),
    "headers that drip": (forever(b"x-a: 1\r\n", 0.1, OK), "seconds"),
    "headers that never begin": (forever(b"H", 0.1, b""), "seconds"),
    "a gzip bomb": (packed("gzip"), "read_bytes"),
    "empty lists": ({"body": b"[" + b"[]," * 60_000 + b"[]]"}, "items"),
    "empty texts": ({"body": b"[" + b'"",' * 60_000 + b'""]'}, "items"),
    "nested lists": ({"body": b"[" * 1000 + b"]" * 1000}, "depth"),
    "nested dicts": ({"body": b'{"a":[' * 400 + b"]}" * 400}, "depth"),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize(("answer", "bound"), BODIES.values(), ids=BODIES)
def test_an_answer_is_bounded(answer, bound, read):
    began = time.monotonic()
    with answering(**answer) as (url, _), pytest.raises(errors.OverBudget) as met:
        read(ServerBackend(url, budget=SMALL))
    assert met.value.details["bound"] == bound
    assert url in str(met.value)
    assert f"Budget({bound}=" in str(met.value)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("write", ["update", "copy", "delete", "tag", "create"])
def test_the_answer_to_a_write_is_bounded_and_its_outcome_unknown(write):
    given = {
        "update": ("1", {}, None),
        "copy": (),
        "delete": (),
        "tag": ({"a": 1},),
        "create": ("agent", {}, ()),
    }[write]
    with answering(**forever(b" ", 0.1)) as (url, seen):
        backend = ServerBackend(url, budget=SMALL)
        backend.thread = lambda thread_id: {}  # `copy` reads first
        with pytest.raises(errors.OverBudget, match="carried out is unknown") as met:
            getattr(backend, write)(THREAD, *given)
    assert met.value.thread_id == THREAD
    assert len(seen) == 1


def test_an_error_without_end_is_told_as_what_it_is():
    with (
        answering(**forever(b"x" * 10_000, head=b"HTTP/1.1 403 No\r\n\r\n")) as (url, _),
        pytest.raises(errors.AccessDenied),
    ):
        ServerBackend(url, budget=SMALL).thread(THREAD)


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "x"])
def test_what_is_packed_in_another_way_than_asked_for_is_not_unpacked(packing):
    with (
        answering(body=b"{}", headers=[("content-encoding", packing)]) as (url, _),
        pytest.raises(errors.ProtocolError, match="not asked for"),
    ):
        ServerBackend(url).thread(THREAD)


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b'{"a": 1}', mtime=0)[:-9]], ids=["no gzip", "cut"])
def test_a_damaged_packed_body_is_told(content):
    with (
        answering(body=content, headers=[("content-encoding", "gzip")]) as (url, _),
        pytest.raises(errors.ProtocolError, match=r"damaged|too early"),
    ):
        ServerBackend(url).thread(THREAD)


@pytest.mark.parametrize("packing", [gzip.compress, zlib.compress])
def test_a_packed_body_is_read(packing):
    content = json.dumps({"thread_id": THREAD, "metadata": {"text": "x" * 100_000}}).encode()
    name = "gzip" if packing is gzip.compress else "deflate"
    with answering(body=packing(content), headers=[("content-encoding", name)]) as (url, _):
        assert ServerBackend(url).thread(THREAD)["metadata"]["text"] == "x" * 100_000


def depth_of(value):
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else None
    return 0 if parts is None else 1 + max(map(depth_of, parts), default=0)


@pytest.mark.parametrize(
    "value",
    [
        [[], {}, [[{}]], {"a": [1, {"b": []}]}],
        ["]", '"]', '\\"[[[', "\\", '\\\\"', "{{{,,,", {"[": "]"}],
        [{"[[" * n: '\\"' * n + "{" * n} for n in range(50)],
        ["[" * 3_000_000, "x", '"' * 500_000, [["\\"] * 4]],
    ],
)
def test_depth_and_items_are_those_of_the_json_and_not_of_its_texts(value):
    content = json.dumps(value).encode()
    depth = depth_of(value)
    body.check_structure(content, fb.Budget(depth=depth, items=1_000).meter("it"))
    if depth > 1:
        with pytest.raises(fb.OverBudget, match="levels"):
            body.check_structure(content, fb.Budget(depth=depth - 1).meter("it"))


def test_a_silent_server_is_asked_again_and_then_told(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)
    with (
        answering(raw=lambda write: time.sleep(2)) as (url, seen),
        pytest.raises(errors.ConnectionFailed, match="broke"),
    ):
        ServerBackend(url, budget=fb.Budget(seconds=0.4)).thread(THREAD)
    assert len(seen) == retry.TRIES


def test_the_most_seconds_are_not_too_many_for_a_socket():
    with answering(body=b'{"thread_id": "t"}') as (url, _):
        assert ServerBackend(url, budget=fb.Budget(seconds=MOST["seconds"])).thread("t")["thread_id"] == "t"
