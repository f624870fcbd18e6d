"""A copy whose answer was lost is found, marked and named; only the user's word deletes it."""

import pytest
from agents.server import agent_server
from langgraph_sdk import get_sync_client
from proxy import Fault, proxy

import forkbook as fb
from forkbook.marks import OURS, mark_of_scratch


def loses_copies(method, path):
    return Fault(carried_out=True) if path.endswith("/copy") else None


@pytest.fixture(scope="module")
def own_url(outside):
    """A server of these tests alone, for they delete every scratch copy of it."""
    with agent_server({"agent": "forkbook.demo.agent:graph"}) as url:
        yield url


@pytest.fixture
def client(own_url):
    return get_sync_client(url=own_url, api_key=None)


@pytest.fixture
def original(client):
    thread = client.threads.create(metadata={"title": "mine"}, graph_id="agent")
    client.threads.update_state(thread["thread_id"], {"topic": "cats"}, as_node="generate_topic")
    yield thread["thread_id"]
    client.threads.delete(thread["thread_id"])


@pytest.mark.parametrize("act", ["preview", "copy"])
def test_a_copy_whose_answer_was_lost_is_marked_and_named(own_url, original, act):
    before = set(threads(own_url))
    with proxy(own_url, fault=loses_copies) as (url, _), fb.connect(url) as book:
        tip = book[original].tips[0]
        with pytest.raises(fb.errors.ConnectionFailed, match="looks like it") as caught:
            tip.preview({"topic": "dogs"}) if act == "preview" else book.copy(original)
    with fb.connect(own_url) as book:
        (lost,) = set(threads(own_url)) - before
        assert lost in str(caught.value)
        rows = book.leftovers()
        row = rows[rows.thread_id == lost].iloc[0]
        assert (row["mark"], row["copy_of"]) == ("scratch?", original)
        assert lost in set(book.leftovers(delete=True).thread_id)
        assert len(book.leftovers()) == 0
        assert lost not in book
        assert original in book


def test_several_are_named_only(own_url, client, original):
    twin = client.threads.copy(original)["thread_id"]
    with (
        proxy(own_url, fault=loses_copies) as (url, _),
        fb.connect(url) as book,
        pytest.raises(fb.errors.ConnectionFailed, match="look like it") as caught,
    ):
        book.copy(original)
    named = [id_ for id_ in threads(own_url) if id_ in str(caught.value) and id_ != original]
    assert twin in named
    assert len(named) == 2
    assert all(OURS not in client.threads.get(id_)["metadata"] for id_ in named)
    for id_ in named:
        client.threads.delete(id_)


def test_what_may_be_a_scratch_copy_is_never_swept(own_url, client, original):
    old = mark_of_scratch(original) | {OURS: "scratch?", "forkbook_since": "2020-01-01T00:00:00+00:00"}
    kept = client.threads.create(metadata=old)["thread_id"]
    with fb.connect(own_url) as book:
        assert kept in set(book.leftovers().thread_id)
        book.leftovers(delete=True)
        assert kept not in book


def test_a_place_without_scratch_copies_has_no_leftovers(demo_url, demo_threads, tmp_path):
    with fb.connect(demo_url) as book:
        book.export(tmp_path / "x.forkbook", [demo_threads["approval"]])
    with fb.connect(tmp_path / "x.forkbook") as book:
        assert list(book.leftovers().columns[-3:]) == ["mark", "copy_of", "since"]
        assert len(book.leftovers(delete=True)) == 0


def test_a_deletion_whose_answer_was_lost_is_done(own_url, client):
    thread_id, lost = client.threads.create()["thread_id"], [True]

    def once(method, path):
        return Fault(carried_out=True) if method == "DELETE" and lost and lost.pop() else None

    with proxy(own_url, fault=once) as (url, _), fb.connect(url) as book:
        book.backend.delete(thread_id)
        assert thread_id not in book
        with pytest.raises(fb.ThreadNotFound):
            book.backend.delete(thread_id)


def threads(url):
    with fb.connect(url) as book:
        return list(book.threads().thread_id)
