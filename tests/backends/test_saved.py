"""What forkbook derives from a store is what LangGraph's own `get_state_history` says, wherever it says anything."""

import contextlib
import datetime as dt
import operator
import uuid
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt

from forkbook.backends.databases.rows import Saved, parts
from forkbook.backends.databases.sqlite import SqliteBackend
from forkbook.backends.databases.states import states
from forkbook.backends.values.decode import decode


class State(TypedDict, total=False):
    topics: list[str]
    jokes: Annotated[list[Any], operator.add]
    odd: Any


def at(thread, checkpoint_id=None, ns=""):
    point = {"checkpoint_id": checkpoint_id, "checkpoint_ns": ns} if checkpoint_id else {"checkpoint_ns": ns}
    return {"configurable": {"thread_id": thread, **point}}


def ids(graph, thread, wanted):
    history = graph.get_state_history(at(thread))
    return [s.config["configurable"]["checkpoint_id"] for s in history if wanted(s)]


def fan_out(saver):
    """Sends, parallel edges declared against the alphabet, a join, a deferred node."""
    builder = StateGraph(State)
    builder.add_node("plan", lambda state: {"topics": ["a", "b"]})
    builder.add_node("tell", lambda topic: {"jokes": [topic], "odd": 1} if topic == "a" else {"jokes": [topic]})
    builder.add_node("zeta", lambda state: {"jokes": ["z"]})
    builder.add_node("alpha", lambda state: {"jokes": ["y"]})
    builder.add_node("both", lambda state: None)
    builder.add_node("late", lambda state: {"jokes": ["last"]}, defer=True)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [*(Send("tell", t) for t in state["topics"]), "zeta", "alpha"])
    builder.add_edge(["zeta", "alpha"], "both")
    builder.add_edge("zeta", "late")
    builder.add_edge("both", "late")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"topics": []}, at("fan-out"), durability="sync")  # else LangGraph may save a join a step early
    graph.invoke({"topics": []}, at("fan-out"), durability="sync")  # else LangGraph may save a join a step early
    return graph, ["fan-out"]


def nested(saver):
    """A subgraph that asks; answered once, open once; and a fork of the answered one."""

    def ask(state):
        return {"jokes": [interrupt({"question": "ok?"}), interrupt("sure?")]}

    inner = StateGraph(State).add_node("ask", ask).add_node("after", lambda state: {"jokes": ["after"]})
    inner.add_edge(START, "ask").add_edge("ask", "after")
    outer = StateGraph(State).add_node("review", inner.compile()).add_node("beside", lambda state: {"odd": {1: 2}})
    outer.add_edge(START, "review").add_edge(START, "beside")
    graph = outer.compile(checkpointer=saver)
    graph.invoke({"topics": ["x"]}, at("answered"))
    graph.invoke(Command(resume="yes"), at("answered"))
    graph.invoke(Command(resume="very"), at("answered"))
    graph.invoke({"topics": ["x"]}, at("open"))
    return graph, ["answered", "open"]


def stopped(saver):
    """A static interrupt, an edit of it, replays, another root, edits as other nodes, END."""
    builder = StateGraph(State)
    for name in ("one", "two", "three"):
        builder.add_node(name, lambda state, name=name: {"jokes": [name]})
    builder.add_edge(START, "one").add_edge("one", "two").add_edge("two", "three").add_edge("three", END)
    graph = builder.compile(checkpointer=saver, interrupt_before=["two"])
    graph.invoke({"topics": ["x"]}, at("stopped"))
    graph.invoke({"topics": ["x"]}, at("edited"))
    graph.update_state(at("edited"), {"topics": ["y"]})
    graph.invoke(None, at("edited"))
    (two,) = ids(graph, "edited", lambda s: s.next == ("two",) and s.metadata["source"] == "update")
    graph.invoke(None, at("edited", two))
    graph.update_state(at("edited", two), {"jokes": ["!"]}, as_node="two")
    graph.update_state(at("edited", two), None, as_node=END)
    graph.update_state(at("edited", two), None, as_node="__copy__")
    graph.update_state(at("edited", str(uuid.uuid1())), {"topics": ["bogus"]}, as_node="one")
    graph.update_state(at("written"), {"topics": ["by hand"]}, as_node="one")
    return graph, ["stopped", "edited", "written", "nothing"]


def failing(saver):
    """Parallel tasks, of which one fails; tried again."""

    def fail(state):
        raise ValueError("no <b>luck</b>")

    builder = StateGraph(State).add_node("fine", lambda state: {"jokes": ["fine"]}).add_node("fail", fail)
    builder.add_edge(START, "fine").add_edge(START, "fail")
    graph = builder.compile(checkpointer=saver)
    for _ in range(2):
        with contextlib.suppress(ValueError):
            graph.invoke({"topics": []}, at("failing"))
    with contextlib.suppress(ValueError):
        graph.invoke(None, at("failing"))
    return graph, ["failing"]


def odd(saver):
    """Values that JSON lacks, messages, Command with update and goto, several writes to one channel."""
    value = {"when": dt.datetime(2024, 1, 2, tzinfo=dt.UTC), "set": {1}, "nan": float("nan"), 3: b"x"}

    def first(state):
        return Command(update=[("odd", value), ("jokes", [1]), ("jokes", [2])], goto=["second", Send("third", value)])

    builder = StateGraph(State).add_node("first", first)
    builder.add_node("second", lambda state: {}).add_node("third", lambda arg: {"jokes": [arg]})
    builder.add_edge(START, "first")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"topics": [], "odd": {"__type__": "mine"}}, at("odd"))
    return graph, ["odd"]


def messages(saver):
    builder = StateGraph(MessagesState).add_node("chat", lambda state: {"messages": [AIMessage("hi", id="1")]})
    builder.add_edge(START, "chat")
    graph = builder.compile(checkpointer=saver)
    for _ in range(2):
        graph.invoke({"messages": [("user", "hello")]}, at("messages"))
    graph.invoke({"messages": [("user", "hello")]}, at("exit"), durability="exit")
    return graph, ["messages", "exit"]


def rooted(saver):
    builder = StateGraph(Annotated[list, operator.add]).add_node("more", lambda state: [1])
    graph = builder.add_edge(START, "more").compile(checkpointer=saver)
    graph.invoke([0], at("root"))
    return graph, ["root"]


def functional(saver):
    @task
    def double(x):
        return 2 * x

    @entrypoint(checkpointer=saver)
    def flow(x):
        doubled = double(x).result()
        return doubled if x < 2 else interrupt(doubled)

    flow.invoke(1, at("functional"))
    flow.invoke(2, at("functional asks"))
    return flow, ["functional", "functional asks"]


MAKERS = [fan_out, nested, stopped, failing, odd, messages, rooted, functional]


def plain(value):
    return decode(*JsonPlusSerializer().dumps_typed(value))


def address(config):
    keys = ("thread_id", "checkpoint_ns", "checkpoint_id")
    return {key: config["configurable"][key] for key in keys} if config else None


def theirs(snapshot, namespaces):
    """A snapshot as a server shows it, in plain data."""

    def shown(task):
        below = task.state["configurable"] if task.state else None
        return {
            "id": task.id, "name": task.name, "path": plain(task.path), "error": plain(task.error),
            "interrupts": plain(task.interrupts), "result": plain(task.result), "state": None,
            "checkpoint": below if below and below["checkpoint_ns"] in namespaces else None,
        }  # fmt: skip

    return {
        "values": plain(snapshot.values),
        "next": list(snapshot.next),
        "tasks": [shown(task) for task in snapshot.tasks],
        "metadata": plain(snapshot.metadata),
        "created_at": snapshot.created_at,
        "checkpoint": address(snapshot.config),
        "parent_checkpoint": address(snapshot.parent_config),
        "interrupts": plain(snapshot.interrupts),
    }


def compare(mine, other, unknown):
    """Both in all that is known; counts what is not."""
    for key, value in other.items():
        if mine[key] is None and key in ("next", "tasks", "interrupts"):
            unknown.append(key)
        elif key == "values":
            compare_values(mine[key], value)
        elif key == "tasks":
            for task, task_there in zip(mine[key], value, strict=True):
                if task["id"] is None:
                    unknown.append("task id")
                    task_there = task_there | {"id": None}
                assert task == task_there
        else:
            assert mine[key] == value, key


def compare_values(mine, other):
    """A store holds no channel that nothing was written to yet; LangGraph shows the empty list of its type there."""
    if isinstance(other, dict):
        assert mine == {key: value for key, value in other.items() if key in mine}
        assert not any(value for key, value in other.items() if key not in mine)
    else:
        assert mine == other or not (mine or other)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_states_are_those_of_langgraph(tmp_path, make, capsys):
    file = tmp_path / "store.sqlite"
    unknown, all_states = [], 0
    with SqliteSaver.from_conn_string(str(file)) as saver:
        graph, threads = make(saver)
        backend = SqliteBackend(file)
        for thread in threads:
            rows = saver.conn.execute("SELECT DISTINCT checkpoint_ns FROM checkpoints WHERE thread_id = ?", [thread])
            namespaces = {ns for (ns,) in rows}
            for ns in namespaces or {""}:
                mine = [state for page in backend.pages(thread, ns=ns) for state in page]
                other = [theirs(snapshot, namespaces) for snapshot in graph.get_state_history(at(thread, ns=ns))]
                assert [s["checkpoint"] for s in mine] == [s["checkpoint"] for s in other]
                for state, snapshot in zip(mine, other, strict=True):
                    compare(state, snapshot, unknown)
                all_states += len(mine)
    with capsys.disabled():
        counts = {key: unknown.count(key) for key in ("next", "tasks", "task id")}
        print(f"\n{make.__name__}: {all_states} states, unknown: {counts}", end=" ")
    assert unknown.count("next") == 0 or make is functional


def test_an_unreadable_checkpoint_is_unknown_not_empty():
    rest, values = parts({"no": "checkpoint"}, 12)
    (state,) = states([Saved("t", "", "1", None, rest, values, {}, [])], ())
    assert state["values"] == {"__type__": "opaque", "reason": "damaged: this is no checkpoint", "size": 12}
    assert (state["next"], state["tasks"]) == (None, None)


@pytest.mark.parametrize(
    "damage",
    [
        {"channel_versions": []}, {"versions_seen": {"a": 1}}, {"v": "x"}, {"channel_versions": {"branch:to:x": "1"}},
        {"channel_versions": {"branch:to:x": None}}, {"versions_seen": {"x": {"branch:to:x": 1.5}}}, {"v": None},
    ],
)  # fmt: skip
def test_an_odd_checkpoint_raises_nothing(damage):
    whole = {"v": 4, "ts": "", "channel_versions": {"branch:to:x": 1}, "versions_seen": {}}
    rest, values = parts(whole | {"channel_values": {"branch:to:x": None, "join:a:b": 3, "s": 1}} | damage, 1)
    (state,) = states([Saved("t", "", "no-hex", None, rest, values, {"step": "x"}, [])], ())
    assert state["values"] == {"s": 1}
