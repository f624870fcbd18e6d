"""Graphs with DeltaChannels, as deepagents has them, and what LangGraph itself shows of their threads."""

import contextlib
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.errors import InvalidUpdateError
from langgraph.graph import START, StateGraph
from langgraph.graph.message import _messages_delta_reducer
from langgraph.types import interrupt

from forkbook.backends.graph.snapshots import Reading


def merge_files(state, writes):
    """What deepagents does: None deletes a file."""
    result = dict(state or {})
    for write in writes:
        for name, file in write.items():
            if file is None:
                result.pop(name, None)
            else:
                result[name] = file
    return result


def file(text):
    return {"content": [text], "created_at": "2026-01-01", "modified_at": "2026-01-01"}


def usage(n):
    return {"input_tokens": n, "output_tokens": 1, "total_tokens": n + 1}


def agent(saver, every=9, *, asks=False):
    """An agent that answers, writes a file, and has a helper with a memory of its own; two nodes write side by side.

    Nodes and channels are declared in the order that JSONB gives them, shorter names first.
    """

    class State(TypedDict, total=False):
        files: Annotated[dict, DeltaChannel(merge_files, snapshot_frequency=every)]
        messages: Annotated[list, DeltaChannel(_messages_delta_reducer, snapshot_frequency=every)]
        n: int

    def answer(state):
        n = state.get("n", 0) + 1
        said = AIMessage(f"answer {n}", usage_metadata=usage(n))
        return {"messages": [said], "files": {f"/{n % 4}.md": file(f"{n}"), f"/{(n + 2) % 4}.md": None}, "n": n}

    def note(state):
        if asks and state.get("n", 0) % 3 == 1:
            return {"messages": ("user", interrupt("ok?"))}
        return {"messages": ("user", "noted"), "files": {"/notes.md": file(str(len(state["messages"])))}}

    def think(state):
        return {"messages": [AIMessage("thought", id=f"t{len(state['messages']) % 3}")]}

    helper = StateGraph(State).add_node("think", think).add_edge(START, "think").compile()
    graph = StateGraph(State).add_node("note", note).add_node("answer", answer).add_node("helper", helper)
    graph.add_edge(START, "answer").add_edge(START, "note").add_edge("answer", "helper")
    return graph.compile(checkpointer=saver)


def config(thread="t", checkpoint_id=None, ns=""):
    at = {"checkpoint_id": checkpoint_id} if checkpoint_id else {}
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ns, **at}}


def as_langgraph_shows(graph, thread="t"):
    """The values of each checkpoint by id, of every namespace; None where LangGraph itself fails."""
    found = {}
    reading = Reading()
    for saved in list(graph.checkpointer.list({"configurable": {"thread_id": thread}})):
        at = saved.config["configurable"]
        found[at["checkpoint_id"]] = None
        with contextlib.suppress(InvalidUpdateError):  # two commands set one channel anew
            snapshot = graph.get_state(config(thread, at["checkpoint_id"], at["checkpoint_ns"]))
            found[at["checkpoint_id"]] = reading.state(snapshot)["values"]
    return found
