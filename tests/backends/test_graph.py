"""Graphs in this process: the contract on five checkpointers, and what only a graph can do."""

import asyncio
import copy
import operator
import uuid
from typing import Annotated, Any, TypedDict

import pytest
from contract import BackendContract
from databases import fresh_database
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from savers import SAVERS, Synced, a_saver
from seeding import compiled, human, seed

import forkbook as fb
from forkbook.backends.capabilities import Capability
from forkbook.backends.graph.backend import GraphBackend
from forkbook.backends.graph.calls import caller_of
from forkbook.backends.values.decode import decode
from forkbook.book import Book


@pytest.fixture(scope="module", params=SAVERS)
def saver(request, tmp_path_factory):
    uri = lambda: fresh_database(request.getfixturevalue("postgres"))  # noqa: E731
    with a_saver(request.param, tmp_path_factory.mktemp("saver"), uri) as found:
        yield found


@pytest.fixture(scope="module")
def graph(saver):
    return compiled(saver)


@pytest.fixture(scope="module")
def place(graph):
    threads = seed(Synced(graph))
    with Book(GraphBackend(graph)) as book:
        yield book, threads


class TestGraph(BackendContract):
    pass


@pytest.fixture
def book(place):
    return place[0]


@pytest.fixture
def before_joke(book, graph):
    """A fresh thread that ran once, before its joke is written."""
    thread_id = str(uuid.uuid4())
    Synced(graph).invoke({}, {"configurable": {"thread_id": thread_id, "user_id": "123"}})
    return book.history(thread_id).at(step=1)


def everything(saver, thread_id=None):
    """All that a saver holds, as comparable text; of one thread, in all its namespaces."""
    config = {"configurable": {"thread_id": thread_id}} if thread_id else None
    return sorted(map(repr, caller_of(saver).each(lambda saved: saved, saver, "list", config)))


def test_what_it_is(book, saver):
    assert repr(book) == f"<Book on the graph LangGraph ({type(saver).__name__})>"
    assert book.backend.capabilities == set(Capability) - {Capability.CREATE}
    known = book.backend.graph("LangGraph")
    assert known.nodes == ("generate_topic", "write_joke", "chat", "tools", "approve")
    assert known.channels == ("messages", "topic", "joke", "log")
    assert known.schema["properties"]["topic"]["type"] == "string"
    assert known.schema["properties"]["messages"]["type"] == "array"


def test_states_are_what_langgraph_says(book, place, graph):
    """Field by field against `get_state_history`, the values through LangGraph's own serializer."""

    def plain(value):
        return decode(*JsonPlusSerializer().dumps_typed(value))

    for thread_id in place[1].values():
        snapshots = Synced(graph).get_state_history({"configurable": {"thread_id": thread_id}})
        states = [state for page in book.backend.pages(thread_id, page_size=7) for state in page]
        assert len(states) == len(snapshots)
        for state, said in zip(states, snapshots, strict=True):
            assert state["values"] == plain(said.values)
            assert tuple(state["next"]) == said.next
            assert (state["metadata"], state["created_at"]) == (said.metadata, said.created_at)
            assert state["checkpoint"] == said.config["configurable"]
            assert state["parent_checkpoint"] == (said.parent_config or {}).get("configurable")
            assert [(i["id"], i["value"]) for i in state["interrupts"]] == [(i.id, i.value) for i in said.interrupts]
            for task, told in zip(state["tasks"], said.tasks, strict=True):
                assert (task["id"], task["name"], task["error"]) == (told.id, told.name, told.error)
                assert (task["path"], task["result"]) == (list(told.path), plain(told.result))
            assert book.backend.state(thread_id, state["checkpoint"]["checkpoint_id"]) == state


def test_a_thread_is_the_servers_thread(book, place, demo_url, demo_threads):
    """Same agent, same questions: the same keys everywhere, the same values where they do not depend on the run."""
    with fb.connect(demo_url) as server:
        for name, thread_id in place[1].items():
            for here, there in zip(book.history(thread_id), server.history(demo_threads[name]), strict=True):
                assert here.state.keys() == there.state.keys() - {"checkpoint_id", "parent_checkpoint_id"}
                assert (here.next, here.title, here.source) == (there.next, there.title, there.source)
                assert here.values.keys() == there.values.keys()
                assert [m.keys() for m in here.values.get("messages", ())] == [
                    m.keys() for m in there.values.get("messages", ())
                ]
                assert [task.keys() for task in here.tasks] == [task.keys() for task in there.tasks]


def test_the_four_steps_of_time_travel(before_joke):
    act = before_joke.fork({"topic": "chickens"})
    assert act.status == "finished"
    assert "drumsticks" in act.checkpoint.values["joke"]
    assert act.checkpoint.run_id == act.run_id
    assert act.checkpoint.parent.run_id is None
    assert (act.checkpoint.branch, act.history.branches, act.deviations) == ("B", ["A", "B"], ())
    again = act.checkpoint.parent.resume()
    assert again.run_id == again.checkpoint.run_id != act.run_id
    assert again.settings.assistant == "LangGraph"


def test_what_langgraph_keeps_of_the_config_goes_along(book, before_joke):
    settings = book.backend.run_settings(before_joke.thread_id, before_joke.metadata)
    assert settings.config == {"configurable": {"user_id": "123"}}
    assert settings.guessed
    given = before_joke.resume(config={"configurable": {"user_id": "7"}})
    assert given.checkpoint.metadata["user_id"] == "7"
    assert given.checkpoint.own_settings().config == {"configurable": {"user_id": "7"}}


def test_a_preview_is_exact_and_writes_nothing(book, saver, before_joke):
    before = everything(saver)
    for replace in (False, True):
        typed = {"log": ["typed"], "topic": "x"}
        seen = before_joke.preview(typed, replace=replace)
        assert everything(saver) == before
        act = before_joke.edit(typed, replace=replace)
        assert (seen.values, seen.next, seen.deviations) == (act.checkpoint.values, act.checkpoint.next, act.deviations)
        before = everything(saver)
    assert before_joke.preview({"topic": "x"}, as_node="write_joke").next == ()
    assert before_joke.preview({"topic": "x"}, as_node="__start__").next == ("generate_topic",)
    assert not book.backend._copies._scratches
    assert not book.backend._copies._owed


def test_a_list_that_adds_up_is_told_or_replaced(before_joke):
    act = before_joke.edit({"log": ["typed"]})
    assert act.checkpoint.values["log"] == ["picked a topic", "typed"]
    assert [deviation.channel for deviation in act.deviations] == ["log"]
    exact = before_joke.edit({"log": ["typed"]}, replace=True)
    assert (exact.checkpoint.values["log"], exact.deviations) == (["typed"], ())


def test_messages_are_edited_and_removed(book, graph):
    thread_id = str(uuid.uuid4())
    for n, text in enumerate(("hi", "ho")):
        Synced(graph).invoke(human(n, text), {"configurable": {"thread_id": thread_id}})
    tip = book.history(thread_id).tips[0]
    messages = tip.values["messages"]
    exact = tip.edit({"messages": [messages[0], messages[3]]}, replace=True)
    assert exact.checkpoint.values["messages"] == [messages[0], messages[3]]
    assert exact.deviations == ()
    edited = tip.edit({"messages": [{**messages[0], "content": "hello"}]})
    assert [m["content"] for m in edited.checkpoint.values["messages"]][:1] == ["hello"]


def test_in_a_copy_the_thread_stays_as_it_was(book, saver, before_joke):
    before = everything(saver, before_joke.thread_id)
    act = before_joke.fork({"topic": "dogs"}, in_copy=True)
    assert act.history.thread_id != before_joke.thread_id
    assert "dogs" in act.checkpoint.values["joke"]
    assert everything(saver, before_joke.thread_id) == before
    shown = book.threads(metadata={"forkbook_copy_of": before_joke.thread_id})
    assert shown.thread_id.tolist() == [act.history.thread_id]


def test_a_copy_that_nobody_reads_is_listed_all_the_same(book, before_joke):
    copy_id = book.backend.copy(before_joke.thread_id)
    assert copy_id in set(book.threads().thread_id)
    book.backend.delete(copy_id)
    assert copy_id not in set(book.threads().thread_id)
    with pytest.raises(fb.ThreadNotFound):
        book.history(copy_id)


def test_a_copy_that_fails_leaves_nothing(book, saver, before_joke, monkeypatch):
    import forkbook.backends.graph.copies as module

    def fails(*args):
        module_transcribe(*args[:3], args[3][:2], *args[4:])
        raise OSError("disk full")

    module_transcribe = module.transcribe
    before = everything(saver)
    monkeypatch.setattr(module, "transcribe", fails)
    with pytest.raises(fb.SourceError, match="disk full"):
        book.copy(before_joke.thread_id)
    assert everything(saver) == before


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda cp: cp.edit({"nope": 1}), fb.Refused, "no channel 'nope'; it has joke, log, messages, topic"),
        (lambda cp: cp.fork({"topic": "x"}, as_node="wright_joke"), fb.Refused, "no node 'wright_joke'"),
        (lambda cp: cp.fork({"topic": "x"}, as_node="write_joke"), fb.Refused, "nothing would run"),
        (lambda cp: cp.history.tips[0].resume(), fb.Refused, "is finished"),
        (lambda cp: cp.resume(assistant="nobody"), fb.InvalidInput, "no assistant 'nobody'.*LangGraph"),
        (lambda cp: cp.preview({"messages": [{"role": "nobody", "content": "x"}]}), fb.InvalidInput, "nobody"),
        (lambda cp: cp.edit({"messages": [{"role": "nobody", "content": "x"}]}), fb.InvalidInput, "nobody"),
    ],
)
def test_what_would_only_confuse_is_refused(saver, before_joke, act, error, says):
    before = everything(saver)
    with pytest.raises(error, match=says):
        act(before_joke)
    assert everything(saver) == before


def test_a_thread_that_waits_and_one_that_failed(book, place):
    waiting = book.history(place[1]["approval"]).tips[0]
    assert waiting.status == "waiting"
    assert waiting.edit({"topic": "x"}, in_copy=True).status == "pending"
    act = waiting.resume(in_copy=True)
    assert (act.status, act.error) == ("waiting", None)
    act = book.history(place[1]["trouble"]).tips[0].resume(in_copy=True)
    assert (act.status, act.error) == ("error", "ZeroDivisionError('float division by zero')")


def test_a_run_stops_where_it_is_told(before_joke):
    start = before_joke.parent
    act = start.resume(interrupt_before=["write_joke"])
    assert (act.status, act.checkpoint.next) == ("pending", ("write_joke",))
    assert start.resume(interrupt_after="*").checkpoint.next == ("write_joke",)


class Below(TypedDict):
    log: Annotated[list[str], operator.add]


def with_subgraph(saver):
    """Two tasks at once, one of them a subgraph that asks a question."""

    def ask(state):
        return {"log": [str(interrupt("well?"))]}

    below = StateGraph(Below).add_node("think", lambda state: {"log": ["thought"]}).add_node("ask", ask)
    below = below.add_edge(START, "think").add_edge("think", "ask").compile()
    above = StateGraph(Below).add_node("review", below).add_node("other", lambda state: {"log": ["done"]})
    return above.add_edge(START, "review").add_edge(START, "other").add_edge("review", END).compile(checkpointer=saver)


def test_copies_keep_the_namespaces_of_subgraphs(saver):
    from langgraph.types import Command

    graph = with_subgraph(saver)
    config = {"configurable": {"thread_id": str(uuid.uuid4())}}
    Synced(graph).invoke({"log": []}, config)
    book = Book(GraphBackend(graph))
    history = book.history(config["configurable"]["thread_id"])
    (below,) = {task["checkpoint"]["checkpoint_ns"] for cp in history for task in cp.tasks if task["checkpoint"]}
    assert below.startswith("review:")
    within = [state for page in book.backend.pages(history.thread_id, ns=below) for state in page]
    assert [state["next"] for state in within] == [["ask"], ["think"], ["__start__"]]
    assert within[0]["interrupts"][0]["value"] == "well?"
    report = book.copy(history.thread_id)
    assert report
    assert report.compared >= len(history)
    original, copied = (everything(saver, id_) for id_ in (history.thread_id, report.new_thread_id))
    assert [text.replace(report.new_thread_id, history.thread_id) for text in copied] == original
    answers = [
        Synced(graph).invoke(Command(resume="yes"), {"configurable": {"thread_id": id_}})["log"]
        for id_ in (history.thread_id, report.new_thread_id)
    ]
    assert answers[0] == answers[1]
    assert "yes" in answers[0]


def test_fan_out_under_a_channel_that_keeps_changes_only(saver):
    """DeltaChannel: the value is rebuilt from the writes of ancestors, in their order."""
    delta = pytest.importorskip("langgraph.channels.delta")

    class Wide(TypedDict):
        items: Annotated[list, delta.DeltaChannel(lambda old, writes: [*old, *[x for write in writes for x in write]])]

    builder = StateGraph(Wide).add_node("end", lambda state: {"items": ["end"]})
    for name in ("zebra", "ant", "mouse", "bee"):
        builder.add_node(name, lambda state, name=name: {"items": [name]})
        builder.add_edge(START, name).add_edge(name, "end")
    graph = builder.compile(checkpointer=saver)
    thread_id = str(uuid.uuid4())
    Synced(graph).invoke({"items": ["start"]}, {"configurable": {"thread_id": thread_id}})
    book = Book(GraphBackend(graph))
    history = book.history(thread_id)
    shown = Synced(graph).get_state({"configurable": {"thread_id": thread_id}}).values["items"]
    assert history[-1].values["items"] == shown
    assert sorted(shown) == ["ant", "bee", "end", "mouse", "start", "zebra"]
    assert book.copy(thread_id)
    seen, act = history[-1].preview({"items": ["x"]}), history[-1].edit({"items": ["x"]})
    assert seen.values == act.checkpoint.values == {"items": [*history[-1].values["items"], "x"]}


def test_a_thread_that_langgraph_cannot_rebuild_is_read_all_the_same(saver):
    """After the state's type became stricter, `get_state_history` raises; nothing is lost, and it is said."""
    from pydantic import BaseModel

    class Loose(BaseModel):
        size: Any = None
        note: str = ""

    class Strict(BaseModel):
        size: int
        note: str = ""

    def made(state):
        builder = (
            StateGraph(state).add_node("a", lambda state: {"note": "a"}).add_node("b", lambda state: {"note": "b"})
        )
        return builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver)

    config = {"configurable": {"thread_id": str(uuid.uuid4())}}
    Synced(made(Loose)).invoke({"size": "huge"}, config)
    strict = made(Strict)
    with pytest.raises(ValueError, match="size"):
        list(Synced(strict).get_state_history(config))
    book = Book(GraphBackend(strict))
    with pytest.warns(UserWarning, match="what runs next is unknown"):
        history = book.history(config["configurable"]["thread_id"])
    assert [cp.step for cp in history] == [-1, 0, 1, 2]
    assert [cp.next for cp in history][-1] == ()
    assert None in [cp.next for cp in history]
    assert history[-1].values == {"size": "huge", "note": "b"}
    assert history.thread_id in book.backend.notes
    assert book.threads(ids=[history.thread_id]).thread_id.tolist() == [history.thread_id]


def test_threads_are_searched(book, place, before_joke):
    assert before_joke.thread_id in set(book.threads(metadata={"user_id": "123"}).thread_id)
    assert book.threads(metadata={"user_id": "nobody"}).empty
    times = book.threads().created_at.tolist()
    assert times == sorted(times, reverse=True)
    assert book.threads(limit=2, offset=1).thread_id.tolist() == book.threads().thread_id.tolist()[1:3]
    with pytest.raises(fb.InvalidInput, match="cannot search by status, only ids"):
        book.threads(status="idle")


def test_a_graph_without_a_checkpointer():
    from forkbook.demo.agent import builder

    with pytest.raises(
        fb.InvalidInput,
        match=r"builder\.compile\(checkpointer=InMemorySaver\(\)\), or SqliteSaver \(pip install langgraph-ch",
    ):
        GraphBackend(builder.compile())
    with pytest.raises(fb.InvalidInput, match=r"StateGraph is no compiled graph: builder\.compile"):
        GraphBackend(builder)
    with pytest.raises(fb.InvalidInput, match="int is no compiled graph"):
        GraphBackend(7)


def test_nodes_that_can_only_be_awaited():
    async def slow(state):
        await asyncio.sleep(0)
        return {"log": ["slow"]}

    async def route(state):
        return "slow" if len(state["log"]) < 2 else END

    graph = StateGraph(Below).add_node("slow", slow).add_edge(START, "slow")
    graph = graph.add_conditional_edges("slow", route, ["slow", END]).compile(checkpointer=InMemorySaver())
    asyncio.run(graph.ainvoke({"log": []}, {"configurable": {"thread_id": "t"}}))
    history = Book(GraphBackend(graph)).history("t")
    assert history[1].fork({"log": []}, as_node="__start__").status == "finished"


def test_a_state_that_is_no_mapping():
    graph = StateGraph(Annotated[list, operator.add]).add_node("more", lambda state: ["more"])
    graph = graph.add_edge(START, "more").compile(checkpointer=InMemorySaver())
    graph.invoke(["first"], {"configurable": {"thread_id": "t"}})
    tip = Book(GraphBackend(graph)).history("t").tips[0]
    assert tip.values == {"__root__": ["first", "more"]}
    assert tip.edit({"__root__": ["x"]}, as_node="__start__").checkpoint.values == {"__root__": ["first", "more", "x"]}


def test_values_that_have_no_plain_form_are_visible():
    graph = StateGraph(dict).add_node("odd", lambda state: {"x": 1}).add_edge(START, "odd")
    graph = graph.compile(checkpointer=InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=True)))
    graph.invoke({"x": 1j}, {"configurable": {"thread_id": "t"}})
    seen = Book(GraphBackend(graph)).history("t")[1].values["x"]
    assert seen == {"__type__": "opaque", "reason": seen["reason"], "size": 2}
    assert "complex" in seen["reason"]


def test_equal_messages_are_built_once():
    """A thread of n messages repeats them in n states; each is built and made plain once."""
    graph = compiled(InMemorySaver())
    for n in range(20):
        graph.invoke(human(n, f"hello {n}"), {"configurable": {"thread_id": "t"}})
    book = Book(GraphBackend(graph))
    seen = [m for state in book.history("t").states.values() for m in state["values"].get("messages", ())]
    assert len(seen) > 500
    assert len({id(m) for m in seen}) == 40
    before = copy.deepcopy(seen)
    book.history("t")
    assert seen == before
