"""The memory that threads share: who knows what, which run wrote it, and that looking changes nothing."""

import asyncio
import json
import sqlite3
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from databases import fresh_database
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore

import forkbook as fb
from forkbook.backends.capabilities import Capability
from forkbook.backends.records import RunSettings
from forkbook.backends.store import every, namespace_of
from forkbook.demo.agent import builder
from forkbook.errors import ActFailed
from forkbook.store import user_of
from forkbook.store.memory_blocks import memory_blocks

pytestmark = pytest.mark.xdist_group("store")  # one writes here at a time

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03-shared-memory.ipynb"
HOSTILE = "<img src=x onerror=alert(1)> & 'quoted'\u202e"


class OnServer:
    """The sample agent on a server."""

    def __init__(self, client, book):
        self.client, self.book = client, book

    def say(self, thread_id, text, user):
        self.client.threads.create(thread_id=thread_id, if_exists="do_nothing")
        config = {"configurable": {"user_id": user}}
        state = self.client.runs.wait(thread_id, "agent", input={"messages": [("human", text)]}, config=config)
        return state["messages"][-1]["content"]


class InProcess:
    """The sample agent in this process, with a store."""

    def __init__(self, store):
        self.graph = builder.compile(checkpointer=InMemorySaver(), store=store)
        self.book = fb.connect(self.graph)

    def say(self, thread_id, text, user):
        config = {"configurable": {"thread_id": thread_id, "user_id": user}}
        return self.graph.invoke({"messages": [("human", text)]}, config)["messages"][-1].content


@pytest.fixture(params=[pytest.param("server", marks=pytest.mark.outside), "graph"])
def agent(request):
    if request.param == "graph":
        return InProcess(InMemoryStore())
    return OnServer(request.getfixturevalue("client"), request.getfixturevalue("book"))


@pytest.fixture
def user():
    return f"u-{uuid.uuid4()}"


def new_id():
    return str(uuid.uuid4())


def facts(items):
    return [item.value["fact"] for item in items]


# The story


def test_threads_of_one_user_share_facts_that_another_user_does_not_see(agent, user):
    store, stranger = agent.book.store, f"s-{uuid.uuid4()}"
    first, second, third = new_id(), new_id(), new_id()
    with store.recording(("memories", user)) as of_first:
        agent.say(first, "I like pepperoni pizza", user)
    with store.recording(("memories", user)) as of_second:
        known = agent.say(second, "good morning", user)
        agent.say(second, "I moved to SF", user)
    assert known.endswith("I know about you: I like pepperoni pizza.")
    assert "know" not in agent.say(third, "good morning", stranger)

    assert [(c.kind, c.new.value) for c in of_first.diff] == [("added", {"fact": "I like pepperoni pizza"})]
    assert [(c.kind, c.new.value) for c in of_second.diff] == [("added", {"fact": "I moved to SF"})]
    assert facts(store.items(f"memories.{user}")) == ["I like pepperoni pizza", "I moved to SF"]
    assert store.items(f"memories.{stranger}") == []

    assert list(store.known_to(agent.book[first].tips[0]).after_checkpoint) == [False, True]
    assert list(store.known_to(agent.book[second].tips[0]).after_checkpoint) == [False, False]
    nothing = store.known_to(agent.book[third].tips[0])
    assert nothing.empty
    assert nothing.dtypes.equals(store.known_to(agent.book[first].tips[0]).dtypes)


def test_a_fork_does_not_fork_the_store(agent, user):
    store, thread = agent.book.store, new_id()
    agent.say(thread, "good morning", user)
    original = agent.book[thread]
    asked = next(cp for cp in original if cp.next == ("chat",))
    liked = {"messages": [{**asked.values["messages"][0], "content": "I like tea"}]}
    with store.recording(("memories", user)) as recording:
        act = asked.fork(liked, as_node="__start__", replace=True)
    assert len(act.history.branches) == 2
    assert facts(change.new for change in recording.diff) == ["I like tea"]

    on_both = [store.known_to(tip) for tip in act.history.tips]
    assert [list(known.key) for known in on_both] == [list(on_both[0].key)] * 2
    assert [list(known.after_checkpoint) for known in on_both] == [[True], [False]]


def test_a_diff_tells_added_changed_rewritten_and_removed(agent, user):
    store, place = agent.book.store, ("diff", user)
    for key in ("stays", "changes", "again", "goes"):
        store.put(place, key, {"n": 1, "deep": {"list": [1]}}, confirm=True)
    before = store.snapshot(place)
    store.put(place, "changes", {"n": 1, "deep": {"list": [1, 2]}}, confirm=True)
    store.put(place, "again", {"n": 1, "deep": {"list": [1]}}, confirm=True)
    store.delete(place, "goes", confirm=True)
    store.put(place, "comes", {"n": 3}, confirm=True)
    found = store.diff(before)

    assert {c.item.key: c.kind for c in found} == {
        "changes": "changed",
        "again": "rewritten",
        "goes": "removed",
        "comes": "added",
    }
    [changed] = found.of("changed")
    assert [(c.path, c.new) for c in changed.diff] == [(("deep", "list", 1), 2)]
    assert len(before) == 4, "a snapshot stays as it was"
    assert not store.diff(store.snapshot(place))
    df = found.df()
    assert list(df.columns) == ["namespace", "key", "kind", "old", "new", "written_at"]
    assert df.written_at.isna().tolist() == (df.kind == "removed").tolist()
    assert found.df().dtypes.equals(store.diff(before, before).df().dtypes)
    with pytest.raises(fb.InvalidInput, match="different"):
        store.diff(before, store.snapshot("other"))


def test_a_recording_tells_what_was_written_so_far_and_before_an_error(user):
    store = InProcess(InMemoryStore()).book.store
    recording = store.recording()
    with pytest.raises(fb.InvalidInput, match="with"):
        recording.diff  # noqa: B018

    def fail():
        with recording:
            store.put("a", "k", {}, confirm=True)
            assert len(recording.diff) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    store.put("a", "later", {}, confirm=True)
    assert [change.item.key for change in recording.diff] == ["k"]


# Writing


def test_nothing_is_written_until_it_is_confirmed(agent, user):
    store, place = agent.book.store, ("write", user)
    write = store.put(place, "k", {"fact": "a"})
    assert "(nothing) → " in repr(write)
    assert "nothing is written" in repr(write)
    assert store.get(place, "k") is None
    assert write.confirm().done
    assert store.get(place, "k").value == {"fact": "a"}

    gone = store.delete(place, "k")
    assert store.get(place, "k") is not None
    gone.confirm()
    assert store.get(place, "k") is None
    with pytest.raises(fb.InvalidInput, match="no item 'k'"):
        store.delete(place, "k")


def test_what_somebody_else_wrote_meanwhile_is_not_written_over(agent, user):
    store, place = agent.book.store, ("write", user)
    mine = store.put(place, "k", {"fact": "mine"})
    store.put(place, "k", {"fact": "theirs"}, confirm=True)
    with pytest.raises(fb.Refused, match="another writer"):
        mine.confirm()
    done = store.put(place, "k", {"fact": "mine"}, confirm=True)
    with pytest.raises(fb.Refused, match="already"):
        done.confirm()
    assert store.get(place, "k").value == {"fact": "mine"}


@pytest.mark.parametrize(
    ("namespace", "key", "value"),
    [
        ((), "k", {}),
        ("", "k", {}),
        ("a..b", "k", {}),
        (("a.b",), "k", {}),
        (("a", 1), "k", {}),
        (7, "k", {}),
        ("\ud800", "k", {}),
        ("langgraph.mine", "k", {}),
        ("a", "", {}),
        ("a", None, {}),
        ("a", "k", ["no dict"]),
        ("a", "k", None),
        ("a", "k", {"n": float("nan")}),
        ("a", "k", {"n": 2**70}),
        ("a", "k", {"n": object}),
    ],
)
def test_what_can_be_no_item_is_refused_before_anything_is_sent(agent, namespace, key, value):
    with pytest.raises(fb.InvalidInput):
        agent.book.store.put(namespace, key, value, confirm=True)


def test_what_the_place_made_something_else_of_is_told(client, book, user):
    with pytest.raises(ActFailed, match="is now"):
        book.store.put(("write", user), "k", {"text": "a\0b"}, confirm=True)


# Reading


def test_every_page_is_read(agent, user):
    store, put = agent.book.store, agent.book.store._memory.put
    for number in range(1_050):
        put(("many", user, str(number % 120)), f"k{number}", {"n": number})
    df = store.items_df(("many", user))
    assert sorted(value["n"] for value in df.value) == list(range(1_050))
    assert len(store.namespaces(("many", user))) == 120
    assert len(store.items(("many", user), limit=1_001)) == 1_001
    assert len(store.items(("many", user), limit=7)) == 7
    assert len(store.items(("many", user, "3"))) == 9, "3, not 30 and its like"
    with pytest.raises(fb.InvalidInput):
        store.items(limit=0)


class Shelf:
    """A place that gives pages of at most so many, and changes once, before it is asked for the n-th page."""

    def __init__(self, things, most, change=None, before_page=0):
        self.things, self.most, self.change, self.pages, self.before = things, most, change, 0, before_page

    def ask(self, wanted, skip):
        self.pages += 1
        if self.pages == self.before and self.change:
            self.things = self.change(self.things)
        return self.things[skip : skip + min(wanted, self.most)]


@given(st.integers(0, 60), st.integers(2, 20), st.none() | st.integers(1, 70))
@settings(max_examples=100, deadline=None)
def test_pages_of_any_size_give_everything_once(count, most, limit):
    shelf = Shelf(list(range(count)), most)
    assert every(shelf.ask, lambda thing: thing, limit, "the shelf") == list(range(count))[:limit]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_write_between_two_pages_loses_nothing_that_was_there_before_and_after(data):
    things = list(range(data.draw(st.integers(1, 40))))
    moved = data.draw(st.sampled_from(things))
    change = data.draw(
        st.sampled_from(
            [
                lambda old: [moved, *(thing for thing in old if thing != moved)],
                lambda old: [thing for thing in old if thing != moved],
                lambda old: [-1, *old],
            ]
        )
    )
    shelf = Shelf(things, data.draw(st.integers(2, 9)), change, data.draw(st.integers(2, 6)))
    found = every(shelf.ask, lambda thing: thing, None, "the shelf")
    assert {*things} & {*shelf.things} <= {*found}
    assert len(found) == len({*found})


def test_a_place_that_never_stands_still_is_an_error():
    shelf = Shelf(list(range(50)), 5)

    def ask(wanted, skip):
        shelf.things = [shelf.things[-1], *shelf.things[:-1]]
        return shelf.ask(wanted, skip)

    with pytest.raises(fb.SourceError, match="changed 3 times"):
        every(ask, lambda thing: thing, None, "the shelf")


def test_a_frame_has_the_same_columns_when_it_is_empty(agent, user):
    store = agent.book.store
    store.put(("frame", user), "k", {"a": 1}, confirm=True)
    full, empty = store.items_df(("frame", user)), store.items_df(("none", user))
    assert list(full.columns) == ["namespace", "key", "value", "created_at", "updated_at", "expires_at", "score"]
    assert full.namespace.tolist() == [f"frame.{user}"]
    assert empty.empty
    assert empty.dtypes.equals(full.dtypes)


def test_a_star_is_a_label_like_any_other(agent, user):
    store = agent.book.store
    for label in ("*", "b"):
        store.put((user, label), "k", {}, confirm=True)
    assert store.namespaces((user, "*")) == [(user, "*")]
    assert len(store.items((user, "*"))) == 1


def test_what_was_read_stays_as_it_was(user):
    memory = InMemoryStore()
    store = InProcess(memory).book.store
    memory.put(("a",), "k", live := {"list": [1], "object": {1, 2}})
    snapshot = store.snapshot()
    live["list"].append(2)
    assert snapshot.items[0].value["list"] == [1]
    assert snapshot.items[0].value["object"] == {"__type__": "set", "value": [1, 2]}
    assert not store.diff(snapshot, snapshot)


def test_a_query_goes_by_meaning_or_is_refused(agent, user):
    store = agent.book.store
    store.put(("query", user), "k", {"text": "tea"}, confirm=True)
    with pytest.raises(fb.Unsupported, match="no index"):
        store.items_df(("query", user), query="tea")

    def embed(texts):
        return [[text.count("t"), 1] for text in texts]

    indexed = InProcess(InMemoryStore(index={"dims": 2, "embed": embed})).book.store
    for text in ("a", "ttttt"):
        indexed.put("query", text, {"text": text}, confirm=True)
    found = indexed.items_df("query", query="tttt")
    assert found.key.tolist() == ["ttttt", "a"]
    assert found.score.is_monotonic_decreasing
    assert indexed.items_df("query", query="tttt", limit=1).key.tolist() == ["ttttt"]


def test_a_checkpoint_of_nobody_is_an_error_that_says_so(book, demo_threads, client, agent):
    thread = new_id()
    client.threads.create(thread_id=thread)
    client.runs.wait(thread, "agent", input={})
    with pytest.raises(fb.InvalidInput, match="no user_id is known"):
        book.store.known_to(book[thread].tips[0])


def test_a_user_in_the_context_is_found_too(book, client, user):
    thread = new_id()
    client.threads.create(thread_id=thread)
    client.runs.wait(thread, "agent", input={"messages": [("human", "I like tea")]}, context={"user_id": user})
    assert [value["fact"] for value in book.store.known_to(book[thread].tips[0]).value] == ["I like tea"]


def test_a_user_is_found_in_a_context_alone():
    backend = SimpleNamespace(capabilities={Capability.RUN})
    for context, found in (({"user_id": 7}, "7"), ({"user_id": ""}, None), (None, None)):
        settings = RunSettings(context=context)
        spot = SimpleNamespace(backend=backend, own_settings=lambda how=settings: how)
        assert user_of(SimpleNamespace(spot=spot)) == found


def test_hostile_text_does_nothing(agent, user):
    store, place = agent.book.store, ("<b>bold</b>", user)
    with store.recording(place) as recording:
        store.put(place, HOSTILE, {"fact": HOSTILE}, confirm=True)
        store.put(place, "two", {HOSTILE: HOSTILE, "n": 1}, confirm=True)
    page = recording.diff._repr_html_()
    assert "<img" not in page
    assert "<b>bold" not in page
    assert "onerror=alert(1)&gt;" in page
    assert "\u202e" not in repr(recording.diff)
    assert store.get(place, HOSTILE).value == {"fact": HOSTILE}


def test_namespaces_are_labels_or_their_text():
    assert namespace_of("memories.123") == namespace_of(["memories", "123"]) == ("memories", "123")
    assert namespace_of(None) == ()


# The tab


def memory_said(checkpoint):
    return json.dumps(memory_blocks(checkpoint.history.book.store, checkpoint))


def test_the_panel_tells_what_is_known_about_the_runs_user(agent, user):
    thread = new_id()
    agent.say(thread, "I like tea", user)
    agent.book.store.put(("memories", user), "later", {"fact": "told later"}, confirm=True)
    page = memory_said(agent.book[thread].tips[0])
    assert f"2 items about user {user}" in page
    assert page.index("I like tea") < page.index("told later") < page.index("after this checkpoint")
    assert page.count("after this checkpoint") == 1
    assert "The store is not forked" in page


def test_the_panel_says_in_words_why_it_shows_nothing(book, demo_threads, client, tmp_path):
    thread = new_id()
    client.threads.create(thread_id=thread)
    client.runs.wait(thread, "agent", input={})
    assert "names no user_id" in memory_said(book[thread].tips[0])
    book.export(tmp_path / "study.forkbook", [demo_threads["memory"]])
    with fb.connect(tmp_path / "study.forkbook") as archive:
        assert "an Agent Server has one" in memory_said(archive[demo_threads["memory"]].tips[0])


# Async


def test_an_async_store_is_read_from_sync_and_async_code(tmp_path, user):
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.store.sqlite.aio import AsyncSqliteStore

    async def main():
        file = str(tmp_path / "both.sqlite")
        async with (
            AsyncSqliteSaver.from_conn_string(file) as saver,
            AsyncSqliteStore.from_conn_string(file) as memory,
        ):
            await memory.setup()
            book = fb.connect(builder.compile(checkpointer=saver, store=memory))
            async with book.store.recording() as recording:
                await (await book.store.aput("a.b", "k", {"n": 1})).aconfirm()
            assert [change.kind for change in recording.diff] == ["added"]
            assert (await book.store.aget("a.b", "k")).value == {"n": 1}
            assert await book.store.anamespaces() == [("a", "b")]
            assert len(await book.store.aitems_df()) == 1
            await book.store.adelete("a.b", "k", confirm=True)
            return book.store.items()  # as a notebook's cell does

    assert asyncio.run(main()) == []


# Stores that are read from their tables


@pytest.fixture
def sqlite_file(tmp_path):
    return filled(tmp_path / "both.sqlite")


def filled(file):
    """A file with a checkpointer's and a store's tables: two threads, facts of two users, an item that has expired."""
    with SqliteSaver.from_conn_string(str(file)) as saver, SqliteStore.from_conn_string(str(file)) as memory:
        memory.setup()
        tell(saver, memory)
        memory.put(("memories", "12"), "other", {"fact": "not of 123"})
        memory.put(("old",), "k", {"fact": "expired"}, ttl=-1)
    return file


def tell(saver, memory):
    graph = builder.compile(checkpointer=saver, store=memory)
    for thread in ("one", "two"):
        config = {"configurable": {"thread_id": thread, "user_id": "123"}}
        graph.invoke({"messages": [("human", f"I like {thread}")]}, config)


def reads_the_tables(store, book):
    assert store.namespaces() == [("memories", "12"), ("memories", "123"), ("old",)]
    assert facts(store.items("memories.123")) == ["I like one", "I like two"]
    assert facts(store.items(("memories",), limit=2)) != []
    assert facts(store.items("memories.12")) == ["not of 123"]
    assert store.namespaces("memories.12") == [("memories", "12")]
    assert store.get("memories.12", "other").value == {"fact": "not of 123"}
    assert store.get("memories.12", "nothing") is None
    assert store.items("memories.\0") == []
    df = store.items_df("old")
    assert (df.expires_at < df.updated_at).all(), "expired, not swept, so still there"
    assert facts(store.about("123")) == ["I like one", "I like two"]
    assert store.known_to(book["one"].tips[0]).key.tolist() == [item.key for item in store.items("memories.123")]
    for refused in (
        lambda: store.put("a", "k", {}),
        lambda: store.delete("memories.12", "other"),
        lambda: store.items(query="tea"),
    ):
        with pytest.raises(fb.Unsupported):
            refused()


def test_a_sqlite_store_is_read_without_a_change_of_the_file(sqlite_file):
    before = sqlite_file.read_bytes()
    with fb.connect(sqlite_file) as book:
        assert Capability.STORE in book.backend.capabilities
        reads_the_tables(book.store, book)
        assert len(book.store.recording().__enter__().diff) == 0
    assert sqlite_file.read_bytes() == before


def test_odd_rows_are_shown_as_what_they_are(sqlite_file):
    with sqlite3.connect(sqlite_file) as connection:
        row = "INSERT INTO store (prefix, key, value, created_at, updated_at) VALUES ('odd', ?, ?, 'never', NULL)"
        connection.executemany(row, [("list", "[1]"), ("broken", "{"), ("deep", "[" * 5000), ("bytes", b"\xff")])
    with fb.connect(sqlite_file) as book:
        found = {item.key: item.value for item in book.store.items("odd")}
        assert found["list"] == [1]
        assert {found[key]["__type__"] for key in ("broken", "deep", "bytes")} == {"opaque"}
        assert book.store.items_df("odd").updated_at.isna().all()


def test_a_postgres_store_is_read(postgres):
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver
    from langgraph.store.postgres import PostgresStore

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        with fb.connect(uri) as book:
            assert Capability.STORE not in book.backend.capabilities
            with pytest.raises(fb.Unsupported, match="no memory"):
                book.store.items()
        with PostgresStore.from_conn_string(uri) as memory:
            memory.setup()
            tell(saver, memory)
            memory.put(("memories", "12"), "other", {"fact": "not of 123"})
            memory.put(("old",), "k", {"fact": "expired"}, ttl=-1)

    def dump():
        with psycopg.connect(uri) as connection:
            return connection.execute("select * from store order by prefix, key").fetchall()

    before = dump()
    with fb.connect(uri) as book:
        assert Capability.STORE in book.backend.capabilities
        reads_the_tables(book.store, book)
    assert dump() == before
    with psycopg.connect(uri) as connection:
        connection.execute("insert into store values ('odd', 'k', '[1]', 'infinity', '-infinity')")
    with fb.connect(uri) as book:
        assert [item.value for item in book.store.items("odd")] == [[1]]
        assert book.store.items_df("odd").updated_at.isna().all()


def test_reading_does_not_prolong_an_item(tmp_path):
    with SqliteStore.from_conn_string(str(tmp_path / "memory.sqlite")) as memory:
        memory.ttl_config = {"refresh_on_read": True, "default_ttl": 10}
        memory.setup()
        memory.put(("a",), "k", {"n": 1})
        expiry = "select expires_at from store"
        memory.conn.execute("update store set expires_at = '2100-01-01 00:00:00'")
        store = fb.connect(builder.compile(checkpointer=InMemorySaver(), store=memory)).store
        assert len(store.items()) == 1
        assert store.get("a", "k").value == {"n": 1}
        assert memory.conn.execute(expiry).fetchone()[0] == "2100-01-01 00:00:00"
        memory.get(("a",), "k")
        assert memory.conn.execute(expiry).fetchone()[0] != "2100-01-01 00:00:00", "LangGraph's own reading does"


def test_a_place_without_a_shared_memory_says_which_have_one(tmp_path, book, demo_threads):
    with SqliteSaver.from_conn_string(str(tmp_path / "bare.sqlite")) as saver:
        saver.setup()
    book.export(tmp_path / "study.forkbook", [demo_threads["memory"]])
    bare = builder.compile(checkpointer=InMemorySaver())
    for source in (tmp_path / "bare.sqlite", tmp_path / "study.forkbook", bare):
        with fb.connect(source) as place:
            assert Capability.STORE not in place.backend.capabilities
            for asked in (place.store.items, place.store.namespaces, place.store.snapshot):
                with pytest.raises(fb.Unsupported, match="an Agent Server has one"):
                    asked()


def test_a_cached_server_has_the_servers_memory(demo_url, tmp_path, user):
    with fb.connect(demo_url, cache=tmp_path / "cache.forkbook") as book:
        book.store.put(("cached", user), "k", {"n": 1}, confirm=True)
        assert book.store.get(("cached", user), "k").value == {"n": 1}


# The notebook


@pytest.mark.outside
def test_the_notebook_tells_the_story(tmp_path):
    """On a server of its own: it writes facts about user 123, whom other tests ask about."""
    from forkbook.demo import check, seed, server

    lines = []
    with server.start() as running:
        seed.seed(running.url)
        assert check.check(NOTEBOOK, tmp_path, running.url, lines.append) == 0, lines
    steps = "\n".join(lines)
    assert "the second thread knows what the first was told" in steps
    assert "wrote one item" in steps
    assert "the memory is as it was" in steps


def test_confirming_twice_is_told_as_that():
    book = fb.connect(builder.compile(checkpointer=InMemorySaver(), store=InMemoryStore()))
    write = book.store.put(("notes", "1"), "key", {"fact": "a"})
    write.confirm()
    with pytest.raises(fb.Refused, match="you confirmed this before"):
        write.confirm()
