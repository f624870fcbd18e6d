"""A JSON file as a place: what forkbook writes, what migration scripts write, what is broken or hostile."""

import contextlib
import json

import pytest
from backups import ID, state
from contract import BackendContract
from held import Memory, everything, state_of
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from langgraph_sdk import get_sync_client
from laws import laws

import forkbook as fb
from forkbook.backends.jsonfile.backend import JsonBackend
from forkbook.backends.jsonfile.scripts import MADE_UP, date
from forkbook.backends.server.backend import ServerBackend
from forkbook.book import Book
from forkbook.errors import InvalidInput, SourceError
from forkbook.transfer.export import export


@pytest.fixture(scope="module")
def exported(demo_url, demo_threads, tmp_path_factory):
    path = tmp_path_factory.mktemp("json") / "demo.json"
    live = ServerBackend(demo_url)
    assert export(path, live, demo_threads.values())
    live.close()
    return path


@pytest.fixture(scope="module")
def place(exported, demo_threads):
    with fb.connect(exported) as book:
        yield book, demo_threads


class TestJson(BackendContract):
    pass


def opened(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return fb.connect(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "threads_backup.json"


class TestScripts:
    """The shapes that migration scripts write."""

    @pytest.fixture(scope="class")
    @classmethod
    def backup(cls, demo_url, demo_threads):
        """What a script makes of the real server: search, then the history of each thread."""
        client = get_sync_client(url=demo_url, api_key=None)
        found = client.threads.search(ids=list(demo_threads.values()), limit=100)
        return [
            {
                "thread_id": thread["thread_id"],
                "metadata": thread["metadata"],
                "status": thread["status"],
                "created_at": thread["created_at"],
                "updated_at": thread["updated_at"],
                "values": thread["values"],
                "history": client.threads.get_history(thread["thread_id"], limit=1000),
            }
            for thread in found
        ]

    @pytest.fixture(
        params=["list", "threads", "indented", "oldest first", "checkpoints", "states", "thread apart", "with a mark"]
    )
    def shaped(self, request, backup, path):
        threads, indent = json.loads(json.dumps(backup)), None
        for thread in threads:
            if request.param == "oldest first":
                thread["history"].reverse()
            elif request.param in ("checkpoints", "states"):
                thread[request.param] = thread.pop("history")
        if request.param == "threads":
            threads = {"exported_at": "2026-01-01", "about": {"n": [1]}, "threads": threads, "total": len(threads)}
        elif request.param == "thread apart":
            threads = [{"history": thread.pop("history"), "thread": thread} for thread in threads]
        elif request.param == "indented":
            indent = 2
        text = json.dumps(threads, indent=indent, ensure_ascii=request.param == "indented")
        path.write_text(("\ufeff" if request.param == "with a mark" else "") + text, "utf-8")
        return path

    def test_its_histories_are_the_servers(self, shaped, book, demo_threads):
        with fb.connect(shaped) as backup:
            assert set(backup.threads().thread_id) == set(demo_threads.values())
            for thread_id in demo_threads.values():
                ours, theirs = backup.history(thread_id), book.history(thread_id)
                assert ours.states == theirs.states
                assert backup.backend.thread(thread_id)["metadata"] == book.backend.thread(thread_id)["metadata"]

    def test_the_ten_newest(self, backup, path, book, demo_threads):
        cut = json.loads(json.dumps(backup))
        for thread in cut:
            thread["history"] = thread["history"][:10]
        history = opened(path, cut).history(demo_threads["branches"])
        assert len(history) == 10
        assert "older checkpoints were pruned or never kept" in history.summary()
        assert all(history.states[id_] == state for id_, state in list(history.states.items()))

    def test_without_histories_the_values_are_one_checkpoint(self, backup, path, demo_threads):
        bare = [{key: thread[key] for key in ("thread_id", "values", "updated_at")} for thread in backup]
        history = opened(path, bare).history(demo_threads["time travel"])
        (only,) = history
        assert (only.id, only.next, only.step, only.source, only.status) == (MADE_UP, None, None, None, "unknown")
        assert only.values["topic"] == "chickens"
        assert history.checkpoints_df().shape[0] == 1

    def test_states_without_values_or_anything_else(self, path):
        bare = [
            {"checkpoint_id": ID.format(n), "parent_checkpoint_id": ID.format(n - 1) if n else None} for n in (0, 1)
        ]
        history = opened(path, [{"thread_id": "t", "history": bare}]).history("t")
        assert [cp.parent and cp.parent.id for cp in history] == [None, ID.format(0)]
        for name in ("checkpoints", "messages", "tasks", "branches", "tokens"):
            getattr(history, f"{name}_df")()
        assert history[1].next is None
        assert history.figure()

    def test_snapshots_of_a_graph_in_a_process(self, path):
        config = {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": ID.format(1)}}
        snapshot = {"values": {"n": 1}, "next": ["a"], "config": config, "parent_config": None}
        assert opened(path, [{"thread_id": "t", "states": [snapshot]}]).history("t")[0].next == ("a",)

    def test_one_thread_alone(self, path):
        assert len(opened(path, {"thread_id": "t", "history": [state(1)]}).history("t")) == 1

    def test_a_thread_without_anything(self, path):
        book = opened(path, [{"thread_id": "t"}])
        assert len(book.history("t")) == 0
        assert book.backend.thread("t")["created_at"] is None

    @pytest.mark.parametrize(
        ("given", "found"),
        [
            ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.5Z"),
            ("2026-01-02 03:04:05", "2026-01-02T03:04:05+00:00"),
            ("2026-01-02", "2026-01-02T00:00:00+00:00"),
            ("20260102T030405Z", "2026-01-02T03:04:05+00:00"),
            ("last week", None),
            (17, None),
            (None, None),
        ],
    )
    def test_dates(self, given, found, path):
        assert date(given) == found
        book = opened(path, [{"thread_id": "t", "created_at": given, "history": [state(1, created_at=given)]}])
        assert book.threads().created_at.notna().all() == (found is not None)
        assert book.history("t").checkpoints_df().created_at.notna().all() == (found is not None)


class TestBroken:
    @pytest.mark.parametrize(
        ("bad", "says"),
        [
            ({"thread_id": "bad", "history": {"a": 1}}, "where a list belongs"),
            ({"thread_id": "bad", "history": ["x"]}, "a state is 'x'"),
            ({"thread_id": "bad", "history": [{"values": {}}]}, "no checkpoint id"),
            ({"thread_id": "bad", "history": [state(1), state(1, values={})]}, "twice, and not the same"),
            ({"thread_id": "bad", "history": [state(1, next="chat")]}, "next is 'chat'"),
            ({"thread_id": "bad", "history": [state(1, tasks=[5])]}, "a task is 5"),
            ({"thread_id": "bad", "history": [state(1, tasks=[None])]}, "a task is None"),
            ({"thread_id": "bad", "history": [state(1, tasks=[{"interrupts": [None]}])]}, "an interrupt is None"),
            ({"thread_id": "bad", "history": [state(1, interrupts=[None])]}, "an interrupt is None"),
            ({"thread_id": "bad", "history": [state(1, next=[None])]}, r"next\[0\] is None"),
            ({"thread_id": "bad", "history": [state(1, metadata={"step": "x"})]}, "000001: step is 'x'"),
            ({"thread_id": "bad", "history": [state(1, checkpoint={"checkpoint_id": 5})]}, "checkpoint_id is 5"),
            ({"thread_id": "bad", "metadata": "x"}, "metadata is 'x'"),
            ({"thread_id": "bad", "thread": 5}, "thread is 5"),
        ],
    )
    def test_a_bad_thread_is_named_and_the_others_are_there(self, path, bad, says):
        book = opened(path, [{"thread_id": "a", "history": [state(1)]}, bad, {"thread_id": "b", "history": [state(2)]}])
        assert {"a", "b"} < set(book.threads().thread_id)
        name = "bad" if "bad" in book else "item 2"
        with pytest.raises(SourceError, match=says) as caught:
            book.history(name)
        assert str(path) in str(caught.value)
        assert caught.value.thread_id == name
        assert [len(book.history(id_)) for id_ in ("a", "b")] == [1, 1]

    @pytest.mark.parametrize("bad", [5, None, "x", [], {}, {"thread_id": 7}, {"thread_id": ""}])
    def test_what_is_no_thread_is_listed_and_told(self, path, bad, tmp_path):
        book = opened(path, [bad, {"thread_id": "b", "history": [state(2)]}])
        assert set(book.threads().thread_id) == {"item 1", "b"}
        with pytest.raises(SourceError, match=r"item 1 of .* is no thread"):
            book.history("item 1")
        report = book.export(tmp_path / "x.forkbook")
        assert (report.threads, list(report.errors)) == (1, ["item 1"])

    def test_what_says_nothing_of_a_thread_is_told(self, path):
        book = opened(path, [{"thread_id": "a", "name": "Ada"}, {"thread_id": "b", "metadata": {}}, {"thread_id": "c"}])
        with pytest.raises(SourceError, match=r"thread a in .* is no thread: .*nor a history"):
            book.history("a")
        assert [len(book.history(id_)) for id_ in "bc"] == [0, 0]

    def test_the_same_id_twice(self, path):
        book = opened(path, [{"thread_id": "a", "history": [state(1)]}, {"thread_id": "a"}, {"thread_id": "b"}])
        with pytest.raises(SourceError, match="more than once"):
            book.history("a")
        assert len(book.history("b")) == 0

    @pytest.mark.parametrize(
        ("text", "error", "says"),
        [
            ("", SourceError, "not whole JSON"),
            ("[", SourceError, "not whole JSON"),
            ('[{"thread_id": "a"}, {"thread', SourceError, "The 1 threads before"),
            ('[{"thread_id": "a"}] x', SourceError, "Extra data"),
            ('[{"thread_id": "a"} {}]', SourceError, "Expecting ','"),
            ('{"threads": [{"thread_id": "a"}], }', SourceError, "not whole JSON"),
            ("5", InvalidInput, "holds no list of threads"),
            ("{}", InvalidInput, "holds no list of threads"),
            ('{"threads": 5}', InvalidInput, "holds no list of threads"),
            ("[" * 100_000, SourceError, "not whole JSON"),
            ('{"x": ' + "[" * 100_000, SourceError, "not whole JSON"),
        ],
    )
    def test_a_file_that_is_none(self, path, text, error, says):
        with pytest.raises(error, match=says) as caught:
            opened(path, text)
        assert str(path) in str(caught.value)

    def test_no_text_at_all(self, path):
        path.write_bytes(b'[{"thread_id": "\xff"}]')
        with pytest.raises(SourceError, match="cannot be read as JSON"):
            fb.connect(path)

    def test_every_cut_is_told(self, exported):
        content = exported.read_bytes()
        for end in range(0, len(content) - 2, len(content) // 40):
            (cut := exported.with_name("cut.json")).write_bytes(content[:end])
            with pytest.raises(fb.SourceError, match=r"not whole JSON|cannot be read"):
                fb.connect(cut)

    def test_a_file_that_changes_is_told(self, path):
        book = opened(path, [{"thread_id": "a", "history": [state(1)]}])
        path.write_text(path.read_text() + " ")
        with pytest.raises(SourceError, match="was changed since"):
            book.history("a")

    def test_only_data(self, path):
        evil = {"lc": 1, "type": "constructor", "id": ["builtins", "exec"], "kwargs": {"x": "<script>"}}
        book = opened(path, [{"thread_id": "<b>../..", "metadata": evil, "history": [state(1, values={"m": [evil]})]}])
        history = book.history("<b>../..")
        assert history[0].values == {"m": [evil]}
        assert "<script>" not in history._repr_mimebundle_()["text/html"]


ODD = {
    "surrogate": '"\\ud800"',
    "digits": "9" * 5000,
    "negative digits": "-" + "9" * 5000,
    "nested lists": "[" * 1000 + "]" * 1000,
    "nested objects": '{"a":' * 1000 + "1" + "}" * 1000,
    "brackets in text": '"' + "[" * 1000 + '\\"{"',
    "nested half as deep": "[" * 500 + "]" * 500,
    "nested without end of stack": "[" * 100_000 + "]" * 100_000,
    "infinity": "1e999",
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("key", ["values", "history", "metadata"])
@pytest.mark.parametrize("shape", ["[GOOD, BAD, WELL]", '{"threads": [GOOD, BAD, WELL]}'])
def test_whatever_a_thread_holds_the_others_are_read(path, name, key, shape):
    value = '[{"checkpoint_id": "1", "values": {"n": ODD}}]' if key == "history" else '{"n": ODD}'
    threads = {
        "GOOD": '{"thread_id": "b", "values": {"x": "]}"}}',
        "BAD": f'{{"x": 1, "thread_id": "a", "{key}": {value.replace("ODD", ODD[name])}}}',
        "WELL": '{"thread_id": "c", "values": {"x": "]}"}}',
    }
    for word, text in threads.items():
        shape = shape.replace(word, text)
    book = opened(path, shape)
    assert set(book.threads().thread_id) == {"a", "b", "c"}
    assert [book[id_][-1].values for id_ in "bc"] == [{"x": "]}"}] * 2
    with contextlib.suppress(SourceError):
        history = book["a"]
        repr(history), history.figure(), history.summary()
        for frame in ("checkpoints", "messages", "tasks", "branches", "tokens"):
            getattr(history, f"{frame}_df")()
    if "nested" in name:
        with pytest.raises(SourceError, match=r"thread a in .* is too deep to read"):
            book["a"]


def test_an_integer_of_many_digits_keeps_them(path):
    book = opened(path, f'[{{"thread_id": "a", "values": {{"n": {ODD["digits"]}, "m": 5}}}}]')
    assert book["a"][-1].values == {"n": {"__type__": "int", "value": ODD["digits"]}, "m": 5}


def test_a_thread_alone_that_is_too_deep_is_named(path):
    book = opened(path, f'{{"thread_id": "a", "values": {ODD["nested without end of stack"]}}}')
    with pytest.raises(SourceError, match="too deep to read"):
        book["a"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3)
)
KEYS = st.sampled_from(
    ["history", "values", "metadata", "step", "source", "created_at", "checkpoint", "checkpoint_id", "tasks", "next"]
)
HOSTILE = st.recursive(
    SCALARS | st.just("t"), lambda each: st.lists(each, max_size=3) | st.dictionaries(KEYS, each, max_size=6)
)
BOUNDED = laws(150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.long
@BOUNDED
@given(st.one_of(HOSTILE, st.dictionaries(KEYS, HOSTILE).map(lambda more: {"history": [state(1) | more]})))
def test_whatever_is_in_it_gives_a_history_or_a_forkbook_error(tmp_path, item):
    item = {"thread_id": "t"} | item if isinstance(item, dict) else item
    (path := tmp_path / "x.json").write_text(json.dumps([item, {"thread_id": "good", "history": [state(1)]}]))
    book = fb.connect(path)
    assert len(book.history("good")) == 1
    for thread_id in book.threads().thread_id:
        with contextlib.suppress(SourceError):
            history = book.history(thread_id)
            for name in ("checkpoints", "messages", "tasks", "branches", "tokens"):
                getattr(history, f"{name}_df")()


@pytest.mark.long
@BOUNDED
@given(JSON, JSON)
def test_any_value_comes_back(tmp_path, values, result):
    """NaN, lone surrogates and integers of any size, too."""
    states = [state_of(0, {"x": values}, tasks=[{"id": "1", "name": "n", "result": {"y": result}}])]
    report = export(path := tmp_path / "x.json", Memory({"t": states}))
    assert report
    (found,) = everything(JsonBackend(path), "t")
    task = found["tasks"][0]
    assert repr((found["values"], task["result"])) == repr((states[0]["values"], {"y": result}))
    assert bool(report.notes) == ("nan" in repr(states) or "inf" in repr(states))


def test_searching_as_in_an_archive(path):
    book = opened(path, [{"thread_id": "a", "metadata": {"owner": "x"}}, {"thread_id": "b", "status": "idle"}])
    assert book.threads(metadata={"owner": "x"}).thread_id.tolist() == ["a"]
    assert book.threads(status="idle").thread_id.tolist() == ["b"]
    with pytest.raises(InvalidInput, match="a JSON file cannot be searched by values"):
        book.threads(values={})
    with pytest.raises(InvalidInput, match="page_size"):
        next(book.backend.pages("a", page_size=0))


def test_only_the_thread_that_is_read_is_parsed(exported, demo_threads, monkeypatch):
    book, read = Book(JsonBackend(exported)), []
    bytes_of = JsonBackend._bytes
    monkeypatch.setattr(JsonBackend, "_bytes", lambda self, *at: read.append(at) or bytes_of(self, *at))
    book.history(demo_threads["memory"])
    assert all(end - start < exported.stat().st_size / 3 for start, end in read)


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**70), 10**30])
def test_long_integers_keep_their_digits(path, number):
    """In a thread without anything else that only Python's own JSON reads."""
    book = opened(path, [{"thread_id": "t", "history": [state(1, values={"n": number, "m": [number - 1]})]}])
    assert book.history("t")[0].values == {"n": number, "m": [number - 1]}
