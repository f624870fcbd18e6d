"""What a server sends in another shape: unknown, or an error that says what; the other threads stay readable."""

import contextlib
import json

import pytest
from all_seen import look, tried
from proxy import answering, proxy

import forkbook as fb
from forkbook.backends.records import RunSettings
from forkbook.backends.server.backend import ServerBackend

pytestmark = pytest.mark.outside
LONG = 10**25
ODD = {
    "null": None,
    "text": "x",
    "number": 5,
    "long": LONG,
    "fraction": 0.5,
    "true": True,
    "list": [],
    "list of null": [None],
    "list of text": ["x"],
    "list of lists": [[]],
    "dict": {},
    "dict of null": {"x": None},
    "surrogate": "\ud800",
    "zone": "2026-01-01T00:00:00+05:00",
    "no zone": "2026-01-01T00:00:00",
    "late": "9999-12-31T23:59:59-23:00",
    "escape": "\x1b]52;c;x\x07",
}
RECORD = ["thread_id", "created_at", "updated_at", "metadata", "status", "values", "interrupts", "config"]
STATE = [
    "values", "next", "tasks", "metadata", "created_at", "checkpoint", "parent_checkpoint", "interrupts",
    "checkpoint.checkpoint_id", "checkpoint.checkpoint_ns", "checkpoint.thread_id", "parent_checkpoint.checkpoint_id",
    "metadata.step", "metadata.source", "metadata.run_id", "metadata.parents", "metadata.writes", "metadata.user_id",
    "tasks.0", "tasks.0.id", "tasks.0.name", "tasks.0.error", "tasks.0.path", "tasks.0.interrupts", "tasks.0.result",
    "tasks.0.checkpoint", "tasks.0.interrupts.0", "tasks.0.interrupts.0.value", "tasks.0.interrupts.0.id",
    "values.messages", "values.messages.0", "values.messages.0.content", "values.messages.0.id",
    "values.messages.0.type", "values.messages.0.tool_calls", "values.messages.0.usage_metadata",
    "values.messages.0.usage_metadata.input_tokens", "values.messages.0.additional_kwargs",
    "values.messages.0.response_metadata",
]  # fmt: skip


def spoiled(value, path, odd):
    """The value with something odd at a path of it, where there is such a path."""
    *outer, last = path.split(".")
    at = value
    for key in [*outer, last]:
        inner = at[int(key)] if isinstance(at, list) and key.isdigit() and len(at) > int(key) else None
        inner = at.get(key) if isinstance(at, dict) else inner
        if key is last and isinstance(at, dict | list) and (isinstance(at, dict) or int(key) < len(at)):
            at[int(key) if isinstance(at, list) else key] = odd
        if inner is None:
            return
        at = inner


def spoiling(where, path, odd):
    """A change of what a server sends: of the threads' records, or of the states of a history."""

    def change(method, request, body):
        if not request.endswith(("/search", "/history")) and request.count("/") != 2 and "/state" not in request:
            return None
        about_states = request.endswith("/history") or "/state" in request
        if about_states != (where == "state") or "/store" in request or "/assistants" in request:
            return None
        answer = json.loads(body)
        for item in answer[:1] if isinstance(answer, list) else [answer]:
            spoiled(item, path, odd)
        return json.dumps(answer).encode()

    return change


def looked_at(book, thread_id, folder):
    """Let every operation read; the other threads are listed, and an export is written, whatever one thread holds."""
    look(book, thread_id)
    assert len(book.threads()) > 3
    for name in ("x.json", "x.forkbook"):
        tried(lambda name: book.export(folder / name, [thread_id]), name)


FIELDS = [*(("record", path) for path in RECORD), *(("state", path) for path in STATE)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*left out")
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize(("where", "path"), FIELDS)
def test_any_odd_field(demo_url, demo_threads, tmp_path, where, path, odd):
    name = "approval" if "interrupts" in path else "memory" if "messages" in path else "branches"
    with proxy(demo_url, spoiling(where, path, odd)) as (url, _), fb.connect(url) as book:
        looked_at(book, demo_threads[name], tmp_path)


TIMES = ["null", "text", "number", "list", "no zone", "late", "zone", "surrogate"]
WHEN = {"zone": "2025-12-31 19:00:00+00:00", "no zone": "2026-01-01 00:00:00+00:00"}  # LangGraph's times are UTC


@pytest.mark.parametrize("odd", TIMES)
def test_an_odd_time_is_unknown_one_without_a_zone_is_utc_and_its_thread_is_listed(demo_url, demo_threads, odd):
    with proxy(demo_url, spoiling("record", "created_at", ODD[odd])) as (url, _), fb.connect(url) as book:
        threads = book.threads()
    assert set(demo_threads.values()) <= set(threads.thread_id)
    assert threads.created_at.isna().sum() == (odd not in WHEN)
    assert WHEN.get(odd) in (None, *threads.created_at.dropna().map(str))


@pytest.mark.parametrize("odd", ["null", "number", "long", "list", "dict", "surrogate"])
def test_a_thread_without_an_id_is_left_out_and_the_others_are_listed(demo_url, odd, tmp_path):
    with proxy(demo_url, spoiling("record", "thread_id", ODD[odd])) as (url, _), fb.connect(url) as book:
        with pytest.warns(UserWarning, match="1 of .* threads left out: it sent a thread with thread_id"):
            left = book.threads()
        assert len(left) >= 4
        thread_id = left.thread_id.iloc[-1]
        assert thread_id in list(book.backend.ids())


def test_a_number_of_any_size_and_a_broken_character_are_read_as_they_are():
    content = b'{"thread_id": "t", "metadata": {"n": ' + b"7" * 5000 + b', "s": "\\ud800", "small": 12}}'
    with answering(body=content) as (url, _):
        metadata = ServerBackend(url).thread("t")["metadata"]
    assert metadata["n"] == {"__type__": "int", "value": "7" * 5000}
    assert metadata["s"]["__type__"] == "str"
    assert metadata["small"] == 12


@pytest.mark.parametrize("step", ["1", LONG, -LONG, 0.5, True, [], None])
def test_an_odd_step_is_unknown(demo_url, demo_threads, step):
    with proxy(demo_url, spoiling("state", "metadata.step", step)) as (url, _), fb.connect(url) as book:
        assert book.history(demo_threads["branches"]).checkpoints_df().step.isna().sum() >= 1


ANSWERS = [b"5", b"null", b'"x"', b"[]", b"[null]", b"[[]]", b"{}", b'{"items": 5}', b'{"namespaces": {"a": 1}}']
ASKS = {
    "threads": lambda backend: list(backend.threads()),
    "thread": lambda backend: backend.thread("t"),
    "history": lambda backend: list(backend.pages("t")),
    "state": lambda backend: backend.state("t"),
    "size": lambda backend: backend.n_checkpoints("t"),
    "assistants": lambda backend: backend.assistants(),
    "graph": lambda backend: backend.graph("agent"),
    "settings": lambda backend: backend.run_settings("t", {"run_id": "r"}),
    "items": lambda backend: backend.memory().items(()),
    "item": lambda backend: backend.memory().item((), "k"),
    "namespaces": lambda backend: backend.memory().namespaces(()),
    "update": lambda backend: backend.update("t", "c", {}, None),
    "copy": lambda backend: backend.copy("t"),
    "create": lambda backend: backend.create("t", "agent", {}, ()),
    "run": lambda backend: backend.run("t", None, RunSettings("agent")),
    "cancel": lambda backend: backend.cancel("t"),
    "tag": lambda backend: backend.tag("t", {}),
    "delete": lambda backend: backend.delete("t"),
    "scratches": lambda backend: backend.scratches(),
    "check": lambda backend: backend.check(),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_another_shape_is_an_error_of_the_server_or_nothing(ask, answer):
    with answering(body=answer) as (url, _), contextlib.suppress(fb.SourceError, fb.InvalidInput):
        ask(ServerBackend(url))


@pytest.mark.parametrize("bug", [TypeError, KeyError, ValueError, AttributeError, IndexError, RuntimeError])
def test_a_bug_of_ours_is_told_as_what_it_is(monkeypatch, bug):
    def broken(states):
        raise bug("ours")

    monkeypatch.setattr("forkbook.backends.server.backend.in_one_form", broken)
    with answering(body=b"[]") as (url, _), pytest.raises(bug, match="ours"):
        list(ServerBackend(url).pages("t"))


@pytest.mark.parametrize("given", [{"a": "\ud800"}, {"a": object()}])
def test_what_cannot_be_sent_is_an_invalid_input(given):
    with answering(body=b"{}") as (url, seen), pytest.raises(fb.InvalidInput, match="no JSON"):
        ServerBackend(url).update("t", "c", given, None)
    assert not seen
