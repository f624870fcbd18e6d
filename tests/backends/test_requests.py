"""What an export asks a server for each thread: its history, and its size only where a run may have left more."""

import uuid
from collections import Counter

import pytest
from langgraph_sdk import get_sync_client
from proxy import Fault, proxy

import forkbook as fb

ASKED = {"messages": [{"type": "human", "id": "q", "content": "hi"}]}


def made(client, *, steps=2):
    """A thread that supersteps made: no run worked on it, and `help` is next."""
    thread_id = str(uuid.uuid4())
    supersteps = [{"updates": [{"values": ASKED, "as_node": "__input__"}]}]
    supersteps += [{"updates": [{"values": ASKED, "as_node": node}]} for node in ("__start__", "help")[: steps - 1]]
    client.threads.create(thread_id=thread_id, graph_id="helped", supersteps=supersteps)
    return thread_id


def ran(client):
    """A thread in which a run ran a subgraph that no task names."""
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, "helped", input=ASKED)
    return thread_id


@pytest.fixture
def client(testbed):
    return get_sync_client(url=testbed, api_key=None)


def asked(requests):
    """The requests for single threads, by thread: how often each was made."""
    found = {}
    for _, path, _ in requests:
        _, _, thread_id, *what = path.split("?")[0].split("/") if path.startswith("/threads/") else [""] * 3
        if thread_id not in ("", "search"):
            found.setdefault(thread_id, Counter())["/".join(what) or "record"] += 1
    return found


@pytest.mark.parametrize("name", ["x.forkbook", "x.json", "x.parquet"])
def test_a_thread_that_no_run_worked_on_takes_one_request(client, testbed, tmp_path, name):
    ids = [made(client, steps=steps) for steps in (1, 2, 3)]
    with proxy(testbed) as (url, requests), fb.connect(url) as book:
        book.threads(ids=ids)
        del requests[:]
        report = book.export(tmp_path / name, ids)
    assert (bool(report), report.threads, report.checkpoints) == (True, 3, 6)
    records = {"record": 2}  # of threads that are named: before they are read, and after
    assert asked(requests) == {id_: records | {"history": 1} for id_ in ids}


def test_a_thread_that_ran_is_asked_for_its_size_once(client, testbed, tmp_path):
    ids = [ran(client), ran(client)]
    with proxy(testbed) as (url, requests), fb.connect(url) as book:
        report = book.export(tmp_path / "x.json", ids)
    assert report.checkpoints == 2 * (4 + 3)
    assert all(found["storage"] == 1 for found in asked(requests).values())


def test_a_run_that_goes_on_from_supersteps_may_leave_more(client, testbed, tmp_path):
    thread_id = made(client)
    client.runs.wait(thread_id, "helped", input=None)
    with fb.connect(testbed) as book:
        report = book.export(tmp_path / "x.json", [thread_id])
        history = book.history(thread_id, subgraphs=True)
    assert report.checkpoints == len(history)
    assert sum(bool(cp.namespace) for cp in history) == 3


def test_a_run_shows_in_the_record_before_it_writes(client, testbed, tmp_path):
    thread_id = made(client)
    run = client.runs.create(thread_id, "helped", input=None, after_seconds=60)
    try:
        with proxy(testbed) as (url, requests), fb.connect(url) as book:
            book.export(tmp_path / "x.json", [thread_id])
        assert asked(requests)[thread_id]["storage"] == 1
    finally:
        client.runs.cancel(thread_id, run["run_id"])


@pytest.mark.parametrize("status", [405, 501])
def test_a_server_that_does_not_measure_threads_is_asked_once(client, testbed, tmp_path, status):
    ids = [ran(client) for _ in range(3)]
    fault = lambda _, path: Fault(status) if path.endswith("/storage") else None  # noqa: E731
    with proxy(testbed, fault=fault) as (url, requests), fb.connect(url) as book:
        report = book.export(tmp_path / "x.json", ids, readers=1)
    assert (bool(report), report.checkpoints) == (True, 3 * 4)
    assert sum(found["storage"] for found in asked(requests).values()) == 1
