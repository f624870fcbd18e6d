"""Small graphs on a checkpointer, each run in some odd way; every maker gives its graph and the ids of its threads."""

import contextlib
import datetime as dt
import operator
import uuid
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt


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
