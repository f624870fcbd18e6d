"""In a real kernel: its interrupt stops a run, whether a cell waits for it or none does; nothing else is changed."""

import sys
import time
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

TESTS = Path(__file__).parents[1]
OPENED = f"""
import sys
sys.path[:0] = [{str(TESTS)!r}, {str(TESTS / "helpers")!r}]
import signal
import forkbook as fb
from agents import graphs
from forkbook.widgets.explorer import Explorer
from langgraph.checkpoint.memory import InMemorySaver
book = fb.connect(graphs.build_talker(graphs.atalk).compile(checkpointer=InMemorySaver(), name="talker"))
explorer = Explorer((await book.arun(None, {{"topic": "cats"}})).history)
"""
RUN = """
edit = {"channel": "topic", "path": [], "text": '"%s"' % ("dogs " * 200)}
about = {"gesture": "run", "position": 2, "edits": [edit]}
explorer._handle_custom_msg({"id": "view-1", "ask": "do", "about": about}, [])
"""
UNDER_WAY = "print(bool(explorer.running and explorer.running['messages']))"


class Kernel:
    def __init__(self, client, manager):
        self.client, self.manager = client, manager

    def run(self, code):
        """What a cell prints."""
        return self.printed(self.client.execute(code))

    def printed(self, sent):
        found = []
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != sent:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                found.append(content["text"])
            elif message["msg_type"] == "error":
                found.append(f"{content['ename']}: {content['evalue']}")
            elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                return "".join(found).strip()

    def until(self, code, wanted):
        deadline = time.monotonic() + 30
        while self.run(code) != wanted:
            assert time.monotonic() < deadline, code
            time.sleep(0.1)


@pytest.fixture(scope="module")
def kernel(outside):
    manager = KernelManager(kernel_cmd=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    manager.start_kernel(cwd=str(TESTS.parent))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        started = Kernel(client, manager)
        assert started.run(OPENED) == ""
        yield started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_an_interrupt_stops_a_run_while_no_cell_runs(kernel):
    assert kernel.run(RUN) == ""
    kernel.until(UNDER_WAY, "True")
    time.sleep(0.3)
    kernel.manager.interrupt_kernel()
    kernel.until("print(explorer.running, explorer.result['kind'])", "None stopped")
    time.sleep(0.3)
    kernel.manager.interrupt_kernel()
    assert kernel.run("print(explorer.result['kind'])") == "stopped", "another one is ignored, as ever"


def test_an_interrupt_of_a_cell_that_waits_stops_the_run(kernel):
    assert kernel.run(RUN) == ""
    kernel.until(UNDER_WAY, "True")
    cell = kernel.client.execute("explorer.wait()\nprint('came back,', explorer.result['kind'])")
    time.sleep(0.5)
    kernel.manager.interrupt_kernel()
    assert kernel.printed(cell) == "came back, stopped"


def test_the_interrupt_of_another_cell_is_the_cell_s(kernel):
    assert kernel.run(RUN) == ""
    kernel.until(UNDER_WAY, "True")
    cell = kernel.client.execute("import time\ntime.sleep(30)")
    time.sleep(0.5)
    kernel.manager.interrupt_kernel()
    assert kernel.printed(cell).startswith("KeyboardInterrupt")
    assert kernel.run("print(explorer.running['stopping'])") == "False"
    stop = {"gesture": "stop"}
    assert kernel.run(f"explorer._handle_custom_msg({{'id': 'view-2', 'ask': 'do', 'about': {stop}}}, [])") == ""
    kernel.until("print(explorer.running, explorer.result['kind'])", "None stopped")


ASYNC = """
import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
saver = AsyncSqliteSaver(await aiosqlite.connect(":memory:"))
async_book = fb.connect(graphs.build_talker(graphs.atalk).compile(checkpointer=saver, name="talker"))
other = Explorer((await async_book.arun(None, {"topic": "cats"})).history)
edit = {"channel": "topic", "path": [], "text": '"dogs"'}
print(async_book.backend.awaits, len(other.history))
"""


def test_a_graph_that_needs_the_kernel_s_loop_runs_while_a_cell_waits_and_while_none_does(kernel):
    assert kernel.run(ASYNC) == "True 5"
    assert kernel.run(
        "other.do('run', position=2, edits=[edit])\nother.wait(20)\nprint(other.result['text'][:19])"
    ) == ("Branch B · finished")
    assert kernel.run("other.do('run', position=2, edits=[edit])") == ""
    kernel.until("print(other.running, other.result['text'][:19])", "None Branch C · finished")
    assert kernel.run("await saver.conn.close()") == ""
