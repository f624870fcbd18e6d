"""LangGraph's checkpointers, and graphs on them."""

import asyncio
import contextlib

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from forkbook.backends.graph.calls import caller_of

SAVERS: list = ["memory"]
SAVERS += [pytest.param(name, marks=pytest.mark.long) for name in ("sqlite", "async sqlite")]
SAVERS += [pytest.param(name, marks=pytest.mark.outside) for name in ("postgres", "async postgres")]


class Synced:
    """A graph whose async twins are called as if they were sync, on the loop of its checkpointer."""

    def __init__(self, graph):
        self.graph, self.call = graph, caller_of(graph.checkpointer)

    def __getattr__(self, method):
        if method == "get_state_history":
            return lambda *args, **kwargs: self.call.each(lambda item: item, self.graph, method, *args, **kwargs)
        return lambda *args, **kwargs: self.call(self.graph, method, *args, **kwargs)


@contextlib.contextmanager
def entered(make):
    """An async context manager's value, on a loop that stands still while nobody calls."""
    loop = asyncio.new_event_loop()

    async def enter():
        manager = make()
        return manager, await manager.__aenter__()

    manager, value = loop.run_until_complete(enter())
    yield loop, value
    loop.run_until_complete(manager.__aexit__(None, None, None))
    loop.close()


@contextlib.contextmanager
def a_saver(kind, folder, uri):
    path = str(folder / "checkpoints.sqlite")
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "sqlite":
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(path) as saver:
            yield saver
    elif kind == "postgres":
        from langgraph.checkpoint.postgres import PostgresSaver

        with PostgresSaver.from_conn_string(uri()) as saver:
            saver.setup()
            yield saver
    elif kind == "async sqlite":
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        with entered(lambda: AsyncSqliteSaver.from_conn_string(path)) as (_, saver):
            yield saver
    else:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        with entered(lambda: AsyncPostgresSaver.from_conn_string(uri())) as (loop, saver):
            loop.run_until_complete(saver.setup())
            yield saver


def graph_on(saver):
    builder = StateGraph(MessagesState).add_node("chat", lambda state: {"messages": [("ai", "hello")]})
    return builder.add_edge(START, "chat").compile(checkpointer=saver)
