"""A closed book says so, whatever kind of place it was on; histories keep what they have."""

import inspect

import pytest
from held import Memory, conversation
from langgraph.checkpoint.memory import InMemorySaver
from seeding import compiled

import forkbook as fb
from forkbook.backends.closed import ClosedBackend
from forkbook.backends.contract import Backend
from forkbook.transfer.export import export

PLACES = [pytest.param(name, marks=pytest.mark.outside) for name in ("server", "cached server")]
PLACES += ["graph", "sqlite", "archive", "json"]
STAYS = ("close", "place")


@pytest.fixture(params=PLACES)
def opened(request, tmp_path):
    """An open book, and the id of a thread in it."""
    if "server" in request.param:
        url = request.getfixturevalue("demo_url")
        thread_id = request.getfixturevalue("demo_threads")["branches"]
        cache = tmp_path / "c.forkbook" if "cached" in request.param else None
        return fb.connect(url, cache=cache), thread_id
    if request.param == "graph":
        graph = compiled(InMemorySaver())
        graph.invoke({}, {"configurable": {"thread_id": "t"}})
        return fb.connect(graph), "t"
    if request.param == "sqlite":
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(str(tmp_path / "x.db")) as saver:
            compiled(saver).invoke({}, {"configurable": {"thread_id": "t"}})
        return fb.connect(tmp_path / "x.db"), "t"
    name = "x.forkbook" if request.param == "archive" else "x.json"
    export(tmp_path / name, Memory({"t": conversation("t", 4)}))
    return fb.connect(tmp_path / name), "t"


def test_every_operation_says_that_it_is_closed(opened, tmp_path):
    book, thread_id = opened
    history, store = book[thread_id], book.store
    before, frame = repr(history), history.checkpoints_df()
    book.close()
    book.close()
    cp = history[0]
    operations = [
        lambda: book[thread_id],
        lambda: book.history(thread_id, subgraphs=True),
        lambda: thread_id in book,
        lambda: book.threads(),
        lambda: book.tree(thread_id),
        lambda: book.export(tmp_path / "new.json", [thread_id]),
        lambda: book.export(tmp_path / "new.forkbook"),
        lambda: book.sweeps(thread_id),
        lambda: book.run(thread_id, {"topic": "x"}),
        lambda: book.run(None, {"topic": "x"}),
        lambda: book.copy(thread_id),
        lambda: book.copy(thread_id, checkpoint=cp),
        lambda: book.copies(thread_id),
        lambda: book.store.items_df(),
        lambda: store.namespaces(),
        lambda: store.put(("a",), "b", {}),
        lambda: history.refresh(),
        lambda: history.copy(),
        lambda: history.follow(seconds=0.1),
        lambda: cp.preview({"topic": "x"}),
        lambda: cp.edit({"topic": "x"}),
        lambda: cp.fork({"topic": "x"}, in_copy=True),
        lambda: cp.resume(),
        lambda: cp.answer("x"),
        lambda: cp.sweep([{"topic": "x"}]),
        lambda: fb.migrate(book, tmp_path / "no.db"),
        lambda: fb.verify(book, book),
    ]
    for number, operation in enumerate(operations):
        with pytest.raises(fb.BookClosed, match=r"is closed: fb\.connect\(…\) opens the place again"):
            print(number, operation())
    assert not (tmp_path / "new.json").exists()
    assert repr(history) == before
    assert history.checkpoints_df().equals(frame)
    assert [checkpoint.values for checkpoint in history]
    assert history.figure()
    assert history.graph.number_of_nodes() == len(history)
    assert repr(book).endswith(", closed>")


def test_with_closes(opened):
    book, thread_id = opened
    with book as same:
        assert same is book
        assert len(book[thread_id])
    with pytest.raises(fb.BookClosed):
        book.threads()


def test_nothing_can_be_written_to_a_closed_book(book, tmp_path):
    target = fb.connect(compiled(InMemorySaver()))
    target.close()
    with pytest.raises(fb.BookClosed):
        fb.migrate(book, target)


def test_an_explorer_of_a_closed_book_still_looks(book, demo_threads):
    history = book[demo_threads["branches"]]
    book.close()
    assert history.explore() is not None


def test_every_method_of_a_backend_is_refused():
    public = {name for name, _ in inspect.getmembers(Backend, inspect.isfunction) if not name.startswith("_")}
    assert [name for name in public - {*STAYS} if getattr(ClosedBackend, name) is not ClosedBackend.refuse] == []
