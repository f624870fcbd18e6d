"""Trees rebuilt on a real server: fan-out, subgraphs, questions, several roots, edits of any kind."""

import contextlib
import json
import random
import uuid

import httpx
import pytest
from agents.graphs import build_questions
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_sync_client
from shapes import ai, human, tree_of

import forkbook as fb
from forkbook.model.tree import Head, Tree
from forkbook.transfer import compare_by_shape
from forkbook.transfer.compare_by_shape import PARTS, not_kept
from forkbook.transfer.match_messages import ValueMatcher, sendable

pytestmark = pytest.mark.xdist_group("target")  # one migration at a time to the one target


@pytest.fixture(scope="module")
def bed(testbed):
    return get_sync_client(url=testbed, api_key=None)


def ran(client, graph, input, **more):
    thread_id = client.threads.create(graph_id=graph)["thread_id"]
    client.runs.wait(thread_id, graph, input=input, raise_error=False, **more)
    return thread_id


def at(client, thread_id, node):
    states = client.threads.get_history(thread_id, limit=100)
    return next(state["checkpoint"]["checkpoint_id"] for state in states[::-1] if node in state["next"])


def moved(testbed, thread_id):
    """The thread, copied onto the same server by migration."""
    (move,) = fb.migrate(testbed, testbed, [thread_id], on_conflict="new_id").moves
    assert move.reason is None or move.verdict
    with fb.connect(testbed) as book:
        return move, book[thread_id], book[move.new_thread_id]


def said(move):
    return {words.partition(":")[0]: count for words, count in move.not_kept.items()}


def test_parallel_tasks_are_one_superstep(bed, testbed):
    thread_id = ran(bed, "fanout", {"items": ["x", "y", "z"]})
    move, before, after = moved(testbed, thread_id)
    assert move.verdict == "identical under new ids"
    assert [cp.step for cp in after] == [cp.step for cp in before] == [-1, 0, 1, 2, 3]
    assert [task["result"] for task in after[2].tasks] == [{"answers": [f"{item}=unasked"]} for item in "xyz"]
    assert "fork" not in said(move)


def test_parallel_tasks_at_a_fork_keep_shape_next_and_values(bed, testbed):
    thread_id = ran(bed, "fanout", {"items": ["x", "y"]})
    bed.runs.wait(thread_id, "fanout", input=None, checkpoint_id=at(bed, thread_id, "worker"))
    move, before, after = moved(testbed, thread_id)
    assert shape(before) == shape(after)
    assert [(cp.next, cp.values, cp.step) for cp in after] == [(cp.next, cp.values, cp.step) for cp in before]
    assert move.verdict == "differs"
    assert {difference.field for difference in move.differences} == {"tasks[0].result.answers", "tasks[1].result"}
    assert "one update" in move.reason
    assert "source" in said(move)


def test_a_question_that_was_answered_and_one_that_is_open(bed, testbed):
    thread_id = ran(bed, "questions", {"answers": []})
    bed.runs.wait(thread_id, "questions", command={"resume": "one"})
    move, _, after = moved(testbed, thread_id)
    assert move.verdict == "identical under new ids"
    assert after.tips[0].next == ("second",)
    assert said(move)["interrupts that were answered"] == 1
    assert said(move)["open interrupts"] == 1
    bed.runs.wait(move.new_thread_id, "questions", input=None)
    values = bed.runs.wait(move.new_thread_id, "questions", command={"resume": "two"})
    assert values["answers"] == ["first=one", "second=two"]


def test_tasks_that_finished_beside_one_that_waits_are_told(bed, testbed):
    thread_id = ran(bed, "fanout", {"items": ["x", "y"], "ask": True})
    state = bed.threads.get_state(thread_id)
    bed.runs.wait(thread_id, "fanout", command={"resume": {state["tasks"][0]["interrupts"][0]["id"]: "yes"}})
    move, _, after = moved(testbed, thread_id)
    assert move.verdict == "identical under new ids"
    assert said(move)["results of tasks that finished beside one that waits or failed"] == 1
    assert after.tips[0].next == ("worker", "worker")


def test_subgraphs_keep_what_they_wrote_to_the_outer_graph(bed, testbed):
    thread_id = ran(bed, "nested", {"answers": []})
    bed.runs.wait(thread_id, "nested", command={"resume": "deep"})
    move, before, after = moved(testbed, thread_id)
    assert move.verdict == "identical under new ids"
    assert after.tips[0].values == before.tips[0].values
    assert said(move)["the checkpoints of subgraphs, in namespaces of their own"] == move.checkpoints - len(before)


def test_errors_roots_and_edits_by_unknown_nodes(bed, testbed):
    thread_id = ran(bed, "sleeper", {"topic": "fail"})
    failed = at(bed, thread_id, "sleep")
    bed.threads.update_state(thread_id, {"topic": "two words"}, checkpoint_id=failed)
    bed.runs.wait(thread_id, "sleeper", input=None)
    bed.threads.update_state(thread_id, {"topic": "another root"}, checkpoint_id=str(uuid.uuid4()), as_node="start")
    bed.threads.update_state(thread_id, None, checkpoint_id=failed, as_node="__copy__")
    move, before, after = moved(testbed, thread_id)
    assert (move.differences, move.verdict) == ((), "identical under new ids")
    assert shape(before) == shape(after)
    assert len(after.tree.roots) == 2
    assert said(move)["errors of tasks"] == 1


@pytest.mark.parametrize(
    "text", ["hello", ["user", "hello"], [["user", "hello"]], [{"role": "user", "content": "hello"}]]
)
def test_inputs_without_message_ids_get_those_of_the_state(bed, testbed, text):
    thread_id = ran(bed, "sleeper", {"topic": "a b", "messages": text})
    move, before, after = moved(testbed, thread_id)
    assert (move.differences, move.verdict) == ((), "identical under new ids")
    assert [message["id"] for message in after.tips[0].values["messages"]] == [
        message["id"] for message in before.tips[0].values["messages"]
    ]


def test_a_finished_thread_is_finished_there(bed, testbed):
    thread_id = ran(bed, "sleeper", {"topic": "cats"})
    bed.threads.update_state(thread_id, {"topic": "dogs"}, checkpoint_id=at(bed, thread_id, "sleep"))
    bed.runs.wait(thread_id, "sleeper", input=None)
    move, _, _ = moved(testbed, thread_id)
    before, after = bed.threads.get(thread_id), bed.threads.get(move.new_thread_id)
    assert (after["status"], after["values"]["topic"]) == (before["status"], "dogs") == ("idle", "dogs")
    assert not any("status" in words for words in move.not_kept)


def test_the_next_run_goes_on_where_it_would_have_though_another_branch_began_later(bed, testbed):
    thread_id = ran(bed, "sleeper", {"topic": "cats"}, interrupt_before=["sleep"])
    waiting = at(bed, thread_id, "sleep")
    bed.threads.update_state(thread_id, {"topic": "dogs"}, as_node="start", checkpoint_id=at(bed, thread_id, "start"))
    bed.runs.wait(thread_id, "sleeper", input=None)
    bed.threads.update_state(thread_id, {"topic": "owls"}, checkpoint_id=waiting)
    bed.runs.wait(thread_id, "sleeper", input=None)
    move, before, after = moved(testbed, thread_id)
    assert (move.differences, move.verdict) == ((), "identical under new ids")
    assert shape(before) == shape(after)
    assert [bed.threads.get_state(id_)["values"]["topic"] for id_ in (thread_id, move.new_thread_id)] == ["owls"] * 2
    assert bed.threads.get(move.new_thread_id)["status"] == "idle"


def test_a_thread_without_checkpoints_keeps_its_metadata(bed, testbed):
    thread_id = bed.threads.create(metadata={"owner": "ada"})["thread_id"]
    (move,) = fb.migrate(testbed, testbed, [thread_id], on_conflict="new_id").moves
    assert (move.outcome, move.checkpoints) == ("created", 0)
    assert bed.threads.get(move.new_thread_id)["metadata"]["owner"] == "ada"


def shape(history, *, following=True):
    """The tree from its roots, each checkpoint with what it says; of messages not where their usage stands."""

    def below(positions):
        found = ((history[at], history.tree.children[at]) for at in positions)
        return [
            (cp.step, following and cp.next, cp.branch, said_in(cp.values), below(children)) for cp, children in found
        ]

    def said_in(values):
        messages = [(message["type"], message["id"], message["content"]) for message in values.get("messages", ())]
        return {**values, "messages": messages}

    return below(history.tree.roots)


CHANNELS = {
    "topic": st.sampled_from(["cats", "dogs", ""]),
    "messages": st.lists(
        st.builds(
            lambda n, text: {"type": "human", "id": f"m{n}", "content": text},
            st.integers(0, 3),
            st.text("ab", max_size=3),
        ),
        max_size=3,
        unique_by=lambda message: message["id"],
    ),
}
EDITS = st.lists(
    st.tuples(
        st.integers(0, 10), st.fixed_dictionaries({}, optional=CHANNELS), st.sampled_from([None, "start", "sleep"])
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(EDITS)
@example(
    [
        (0, {"messages": []}, None),
        (3, {"messages": []}, "start"),
        (9, {"topic": "cats"}, None),
        (6, {}, None),
        (3, {}, None),
        (1, {"messages": [], "topic": "dogs"}, None),
        (5, {"messages": []}, "start"),
        (7, {"topic": "dogs"}, "sleep"),
    ]
)
def test_any_tree_of_edits_is_rebuilt(bed, testbed, edits):
    """No update records what a node wrote where another branch had begun before: the one difference there may be."""
    thread_id = bed.threads.create(
        graph_id="sleeper", supersteps=[{"updates": [{"values": {"topic": "root"}, "as_node": "__input__"}]}]
    )["thread_id"]
    ids = [bed.threads.get_state(thread_id)["checkpoint"]["checkpoint_id"]]
    for where, values, node in edits:
        try:
            answer = bed.threads.update_state(thread_id, values, checkpoint_id=ids[where % len(ids)], as_node=node)
        except Exception:
            continue  # the graph itself refuses it: as_node is ambiguous
        ids.append(answer["checkpoint"]["checkpoint_id"])
    move, before, after = moved(testbed, thread_id)
    if move.differences:
        assert {difference.field for difference in move.differences} == {"tasks[0].result"}
        assert move.reason == compare_by_shape.LATE
    else:
        assert move.verdict == "identical under new ids"
    assert shape(before) == shape(after)


def test_an_edit_where_an_answer_came_later_is_an_edit(bed, testbed):
    thread_id = ran(bed, "questions", {"answers": []})
    waiting = at(bed, thread_id, "first")
    bed.threads.update_state(thread_id, {"answers": ["edited"]}, checkpoint_id=waiting)
    bed.runs.wait(thread_id, "questions", command={"resume": "late"}, checkpoint_id=waiting)
    move, before, after = moved(testbed, thread_id)
    assert shape(before) == shape(after)
    assert [difference.field for difference in move.differences] == ["tasks[0].result"]
    assert move.reason == compare_by_shape.LATE


def test_a_replay_of_an_edit_waits_where_the_edit_does(bed, testbed):
    thread_id = ran(bed, "questions", {"answers": []})
    waiting = at(bed, thread_id, "first")
    bed.runs.wait(thread_id, "questions", command={"resume": "yes"})
    edit = bed.threads.update_state(thread_id, {"answers": ["edited"]}, checkpoint_id=waiting)["checkpoint_id"]
    bed.threads.update_state(thread_id, {"answers": ["another"]}, checkpoint_id=waiting)
    bed.runs.wait(thread_id, "questions", input=None, checkpoint_id=edit)
    move, before, after = moved(testbed, thread_id)
    assert shape(before) == shape(after)
    assert (move.differences, move.verdict) == ((), "identical under new ids")
    assert bed.threads.get_state(move.new_thread_id)["next"] == ["first"]


def test_an_input_that_came_while_a_node_waited_says_what_is_next_there(bed, testbed):
    thread_id = ran(bed, "questions", {"answers": []})
    bed.runs.wait(thread_id, "questions", input={"answers": ["anew"]})
    move, before, after = moved(testbed, thread_id)
    assert [(d.original, d.copied) for d in move.differences] == [(["__start__"], ["__start__", "first"])]
    assert move.reason == compare_by_shape.DROPPED
    assert [cp.values for cp in after] == [cp.values for cp in before]


def answered(bed, thread_id, graph, at):
    bed.runs.wait(thread_id, graph, command={"resume": "yes"}, checkpoint_id=at, raise_error=False)


ACTS = {
    "answer the head": lambda bed, id_, graph, at: answered(bed, id_, graph, None),
    "answer": answered,
    "edit": lambda bed, id_, graph, at: bed.threads.update_state(id_, {"answers": ["edited"]}, checkpoint_id=at),
    "replay": lambda bed, id_, graph, at: bed.runs.wait(id_, graph, input=None, checkpoint_id=at, raise_error=False),
    "input": lambda bed, id_, graph, at: bed.runs.wait(id_, graph, input=INPUTS[graph], raise_error=False),
}
INPUTS = {
    "questions": {"answers": []},
    "twice": {"answers": []},
    "nested": {"answers": []},
    "fanout": {"items": ["x", "y"], "ask": True},
}


@pytest.mark.parametrize("number", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_any_acts_on_a_thread_are_rebuilt_or_it_is_said_why_not(bed, testbed, number):
    dice = random.Random(number)
    for _ in range(number):
        graph = dice.choice(list(INPUTS))
        thread_id, done = ran(bed, graph, INPUTS[graph]), []
        for _ in range(dice.randint(1, 6)):
            states = bed.threads.get_history(thread_id, limit=1000)
            at = dice.choice(states)["checkpoint"]["checkpoint_id"]
            done.append(act := dice.choice(list(ACTS)))
            with contextlib.suppress(httpx.HTTPStatusError):  # what LangGraph refuses there
                ACTS[act](bed, thread_id, graph, at)
        move, before, after = moved(testbed, thread_id)
        unexplained = [found for found in move.differences if compare_by_shape.reason(found, move.differences) is None]
        assert (unexplained, bool(move.differences)) == ([], move.verdict == "differs"), (graph, done)
        assert shape(before, following=False) == shape(after, following=False), (graph, done)
        heads = [bed.threads.get_state(id_) for id_ in (thread_id, move.new_thread_id)]
        assert [heads[0][key] == heads[1][key] for key in ("values", "next")] == [True, True], (graph, done)


def test_what_waited_for_a_join_does_not_run_twice(bed, testbed):
    thread_id = ran(bed, "joined", {"answers": []})
    move, before, after = moved(testbed, thread_id)
    assert [cp.values for cp in after] == [cp.values for cp in before]
    assert (move.verdict, move.reason) == ("differs", compare_by_shape.MERGED)
    with fb.connect(testbed) as book:
        copied = book.copy(thread_id, before[-1].id).new_thread_id
    for id_ in (thread_id, move.new_thread_id, copied):
        told = bed.runs.wait(id_, "joined", command={"resume": "yes"})
        assert told == {"answers": ["left", "right", "join", "ask=yes"]}


def test_a_task_that_wrote_nothing_is_no_difference(bed, testbed):
    thread_id = ran(bed, "joined", {"answers": []})
    bed.runs.wait(thread_id, "joined", command={"resume": "yes"})
    move, before, after = moved(testbed, thread_id)
    assert [task["result"] for task in before.at(step=3).tasks] == [{}]
    assert shape(before) == shape(after)
    assert move.reason == compare_by_shape.MERGED, "of the tasks before the join alone"
    assert said(move)["tasks that ran and wrote nothing"] == 1


def test_writes_that_a_file_does_not_say_are_no_difference(bed, testbed, tmp_path):
    thread_id, ids = str(uuid.uuid4()), [f"1ef00000-0000-6000-8000-00000000000{n}" for n in (1, 2)]
    states = [
        {
            "values": {"topic": "cats", "messages": [human("1", "hi"), ai("2")][: n + 1]},
            "next": following,
            "tasks": [{"id": str(n), "name": name} for name in following],
            "checkpoint": {"checkpoint_id": ids[n]},
            "parent_checkpoint": {"checkpoint_id": ids[0]} if n else None,
            "metadata": {"step": n, "source": "loop"},
        }
        for n, following in enumerate([["sleep"], []])
    ]
    item = {"thread_id": thread_id, "metadata": {"graph_id": "sleeper"}, "history": states[::-1]}
    (tmp_path / "script.json").write_text(json.dumps([item]), "utf-8")
    (move,) = fb.migrate(tmp_path / "script.json", testbed).moves
    assert (move.verdict, move.differences) == ("identical under new ids", ())
    assert not [words for words in move.not_kept if "usage" in words]


def test_of_values_alone_comes_a_finished_thread(bed, testbed, tmp_path):
    thread_id = str(uuid.uuid4())
    values = {"topic": "cats", "messages": [human("1", "hi"), ai("2")]}
    item = {"thread_id": thread_id, "metadata": {"graph_id": "sleeper"}, "values": values}
    (tmp_path / "script.json").write_text(json.dumps([item]), "utf-8")
    assert fb.migrate(tmp_path / "script.json", testbed)
    state = bed.threads.get_state(thread_id)
    assert (state["next"], state["values"]["topic"], len(state["values"]["messages"])) == ([], "cats", 2)
    assert bed.threads.get(thread_id)["status"] == "idle"


def test_a_graph_in_this_process_goes_to_the_graph_that_is_named(bed, testbed):
    graph = build_questions().compile(checkpointer=InMemorySaver())
    thread_id = str(uuid.uuid4())
    graph.invoke({"answers": []}, {"configurable": {"thread_id": thread_id}})
    by_id = bed.assistants.search(graph_id="questions")[0]["assistant_id"]
    for dry_run, assistant in ((True, "questions"), (False, by_id)):
        (unnamed,) = fb.migrate(graph, testbed, dry_run=dry_run).moves
        assert (unnamed.outcome, "no assistant 'LangGraph'" in unnamed.reason) == ("error", True)
        (move,) = fb.migrate(graph, testbed, assistant=assistant, dry_run=dry_run).moves
        assert move.outcome == ("planned" if dry_run else "created")
    values = bed.runs.wait(thread_id, "questions", command={"resume": "one"})
    assert values["answers"] == ["first=one"]


def test_the_map_follows_the_shape():
    original = tree_of([None, 0, 0, 1, 2, None, 5])
    rebuilt = Tree([Head(f"9{head.id}", head.parent_id and f"9{head.parent_id}") for head in original.heads])
    assert compare_by_shape.by_shape(original, rebuilt) == {position: position for position in range(7)}
    short = tree_of([None, 0, 1])
    assert compare_by_shape.by_shape(original, short) == {0: 0, 1: 1, 3: 2}


def test_a_message_whose_usage_moved_says_the_same_and_nothing_else_does():
    told = ai("1", usage=(3, 4))
    moved = {**told, "usage_metadata": None, "additional_kwargs": {"usage_metadata": told["usage_metadata"]}}
    matcher = ValueMatcher()
    assert list(matcher.differences([told, told], [moved, moved])) == []
    assert sum(matcher.forms.values()) == 1  # one message
    both = {**told, "additional_kwargs": {"usage_metadata": {"input_tokens": 9}}}
    assert list(ValueMatcher().differences([told], [both]))
    assert list(ValueMatcher().differences([both], [moved]))
    other = {**moved, "additional_kwargs": {"usage_metadata": {**told["usage_metadata"], "input_tokens": 4}}}
    assert [path for path, _, _ in ValueMatcher().differences([told], [other])] == ["[0].usage_metadata.input_tokens"]
    assert [path for path, _, _ in ValueMatcher().differences({"a": 1}, {"a": 1.0})] == ["a"]
    assert [path for path, _, _ in ValueMatcher().differences({"a": None}, {})] == ["a"]


def test_a_state_keeps_the_kinds_and_ids_of_its_messages():
    kept = ai("1")
    chunk = {**kept, "type": "AIMessageChunk", "tool_call_chunks": [], "chunk_position": "last"}
    assert list(ValueMatcher().differences([chunk], [kept])) == []
    for a, b in (("developer", "system"), ("user", "human"), ("assistant", "ai")):
        assert list(ValueMatcher().differences([{"role": a, "content": "x"}], [{"role": b, "content": "x"}]))
    for a, b in (("tool", "function"), ("human", "HumanMessageChunk")):
        assert list(ValueMatcher().differences([{**kept, "type": a}], [{**kept, "type": b}]))
    assert list(ValueMatcher().differences([{**kept, "id": None}], [kept]))


def test_results_that_are_lost_beside_one_that_is_kept_are_told():
    def at(*results):
        tasks = [{"name": name, "result": result} for name, result in zip("abc", results, strict=True)]
        return {"metadata": {}, "created_at": None, "next": ["c"], "tasks": tasks}

    whole, partly = at({"x": 1}, {"x": 2}, None), at({"x": 1}, None, None)
    assert list(not_kept(whole, partly, is_tip=True)) == [PARTS]
    assert list(not_kept(whole, whole, is_tip=True)) == []


def test_a_write_may_spell_its_messages_in_any_way():
    kept = [human("1", "hi")]
    for write in ("hi", ["user", "hi"], [{"role": "user", "content": "hi"}], {"type": "human", "content": "hi"}):
        assert list(ValueMatcher().differences(write, kept, write=True)) == []
        assert list(ValueMatcher().differences(write, [human("1", "ho")], write=True))
    assert list(ValueMatcher().differences("hi", kept))


def test_messages_are_sent_without_what_a_server_would_move():
    assert sendable(ai("1", invalid_tool_calls=[])) == {"type": "ai", "id": "1", "content": "hello"}
    assert sendable([human("1") | {"example": False}]) == [human("1")]
    assert sendable({"plain": [1, {"a": None}]}) == {"plain": [1, {"a": None}]}
