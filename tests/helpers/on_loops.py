"""A book on the objects of an event loop, and what a user does with it."""

import contextlib
import uuid

from seeding import compiled

from forkbook.backends.graph.backend import GraphBackend
from forkbook.book import Book


@contextlib.asynccontextmanager
async def a_book(folder):
    """A book on an AsyncSqliteSaver of the running loop, with a thread that ran once; gives the thread's id, too."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        graph, thread_id = compiled(saver), str(uuid.uuid4())
        await graph.ainvoke({}, {"configurable": {"thread_id": thread_id, "user_id": "123"}})
        yield Book(GraphBackend(graph)), thread_id


def acts(book, thread_id):
    """All that a user does, with sync calls."""
    before_joke = book.history(thread_id).at(step=1)
    assert before_joke.preview({"topic": "x"}).next == ("write_joke",)
    act = before_joke.fork({"topic": "chickens"})
    assert "drumsticks" in act.checkpoint.values["joke"]
    assert book.copy(thread_id)
    assert len(book.threads()) == 2
    return act.status
