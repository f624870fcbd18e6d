"""Agent Servers for the whole run: started by the first process, their addresses handed to the workers.

`demo` has the sample agent and its threads, `target` the sample agent alone, `testbed` the graphs of `agents/graphs.py`
and no thread.
"""

import contextlib
import json
import os
import signal
import uuid

import pytest
from agents.server import testbed_server
from langgraph_sdk import get_sync_client

import forkbook as fb

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in a background job, whose children would not hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def seeded_server():
    from forkbook.demo import seed, server

    with server.start() as running:
        yield {"url": running.url, "threads": seed.seed(running.url)}


@contextlib.contextmanager
def target_server():
    from forkbook.demo import server

    with server.start() as running:
        yield running.url


SERVERS = {"demo": seeded_server, "testbed": testbed_server, "target": target_server}


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.forkbook_stack = contextlib.ExitStack()
        config.forkbook_servers = {}


def served(config, name):
    """What a server tells of itself; it starts when it is first asked for."""
    if hasattr(config, "workerinput"):
        return json.loads(config.workerinput[name])
    if name not in config.forkbook_servers:
        config.forkbook_servers[name] = config.forkbook_stack.enter_context(SERVERS[name]())
    return config.forkbook_servers[name]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Twice as many as cores: most tests wait for servers and browsers most of the time."""
    return min(2 * (os.cpu_count() or 1), 8)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    for name in SERVERS:
        node.workerinput[name] = json.dumps(served(node.config, name))


def pytest_unconfigure(config):
    if hasattr(config, "forkbook_stack"):
        config.forkbook_stack.close()


@pytest.fixture(scope="session")
def demo(request):
    return served(request.config, "demo")


@pytest.fixture(scope="session")
def testbed(request):
    """The address of a server with the graphs of `agents/graphs.py`; tests make their own threads there."""
    return served(request.config, "testbed")


@pytest.fixture(scope="session")
def target_url(request):
    """The address of a second server with the sample agent, to migrate to."""
    return served(request.config, "target")


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
