"""Threads written exactly into the checkpointers of graphs in this process."""

import contextlib
import copy
import dataclasses
import datetime as dt
import enum
import operator
import re
from typing import Annotated, Any, NamedTuple, TypedDict

import pytest
from agents import graphs
from databases import fresh_database
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import _messages_delta_reducer, add_messages
from langgraph.types import Command, Send, interrupt
from langgraph_sdk import get_sync_client
from odd_runs import MAKERS, at
from pydantic import BaseModel
from savers import SAVERS, Synced, a_saver
from seeding import compiled, seed

import forkbook as fb
from forkbook.backends.graph.calls import caller_of
from forkbook.backends.read import everything

NEW_ID = re.compile(r"(, id=')?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'?")
COMMON = {"thread_id", "checkpoint_id", "parent_checkpoint_id", "run_id", "parents"}


def demo(saver):
    """The demo's threads, made here."""
    graph = compiled(saver)
    return graph, list(seed(graph).values())


def joining(saver):
    """A join that one side has reached when the other asks, a route beside it, a deferred node; an edit in between."""

    def ask(state):
        return {"jokes": [interrupt("ready?")]}

    builder = StateGraph(TypedDict("State", {"jokes": Annotated[list, operator.add]}))
    for name in ("quick", "slow", "route", "left", "right", "joined", "late"):
        builder.add_node(name, lambda state, name=name: {"jokes": [name]}, defer=name == "late")
    builder.add_node("ask", ask)
    for name in ("quick", "slow", "route"):
        builder.add_edge(START, name)
    builder.add_conditional_edges("route", lambda state: ["left", Send("right", state)], ["left", "right"])
    builder.add_edge("slow", "ask").add_edge(["quick", "ask"], "joined").add_edge("quick", "late")
    builder.add_edge("joined", END)
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"jokes": []}, at("open"))
    graph.invoke({"jokes": []}, at("answered"))
    graph.invoke(Command(resume="yes"), at("answered"))
    graph.invoke({"jokes": []}, at("edited"))
    graph.update_state(at("edited"), {"jokes": ["by hand"]}, as_node="ask")
    return graph, ["open", "answered", "edited"]


def partly(saver):
    """Parallel tasks: one routes on, one asks."""

    def ask(state):
        return {"jokes": [interrupt("ready?")]}

    builder = StateGraph(TypedDict("State", {"jokes": Annotated[list, operator.add]}))
    builder.add_node("done", lambda state: {"jokes": ["done"]}).add_node("ask", ask)
    builder.add_node("next", lambda state: {"jokes": ["next"]}).add_node("sent", lambda item: {"jokes": [item]})
    builder.add_node("both", lambda state: {"jokes": ["both"]})
    builder.add_edge(START, "done").add_edge(START, "ask").add_edge(["done", "ask"], "both")
    builder.add_conditional_edges("done", lambda state: ["next", Send("sent", "parcel")], ["next", "sent"])
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"jokes": []}, at("partly"))
    return graph, ["partly"]


def on(graph, saver):
    twin = copy.copy(graph)
    twin.checkpointer = saver
    return twin


def saved(saver):
    """All that a saver holds, as comparable text."""
    return sorted(repr(each) for each in caller_of(saver).each(lambda each: each, saver, "list", None))


def exact(report):
    """Whether every thread was written, and is what it was, with all ids."""
    assert {(move.outcome, move.verdict) for move in report.moves} == {("created", "identical")}, report
    return bool(report) and all(move.thread_id == move.new_thread_id for move in report.moves)


def story(graph, thread_id, since):
    """What a thread's newer checkpoints say, less what each run makes anew."""

    def said(snapshot):
        failed = any(task.error for task in snapshot.tasks)  # who beside it ended in time is chance
        results = [None if failed else task.result for task in snapshot.tasks]
        tasks = [(task.name, task.error, [i.value for i in task.interrupts]) for task in snapshot.tasks]
        kept = {key: value for key, value in snapshot.metadata.items() if key not in COMMON}
        return NEW_ID.sub("", repr((snapshot.values, snapshot.next, tasks, results, kept)))

    history = graph.get_state_history(at(thread_id))
    return [said(s) for s in history if s.config["configurable"]["checkpoint_id"] not in since]


def ids(graph, thread_id):
    return [s.config["configurable"]["checkpoint_id"] for s in graph.get_state_history(at(thread_id))]


@pytest.fixture(params=SAVERS)
def saver(request, tmp_path):
    uri = lambda: fresh_database(request.getfixturevalue("postgres"))  # noqa: E731
    with a_saver(request.param, tmp_path, uri) as found:
        yield found


def test_a_servers_threads_are_identical_in_every_checkpointer(book, demo_threads, saver):
    graph = compiled(saver)
    assert exact(fb.migrate(book, graph, demo_threads.values()))


@pytest.mark.parametrize("stop", range(1, 46, 6))
def test_what_was_cut_short_goes_on(book, demo_threads, stop):
    """Each checkpoint that is to be seen is whole; written again, all is as if nothing had happened."""
    thread_id = demo_threads["branches"]
    states, _ = everything(book.backend, thread_id)

    class Cut(InMemorySaver):
        calls = 0

        def count(self):
            self.calls += 1
            if self.calls == stop:
                raise OSError("the disk is full")

        def put(self, *args):
            self.count()
            return super().put(*args)

        def put_writes(self, *args):
            self.count()
            return super().put_writes(*args)

    savers = InMemorySaver(), Cut()
    whole, cut = (fb.connect(compiled(saver)) for saver in savers)
    whole.backend.plant(thread_id, states)
    with pytest.raises(fb.SourceError, match="the disk is full"):
        cut.backend.plant(thread_id, states)
    if stop > 2:
        known = {state["checkpoint"]["checkpoint_id"]: state for state in everything(whole.backend, thread_id)[0]}
        there, _ = everything(cut.backend, thread_id)
        assert there
        assert all(state == known[state["checkpoint"]["checkpoint_id"]] for state in there)
    cut.backend.plant(thread_id, states)
    assert saved(savers[1]) == saved(savers[0])


@pytest.mark.long
@pytest.mark.parametrize("make", [*MAKERS, demo, joining, partly], ids=lambda make: make.__name__)
def test_a_run_from_any_checkpoint_goes_on_as_on_the_original(make):
    graph, threads = make(InMemorySaver())
    planted = on(graph, InMemorySaver())
    assert exact(fb.migrate(graph, planted))
    for thread_id in threads:
        runs = [(checkpoint_id, None) for checkpoint_id in ids(graph, thread_id)]
        if graph.get_state(at(thread_id)).interrupts:
            runs.append((None, Command(resume="yes")))
        for checkpoint_id, given in runs:
            stories = []
            for place in (graph, planted):
                twin = on(place, copy.deepcopy(place.checkpointer))
                twin.store = copy.deepcopy(place.store)
                since = set(ids(twin, thread_id))
                with contextlib.suppress(ValueError, ZeroDivisionError, TypeError):
                    twin.invoke(given, at(thread_id, checkpoint_id), durability="sync")
                stories.append(story(twin, thread_id, since))
            if make.__name__ not in ("odd", "functional"):  # what was sent, and what came in, is not shown
                assert stories[0] == stories[1], checkpoint_id


def test_nothing_marks_a_checkpointer_so_what_is_there_is_compared(book, demo_threads, saver, monkeypatch):
    wanted = list(demo_threads.values())
    method = "aput" if caller_of(saver).awaits else "put"
    put, puts = getattr(type(saver), method), []

    def failing(self, *args):
        puts.append(args)
        if len(puts) == 9:
            raise OSError("the disk is full")
        return put(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(type(saver), method, failing)
        report = fb.migrate(book, compiled(saver), wanted)
    assert report.counts["error"] == 1
    report = fb.migrate(book, compiled(saver), wanted)
    assert report.counts["created"] >= 1
    assert [move.verdict for move in report.moves] == ["identical"] * len(wanted)
    assert all("own metadata" in " ".join(move.not_kept) for move in report.moves)
    report = fb.migrate(book, compiled(saver), wanted)
    assert report
    assert report.counts["already there"] == len(wanted)

    Synced(compiled(saver)).invoke({}, at(wanted[0]))
    report = fb.migrate(book, compiled(saver), wanted[:1])
    assert (report.moves[0].outcome, bool(report)) == ("conflict", False)


def asking(saver):
    builder = StateGraph(TypedDict("State", {"said": Annotated[list, operator.add]}))
    builder.add_node("first", lambda state: {"said": [interrupt("one?")]})
    builder.add_node("then", lambda state: {"said": [interrupt("two?")]})
    builder.add_edge(START, "first").add_edge("first", "then")
    return builder.compile(checkpointer=saver)


def edited(graph):
    first = list(graph.get_state_history(at("t")))[-1]
    graph.update_state(first.config, {"said": ["edit"]}, as_node="__start__")


LATER = {
    "answered": lambda graph: graph.invoke(Command(resume="yes"), at("t")),
    "forked": edited,
    "asked anew": lambda graph: graph.invoke({"said": ["again"]}, at("t")),
}


@pytest.mark.parametrize("is_open", [True, False], ids=["marked", "unmarked"])
@pytest.mark.parametrize("later", LATER)
def test_a_source_that_only_grew_is_written_on(saver, later, is_open):
    source = asking(InMemorySaver())
    source.invoke({"said": []}, at("t"))
    places = asking(saver)
    target = fb.connect(places) if is_open else places
    assert exact(fb.migrate(source, target))
    before = saved(saver)
    LATER[later](source)
    assert fb.migrate(source, target, dry_run=True).counts["planned"] == 1
    assert saved(saver) == before
    report = fb.migrate(source, target)
    assert (report.counts["created"], exact(report)) == (1, True), report
    assert fb.verify(source, target)
    assert fb.migrate(source, target).counts["already there"] == 1
    Synced(places).invoke(Command(resume="mine"), at("t"))
    LATER["answered"](source)
    assert fb.migrate(source, target).counts["conflict"] == 1


@pytest.mark.parametrize("is_open", [True, False], ids=["marked", "unmarked"])
def test_an_answer_that_the_target_has_and_the_source_has_not_is_left_alone(saver, is_open):
    source, places = asking(InMemorySaver()), asking(saver)
    source.invoke({"said": []}, at("t"))
    target = fb.connect(places) if is_open else places
    assert exact(fb.migrate(source, target))
    Synced(places).invoke(Command(resume="mine"), at("t"))
    before = saved(saver)
    LATER["forked"](source)
    assert fb.migrate(source, target).counts["conflict"] == 1
    assert saved(saver) == before


def test_a_thread_under_a_new_id_is_identical_but_for_that(book, demo_threads):
    graph = compiled(InMemorySaver())
    graph.invoke({}, at(demo_threads["branches"]))
    report = fb.migrate(book, graph, [demo_threads["branches"]], on_conflict="new_id")
    (move,) = report.moves
    assert (move.outcome, move.verdict) == ("created", "identical")
    assert move.new_thread_id != move.thread_id
    states, _ = everything(fb.connect(graph).backend, move.new_thread_id)
    assert {state["metadata"]["thread_id"] for state in states} == {move.new_thread_id}


def test_a_thread_without_checkpoints_has_no_place_there(demo_url, client):
    thread_id = client.threads.create()["thread_id"]
    report = fb.migrate(demo_url, compiled(InMemorySaver()), [thread_id])
    assert report.moves[0].outcome == "error"
    assert "no checkpoint" in report.moves[0].reason


def waiting(client, graph_id, input):
    """A thread of the testbed that waits for answers."""
    thread_id = client.threads.create(graph_id=graph_id)["thread_id"]
    client.runs.wait(thread_id, graph_id, input=input)
    return thread_id


BUILDERS = {
    "questions": (graphs.build_questions, {}, ["a", "b", "c"]),
    "nested": (graphs.build_nested, {}, ["x"]),
    "fanout": (graphs.build_fanout, {"items": ["a", "b"], "ask": True}, None),
    "team": (graphs.build_team, {"items": ["a", "b"], "ask": True}, None),
}


@pytest.mark.parametrize(
    ("name", "saver"),
    [("questions", "memory"), ("fanout", "sqlite"), ("team", "async sqlite"), ("nested", "postgres")],
    indirect=["saver"],
)
def test_what_waits_on_a_server_can_be_answered_here(testbed, name, saver):
    build, given, answers = BUILDERS[name]
    client = get_sync_client(url=testbed, api_key=None)
    thread_id = waiting(client, name, given)
    graph = build().compile(checkpointer=saver)
    assert exact(fb.migrate(testbed, graph, [thread_id]))

    asked = client.threads.get_state(thread_id, subgraphs=True)["interrupts"]
    here = Synced(graph)
    for answer in answers or [{question["id"]: question["value"].upper() for question in asked}]:
        client.runs.wait(thread_id, name, command={"resume": answer})
        here.invoke(Command(resume=answer), at(thread_id))
    there, mine = client.threads.get_state(thread_id), here.get_state(at(thread_id))
    assert (mine.values, list(mine.next)) == (there["values"], there["next"]) != ({}, [])
    shapes = [
        [(cp.step, cp.source, cp.next) for cp in fb.connect(place).history(thread_id)] for place in (testbed, graph)
    ]
    assert shapes[0] == shapes[1]


def test_a_server_a_store_and_an_archive_go_to_postgres(book, demo_threads, tmp_path, postgres):
    """Through a graph; what is there then equals the source, read without the graph, too."""
    from langgraph.checkpoint.postgres import PostgresSaver

    path, archive, uri = tmp_path / "store.sqlite", tmp_path / "x.forkbook", fresh_database(postgres)
    with SqliteSaver.from_conn_string(str(path)) as saver:
        _, threads = demo(saver)
    with fb.connect(path) as store:
        assert not store.export(archive).errors
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        assert exact(fb.migrate(path, compiled(saver)))
    graph = compiled(InMemorySaver())
    assert exact(fb.migrate(archive, graph))
    served = fresh_database(postgres)
    with PostgresSaver.from_conn_string(served) as saver:
        saver.setup()
        assert exact(fb.migrate(book, compiled(saver), demo_threads.values()))
    assert fb.verify(book, served, demo_threads.values())
    for place in (uri, graph):
        report = fb.verify(path, place)
        assert [move.verdict for move in report.moves] == ["identical"] * len(threads), report


@pytest.mark.parametrize("make", [*MAKERS, joining, partly], ids=lambda make: make.__name__)
def test_a_store_without_its_graph_can_be_planted(tmp_path, make):
    path = tmp_path / "store.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph, _ = make(saver)
    planted = on(graph, InMemorySaver())
    assert exact(fb.migrate(path, planted))
    assert fb.verify(path, planted)


class Mood(enum.Enum):
    GLAD = "glad"


class Study(BaseModel):
    title: str
    on: dt.date


@dataclasses.dataclass
class Point:
    x: float


class Known(TypedDict, total=False):
    study: Study
    points: list[Point]
    mood: Mood
    any: Any
    messages: Annotated[list[AnyMessage], add_messages]
    delta: Annotated[list[AnyMessage], DeltaChannel(_messages_delta_reducer)]


def with_objects(saver):
    """Values of classes that the graph names, and of ones that it does not."""
    seen = []
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    message = AIMessage("hi", id="1", usage_metadata=usage)
    values = {"study": Study(title="a", on=dt.date(2024, 1, 2)), "points": [Point(1.5)], "mood": Mood.GLAD}
    values |= {
        "any": {"message": message, "when": dt.timedelta(1), 3: {1, 2}},
        "messages": [message],
        "delta": [message],
    }
    builder = (
        StateGraph(Known).add_node("first", lambda state: values).add_node("then", lambda state: seen.append(state))
    )
    builder.add_edge(START, "first").add_edge("first", "then")
    graph = builder.compile(checkpointer=saver, interrupt_before=["then"])
    graph.invoke({"messages": ["hello"]}, at("objects"))
    return graph, values, seen


def test_values_are_objects_where_their_classes_are_known(tmp_path):
    path = tmp_path / "store.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph, values, seen = with_objects(saver)
        here = on(graph, InMemorySaver())
        assert exact(fb.migrate(graph, here))
    here.invoke(None, at("objects"))
    (state,) = seen
    assert {name: state[name] for name in values if name != "messages"} == {
        k: v for k, v in values.items() if k != "messages"
    }
    assert state["messages"][1].usage_metadata == values["messages"][0].usage_metadata
    assert type(state["messages"][0]).__name__ == "HumanMessage"


class Pair(NamedTuple):
    left: int
    right: Any


class Loose(TypedDict, total=False):
    kept: dict
    grown: Annotated[list, operator.add]
    any: Any


def with_undeclared_objects(saver):
    """Objects in channels whose types name no class; a node asks with one, too."""
    held = {
        "kept": {"study": Study(title="a", on=dt.date(2024, 1, 2))},
        "grown": [Point(1.0), Study(title="b", on=dt.date(2024, 1, 3))],
        "any": [Mood.GLAD, Pair(1, Point(2.0))],
    }
    builder = StateGraph(Loose)
    builder.add_node("first", lambda state: held)
    builder.add_node("then", lambda state: {"any": interrupt(Point(3.0))})
    builder.add_edge(START, "first").add_edge("first", "then")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"kept": {}}, at("odd"))
    return graph, held


def test_objects_of_classes_that_no_channel_names_are_kept_where_they_were_made_in_this_process():
    graph, held = with_undeclared_objects(InMemorySaver())
    here = on(graph, InMemorySaver())
    assert exact(fb.migrate(graph, here))
    assert here.get_state(at("odd")).values == held
    with fb.connect(here) as book:
        copied = book.copy("odd", book.history("odd")[-1].id)
        assert copied.verdict == "identical"
    assert here.get_state(at(copied.new_thread_id)).values == held


def test_objects_that_become_dicts_are_told_each(tmp_path):
    """Classes that a store names are not made: that runs their code."""
    with SqliteSaver.from_conn_string(str(tmp_path / "store.sqlite")) as saver:
        graph, _ = with_undeclared_objects(saver)
    here = on(graph, InMemorySaver())
    report = fb.migrate(tmp_path / "store.sqlite", here)
    (move,) = report.moves
    assert not report
    assert move.verdict == "differs"
    assert "name the class" in move.reason
    told = {d.field for d in move.differences}
    assert told >= {
        "values.kept.study",
        "values.grown[0]",
        "values.grown[1]",
        "values.any[0]",
        "values.any[1]",
        "values.any[1].right",
        "tasks[0].result.kept.study",
        "tasks[0].interrupts[0].value",
    }
    assert any("test_planting.Study" in str(d.original) for d in move.differences)
    assert here.get_state(at("odd")).values["any"] == ["glad", {"left": 1, "right": {"x": 2.0}}]
    assert not fb.verify(tmp_path / "store.sqlite", here)


def test_a_dict_in_a_channel_of_a_class_stays_a_dict(tmp_path):
    builder = StateGraph(TypedDict("State", {"point": Point}))
    builder.add_node("first", lambda state: {"point": {"x": 1.0}}).add_edge(START, "first")
    with SqliteSaver.from_conn_string(str(tmp_path / "store.sqlite")) as saver:
        builder.compile(checkpointer=saver).invoke({"point": {"x": 0.0}}, at("dict"))
    here = builder.compile(checkpointer=InMemorySaver())
    assert exact(fb.migrate(tmp_path / "store.sqlite", here))
    assert here.get_state(at("dict")).values == {"point": {"x": 1.0}}
