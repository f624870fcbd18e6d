"""After `os.fork()` a book on a server has connections of its own in the child."""

import os
import sys

import pytest
from proxy import proxy

import forkbook as fb

pytestmark = [pytest.mark.outside, pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")]


def in_a_child(act):
    """What a forked process says, as text."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            said = str(act())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def test_parent_and_child_read_by_connections_of_their_own(demo_url, demo_threads):
    ports = []

    with proxy(demo_url, ports=ports) as (url, _), fb.connect(url) as book:
        own = set(ports)
        ports.clear()
        for name in ("branches", "approval", "branches"):
            thread_id = demo_threads[name]
            assert in_a_child(lambda thread_id=thread_id: book.backend.thread(thread_id)["thread_id"]) == thread_id
        assert len(set(ports)) == 3
        assert not set(ports) & own
        ports.clear()
        assert book.backend.thread(demo_threads["branches"])["thread_id"] == demo_threads["branches"]
        assert set(ports) <= own


def test_a_child_that_closes_its_book_leaves_that_of_the_parent_open(demo_url, demo_threads):
    with fb.connect(demo_url) as book:
        assert in_a_child(book.close) == "None"
        assert book.backend.thread(demo_threads["branches"])["thread_id"] == demo_threads["branches"]
