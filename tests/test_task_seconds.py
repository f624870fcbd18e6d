"""How long a task took, where the times of checkpoints tell it."""

import time
from typing import Annotated

import pandas as pd
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from shapes import facts_of, state
from typing_extensions import TypedDict

import forkbook as fb

SLEPT = 0.1


class Work(TypedDict, total=False):
    done: Annotated[list, lambda old, new: (old or []) + new]


def sleeper(name):
    def node(given):
        time.sleep(SLEPT)
        return {"done": [name]}

    return node


def built(saver, ask=False):
    """first, then two side by side, then last, which may ask."""
    build = StateGraph(Work)
    for name in ("first", "left", "right"):
        build.add_node(name, sleeper(name))
    build.add_node("last", lambda given: {"done": [interrupt("?")]} if ask else sleeper("last")(given))
    build.add_edge(START, "first")
    for name in ("left", "right"):
        build.add_edge("first", name)
    build.add_edge(["left", "right"], "last")
    return build.compile(checkpointer=saver)


def seconds(history):
    frame = history.tasks_df()
    return {name: list(part.seconds) for name, part in frame.groupby("name")}


AT = {"configurable": {"thread_id": "t"}}


def test_a_task_that_ran_alone(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "x.db")) as saver:
        graph = built(saver)
        graph.invoke({"done": []}, AT)
        from_graph = fb.connect(graph)["t"].tasks_df()
    for found in (from_graph, fb.connect(tmp_path / "x.db")["t"].tasks_df()):
        took = found.set_index("name").seconds
        assert took[["first", "last"]].between(SLEPT, SLEPT + 1).all()
        assert took["__start__"] < SLEPT
        assert took[["left", "right"]].isna().all()


def test_not_where_somebody_was_asked():
    graph = built(InMemorySaver(), ask=True)
    graph.invoke({"done": []}, AT)
    book = fb.connect(graph)
    assert [pd.isna(took) for took in seconds(book["t"])["last"]] == [True]
    time.sleep(0.2)
    book["t"][-1].answer("yes")
    assert [pd.isna(took) for took in seconds(book["t"])["last"]] == [True]


def test_not_after_an_edit_or_a_replay_by_hand():
    graph = built(InMemorySaver())
    graph.invoke({"done": []}, AT)
    book = fb.connect(graph)
    tip = book["t"].at(step=1).edit({"done": ["edited"]}, as_node="first").checkpoint
    time.sleep(0.2)
    tip.resume()
    frame = book["t"].tasks_df().merge(book["t"].checkpoints_df(), on="checkpoint_id", suffixes=("", "_since"))
    assert frame[frame.source == "update"].seconds.isna().all()
    assert frame[(frame.name == "last") & (frame.source == "loop")].seconds.between(SLEPT, SLEPT + 1).all()


def at(second, id_, parent=None, run="run", **more):
    made = state(id_, parent, second=second, **more)
    made["metadata"]["run_id"] = run
    return made


ONE, TWO = [{"name": "n", "result": {}}], [{"name": "n", "result": {}}, {"name": "m", "result": {}}]


@pytest.mark.parametrize(
    ("states", "found"),
    [
        ([at(0, "1", tasks=ONE), at(5, "2", "1", step=1)], 5.0),
        ([at(0, "1", tasks=ONE, source="input", step=-1), at(5, "2", "1", step=0)], 5.0),
        ([at(0, "1", tasks=ONE, source="fork"), at(5, "2", "1", step=1)], 5.0),  # by a run
        ([at(0, "1", tasks=ONE, source="fork", run=None), at(5, "2", "1", step=1, run=None)], None),
        ([at(0, "1", tasks=ONE, source="update"), at(5, "2", "1", step=1)], None),
        ([at(0, "1", tasks=TWO), at(5, "2", "1", step=1)], None),
        ([at(0, "1", tasks=ONE)], None),
        ([at(0, "1", tasks=ONE), at(5, "2", "1", step=1, run="other")], None),
        ([at(0, "1", tasks=ONE), at(5, "2", "1", step=3)], None),  # checkpoints between were not kept
        ([at(0, "1", tasks=ONE), at(5, "2", "1", step=1, source="update")], None),
        ([at(0, "1", tasks=ONE), at(5, "2", "1", step=1), at(9, "3", "1", step=1)], None),
        ([at(0, "1", tasks=ONE), at(5, "2", "1", step=1), at(9, "3", "1", step=1, run="other")], 5.0),
        ([at(0, "1", tasks=[{"name": "n", "interrupts": [{"value": "?"}]}]), at(5, "2", "1", step=1)], None),
        ([at(0, "1", tasks=[{"name": "n", "error": "E"}]), at(5, "2", "1", step=1)], None),
    ],
)
def test_by_hand(states, found):
    assert facts_of(*states).task_seconds.get((0, "task-1")) == found
