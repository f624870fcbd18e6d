"""Sync calls on objects that live on an event loop: from a script, a thread, a running loop, a notebook's kernel."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading

import pytest
from on_loops import a_book, acts
from seeding import compiled

import forkbook as fb
from forkbook import aio as bridge
from forkbook.backends.graph.backend import GraphBackend
from forkbook.book import Book


def test_a_loop_that_stands_still_is_run_for_the_call(tmp_path):
    loop = asyncio.new_event_loop()
    manager = a_book(tmp_path)
    book, thread_id = loop.run_until_complete(manager.__aenter__())
    assert acts(book, thread_id) == "finished"
    assert not loop.is_running()
    assert loop.run_until_complete(asyncio.sleep(0, "the loop is the user's again")) == "the loop is the user's again"
    loop.run_until_complete(manager.__aexit__(None, None, None))
    loop.close()


def test_objects_whose_loop_is_closed(tmp_path):
    """What was made on a loop that is closed since is read and edited on the spare one."""

    async def make():
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        connection = await aiosqlite.connect(tmp_path / "checkpoints.sqlite")
        graph = compiled(AsyncSqliteSaver(connection))
        await graph.ainvoke({}, {"configurable": {"thread_id": "t"}})
        return connection, graph

    loop = asyncio.new_event_loop()
    connection, graph = loop.run_until_complete(make())
    loop.close()
    history = Book(GraphBackend(graph)).history("t")
    assert history.at(step=1).edit({"topic": "x"}).checkpoint.values["topic"] == "x"
    other = asyncio.new_event_loop()
    other.run_until_complete(connection.close())
    other.close()


def test_objects_that_stay_with_a_loop_that_is_gone():
    """A lock that was fought over belongs to its loop; LangGraph's own second `asyncio.run` fails the same way."""
    lock = asyncio.Lock()

    async def fight():
        await asyncio.gather(*(hold() for _ in range(3)))

    async def hold():
        async with lock:
            await asyncio.sleep(0)

    asyncio.run(fight())
    bridge.wait(hold, None)
    with pytest.raises(fb.Unsupported, match=r"an event loop that is gone .*make the checkpointer and the graph anew"):
        bridge.wait(fight, None)


def test_many_threads_share_a_loop_that_stands_still(tmp_path):
    loop = asyncio.new_event_loop()
    manager = a_book(tmp_path)
    book, thread_id = loop.run_until_complete(manager.__aenter__())
    lengths, workers = [], []
    for _ in range(8):
        workers.append(threading.Thread(target=lambda: lengths.append(len(book.history(thread_id)))))
        workers[-1].start()
    for worker in workers:
        worker.join(30)
    assert lengths == [4] * 8
    assert not loop.is_running()
    loop.run_until_complete(manager.__aexit__(None, None, None))
    loop.close()


def test_another_thread_of_a_running_loop(tmp_path):
    async def main():
        async with a_book(tmp_path) as (book, thread_id):
            return await asyncio.to_thread(acts, book, thread_id)

    assert asyncio.run(main()) == "finished"


def in_a_process(code, *args):
    """Code in a fresh interpreter, as nest_asyncio2 patches a whole one; gives what it prints."""
    header = """
        import asyncio, sys, pathlib
        from forkbook import aio as bridge
        from on_loops import *
        folder = pathlib.Path(sys.argv[1])
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(header) + textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split("\n")[:-1]


@pytest.mark.outside
def test_inside_a_running_loop_it_is_nested(tmp_path):
    """The notebook situation: a sync call in a coroutine, on objects of the loop that runs it."""
    code = """
        async def main():
            async with a_book(folder) as (book, thread_id):
                print("nest_asyncio2" in sys.modules)
                ticks = []
                async def tick():
                    while True:
                        ticks.append(1)
                        await asyncio.sleep(0.001)
                ticking = asyncio.create_task(tick())
                print(acts(book, thread_id))
                print("nest_asyncio2" in sys.modules, len(ticks) > 2)
                await asyncio.sleep(0.01)
                ticking.cancel()
                print(await bridge.in_thread(lambda: len(book.history(thread_id))))
        asyncio.run(main())
    """
    assert in_a_process(code, tmp_path) == ["False", "finished", "True True", "6"]


@pytest.mark.outside
def test_a_sync_saver_needs_no_bridge_in_a_running_loop():
    code = """
        from langgraph.checkpoint.memory import InMemorySaver
        async def main():
            graph = compiled(InMemorySaver())
            graph.invoke({}, {"configurable": {"thread_id": "t"}})
            print(acts(Book(GraphBackend(graph)), "t"), "nest_asyncio2" in sys.modules)
        asyncio.run(main())
    """
    assert in_a_process(code, "") == ["finished False"]


def test_under_uvloop_the_error_says_what_to_do_and_the_twin_works(tmp_path):
    uvloop = pytest.importorskip("uvloop")

    async def main():
        async with a_book(tmp_path) as (book, thread_id):
            with pytest.raises(fb.Unsupported, match=r"uvloop\.Loop.*await book\.ahistory"):
                book.history(thread_id)
            status = await bridge.in_thread(acts, book, thread_id)
            histories = await asyncio.gather(*(bridge.in_thread(book.history, thread_id) for _ in range(30)))
            return status, {len(history) for history in histories}

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == ("finished", {6})


def test_the_twin_hands_everything_back_to_its_loop():
    async def main():
        here = asyncio.get_running_loop()

        async def where():
            return asyncio.get_running_loop(), threading.current_thread()

        def work(a, *, b):
            assert threading.current_thread() is not threading.main_thread()
            return bridge.wait(where, None), bridge.wait(where, here), a + b

        homeless, homely, total = await bridge.in_thread(work, 1, b=2)
        assert homeless == homely == (here, threading.main_thread())
        assert total == 3
        with pytest.raises(ZeroDivisionError):
            await bridge.in_thread(lambda: 1 / 0)

    asyncio.run(main())


def test_cancelling_the_twin_cancels_what_it_awaits():
    async def main():
        started, cancelled = asyncio.Event(), asyncio.Event()

        async def forever():
            started.set()
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

        task = asyncio.create_task(bridge.in_thread(bridge.wait, forever, None))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(cancelled.wait(), 5)

    asyncio.run(main())


@pytest.mark.outside
def test_in_a_notebook(tmp_path):
    """A real kernel: sync calls in a cell on an AsyncSqliteSaver of the kernel's loop; later cells live on."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    cells = [
        f"import sys; sys.path[:0] = {list(filter(None, sys.path))!r}",
        "import asyncio, pathlib\nfrom forkbook import aio as bridge\nfrom on_loops import *\nticks = []",
        f"manager = a_book(pathlib.Path({str(tmp_path)!r}))\nbook, thread_id = await manager.__aenter__()",
        "async def tick():\n    while True:\n        ticks.append(1)\n        await asyncio.sleep(0.01)\n"
        "ticking = asyncio.create_task(tick())",
        "print(len(book.history(thread_id)), 'nest_asyncio2' in sys.modules)",
        "print(acts(book, thread_id))",
        "seen = len(ticks)\nawait asyncio.sleep(0.2)\nprint(len(ticks) > seen)",
        "print(len(await bridge.in_thread(book.history, thread_id)))",
        "print(len(book.history(thread_id)))",
        "ticking.cancel()\nawait manager.__aexit__(None, None, None)\nprint('closed')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    printed = ["".join(out.get("text", "") for out in cell.outputs if out.name == "stdout") for cell in notebook.cells]
    assert [text.strip() for text in printed if text] == ["4 True", "finished", "True", "6", "6", "closed"]
