"""One Agent Server for the whole run: started by the first process, its address handed to the workers."""

import contextlib
import json
import uuid

import pytest
from langgraph_sdk import get_sync_client

import forkbook as fb


@contextlib.contextmanager
def seeded_server():
    from forkbook.demo import seed, server

    with server.start() as running:
        yield {"url": running.url, "threads": seed.seed(running.url)}


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.forkbook_stack = contextlib.ExitStack()
        config.forkbook_demo = None


def demo_of(config):
    if hasattr(config, "workerinput"):
        return json.loads(config.workerinput["forkbook_demo"])
    if config.forkbook_demo is None:
        config.forkbook_demo = config.forkbook_stack.enter_context(seeded_server())
    return config.forkbook_demo


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["forkbook_demo"] = json.dumps(demo_of(node.config))


def pytest_unconfigure(config):
    if hasattr(config, "forkbook_stack"):
        config.forkbook_stack.close()


@pytest.fixture(scope="session")
def demo(request):
    return demo_of(request.config)


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
