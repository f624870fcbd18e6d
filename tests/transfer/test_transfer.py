import asyncio
import copy
import dataclasses
import json
import operator
import uuid
from typing import Annotated, TypedDict

import held
import orjson
import pytest
import shapes
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from proxy import proxy

import forkbook as fb
from forkbook.transfer import differences, unequal
from forkbook.transfer.compare_by_id import UNNAMED, known_differences, unnamed
from forkbook.transfer.original import Original, read
from forkbook.transfer.verify import compared


@pytest.fixture(scope="session")
def forked_thread(demo_url):
    """A thread with 25 checkpoints and two forks, by real runs."""
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=demo_url, api_key=None)
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id)

    def say(text, **more):
        client.runs.wait(
            thread_id,
            "agent",
            input={"messages": [{"role": "human", "content": text}]},
            config={"configurable": {"user_id": f"user of {thread_id[:8]}"}},
            **more,
        )

    for text in ("hello", "i like tea", "what is 6 * 7?", "and again"):  # 3 + 5 + 5 + 3
        say(text)
    history = client.threads.get_history(thread_id, limit=100)
    say("fork one", checkpoint_id=history[-3]["checkpoint_id"])  # 3
    say("fork two", checkpoint_id=history[-8]["checkpoint_id"])  # 3
    say("the end")  # 3
    return thread_id


def test_the_histories_are_the_same(book, forked_thread):
    history = book.history(forked_thread)
    assert (len(history), len(history.fork_points)) == (25, 2)
    before = copy.deepcopy(history.states)

    report = book.copy(forked_thread)
    assert report
    assert (report.compared, report.differences) == (25, ())
    assert "25 checkpoints compared, the histories are the same" in repr(report)
    assert len(book.history(report.new_thread_id)) == 25

    act = book.history(report.new_thread_id).at(step=1, branch="A").fork({"topic": "tea"}, as_node="tools")
    assert act.status == "finished"
    assert act.history.thread_id == report.new_thread_id
    assert book.history(forked_thread).states == before


def leaves(value, path=()):
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def flipped(value):
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case None:
            return 0
        case _:
            return [*value, 0] if isinstance(value, list) else {**value, "x": 0}


def written(path):
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def test_any_flipped_field_of_any_checkpoint_is_named(book, forked_thread):
    report = book.copy(forked_thread)
    old, new = (
        [state for page in book.backend.pages(thread) for state in page]
        for thread in (forked_thread, report.new_thread_id)
    )
    flips = 0
    for n, state in enumerate(new):
        here = state["checkpoint"]["checkpoint_id"]
        for path, value in leaves(state):
            if path == ("checkpoint", "checkpoint_id"):
                continue  # then it is another checkpoint: the test below
            changed = target = orjson.loads(orjson.dumps(state))
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = flipped(value)
            found = list(differences([old[n]], [changed], forked_thread, report.new_thread_id))
            assert {difference.checkpoint_id for difference in found} == {here}
            if path != ("checkpoint", "checkpoint_ns"):  # then it is missing here and present there
                assert [difference.field.removesuffix(".x") for difference in found] == [written(path)]
            flips += 1
    assert flips > 25 * 30


def test_a_checkpoint_that_is_lost_or_renamed_is_named(book, forked_thread):
    states = [state for page in book.backend.pages(forked_thread) for state in page]
    lost = states[7]["checkpoint"]["checkpoint_id"]
    (found,) = differences(states, states[:7] + states[8:], "a", "b")
    assert (found.checkpoint_id, found.copied) == (lost, "missing")
    (found,) = differences(states[:7] + states[8:], states, "a", "b")
    assert (found.checkpoint_id, found.original) == (lost, "missing")


def test_a_field_changed_on_the_wire_is_named_by_the_report(demo_url, forked_thread):
    """The whole way: a proxy changes one field of one checkpoint of the copy as it is read back."""

    def change(method, path, body):
        if not path.endswith("/history") or forked_thread in path:
            return None
        states = json.loads(body)
        for state in states:
            if state["metadata"]["step"] == 5 and state["metadata"]["source"] == "loop":
                state["tasks"][0]["name"] = "somebody else"
        return json.dumps(states).encode()

    with proxy(demo_url, change) as (url, _), fb.connect(url) as book:
        report = book.copy(forked_thread)
        assert not report
        assert {difference.field for difference in report.differences} == {"tasks[0].name"}
        steps = {book.history(forked_thread)[d.checkpoint_id].step for d in report.differences}
        assert steps == {5}
        assert "tasks[0].name: '" in repr(report)
        assert "became 'somebody else'" in repr(report)


def test_numbers_of_other_kinds_are_different():
    assert list(unequal({"a": [1]}, {"a": [1.0]})) == [("a[0]", 1, 1.0)]
    assert list(unequal(1, True)) == [("", 1, True)]
    assert list(unequal({"a": None}, {})) == [("a", None, "nothing")]


def test_nan_is_itself_and_no_null():
    nan, other = float("nan"), float("nan")
    assert list(unequal({"a": nan, "b": [nan, {"c": nan}]}, {"a": other, "b": [other, {"c": other}]})) == []
    assert [path for path, _, _ in unequal([[1, nan]], [[1, None]])] == ["[0][1]"]
    assert [path for path, _, _ in unequal([{"a": None}], [{"a": nan}])] == ["[0].a"]
    assert [path for path, _, _ in unequal(nan, 1.0)] == [""]


def test_copying_a_thread_that_is_not_there(book):
    with pytest.raises(fb.ThreadNotFound, match="no thread"):
        book.copy(str(uuid.uuid4()))


@dataclasses.dataclass
class Point:
    x: float


class Reduced(TypedDict, total=False):
    whole: Annotated[int, operator.add]
    part: Annotated[float, operator.add]
    yes: Annotated[bool, operator.or_]
    text: Annotated[str, operator.add]
    some: Annotated[list, operator.add]
    plain: int


def test_channels_before_their_first_write_are_counted_where_one_place_leaves_them_out(tmp_path):
    """A graph shows what `int()`, `bool()` and so on make; what its checkpointer saved has none of these channels."""
    path = tmp_path / "store.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        builder = StateGraph(Reduced).add_node("node", lambda state: {"plain": 0}).add_edge(START, "node")
        graph = builder.compile(checkpointer=saver)
        graph.invoke({"plain": 1}, {"configurable": {"thread_id": "t"}})
        with fb.connect(path) as store, fb.connect(graph) as shown:
            assert store["t"][-1].values == {"plain": 0}
            assert shown["t"][-1].values == {
                "whole": 0, "part": 0.0, "yes": False, "text": "", "some": [], "plain": 0,
            }  # fmt: skip
        for places in ((path, graph), (graph, path)):
            (move,) = fb.verify(*places).moves
            assert (move.verdict, move.not_kept.get(UNNAMED)) == ("identical", 3 * 5)


def test_only_channels_that_hold_nothing_may_be_left_out():
    full, less, other, none = ([shapes.state("1", values=values)] for values in (
        {"a": 0, "b": 1}, {"b": 1}, {"a": 0}, {"a": None, "b": 1},
    ))  # fmt: skip
    assert unnamed(full, less) == unnamed(less, full) == 1
    assert unnamed(full, full) == 0
    assert list(known_differences(full, less, "t", "t")) == []
    (found,) = known_differences(full, other, "t", "t")
    assert found.field == "values.b"
    assert [found.field for found in known_differences(full, none, "t", "t")] == ["values.a"]


def test_objects_that_a_server_is_sent_the_fields_of_are_told(tmp_path):
    builder = StateGraph(TypedDict("State", {"any": dict})).add_node("node", lambda state: {"any": {"p": Point(1.0)}})
    with SqliteSaver.from_conn_string(str(tmp_path / "s.sqlite")) as saver:
        graph = builder.add_edge(START, "node").compile(checkpointer=saver)
        graph.invoke({"any": {}}, {"configurable": {"thread_id": "t"}})
    with fb.connect(tmp_path / "s.sqlite") as store:
        original = read(store.backend, store.backend.thread("t"))
    states = json.loads(json.dumps(original.states).replace('"1f', '"2f'))  # under ids that a server made
    told = [words for words in compared(original, Original(original.record, states)).not_kept if "objects" in words]
    assert [words.partition(":")[0] for words in told] == ["objects of class test_transfer.Point"]


@pytest.fixture
def empty():
    """A graph without a thread."""
    return StateGraph(MessagesState).add_node("chat", lambda state: {}).add_edge(START, "chat").compile(InMemorySaver())


def test_a_migration_and_a_comparison_keep_the_budget_at_places_that_they_open(empty, tmp_path):
    small, large = fb.Budget(items=7), fb.Budget(items=1_000)
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"thread_id": "t", "history": held.conversation("t", 5)}]))
    ways = [fb.migrate, lambda *places, **how: asyncio.run(fb.amigrate(*places, **how))]
    for way in ways:
        assert "where 7 is the bound" in str(way(path, empty, dry_run=True, budget=small).moves[0])
        assert way(path, empty, dry_run=True, budget=large)
        with fb.connect(path, budget=large) as book:
            assert way(book, empty, dry_run=True, budget=small)
    with fb.connect(path) as book:
        for places in ((path, book), (book, path)):
            assert "where 7 is the bound" in str(fb.verify(*places, budget=small).moves[0])
            assert fb.verify(*places, budget=large)


def test_a_migration_keeps_the_budget_at_its_target(empty, target_url):
    with pytest.raises(fb.OverBudget, match="where 1 is the bound"):
        fb.migrate(empty, target_url, budget=fb.Budget(read_bytes=1))
