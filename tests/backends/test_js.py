"""Stores that LangGraph.js wrote (see data/make_js_store.mjs), beside what LangGraph.js says of them itself."""

import json
import pathlib
import shutil

import pandas as pd
import psycopg
import pytest
from databases import fresh_database

import forkbook as fb

DATA = pathlib.Path(__file__).parent / "data"
STORES = ["langgraph-js", "langgraph-js-0.2", pytest.param("langgraph-js-postgres", marks=pytest.mark.outside)]
ABORTED = {"AbortError: This operation was aborted", "Error: Aborted"}


@pytest.fixture(scope="module", params=STORES)
def said(request):
    """What LangGraph.js says of the threads of a store."""
    return request.param, json.loads((DATA / f"{request.param}.json").read_text())


@pytest.fixture(scope="module")
def book(said, tmp_path_factory, request):
    name, _ = said
    if name != "langgraph-js-postgres":
        place = shutil.copy(DATA / f"{name}.sqlite", tmp_path_factory.mktemp("js") / "store.sqlite")
    else:
        place = fresh_database(request.getfixturevalue("postgres"))
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute((DATA / f"{name}.sql").read_text())
    with fb.connect(place) as opened:
        yield opened


def test_next_and_tasks_are_those_of_langgraph_js(book, said):
    assert set(book.threads().thread_id) == said[1].keys()
    for thread, states in said[1].items():
        history = book[thread]
        assert [cp.id for cp in history][::-1] == [state["id"] for state in states]
        for cp, state in zip(history[::-1], states, strict=True):
            assert (cp.parent.id if cp.parent else None) == state["parent"]
            if thread == "functional asks":
                assert cp.next is None  # that the entrypoint is all of the graph stands nowhere in the store
                continue
            assert sorted(cp.next) == sorted(state["next"])
            tasks = {task["id"]: (task["name"], task["interrupts"]) for task in cp.tasks}
            assert tasks == {task["id"]: (task["name"], task["asks"]) for task in state["tasks"]}


def test_what_waits_is_shown_with_its_question(book, said):
    tips = {thread: book[thread].tips[-1] for thread in said[1]}
    asked = {thread: [item["value"] for item in tip.waiting_for] for thread, tip in tips.items() if tip.waiting_for}
    assert {thread: sorted(values, key=str) for thread, values in asked.items()} == {
        "open": [{"question": "ok?"}], "two questions": ["first?", "second?"], "nested": ["sure?"],
        "functional asks": [4],
    }  # fmt: skip
    assert {thread for thread, tip in tips.items() if tip.status == "waiting"} == asked.keys()
    flow = "flow" if said[0] == "langgraph-js-0.2" else None  # it kept the node with the question
    nodes = {thread: {item["node"] for item in tips[thread].waiting_for} for thread in asked}
    assert nodes == {
        "open": {"ask"}, "two questions": {"one", "two"}, "nested": {"review"}, "functional asks": {flow},
    }  # fmt: skip
    for thread in asked:
        frame = book[thread].checkpoints_df()
        assert frame[frame.is_tip].interrupted.all()
        assert list(book[thread].branches_df().status) == ["waiting"]
    rows = book["functional asks"].tasks_df()
    assert [None if name is pd.NA else name for name in rows.name] == [flow]
    assert rows.task_id.notna().all()


def test_what_failed_is_shown_with_its_error(book):
    history = book["failing"]
    assert history.tips[0].status == "error"
    assert list(history.checkpoints_df().error.dropna()) == ["Error: no luck"]
    errors = history.tasks_df().set_index("name").error.dropna()
    assert set(errors) <= {"Error: no luck", *ABORTED}
    assert errors["fail"] == "Error: no luck"


def test_what_stopped_or_ended(book):
    assert book["stopped"].tips[0].status == "pending"
    assert book["stopped"].tips[0].next == ("two",)
    ended = ("answered", "fan-out", "odd", "removed", "functional", "chat")
    assert {thread: book[thread].tips[0].status for thread in ended} == dict.fromkeys(ended, "finished")
    assert len(book["chat"].tips) == 3


def test_messages_are_as_pythons(book, said):
    history = book["chat"]
    assert [message["type"] for message in history.tips[0].values["messages"]] == ["human", "ai", "tool", "ai"]
    assert history.tips[0].values["messages"][1] == {
        "content": "", "additional_kwargs": {}, "response_metadata": {"model_name": "fake"}, "type": "ai", "name": None,
        "id": "ai-1", "tool_calls": [{"name": "search", "args": {"q": "cats"}, "id": "call-1", "type": "tool_call"}],
        "invalid_tool_calls": [], "usage_metadata": {"input_tokens": 10, "output_tokens": 1, "total_tokens": 11},
    }  # fmt: skip
    frame = history.checkpoints_df().set_index("checkpoint_id")
    theirs = {state["id"]: len(state["values"]["messages"]) for state in said[1]["chat"]}
    assert frame.n_messages.to_dict() == theirs  # on Postgres LangGraph.js itself mixes up what branches hold
    assert frame[frame.method == "reported"].spent_tokens.tolist()[:2] == [11, 22]
    assert [message["id"] for message in book["removed"][-1].values["messages"]] == ["human-2"]


def test_values_that_json_lacks(book, said):
    found = book["odd"][-1].values["odd"]
    if said[0] == "langgraph-js-0.2":
        assert found.pop("bytes") == {"0": 1, "1": 2, "2": 255}
        assert found.pop("fault") == {"__type__": "enum", "value": "bad", "class": "TypeError"}
    wanted = {
        "bytes": {"__type__": "bytes", "value": "AQL/"}, "nothing": None,
        "set": {"__type__": "set", "value": ["b", 1]}, "map": {"__type__": "dict", "value": [["k", 1]]},
        "when": "1970-01-01T00:00:00.000Z", "pattern": {"__type__": "regex", "value": "a+", "flags": "gi"},
        "fault": {"__type__": "enum", "value": "bad", "class": "Error"}, "nan": None, "none": None,
        "big": 1152921504606847000,
    }  # fmt: skip
    assert found == {name: value for name, value in wanted.items() if name in found}
    assert len(found) >= 8
    assert sorted(book["fan-out"][-1].values["jokes"]) == ["a", "b", "both", "left", "right"]


def test_subgraphs_are_read(book):
    history = book.history("nested", subgraphs=True)
    inner = [cp for cp in history if cp.namespace]
    assert [cp.status for cp in inner if cp.is_tip] == ["waiting"]
    assert {cp.task["name"] for cp in inner} == {"review"}


def test_it_is_the_same_after_an_export(book, said, tmp_path):
    for name in ("js.forkbook", "js.json"):
        assert book.export(tmp_path / name)
        with fb.connect(tmp_path / name) as copy:
            for thread in said[1]:
                assert repr(copy[thread]) == repr(book[thread])
                assert copy[thread].tasks_df().equals(book[thread].tasks_df())
