"""What a moved thread says of itself beside its values: metadata, questions and errors, looked at from both sides."""

import copy
import uuid

import pytest
from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_sync_client

import forkbook as fb
from forkbook.transfer.compare_by_shape import RUNS, not_kept
from forkbook.transfer.original import Original, read
from forkbook.transfer.verify import compared

pytestmark = pytest.mark.xdist_group("target")  # one migration at a time to the one target


@pytest.fixture(scope="module")
def bed(testbed):
    return get_sync_client(url=testbed, api_key=None)


@pytest.fixture
def there(testbed):
    with fb.connect(testbed) as opened:
        yield opened


def moved(testbed, thread_id):
    """The id of the thread's copy on the same server, made by migration."""
    (move,) = fb.migrate(testbed, testbed, [thread_id], on_conflict="new_id").moves
    assert move.verdict == "identical under new ids"
    return move.new_thread_id


def judged(book, *thread_ids):
    return compared(*(read(book.backend, book.backend.thread(thread_id)) for thread_id in thread_ids))


def ran(bed, graph, **more):
    thread_id = bed.threads.create(graph_id=graph, metadata={"owner": "ada"})["thread_id"]
    bed.runs.wait(thread_id, graph, input={}, raise_error=False, **more)
    return thread_id


@pytest.mark.parametrize(
    ("config", "kept"),
    [({}, True), ({"configurable": {"user_id": "u"}}, False), ({"metadata": {"campaign": "c"}}, False)],
    ids=["nothing", "configurable", "metadata"],
)
def test_what_a_run_in_this_process_left_in_metadata_is_told_as_lost(testbed, config, kept):
    graph = graphs.build_questions().compile(checkpointer=InMemorySaver(), name="questions")
    thread_id = str(uuid.uuid4())
    graph.invoke({}, {**config, "configurable": {"thread_id": thread_id, **config.get("configurable", {})}})
    (move,) = fb.migrate(graph, testbed, [thread_id]).moves
    assert (move.verdict, move.checkpoints) == ("identical under new ids", 2)
    assert move.not_kept.get(RUNS, 0) == (0 if kept else 2)


def test_metadata_that_only_the_target_has_is_a_difference(bed, testbed, there):
    old = ran(bed, "questions")
    new = moved(testbed, old)
    bed.threads.update(new, metadata={"assistant_id": str(uuid.uuid4()), "langgraph_x": 1, "cleared": None})
    assert judged(there, old, new).differences == ()
    bed.threads.update(new, metadata={"archived": False})
    found = judged(there, old, new)
    assert found.verdict == "differs"
    assert [str(each) for each in found.differences] == ["the thread's metadata.archived: 'nothing' became False"]


def test_the_graph_that_a_migration_names_is_no_difference(bed, there):
    old, new = (bed.threads.create(metadata={"owner": "ada"}, graph_id=graph) for graph in (None, "questions"))
    assert judged(there, old["thread_id"], new["thread_id"]).verdict == "identical"


def test_marks_are_no_difference_however_often_a_thread_is_moved_and_copied(bed, testbed, there):
    old = ran(bed, "questions")
    once = moved(testbed, old)
    twice = moved(testbed, moved(testbed, there.copy(once).new_thread_id))
    lineage = there.copy(old, there[old][-1].id)
    assert lineage.verdict == "identical under new ids"
    for pair in ((old, once), (old, twice), (once, twice), (old, lineage.new_thread_id)):
        assert (judged(there, *pair).differences, judged(there, *pair).verdict) == ((), "identical under new ids")


def test_what_a_place_without_thread_metadata_does_not_know_is_no_difference(bed, testbed, there):
    graph = graphs.build_questions().compile(checkpointer=InMemorySaver(), name="questions")
    thread_id = str(uuid.uuid4())
    graph.invoke({}, {"configurable": {"thread_id": thread_id}})
    assert fb.migrate(graph, testbed, [thread_id])
    bed.threads.update(thread_id, metadata={"owner": "ada"})
    assert fb.verify(graph, testbed, [thread_id])


def test_a_question_that_is_asked_again_is_the_same_and_an_error_is_none(bed, testbed, there):
    old = ran(bed, "questions")
    new = moved(testbed, old)
    bed.runs.wait(new, "questions", input=None)
    assert judged(there, old, new).differences == ()
    bed.runs.wait(new, "questions", command={"resume": "fail"}, raise_error=False)
    (found,) = judged(there, old, new).differences
    assert (found.field, found.original) == ("tasks[0].error", "nothing")
    assert "the answer is fail" in found.copied
    assert judged(there, new, old).differences == (), "an error that cannot be kept is told in words"


def test_another_question_at_the_same_task_is_a_difference(bed, testbed, there):
    old = bed.threads.create(graph_id="fanout")["thread_id"]
    bed.runs.wait(old, "fanout", input={"items": ["x", "y"], "ask": True})
    new = moved(testbed, old)
    bed.runs.wait(new, "fanout", input=None)
    assert judged(there, old, new).differences == ()
    original, other = (read(there.backend, there.backend.thread(each)) for each in (old, new))
    states = copy.deepcopy(list(other.states))
    (asked,) = next(state for state in states if len(state["next"]) == 2)["tasks"][1]["interrupts"]
    asked["value"] = f"not {asked['value']}"
    (found,) = compared(original, Original(other.record, states)).differences
    assert found.field == "tasks[1].interrupts[0].value"
    assert found.copied == f"not {found.original}"


def test_what_a_checkpoint_says_for_itself_is_no_loss_and_other_types_are():
    def at(**metadata):
        return {"metadata": metadata, "created_at": None, "next": [], "tasks": []}

    kept = {"source": "update", "step": 1, "grade": 1}
    assert list(not_kept(at(**kept, thread_id="a", parents={}, langgraph_x=1), at(**kept, new=1), is_tip=True)) == []
    assert list(not_kept(at(**kept), at(**kept | {"grade": True}), is_tip=True)) == [RUNS]
