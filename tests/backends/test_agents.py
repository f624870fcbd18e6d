"""Agents of today's libraries: their stores and archives tell what their graphs tell, and each call spends once."""

import functools
from dataclasses import dataclass
from typing import Any

import pytest
from agents import libraries, stories
from databases import fresh_database
from pandas.testing import assert_frame_equal

import forkbook as fb

pytestmark = [pytest.mark.xdist_group("agents"), pytest.mark.long]  # each story is told once

NEEDED = {
    "deep": "deepagents",
    "assistant": "langchain",
    "supervised": "langgraph_supervisor",
    "swarm": "langgraph_swarm",
}
TOLD = [pytest.param((story, "sqlite"), id=f"{story}-sqlite") for story in NEEDED]
TOLD += [pytest.param((story, "postgres"), id=f"{story}-postgres", marks=pytest.mark.outside) for story in NEEDED]
THREADS = {"deep": ["deep", "exit"], "assistant": ["assistant"], "supervised": ["supervised"], "swarm": ["swarm"]}
FRAMES = ("checkpoints_df", "messages_df", "tasks_df", "branches_df", "tokens_df")
PER_MESSAGE = 10  # tokens that every message counts here, so that estimates can be worked out by hand

# Tokens that were reported and estimated, without the subgraphs and with them. An estimate is 10 for each message that
# the model read and 10 for its answer.
SPENT = {
    # "delegate" (5 messages read) and "edited" (25); of the subagents "all clear" (1)
    "deep": ((5738, 60 + 260), (5738 + 22 + 33, 60 + 260 + 20)),
    "exit": ((434, 0), (434, 0)),
    # "letter" (3), "found" (9), and the note of the limit (9), which looks like a model's answer
    "assistant": ((751, 40 + 100 + 100), (751, 40 + 100 + 100)),
    # "to poet" (8), "checked" (17 at the supervisor, 19 inside), the copy that the supervisor forwards (29), which
    # looks like a model's answer; the answer that it stands for is inside only
    "supervised": ((2719, 90 + 180 + 300), (2719 + 561, 90 + 200 + 300)),
    # "sure?" (5) and "forked" (4)
    "swarm": ((181, 60 + 50), (181, 60 + 50)),
}

# Tasks that a store cannot tell: their node never wrote anything under its own id there
UNKNOWN_TASKS = {"exit": {"PatchToolCallsMiddleware.before_agent"}}


@dataclass
class Told:
    """A story that was told, and the places where its threads are now.

    Attributes:
        story: Its name.
        places: The agent itself ("graph"), the address of its checkpointer ("store"), and archives of both.
    """

    story: str
    places: dict[str, Any]

    def __post_init__(self):
        self.history = functools.cache(self.history)

    def history(self, place, thread_id, subgraphs):
        with fb.connect(self.places[place], counter=lambda message: PER_MESSAGE) as book:
            return book.history(thread_id, subgraphs=subgraphs)


@pytest.fixture(scope="module")
def in_postgres(postgres):
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        yield saver, uri


@pytest.fixture(scope="module")
def in_sqlite(tmp_path_factory):
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = str(tmp_path_factory.mktemp("sqlite") / "agents.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        yield saver, path


@pytest.fixture(scope="module", params=TOLD)
def told(request, tmp_path_factory):
    story, kind = request.param
    pytest.importorskip(NEEDED[story], reason=f"{NEEDED[story]} is not installed")
    saver, address = request.getfixturevalue(f"in_{kind}")
    graph = getattr(libraries, story)(saver)
    getattr(stories, story)(graph)
    places = {"graph": graph, "store": address}
    for name in list(places):
        archive = tmp_path_factory.mktemp("archive") / f"{name}.forkbook"
        with fb.connect(places[name]) as book:
            assert not book.export(archive, THREADS[story]).errors
        places[f"archive of the {name}"] = archive
    return Told(story, places)


@pytest.mark.long
@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("place", ["store", "archive of the store", "archive of the graph"])
def test_its_frames_are_those_of_the_graph(told, place, subgraphs):
    for thread_id in THREADS[told.story]:
        graph, other = (told.history(where, thread_id, subgraphs) for where in ("graph", place))
        unknown = UNKNOWN_TASKS.get(thread_id, set()) if "store" in place else set()
        for name in FRAMES:
            ours, theirs = getattr(graph, name)(), getattr(other, name)()
            if name == "tasks_df":
                ours = ours[~ours.name.isin(unknown)].reset_index(drop=True)
            assert_frame_equal(theirs, ours, obj=f"{name} of {thread_id}")


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("place", ["graph", "store"])
def test_each_call_of_a_model_spends_once(told, place, subgraphs):
    for thread_id in THREADS[told.story]:
        frame = told.history(place, thread_id, subgraphs).messages_df()
        spent = frame[frame.total_tokens.notna()]
        reported = spent.method == "reported"
        assert (spent[reported].total_tokens.sum(), spent[~reported].total_tokens.sum()) == SPENT[thread_id][subgraphs]
        notes = spent.text.str.startswith("Transferring back")
        assert not notes.any()


def test_what_a_checkpoint_spends_adds_up(told):
    for thread_id in THREADS[told.story]:
        for subgraphs in (False, True):
            checkpoints = told.history("store", thread_id, subgraphs).checkpoints_df()
            assert checkpoints.spent_tokens.sum() == sum(SPENT[thread_id][subgraphs])


def test_the_story_has_what_makes_it_hard(told):
    """Forks, edits and replays in every story; snapshots of a DeltaChannel in one."""
    frame = told.history("graph", THREADS[told.story][0], True).checkpoints_df()
    assert frame.is_fork_point.sum() >= 1
    assert {"input", "loop", "update"} <= set(frame.source)
    assert frame.error.notna().any() or told.story == "swarm"
    assert frame.interrupted.any()
    if told.story == "deep":
        saved = [
            item.checkpoint["channel_values"] for item in told.places["graph"].checkpointer.list(stories.at("deep"))
        ]
        assert sum("messages" in values for values in saved) >= 3
        assert len(saved) > 150
