import re
import subprocess
import sys
import uuid
from functools import partial

import networkx as nx
import pytest

import forkbook as fb
from forkbook import errors, frames


@pytest.mark.outside
def test_import_loads_nothing_heavy():
    heavy = ("langgraph", "langgraph_sdk", "plotly", "pandas", "ipywidgets", "httpx", "networkx")
    code = f"import forkbook, sys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_public_names():
    assert sorted(name for name in dir(fb) if not name.startswith("_") and name[0].isupper()) == sorted(
        name for name in fb.__all__ if name[0].isupper()
    )
    assert all(hasattr(fb, name) for name in fb.__all__)
    assert {name for name in dir(fb) if not name.startswith("__")} == set(fb.__all__)


def test_every_error_is_public():
    def below(kind):
        return {kind.__name__}.union(*map(below, kind.__subclasses__()))

    assert {name for name in below(fb.ForkbookError) if hasattr(errors, name)} <= set(fb.__all__)


def test_help_on_the_package_says_what_to_begin_with():
    assert all(word in fb.__doc__ for word in ("fb.connect", "book.threads()", "history.explore()", "fb.compare"))


@pytest.mark.parametrize("name", ["checkpoints", "messages", "tasks", "branches", "tokens"])
def test_help_on_a_frame_names_every_column(name):
    said = re.findall(r"\w+", getattr(fb.History, f"{name}_df").__doc__)
    assert set(getattr(frames, name.upper())) <= set(said)


@pytest.fixture
def branches(book, demo_threads):
    return book.history(demo_threads["branches"])


def test_lookup_by_id_prefix_suffix_position(branches):
    last = branches[-1]
    assert branches[last.id] == branches[last.short_id] == branches[len(branches) - 1] == branches[last] == last
    assert branches[last.id[:23]] == last
    assert branches[:2] == [branches[0], branches[1]]
    assert last.id in branches
    assert [cp.position for cp in branches] == list(range(len(branches)))
    with pytest.raises(fb.CheckpointNotFound, match="fit") as caught:
        branches[last.id[:8]]
    assert last.id in caught.value.candidates
    for wrong in ("zz", "", 99, -99):
        with pytest.raises(KeyError):
            branches[wrong]


def test_a_branchs_label_names_its_tip_wherever_a_checkpoint_is_named(branches):
    for label, tip in zip("ABC", branches.tips, strict=True):
        assert branches[label] == branches.pick(label) == tip
    for wrong in ("a", "Q", "4"):
        for find in (branches.__getitem__, branches.pick, partial(branches.compare, "A")):
            with pytest.raises(fb.CheckpointNotFound, match=f"no branch '{wrong}'.*it has A, B, C") as caught:
                find(wrong)
            assert caught.value.candidates == ("A", "B", "C")


def test_a_piece_of_an_id_needs_four_digits(branches):
    last = branches[-1]
    assert branches[last.id[-4:]] == branches[last.id[-4:].upper()] == last
    with pytest.raises(fb.CheckpointNotFound, match="at least 4 hex digits"):
        branches[last.id[-3:]]


def test_checkpoints_of_another_thread(book, branches, demo_threads):
    other = book[demo_threads["memory"]][0]
    assert branches.common_ancestor("A", other) is None
    assert branches.common_ancestor(other, "A") is None
    for show in (branches.tokens_figure, branches.context_figure):
        with pytest.raises(fb.CheckpointNotFound, match=f"of thread {other.thread_id}, not of {branches.thread_id}"):
            show([other])
        with pytest.raises(fb.InvalidInput, match="None for all"):
            show([])


def test_at_step_and_branch(branches):
    assert branches.at(branch="C") == branches.tips[2]
    assert branches.at(step=-1, branch="A") == branches[0]
    with pytest.raises(fb.CheckpointNotFound, match="add branch=") as caught:
        branches.at(step=branches.at(branch="C").step)
    assert branches.at(step=1, branch="C") == branches.at(step=1, branch="A"), "a branch's path begins at the root"
    assert len(caught.value.candidates) > 1
    with pytest.raises(fb.CheckpointNotFound, match="no checkpoints at step 999: there are steps -1 to "):
        branches.at(step=999)
    last = branches.tips[0].step
    with pytest.raises(fb.CheckpointNotFound, match=f"at step 99 of branch A: there are steps -1 to {last}"):
        branches.at(step=99, branch="A")
    with pytest.raises(fb.InvalidInput, match="it has A, B, C"):
        branches.at(branch="Q")


def test_the_demos_branches_are_nested(branches):
    a, b, c = branches.tips
    assert branches.common_ancestor("A", "B").branch == "A"
    assert branches.common_ancestor("B", "C").branch == "B"
    assert a.lineage[0] == b.lineage[0] == c.lineage[0] == branches.roots[0]
    assert all(cp in cp.parent.children for cp in branches if cp.parent)
    assert {cp.is_tip for cp in branches.tips} == {True}
    assert all(cp.is_fork_point for cp in branches.fork_points)


def test_the_networkx_graph_is_the_tree(branches):
    graph = branches.graph
    assert nx.is_arborescence(graph)
    assert list(graph) == [cp.id for cp in branches]
    assert graph.nodes[branches[2].id]["branch"] == "A"
    tips = [node for node, data in graph.nodes(data=True) if data["is_tip"]]
    assert {graph.out_degree(tip) for tip in tips} == {0}
    assert graph.graph["thread_id"] == branches.thread_id


def test_sums_over_the_demos_threads(book, demo_threads):
    for thread_id in demo_threads.values():
        history = book.history(thread_id)
        checkpoints, messages, tokens = history.checkpoints_df(), history.messages_df(), history.tokens_df()
        assert (tokens.shared_tokens + tokens.own_tokens == tokens.total_tokens).all()
        assert (tokens.reported_tokens + tokens.estimated_tokens == tokens.total_tokens).all()
        assert checkpoints.spent_tokens.sum() == messages.total_tokens.sum()
        for row in tokens.itertuples():
            path = [cp.id for cp in history[row.tip_id].lineage]
            assert checkpoints.set_index("checkpoint_id").loc[path].spent_tokens.sum() == row.total_tokens


def test_the_demos_numbers_as_worked_out_by_hand(book, demo_threads):
    """The sums stand, checkpoint by checkpoint, in forkbook/demo/seed.py."""
    by_hand = {
        "time travel": ({"A": (0, 21), "B": (0, 18)}, 39),
        "branches": ({"A": (21, 84), "B": (60, 61), "C": (60, 42)}, 247),
        "approval": ({"A": (0, 6)}, 6),
        "memory": ({"A": (0, 17)}, 17),
        "trouble": ({"A": (0, 8)}, 8),
    }
    for name, (split, in_all) in by_hand.items():
        history = book.history(demo_threads[name])
        found = {row.branch: (row.shared_tokens, row.own_tokens) for row in history.tokens_df().itertuples()}
        assert (name, found) == (name, split)
        assert history.checkpoints_df().spent_tokens.sum() == in_all


def test_a_thread_without_checkpoints(book, client):
    thread_id = client.threads.create()["thread_id"]
    history = book.history(thread_id)
    assert (len(history), history.complete, list(history), history.tips) == (0, True, [], [])
    assert len(history.checkpoints_df()) == 0
    assert "0 checkpoints" in repr(history)
    assert "no checkpoints" in history.figure().to_json()
    assert history._repr_mimebundle_()["text/plain"]
    assert history.refresh() is history


@pytest.mark.parametrize("thread_id", ["nope", "a'; drop table threads; --", "%", "../runs", "x" * 3000])
def test_malformed_thread_ids(book, thread_id):
    with pytest.raises(fb.ForkbookError) as caught:
        book.history(thread_id)
    assert "thread" in str(caught.value)


def test_thread_ids_that_are_none(book):
    with pytest.raises(fb.ThreadNotFound, match=r"book\.threads\(\) lists them"):
        book.history(str(uuid.uuid4()))
    for look in (book.__getitem__, book.sweeps):
        for wrong in ("nope", "a thread's title", str(uuid.uuid4())):
            with pytest.raises(fb.ThreadNotFound, match=r"book\.threads\(\) lists them"):
                look(wrong)
    with pytest.raises(fb.InvalidInput, match="must be a UUID"):
        book.backend.create("nope", "agent", {}, [])
    with pytest.raises(fb.ThreadNotFound, match="a server takes no empty id"):
        book.history("")
    with pytest.raises(fb.InvalidInput):
        book.history(None)


def test_a_limit_says_that_it_cut(book, demo_threads):
    history = book.history(demo_threads["branches"], limit=4)
    assert len(history) == 4
    assert not history.complete
    assert "the newest only" in history.summary()


@pytest.fixture(scope="session")
def long_thread(demo_url):
    from langgraph_sdk import get_sync_client

    thread_id = str(uuid.uuid4())
    steps = [{"updates": [{"values": {"topic": f"topic {n}"}, "as_node": "generate_topic"}]} for n in range(1201)]
    get_sync_client(url=demo_url, api_key=None).threads.create(thread_id=thread_id, graph_id="agent", supersteps=steps)
    return thread_id


@pytest.mark.parametrize("page_size", [None, 7, 1000])
def test_a_thread_of_1201_checkpoints_comes_in_whole(book, long_thread, page_size):
    history = book.history(long_thread, page_size=page_size)
    assert [cp.values.get("topic") for cp in history] == [f"topic {n}" for n in range(1201)]
    assert (history.complete, len(history.branches)) == (True, 1)


@pytest.mark.parametrize("page_size", [0, 1001])
def test_page_sizes_that_no_server_takes(book, long_thread, page_size):
    with pytest.raises(fb.InvalidInput, match="1 to 1000"):
        book.history(long_thread, page_size=page_size)


def test_refresh_reads_only_what_is_new(client, book, long_thread):
    copy_id = client.threads.copy(long_thread)["thread_id"]
    history = book.history(copy_id)
    client.runs.wait(copy_id, "agent", input={})
    pages = []
    read = book.backend.pages
    book.backend.pages = lambda *args, **more: (pages.append(page) or page for page in read(*args, **more))
    assert len(history.refresh()) == 1205
    assert sum(map(len, pages)) <= 40
    book.backend.pages = read
    assert history.states == book.history(copy_id).states


def test_refresh_sees_an_old_interrupt_being_answered(client, book, demo_threads):
    copy_id = client.threads.copy(demo_threads["approval"])["thread_id"]
    history = book.history(copy_id)
    waiting = history.tips[0]
    for n in range(9):
        client.threads.update_state(copy_id, {"topic": str(n)}, checkpoint_id=history[0].id, as_node="__start__")
    history.refresh()
    client.runs.wait(copy_id, "agent", command={"resume": "yes"}, checkpoint_id=waiting.id)
    assert history.refresh().states == book.history(copy_id).states


def test_a_bogus_checkpoint_id_makes_a_root_with_a_parent_that_is_not_there(book, client, joke_thread):
    bogus = "1f000000-0000-6000-8000-000000000000"
    client.threads.update_state(joke_thread, {"topic": "x"}, checkpoint_id=bogus, as_node="generate_topic")
    history = book.history(joke_thread)
    assert len(history.roots) == 2
    assert [cp.state["parent_checkpoint"]["checkpoint_id"] for cp in history.roots if cp.branch == "B"] == [bogus]
    assert "1 root with a parent that does not exist" in history.summary()
    assert history.common_ancestor("A", "B") is None


def test_foreign_text_is_escaped_wherever_it_is_shown(book, client):
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id)
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    client.runs.wait(thread_id, "agent", input={"topic": evil, "messages": [{"role": "human", "content": evil}]})
    history = book.history(thread_id)
    history.tips[0].edit({"topic": evil + "!"})
    bundle = history.refresh()._repr_mimebundle_()
    assert "<script" not in bundle["text/html"]
    assert re.findall("<img [a-z]+=.", bundle["text/html"]) == ['<img alt="'], "the picture itself"
    assert "&lt;script&gt;" in bundle["text/html"]
    assert "<script" not in str(bundle["application/vnd.plotly.v1+json"])
    assert evil in set(history.messages_df().text)


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({"status": "foo"}, "idle, busy, interrupted, error"),
        ({"metadata": "x"}, r"metadata is 'x': give a mapping, as in \{"),
        ({"values": 3}, "values is 3: give a mapping"),
    ],
    ids=["status", "metadata", "values"],
)
def test_a_search_that_cannot_be_right_is_told(book, search, said):
    with pytest.raises(fb.InvalidInput, match=said):
        book.threads(**search)


def test_threads_pages_through_all(book, client, demo_threads):
    tag = str(uuid.uuid4())
    made = {client.threads.create(metadata={"batch": tag})["thread_id"] for _ in range(105)}
    df = book.threads(metadata={"batch": tag})
    assert set(df.thread_id) == made
    assert len(book.threads(metadata={"batch": tag}, limit=7)) == 7
    assert book.threads(metadata={"batch": "none"}).dtypes.to_dict() == df.dtypes.to_dict()
    (waiting,) = book.threads(status="interrupted", ids=[demo_threads["approval"]]).itertuples()
    assert (waiting.graph_id, waiting.status) == ("agent", "interrupted")
    assert waiting.metadata["title"]
