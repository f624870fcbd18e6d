"""DeltaChannels: a store alone shows what LangGraph makes of its snapshots and writes."""

import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import Annotated, TypedDict

import pandas as pd
import pytest
from databases import fresh_database
from delta import agent, as_langgraph_shows, config, file, merge_files
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, _messages_delta_reducer, add_messages
from langgraph.types import Command, Overwrite
from laws import laws

import forkbook as fb

WRITES = st.sampled_from(
    [
        [HumanMessage("hi", id="h1")],
        [HumanMessage("hi again", id="h1"), HumanMessage("more", id="h2")],
        HumanMessage("alone"),
        "a text",
        ("user", "a pair"),
        [{"role": "user", "content": "a dict"}],
        [("assistant", "one"), "two"],
        [RemoveMessage("h1")],
        [RemoveMessage("t1"), RemoveMessage("nobody")],
        [RemoveMessage(REMOVE_ALL_MESSAGES), HumanMessage("afresh", id="h3")],
        Overwrite([AIMessage("all there is", id="o1")]),
        {"__overwrite__": [HumanMessage("set", id="o2")]},
        [],
    ]
)
FILES = st.sampled_from(
    [{"/a.md": file("a")}, {"/a.md": None}, {"/1.md": file("mine")}, Overwrite({"/b.md": file("b")}), {}]
)
PLACES = st.integers(0, 30)
DURABILITY = st.sampled_from(["sync", "async", "exit"])
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("invoke"), WRITES, DURABILITY),
        st.tuples(st.just("invoke at"), WRITES, DURABILITY, PLACES),
        st.tuples(st.just("replay"), DURABILITY, PLACES),
        st.tuples(st.just("edit"), WRITES, PLACES, st.sampled_from(["answer", "note", "helper", "__start__"])),
        st.tuples(st.just("edit files"), FILES, PLACES),
        st.tuples(st.just("copy"), PLACES),
        st.tuples(st.just("answer"), WRITES, DURABILITY),
        st.tuples(st.just("end"), PLACES),
    ),
    min_size=1,
    max_size=9,
)


def act(graph, deed, *how):
    """One thing that people do to threads; LangGraph refuses some of them."""

    def place(n):
        history = list(graph.get_state_history(config()))
        return history[n % len(history)].config if history else config()

    if deed == "invoke":
        graph.invoke({"messages": how[0]}, config(), durability=how[1])
    elif deed == "invoke at":
        graph.invoke({"messages": how[0], "files": {"/in.md": file("in")}}, place(how[2]), durability=how[1])
    elif deed == "replay":
        graph.invoke(None, place(how[1]), durability=how[0])
    elif deed == "edit":
        graph.update_state(place(how[1]), {"messages": how[0]}, as_node=how[2])
    elif deed == "edit files":
        graph.update_state(place(how[1]), {"files": how[0]}, as_node="answer")
    elif deed == "copy":
        graph.update_state(place(how[0]), None, as_node="__copy__")
    elif deed == "answer":
        graph.invoke(Command(resume="yes", update={"messages": how[0]}), config(), durability=how[1])
    else:
        graph.update_state(place(how[0]), None, as_node="__end__")


@pytest.mark.long
@laws(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEEDS, st.integers(1, 9), st.booleans())
@example([("edit files", {"/a.md": file("a")}, 0), ("edit", [], 0, "answer")], 2, False)
def test_a_store_shows_what_the_graph_shows(tmp_path_factory, deeds, every, asks):
    path = tmp_path_factory.mktemp("delta") / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()
        graph, book, kept = agent(saver, every, asks=asks), fb.connect(path), None
        for deed in deeds:
            with suppress(Exception):  # LangGraph refuses some
                act(graph, *deed)
            kept = kept.refresh() if kept else "t" in book and book.history("t", subgraphs=True)
        want = as_langgraph_shows(graph)
        history = fb.connect(path).history("t", subgraphs=True) if want else []
        for cp in history:
            if want[cp.id] is None:
                continue
            shown = {name: value for name, value in want[cp.id].items() if value or name in cp.values}
            assert cp.values == shown, (cp, cp.state.get("rebuilt"))
        assert len(history) == len(want)
        assert not want or (kept.states, kept.summary()) == (history.states, history.summary())


def seeded(saver):
    """A thread with snapshots every 9, three forks, a removed message, a replaced one, and files."""
    graph = agent(saver, 9)
    for n in range(6):
        graph.invoke({"messages": [HumanMessage(f"question {n}", id=f"h{n}")]}, config())
    past = list(graph.get_state_history(config()))
    first = graph.update_state(past[4].config, {"messages": [RemoveMessage("h1")]}, as_node="answer")
    graph.invoke(None, first)
    better = {"messages": [HumanMessage("better", id="h2")], "files": {"/x": file("x")}}
    second = graph.update_state(past[9].config, better, as_node="note")
    graph.invoke(None, second)
    graph.invoke({"messages": [HumanMessage("and then?", id="h9")]}, config())
    graph.invoke({"messages": [RemoveMessage("h0"), HumanMessage("other", id="h7")]}, past[13].config)
    return graph


FRAMES = ("checkpoints_df", "messages_df", "tasks_df", "branches_df", "tokens_df")


def assert_same_frames(history, whole):
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(history, name)(), getattr(whole, name)(), obj=name)
    for id_ in whole.tree.index:
        mine, theirs = history[id_].values, whole[id_].values
        assert {name: value for name, value in theirs.items() if value} == {
            name: value for name, value in mine.items() if value
        }


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("delta") / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()
        yield path, seeded(saver)


@pytest.fixture(scope="module")
def postgres_store(postgres):
    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        yield uri, seeded(saver)


@pytest.mark.long
@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("store", ["sqlite_store", pytest.param("postgres_store", marks=pytest.mark.outside)])
def test_the_frames_of_a_store_are_those_of_its_graph(request, tmp_path, store, subgraphs):
    place, graph = request.getfixturevalue(store)
    whole = fb.connect(graph).history("t", subgraphs=subgraphs)
    with fb.connect(place) as book:
        history = book.history("t", subgraphs=subgraphs)
        assert_same_frames(history, whole)
        assert "files, messages rebuilt from writes" in history.summary()
        assert len(history.fork_points) == 3
        for name in ("kept.forkbook", "kept.json"):
            assert book.export(tmp_path / name)
            kept = fb.connect(tmp_path / name).history("t", subgraphs=subgraphs)
            assert_same_frames(kept, whole)
            assert [cp.rebuilt for cp in kept] == [cp.rebuilt for cp in history]
            target = agent(InMemorySaver())
            assert fb.migrate(tmp_path / name, target)
            there = fb.connect(target).history("t", subgraphs=subgraphs)
            assert_same_frames(there, whole)
            assert not any(cp.rebuilt for cp in there)


def line(state, saver, **nodes):
    """A graph whose nodes run one after the other."""
    builder, before = StateGraph(state), START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(before, name)
        before = name
    return builder.compile(checkpointer=saver)


@contextmanager
def stored(tmp_path, state, *inputs, **nodes):
    """A store that a graph wrote, and the graph."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        graph = line(state, SqliteSaver(connection), **nodes)
        for given in inputs:
            graph.invoke(given, config())
        yield path, graph


def numbered(old, writes):
    """A reducer of texts that no rule gives."""
    return (old or []) + [f"#{len(old or []) + n}" for n, _ in enumerate(writes)]


class Numbered(TypedDict, total=False):
    odd: Annotated[list, DeltaChannel(numbered, snapshot_frequency=50)]


def test_a_channel_without_a_rule_is_not_stored_where_it_was_written_to(tmp_path):
    with stored(tmp_path, Numbered, {"odd": ["a"]}, work=lambda state: {"odd": ["x"]}) as (path, graph):
        history, (tip, *_) = fb.connect(path)["t"], graph.get_state_history(config())
        assert history[-1].values["odd"]["__type__"] == "not stored"
        assert "reducers={'odd': f}" in history[-1].values["odd"]["reason"]
        assert (history[-1].rebuilt, "rebuilt" in history.summary()) == ({}, False)
        for given in ({"reducers": {"odd": numbered}}, {"graph": graph}):
            history = fb.connect(path, **given)["t"]
            assert history[-1].values == tip.values
            assert "'odd'" in history[-1].rebuilt["odd"]


def test_a_reducer_may_change_what_it_is_given(tmp_path):
    def in_place(old, writes):
        for write in writes:
            for key, item in write.items():
                old.setdefault(key, []).extend(item)
        return old

    class State(TypedDict, total=False):
        seen: Annotated[dict, DeltaChannel(in_place, snapshot_frequency=50)]

    more = {f"n{n}": lambda state, n=n: {"seen": {"a": [n]}} for n in range(4)}
    with stored(tmp_path, State, {"seen": {"a": ["in"]}}, **more) as (path, graph):
        want = [snapshot.values.get("seen") for snapshot in graph.get_state_history(config())][::-1]
        for given in ({"reducers": {"seen": in_place}}, {"graph": graph}):
            assert [cp.values.get("seen") for cp in fb.connect(path, **given)["t"]] == want
        alone = [cp.values["seen"] for cp in fb.connect(path)["t"]][-1]
        assert "might be replaced or added up" in alone["reason"]


def test_a_reducer_that_fails_is_named(tmp_path):
    def fails(old, writes):
        raise KeyError("gone")

    with stored(tmp_path, Numbered, {"odd": ["a"]}, work=lambda state: {"odd": ["x"]}) as (path, _):
        history = fb.connect(path, reducers={"odd": fails})["t"]
        assert "failed: KeyError: 'gone'" in history[-1].values["odd"]["reason"]
        history = fb.connect(path, reducers={"odd": lambda old, writes: object()})["t"]
        assert "failed: TypeError" in history[-1].values["odd"]["reason"]


def test_a_reducer_of_messages_that_is_not_langgraphs_is_found_out(tmp_path):
    def last_two(old, writes):
        return _messages_delta_reducer(old, writes)[-2:]

    class State(TypedDict, total=False):
        messages: Annotated[list, DeltaChannel(last_two, snapshot_frequency=4)]

    talk = {f"n{n}": lambda state, n=n: {"messages": [AIMessage(str(n), id=f"a{n}")]} for n in range(6)}
    with stored(tmp_path, State, {"messages": [HumanMessage("hi", id="h")]}, **talk) as (path, graph):
        history = fb.connect(path)["t"]
        assert any("reducer of its own" in str(cp.values["messages"]) for cp in history[1:])
        for snapshot in graph.get_state_history(config()):
            said = history[snapshot.config["configurable"]["checkpoint_id"]].values.get("messages", [])
            unknown = isinstance(said, dict) and said["__type__"] == "not stored"
            assert unknown or [m["id"] for m in said] == [m.id for m in snapshot.values["messages"]]


def keep_none(old, writes):
    return {**(old or {}), **{key: item for write in writes for key, item in write.items()}}


@pytest.mark.parametrize("reducer", [keep_none, merge_files])
@pytest.mark.parametrize("every", [3, 50])
def test_none_in_a_map_is_a_value_or_deletes(tmp_path, reducer, every):
    class State(TypedDict, total=False):
        seen: Annotated[dict, DeltaChannel(reducer, snapshot_frequency=every)]

    writes = {f"n{n}": lambda state, n=n: {"seen": {"a": None if n % 2 else "x", f"b{n}": "y"}} for n in range(7)}
    with stored(tmp_path, State, {"seen": {"c": "z"}}, **writes) as (path, graph):
        history = fb.connect(path)["t"]
        known = 0
        for snapshot in graph.get_state_history(config()):
            said = history[snapshot.config["configurable"]["checkpoint_id"]].values["seen"]
            if said.get("__type__") != "not stored":
                assert said == snapshot.values["seen"]
                known += 1
        assert known == len(history) if every == 3 else known < len(history)


def test_what_builds_on_pruned_checkpoints_is_not_known(tmp_path, sqlite_store):
    path, graph = tmp_path / "pruned.db", sqlite_store[1]
    path.write_bytes(b"")
    with closing(sqlite3.connect(sqlite_store[0])) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
        ids = "select checkpoint_id from checkpoints where checkpoint_ns = '' limit 1 offset 3"
        (cut,) = target.execute(ids).fetchone()
        target.execute("delete from checkpoints where checkpoint_id < ?", [cut])
        target.commit()
    history, known = fb.connect(path)["t"], 0
    for snapshot in graph.get_state_history(config()):
        id_ = snapshot.config["configurable"]["checkpoint_id"]
        if id_ in history:
            said = history[id_].values["messages"]
            if isinstance(said, dict):
                assert "older checkpoints were pruned" in said["reason"]
            else:
                assert [m["id"] for m in said] == [m.id for m in snapshot.values["messages"]]
                known += 1
    assert 0 < known < len(history)


def test_a_thread_that_changed_to_a_delta_channel_and_back(tmp_path):
    class Before(TypedDict, total=False):
        messages: Annotated[list, add_messages]

    class Now(TypedDict, total=False):
        messages: Annotated[list, DeltaChannel(_messages_delta_reducer, snapshot_frequency=50)]

    def say(state):
        return {"messages": [AIMessage(f"{len(state['messages'])}")]}

    with closing(sqlite3.connect(tmp_path / "store.db", check_same_thread=False)) as connection:
        for n, state in enumerate((Before, Now, Now, Before, Now)):
            graph = line(state, SqliteSaver(connection), say=say)
            graph.invoke({"messages": [HumanMessage(f"q{n}")]}, config())
        history = fb.connect(tmp_path / "store.db")["t"]
        want = as_langgraph_shows(graph)
        assert [cp.values.get("messages", []) for cp in history] == [want[cp.id]["messages"] for cp in history]
        assert {"rebuilt" in cp.state for cp in history} == {True, False}


@pytest.mark.parametrize("said", [[("user", "hi")], [("user", "hi"), "there"], [{"role": "user", "content": "hi"}]])
@pytest.mark.parametrize("fails", [True, False])
def test_a_reducer_that_gives_no_ids_is_handed_pairs_and_texts(tmp_path, said, fails):
    """deepagents has a reducer of its own, so LangGraph stores an input as it came; the first answer may fail."""

    class State(TypedDict, total=False):
        messages: Annotated[list, DeltaChannel(lambda old, new: _messages_delta_reducer(old or [], new))]

    def say(state):
        if fails:
            raise ValueError("no answer")
        return {"messages": [AIMessage("hello")]}

    with closing(sqlite3.connect(tmp_path / "store.db", check_same_thread=False)) as connection:
        graph = line(State, SqliteSaver(connection), say=say)
        with suppress(ValueError):
            graph.invoke({"messages": said}, config())
        assert_same_frames(fb.connect(tmp_path / "store.db")["t"], fb.connect(graph)["t"])


@pytest.mark.long
def test_a_node_that_has_seen_a_snapshot_has_its_tasks_told(tmp_path):
    """LangGraph notes the snapshot of a channel without a version as seen by all nodes; no trigger of theirs is it."""
    with closing(sqlite3.connect(tmp_path / "store.db", check_same_thread=False)) as connection:
        graph = agent(SqliteSaver(connection))
        graph.invoke({"messages": [HumanMessage("hi")]}, config(), durability="exit")
        *_, first = graph.get_state_history(config())
        graph.update_state(first.config, {"messages": [HumanMessage("ho")]}, as_node="answer")
        graph.invoke({"messages": [HumanMessage("go on")]}, config())
        assert_same_frames(fb.connect(tmp_path / "store.db")["t"], fb.connect(graph)["t"])


def test_messages_stay_one_object(sqlite_store):
    states = fb.connect(sqlite_store[0])["t"].facts.states
    first = {}
    for state in states:
        for message in state["values"].get("messages", []):
            assert first.setdefault(str(message), message) is message


def test_reducers_are_for_stores(tmp_path, sqlite_store):
    (tmp_path / "x.json").write_text("[]")
    (tmp_path / "x.json").write_text("[]")
    for place in (sqlite_store[1], "http://127.0.0.1:1", tmp_path / "x.forkbook", tmp_path / "x.json"):
        with pytest.raises(fb.InvalidInput, match="checkpoint stores"):
            fb.connect(place, reducers={"odd": numbered})
    with pytest.raises(fb.InvalidInput, match="no function"):
        fb.connect(sqlite_store[0], reducers={"odd": 5})
    with pytest.raises(fb.InvalidInput, match="no compiled graph"):
        fb.connect(sqlite_store[0], graph=5)


def joined(old, writes):
    for write in writes:
        old += write
    return old


def listed(old, writes):
    return [*old, *writes]


def merged(old, writes):
    return {key: value for each in (old, *writes) for key, value in each.items()}


@pytest.mark.parametrize(
    ("kind", "reducer", "writes"),
    [
        (int, joined, [1, 2]),
        (float, joined, [1, 0.5]),
        (str, joined, ["a", "bc"]),
        (bool, lambda old, writes: old or any(writes), [False, True]),
        (list, joined, [[1], [2]]),
        (list, listed, [1, 2]),
        (list, listed, ["a", "b"]),
        (list, listed, [{"a": 1}, {"b": 2}]),
        (dict, merged, [{"a": 1}, {"b": 2}]),
        (dict, lambda old, writes: {**old, **dict.fromkeys(writes, 1)}, ["a", "b"]),
        (int, lambda old, writes: max([old, *writes]), [3, 2]),
        (str, lambda old, writes: writes[-1] if writes else old, ["a", "b"]),
    ],
)
def test_a_channel_begins_with_the_empty_value_of_its_type(tmp_path, kind, reducer, writes):
    builder = StateGraph(TypedDict("State", {"x": Annotated[kind, DeltaChannel(reducer)], "go": int}, total=False))
    for number, write in enumerate(writes):
        builder.add_node(str(number), lambda state, write=write: {"x": write})
        builder.add_edge(str(number - 1) if number else START, str(number))
    with SqliteSaver.from_conn_string(str(tmp_path / "s.sqlite")) as saver:
        graph = builder.compile(checkpointer=saver)
        graph.invoke({"go": 1}, {"configurable": {"thread_id": "t"}})
        history = graph.get_state_history({"configurable": {"thread_id": "t"}})
        expected = [snapshot.values["x"] for snapshot in history][::-1]
    with fb.connect(tmp_path / "s.sqlite", reducers={"x": reducer}) as book:
        found = [cp.values["x"] for cp in book["t"]]
    assert [(type(value), value) for value in found] == [(type(value), value) for value in expected]


def test_what_a_channel_begins_with_is_found_when_it_is_first_written_to(tmp_path):
    builder = StateGraph(TypedDict("State", {"x": Annotated[int, DeltaChannel(joined)], "go": int}, total=False))
    builder.add_node("node", lambda state: {"x": 5} if state["go"] > 1 else {}).add_edge(START, "node")
    at = {"configurable": {"thread_id": "t"}}
    with SqliteSaver.from_conn_string(str(tmp_path / "s.sqlite")) as saver:
        graph = builder.compile(checkpointer=saver)
        graph.invoke({"go": 1}, at)
        with fb.connect(tmp_path / "s.sqlite", reducers={"x": joined}) as book:
            assert len(book["t"]) == 3
            graph.invoke({"go": 2}, at)
            assert [cp.values["x"] for cp in book["t"]] == [0, 0, 0, 0, 0, 5]
