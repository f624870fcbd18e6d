"""Make a small store with an old LangGraph: run it with that version's own Python.

    pip install "langgraph==0.2.60" "langgraph-checkpoint-sqlite==2.0.*"   # or langgraph==0.4.10
    python make_old_store.py langgraph-0.2.sqlite

Threads: `fan-out` (Sends, parallel edges, a join), `answered` and `open` (an interrupt), `failing`, `replayed`.
What LangGraph itself says of them goes to a JSON file of the same name.
"""

import contextlib
import json
import operator
import sqlite3
import sys
from typing import Annotated

from langchain_core.messages import AIMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    topics: list
    jokes: Annotated[list, operator.add]
    messages: Annotated[list, add_messages]


def at(thread):
    return {"configurable": {"thread_id": thread}}


def fan_out(saver):
    builder = StateGraph(State)
    builder.add_node("plan", lambda state: {"topics": ["a", "b"]})
    builder.add_node("tell", lambda topic: {"jokes": [topic]})
    builder.add_node("left", lambda state: {"jokes": ["left"]})
    builder.add_node("right", lambda state: {"messages": [AIMessage("hi", id="1")]})
    builder.add_node("both", lambda state: {"jokes": ["both"]})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("tell", topic) for topic in state["topics"]], ["tell"])
    builder.add_edge("plan", "left")
    builder.add_edge("plan", "right")
    builder.add_edge(["left", "right"], "both")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"topics": []}, at("fan-out"))
    return graph, ["fan-out"]


def asking(saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"jokes": [interrupt({"question": "ok?"})]})
    builder.add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"topics": []}, at("open"))
    graph.invoke({"topics": []}, at("answered"))
    graph.invoke(Command(resume="yes"), at("answered"))
    return graph, ["open", "answered"]


def failing(saver):
    def fail(state):
        raise ValueError("no luck")

    builder = StateGraph(State)
    builder.add_node("fine", lambda state: {"jokes": ["fine"]})
    builder.add_node("fail", fail)
    builder.add_edge(START, "fine")
    builder.add_edge(START, "fail")
    graph = builder.compile(checkpointer=saver)
    with contextlib.suppress(ValueError):
        graph.invoke({"topics": []}, at("failing"))
    return graph, ["failing"]


def replayed(saver):
    builder = StateGraph(State)
    builder.add_node("one", lambda state: {"jokes": [1]})
    builder.add_node("two", lambda state: {"jokes": [2]})
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"topics": []}, at("replayed"))
    before = next(s for s in graph.get_state_history(at("replayed")) if s.next == ("two",))
    graph.invoke(None, before.config)
    graph.update_state(before.config, {"jokes": ["edit"]}, as_node="one")
    return graph, ["replayed"]


def said(snapshot):
    return {
        "id": snapshot.config["configurable"]["checkpoint_id"],
        "next": list(snapshot.next),
        "tasks": [
            {"id": t.id, "name": t.name, "error": t.error and str(t.error), "asks": [i.value for i in t.interrupts]}
            for t in snapshot.tasks
        ],
        "jokes": snapshot.values.get("jokes", []),
        "channels": sorted(snapshot.values),
    }


def main(file):
    connection = sqlite3.connect(file, check_same_thread=False)
    saver, truth = SqliteSaver(connection), {}
    for make in (fan_out, asking, failing, replayed):
        graph, threads = make(saver)
        for thread in threads:
            truth[thread] = [said(snapshot) for snapshot in graph.get_state_history(at(thread))]
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("VACUUM")
    connection.close()
    with open(file.replace(".sqlite", ".json"), "w") as out:
        json.dump(truth, out, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
