"""Runs with an input or metadata, and answers to interrupts, on a real server and on a graph in this process."""

import uuid
from collections.abc import Callable

import pytest
from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_sync_client

import forkbook as fb


@pytest.fixture(params=["server", "graph"])
def begun(request) -> Callable[..., fb.History]:
    """Runs one of the test graphs with an input; its history."""

    def on_server(name, **input):
        client = get_sync_client(url=request.getfixturevalue("testbed"), api_key=None)
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, name, input=input)
        return fb.connect(request.getfixturevalue("testbed"))[thread_id]

    def in_process(name, **input):
        graph = getattr(graphs, f"build_{name}")().compile(checkpointer=InMemorySaver(), name=name)
        thread_id = str(uuid.uuid4())
        graph.invoke(input, {"configurable": {"thread_id": thread_id}})
        return fb.connect(graph)[thread_id]

    return on_server if request.param == "server" else in_process


def test_a_new_turn_goes_on_from_any_checkpoint(begun):
    history = begun("fanout", items=["x"])
    act = history.tips[0].resume(input={"items": ["y"]}, metadata={"why": "again", "n": 2})
    assert act.checkpoint.values["answers"] == ["x=unasked", "joined", "y=unasked", "joined"]
    assert (act.kind, act.status, act.checkpoint.branch) == ("resume", "finished", "A")
    new = act.history[len(history) :]
    assert [cp.source for cp in new] == ["input", "loop", "loop", "loop", "loop"]
    assert {(cp.metadata["why"], cp.metadata["n"]) for cp in new} == {("again", 2)}

    forked = history.tips[0].fork({"answers": ["mine"]}, as_node="join", input={"items": ["z"]}, metadata={"why": "f"})
    assert forked.checkpoint.values["answers"] == ["x=unasked", "joined", "mine", "z=unasked", "joined"]
    assert (forked.kind, forked.checkpoint.metadata["why"], forked.checkpoint.branch) == ("fork", "f", "B")

    later = act.checkpoint.resume(input={"items": []})
    assert "why" not in later.checkpoint.metadata, "what one act marks, the next does not carry on"
    assert not later.settings.config.get("configurable")


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"input": {"itms": []}}, fb.Refused, "no channel 'itms'; it has answers, ask, items"),
        ({"input": ["x"]}, fb.InvalidInput, "an input maps channels to values"),
        ({"metadata": {"source": "me"}}, fb.Refused, "'source': LangGraph or forkbook writes that itself"),
        ({"metadata": {"run_id": "1"}}, fb.Refused, "run_id"),
        ({"metadata": {"tags": ["a"]}}, fb.InvalidInput, "'tags'.*only text, numbers and booleans"),
        ({"metadata": {"x": float("nan")}}, fb.InvalidInput, "'x' is nan"),
        ({"metadata": "mine"}, fb.InvalidInput, "metadata maps names"),
    ],
)
def test_a_wrong_input_or_metadata_is_refused_and_nothing_written(begun, wrong, error, says):
    history = begun("fanout", items=[])
    for refused in (history[1].resume, lambda **wrong: history[1].fork({"ask": False}, **wrong)):
        with pytest.raises(error, match=says):
            refused(**wrong)
    assert len(history.refreshed()) == len(history)
