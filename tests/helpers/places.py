"""Threads of the graphs in `agents/graphs.py`, begun on a server or in this process."""

import uuid

from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_sync_client

import forkbook as fb


def on_server(url, name, input, **how):
    """A book, and the id of a thread that ran once."""
    client = get_sync_client(url=url, api_key=None)
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, name, input=input, **how)
    return fb.connect(url), thread_id


def in_process(name, input, config=None, saver=None, **how):
    """The same in this process."""
    build, saver = getattr(graphs, f"build_{name}"), saver or InMemorySaver()
    graph = build(saver) if name == "flow" else build().compile(checkpointer=saver, name=name)
    thread_id, given = str(uuid.uuid4()), config or {}
    graph.invoke(input, {**given, "configurable": given.get("configurable", {}) | {"thread_id": thread_id}}, **how)
    return fb.connect(graph), thread_id


def history_on_server(url, name, **input):
    """The history of a thread that ran once with this input."""
    book, thread_id = on_server(url, name, input)
    return book[thread_id]


def history_in_process(name, **input):
    """The same in this process."""
    book, thread_id = in_process(name, input)
    return book[thread_id]
