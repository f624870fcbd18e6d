"""What tests share, and what kind of test each one is.

A test is a unit test unless it uses the fixture `outside`, as every fixture does that starts something, or carries one
of the markers `outside`, `long`, `slow` and `versions`. A unit test that starts a process or opens a connection fails
(guard.py). Tests that reach outside run again when they fail, for servers and clocks have their own mind; others never,
and no campaign, whose rare fault is what it is for.
"""

import asyncio
import os
import signal
import sys
import uuid

import guard
import pytest
import shared
from hypothesis import settings
from langgraph_sdk import get_sync_client

import forkbook as fb

NO_UNIT_TEST = ("outside", "long", "slow", "versions")
RERUNS = 2

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in a background job, whose children would not hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

guard.install()
settings.register_profile("full")  # see laws.py


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.forkbook_started = shared.Started()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Twice as many as cores: most tests wait for servers and browsers most of the time, but unit tests never."""
    cores = os.cpu_count() or 1
    return min(cores if config.option.markexpr == "unit" else 2 * cores, 8)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    if not hasattr(node.config, "forkbook_desk"):
        node.config.forkbook_desk = shared.Desk(node.config.forkbook_started)
    node.workerinput["desk"] = node.config.forkbook_desk.address


def pytest_unconfigure(config):
    if hasattr(config, "forkbook_started"):
        config.forkbook_started.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark unit tests, and have the others that reach outside run again when they fail."""
    for item in items:
        if "outside" in item.fixturenames:
            item.add_marker("outside")
        if not any(item.get_closest_marker(name) for name in NO_UNIT_TEST):
            item.add_marker("unit")
        if item.get_closest_marker("outside") and not item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.flaky(reruns=RERUNS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from _in_its_process(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from _in_its_process(item))


def _in_its_process(item):
    if not item.get_closest_marker("unit"):
        return (yield)
    with guard.no_way_out():
        return (yield)


@pytest.fixture(autouse=True)
def open_loop():
    """Once a test has called for nest_asyncio2, `asyncio.run` takes this thread's loop; a test may have closed it."""
    if "nest_asyncio2" in sys.modules and asyncio.get_event_loop_policy().get_event_loop().is_closed():
        asyncio.set_event_loop(asyncio.new_event_loop())


@pytest.fixture(scope="session")
def outside(pytestconfig):
    """What the whole run shares, by name (shared.py): a server starts when it is first asked for.

    Who uses this, by whatever way, is no unit test.
    """
    if hasattr(pytestconfig, "workerinput"):
        return lambda name: shared.ask(pytestconfig.workerinput["desk"], name)
    return pytestconfig.forkbook_started.get


@pytest.fixture(scope="session")
def demo(outside):
    return outside("demo")


@pytest.fixture(scope="session")
def testbed(outside):
    """The address of a server with the graphs of `agents/graphs.py`; tests make their own threads there."""
    return outside("testbed")


@pytest.fixture(scope="session")
def target_url(outside):
    """The address of a second server with the sample agent, to migrate to."""
    return outside("target")


@pytest.fixture(scope="session")
def postgres(outside):
    """The address of a real PostgreSQL; tests make their own databases there (databases.py)."""
    return outside("postgres")


@pytest.fixture(scope="session")
def demo_url(demo):
    return demo["url"]


@pytest.fixture(scope="session")
def demo_threads(demo):
    """Names of the seeded threads with their ids; tests read them, and act on copies."""
    return demo["threads"]


@pytest.fixture
def book(demo_url):
    with fb.connect(demo_url) as opened:
        yield opened


@pytest.fixture
def client(demo_url):
    return get_sync_client(url=demo_url, api_key=None)


@pytest.fixture
def joke_thread(client):
    """A fresh thread that ran once: input, __start__, generate_topic, write_joke, for user 123."""
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id)
    client.runs.wait(thread_id, "agent", input={}, config={"configurable": {"user_id": "123"}})
    return thread_id
