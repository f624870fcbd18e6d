"""What a run is run with: what the user configured, and nothing that belongs to another run or to LangGraph."""

from functools import partial

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from places import in_process, on_server

import forkbook as fb
from forkbook.backends.configured import from_metadata
from forkbook.backends.graph.snapshots import DECLARED

ADDRESS = {"thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map"}
SERVERS = {"run_id", "graph_id", "assistant_id", "langgraph_request_id", "langgraph_auth_user_id"}
ADA = {"configurable": {"user_id": "ada", "temperature": 0.5, "deep": True}}


def told(act):
    """What the last run's nodes saw in their `configurable`, the addresses left out."""
    own = [{k: v for k, v in seen.items() if k not in ADDRESS | SERVERS and not k.startswith("__")}
           for seen in act.checkpoint.values["told"]]  # fmt: skip
    return own[-1]


@pytest.fixture(params=[pytest.param("server", marks=pytest.mark.outside), "memory", "sqlite"])
def begun(request, tmp_path):
    """Runs a graph with a config; the book and the thread's id."""
    if request.param == "server":
        yield partial(on_server, request.getfixturevalue("testbed"))
    elif request.param == "memory":
        yield in_process
    else:
        with SqliteSaver.from_conn_string(str(tmp_path / "store.sqlite")) as saver:
            yield partial(in_process, saver=saver)


def test_only_what_the_user_configured_goes_along(begun):
    book, thread_id = begun("told", {"changes": ["x"]}, config=ADA)
    history = book.history(thread_id)
    for act in (
        history.tips[0].answer("yes", in_copy=True),
        history.at(step=0).resume(in_copy=True),
        history.at(step=0).fork({"changes": ["y"]}, in_copy=True),
        history.at(step=0).resume(),
        book.run(thread_id, {"changes": ["z"]}),
    ):
        assert told(act) == ADA["configurable"], act
        assert act.settings.config["configurable"] == ADA["configurable"]


def test_nothing_goes_along_where_nothing_was_configured(begun):
    book, thread_id = begun("told", {"changes": ["x"]})
    act = book[thread_id].at(step=0).resume(in_copy=True)
    assert not act.settings.config.get("configurable")
    assert told(act).get("user_id", "") == ""
    assert told(act).keys() <= {"user_id"}


def test_what_an_act_gave_as_metadata_is_no_configuration_of_the_next(begun):
    book, thread_id = begun("told", {"changes": ["x"]}, config=ADA)
    first = book[thread_id].at(step=0).resume(metadata={"why": "test"}, config={"metadata": {"team": "red"}})
    second = first.checkpoint.parent.resume(in_copy=True)
    assert told(second) == ADA["configurable"]


def test_langgraphs_own_names_are_known():
    assert {"source", "step", "parents", "run_id", "thread_id"} <= DECLARED
    scalars = dict.fromkeys(("run_attempt", "created_by", "graph_id", "cron_id", "task_id", "langgraph_version"), "x")
    others = {
        "ls_integration": "x",
        "lc_agent_name": "x",
        "lc_versions": {"a": "1"},
        "counters_since_delta_snapshot": {},
    }
    scalars |= dict.fromkeys(DECLARED, "x")
    mine = {"user_id": "ada", "checkpoint_dir": "/tmp", "top_k": 3, "on": False}
    assert from_metadata({**scalars, **others, **mine}, DECLARED) == mine


def test_stops_belong_to_the_run_that_was_given_them(begun):
    stop = {"interrupt_before": ["two"]}
    book, thread_id = begun("strict", {}, **stop)
    stopped = book[thread_id].tips[0]
    assert stopped.next == ("two",)
    start = stopped.parent
    assert start.own_settings().interrupt_before is None
    for act in (
        start.resume(in_copy=True),
        start.fork({"size": 5}, as_node="__start__", in_copy=True),
        stopped.resume(in_copy=True),
        book.run(thread_id, {"size": 7}),
        start.resume(interrupt_after=["one"]).checkpoint.resume(),
    ):
        assert (act.status, act.settings.interrupt_before, act.settings.interrupt_after) == ("finished", None, None)
        assert "interrupt" not in act.code()
    assert set(start.sweep([{"label": "a"}], interrupt_before=["two"]).df().status) == {"pending"}
    assert set(start.sweep([{"label": "a"}, None]).df().status) == {"finished"}


WRONG = [
    ({"user_id": "x"}, r"no key 'user_id': what nodes read is config=\{\"configurable\": \{\"user_id\": …\}\}"),
    ({"tags": ["a"], "a": 1, "b": 2}, r"no key 'a', 'b': .*\{\"a\": …, \"b\": …\}"),
    ({"configurabel": {"user_id": "x"}}, "no key 'configurabel': 'configurable' is"),
    ({"recursion_limt": 3}, "'recursion_limit' is"),
    ({"configurable": "x"}, "is a mapping"),
    ("x", "give a mapping"),
]


def test_a_config_of_another_form_is_refused_before_anything_is_written(begun):
    book, thread_id = begun("told", {"changes": ["x"]})
    history = book[thread_id]
    start, asking = history[1], history.tips[0]
    for config, says in WRONG:
        for act in (
            lambda config: start.resume(config=config),
            lambda config: start.fork({"changes": ["y"]}, config=config),
            lambda config: asking.answer("x", config=config),
            lambda config: start.sweep([None], config=config),
            lambda config: book.run(thread_id, {}, config=config),
        ):
            with pytest.raises(fb.InvalidInput, match=says):
                act(config)
    assert len(history.refreshed()) == len(history)
    with pytest.raises(fb.InvalidInput) as caught:
        start.resume(config={"metdata": {}})
    assert caught.value.candidates == ("metadata",)


def test_every_key_of_a_config_is_taken(begun):
    book, thread_id = begun("told", {"changes": ["x"]})
    config = {"tags": ["t"], "metadata": {"m": 1}, "recursion_limit": 20, "configurable": {"user_id": "u"}}
    act = book[thread_id][1].resume(config=config | {"run_name": "mine", "max_concurrency": 2})
    assert told(act)["user_id"] == "u"
