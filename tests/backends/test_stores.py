"""The contract on stores and archives: what a file holds is what the living place said."""

import pytest
from contract import BackendContract
from seeding import compiled, seed

import forkbook as fb


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory):
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = tmp_path_factory.mktemp("sqlite") / "checkpoints.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        threads = seed(compiled(saver))
    return path, threads


class TestSqlite(BackendContract):
    @pytest.fixture
    def place(self, sqlite_store):
        path, threads = sqlite_store
        with fb.connect(path) as book:
            yield book, threads


class TestArchiveOfAServer(BackendContract):
    @pytest.fixture(scope="module")
    @staticmethod
    def archive(demo_url, demo_threads, tmp_path_factory):
        path = tmp_path_factory.mktemp("archive") / "demo.forkbook"
        with fb.connect(demo_url) as book:
            assert not book.export(path, demo_threads.values()).errors
        return path

    @pytest.fixture
    def place(self, archive, demo_threads):
        with fb.connect(archive) as book:
            yield book, demo_threads

    def test_it_is_what_the_server_said(self, place, demo_url):
        book, threads = place
        with fb.connect(demo_url) as live:
            for thread_id in threads.values():
                assert book.history(thread_id).states == live.history(thread_id).states
                assert repr(book.history(thread_id)) == repr(live.history(thread_id))


class TestArchiveOfAStore(BackendContract):
    @pytest.fixture
    def place(self, sqlite_store, tmp_path):
        path, threads = sqlite_store
        with fb.connect(path) as book:
            assert not book.export(tmp_path / "store.forkbook").errors
        assert fb.verify(tmp_path / "store.forkbook")
        with fb.connect(tmp_path / "store.forkbook") as book:
            yield book, threads


def test_a_server_with_a_cache(demo_url, demo_threads, tmp_path):
    with fb.connect(demo_url, cache=tmp_path / "cache.forkbook") as book:
        for thread_id in demo_threads.values():
            first = book.history(thread_id).states
            assert book.history(thread_id).states == first
        act = book.history(demo_threads["time travel"])[2].fork({"topic": "dogs"}, in_copy=True)
        assert "dogs" in act.checkpoint.values["joke"]


@pytest.mark.parametrize("source", [None, 7, [], object()])
def test_what_is_no_place(source):
    with pytest.raises(fb.InvalidInput, match="an address, a path, a compiled graph or 'demo'"):
        fb.connect(source)


def test_a_cache_sees_an_old_edit_being_run(client, demo_url, tmp_path):
    """The edit was a tip when it was read, far behind the head, and has children now."""
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, "agent", input={})
    before = client.threads.get_history(thread_id)[1]["checkpoint_id"]
    edited = client.threads.update_state(thread_id, {"topic": "dogs"}, checkpoint_id=before)["checkpoint_id"]
    for n in range(25):
        client.threads.update_state(thread_id, {"topic": str(n)}, checkpoint_id=before, as_node="generate_topic")
    with fb.connect(demo_url, cache=tmp_path / "cache.forkbook") as cached, fb.connect(demo_url) as live:
        held = cached.history(thread_id)
        client.runs.wait(thread_id, "agent", input=None, checkpoint_id=edited)
        assert cached.history(thread_id).states == live.history(thread_id).states
        assert held.refresh().states == live.history(thread_id).states
