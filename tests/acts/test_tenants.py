"""Users of a server that shows to each only what is their own, and hides its assistants; see `agents/auth.py`."""

import re
import uuid
from contextlib import contextmanager

import pytest
from agents.server import tenants_server
from langgraph_sdk import get_sync_client

import forkbook as fb
from forkbook.widgets.answers import QUESTIONS

pytestmark = pytest.mark.xdist_group("tenants")
NOT_SHOWN = "does not show the nodes and channels"


@pytest.fixture(scope="module")
def url(outside):
    with tenants_server() as address:
        yield address


def headers(user):
    return {"authorization": f"Bearer {user}"}


@contextmanager
def opened(url, user):
    with fb.connect(url, headers=headers(user)) as book:
        yield book


@pytest.fixture
def as_user(url):
    """Opens the server as a user."""
    return lambda user: opened(url, user)


def user_name():
    """A user whom no other test knows."""
    return f"user{uuid.uuid4().hex[:8]}"


@pytest.fixture
def ada(as_user):
    with as_user(user_name()) as book:
        yield book


@pytest.fixture
def bob(as_user):
    with as_user(user_name()) as book:
        yield book


def sdk(book):
    return get_sync_client(url=book.backend.address, api_key=None, headers=headers(name_of(book)))


def name_of(book):
    return book.backend._headers["authorization"].reveal().removeprefix("Bearer ")


def with_joke(book, **more):
    return book.run(None, {"topic": "cats"}, assistant="agent", **more).history


def every_thread(book):
    return {thread["thread_id"] for thread in sdk(book).threads.search(limit=1000)}


def test_the_server_hides_its_assistants(ada):
    assert sdk(ada).assistants.search() == []
    assert ada.backend.assistants() == []
    assert ada.backend.graph("agent").nodes is None


def test_a_user_runs_previews_edits_forks_and_answers_their_own_threads(ada):
    history = with_joke(ada, config={"configurable": {"user_id": "7"}})
    before = every_thread(ada)
    cp = history[1]
    seen = cp.preview({"topic": "dogs"})
    assert seen.values["topic"] == "dogs"
    assert any(NOT_SHOWN in note for note in seen.notes)
    assert cp.edit({"topic": "owls"}).checkpoint.values["topic"] == "owls"
    forked = cp.fork({"topic": "dogs"}, interrupt_before=["write_joke"])
    assert (forked.checkpoint.next, forked.status) == (("write_joke",), "pending")
    assert sum(NOT_SHOWN in note for note in forked.notes) == 1
    done = forked.checkpoint.resume()
    assert (done.status, done.settings.config) == ("finished", {"configurable": {"user_id": "7"}})
    asked = ada.run(None, {}, assistant="questions")
    assert asked.checkpoint.answer("yes").checkpoint.values["answers"] == ["first=yes"]
    assert every_thread(ada) - before == {asked.history.thread_id}


def test_a_thread_is_run_on_by_its_own_graph(ada):
    history = with_joke(ada)
    assert ada.run(history.thread_id, {"topic": "dogs"}).status == "finished"


def test_a_new_thread_needs_a_name_where_no_assistant_is_shown(ada):
    with pytest.raises(fb.InvalidInput, match="give assistant="):
        ada.run(None, {})


def test_what_the_server_itself_has_none_of_is_refused_before_anything_is_written(ada):
    cp = with_joke(ada)[1]
    before = every_thread(ada)
    with pytest.raises(fb.InvalidInput, match=r"no assistant 'agnet' on http"):
        cp.fork({"topic": "dogs"}, assistant="agnet")
    assert every_thread(ada) == before
    assert len(cp.history.refreshed()) == len(cp.history)


def test_an_assistant_that_may_not_be_run_is_told_as_one(ada):
    cp = with_joke(ada)[1]
    with pytest.raises(fb.InvalidInput, match=r"no assistant '[0-9a-f-]+' that this user may run"):
        cp.resume(assistant=str(uuid.uuid4()))


def test_a_users_own_assistant_is_shown_and_known(ada):
    mine = sdk(ada).assistants.create("agent", name="mine")
    assert ada.backend.assistants() == ["agent"]
    act = ada.run(None, {"topic": "cats"}, assistant="mine")
    assert (act.status, act.notes) == ("finished", ())
    with pytest.raises(fb.Refused, match="no channel 'topc'"):
        act.history[1].preview({"topc": "dogs"})
    sdk(ada).assistants.delete(mine["assistant_id"])
    with fb.connect(ada.backend.address, headers=headers(name_of(ada))) as later:
        assert later[act.history.thread_id][1].preview({"topic": "dogs"}).values["topic"] == "dogs"


def test_what_cannot_be_checked_shows_in_the_result(ada):
    cp = with_joke(ada)[1]
    assert [str(each) for each in cp.preview({"topc": "dogs"}).deviations] == ["topc: the value was dropped"]
    with pytest.raises(fb.InvalidInput, match="nobody"):
        cp.edit({"topic": "dogs"}, as_node="nobody")
    assert len(cp.history.refreshed()) == len(cp.history)


def test_inside_a_subgraph_that_is_not_shown(ada):
    asked = ada.run(None, {}, assistant="nested")
    inner = next(cp for cp in ada.history(asked.history.thread_id, subgraphs=True) if "ask" in (cp.next or ()))
    assert inner.preview({"answers": ["more"]}).values["answers"] == ["prepared", "more"]
    edited = inner.edit({"answers": ["more"]})
    assert edited.checkpoint.values["answers"] == ["prepared", "more"]
    assert any(NOT_SHOWN in note for note in edited.notes)


def test_a_sweep_runs_and_is_found(ada, bob):
    history = with_joke(ada)
    for parallel in (False, True):
        sweep = history[1].sweep([{"topic": "dogs"}, {"topic": "owls"}], parallel=parallel)
        assert list(sweep.df()["status"]) == ["finished"] * 2
        assert any(NOT_SHOWN in note for note in sweep.notes)
    assert len(ada.sweeps(history.thread_id)) == 2
    with pytest.raises(fb.ThreadNotFound):
        bob.sweeps(history.thread_id)


def test_nobody_sees_what_is_anothers(ada, bob):
    history = with_joke(ada)
    report = ada.copy(history.thread_id)
    assert report
    assert set(ada.threads()["metadata"].map(lambda metadata: metadata["owner"])) == {name_of(ada)}
    assert list(ada.copies(history.thread_id)["thread_id"]) == [report.new_thread_id]
    assert len(bob.threads()) == 0
    assert history.thread_id not in bob
    no_such = [
        lambda: bob[history.thread_id],
        lambda: bob.history(history.thread_id, subgraphs=True),
        lambda: bob.copy(history.thread_id),
        lambda: bob.copies(history.thread_id),
        lambda: bob.run(history.thread_id, {"topic": "dogs"}, assistant="agent"),
        lambda: bob.backend.delete(history.thread_id),
    ]
    for deed in no_such:
        with pytest.raises(fb.ThreadNotFound, match=history.thread_id):
            deed()
    assert len(ada[history.thread_id]) == len(history)


def test_an_id_that_is_anothers_is_taken(ada, bob):
    history = with_joke(ada)
    with pytest.raises(fb.ThreadBusy, match=r"is taken .* this user may not see"):
        bob.run(history.thread_id, {"topic": "dogs"}, assistant="agent", if_not_exists="create")


def test_copies_keep_their_owner(ada):
    history = with_joke(ada)
    copied = ada.copy(history.thread_id)
    part = history[2].copy()
    act = history[1].fork({"topic": "dogs"}, in_copy=True)
    assert copied
    assert part
    for thread_id in (copied.new_thread_id, part.new_thread_id, act.history.thread_id):
        assert ada.backend.thread(thread_id)["metadata"]["owner"] == name_of(ada)
        assert ada[thread_id].checkpoints_df()["checkpoint_id"].is_unique


def test_old_scratch_copies_are_swept_for_their_owner_alone(ada, bob, as_user):
    left = sdk(ada).threads.create(metadata={"forkbook": "scratch", "forkbook_since": "2020-01-01T00:00:00+00:00"})
    with as_user(name_of(bob)):
        assert left["thread_id"] in every_thread(ada)
    with as_user(name_of(ada)):
        assert left["thread_id"] not in every_thread(ada)


def test_memory_is_each_users_own(ada, bob):
    for book, value in ((ada, "a"), (bob, "b")):
        sdk(book).store.put_item(["notes"], "k", {"text": value})
    for book, value in ((ada, "a"), (bob, "b")):
        items = book.store.items_df()
        assert [found["text"] for found in items["value"]] == [value]
        assert list(items["namespace"]) == [f"{name_of(book)}.notes"]


def test_a_user_exports_what_is_their_own(ada, bob, tmp_path):
    history = with_joke(ada)
    with_joke(bob)
    report = ada.export(tmp_path / "mine.forkbook")
    assert report
    with fb.connect(tmp_path / "mine.forkbook") as archive:
        assert list(archive.threads()["thread_id"]) == [history.thread_id]


def test_a_user_migrates_to_another_server_and_back(ada, bob, target_url):
    history = with_joke(ada)
    act = history[1].fork({"topic": "dogs"})
    there = fb.migrate(ada, target_url)
    assert there
    back = fb.migrate(target_url, bob, [history.thread_id], on_conflict="new_id", dry_run=True)
    assert list(back.df()["outcome"]) == ["planned"]
    back = fb.migrate(target_url, bob, [history.thread_id], on_conflict="new_id")
    assert back, back
    (move,) = back.moves
    assert "in the thread's metadata what the target sets itself: owner" in move.not_kept
    assert fb.verify(target_url, bob, [history.thread_id])
    assert move.new_thread_id != history.thread_id
    assert len(bob[move.new_thread_id]) == len(act.history)
    assert bob.backend.thread(move.new_thread_id)["metadata"]["owner"] == name_of(bob)
    assert len(every_thread(bob)) == 1
    assert fb.migrate(target_url, bob, [history.thread_id], on_conflict="new_id")
    assert len(every_thread(bob)) == 1


def test_a_dry_run_tells_a_hidden_graph_from_one_that_is_not_there(ada, testbed):
    with fb.connect(testbed) as elsewhere:
        threads = [elsewhere.run(None, {}, assistant=name).history.thread_id for name in ("questions", "joined")]
        hidden, missing = fb.migrate(elsewhere, ada, threads, dry_run=True).moves
    assert hidden.outcome == "planned"
    assert (missing.outcome, "no assistant 'joined'" in missing.reason) == ("error", True)


def test_the_explorer_offers_the_nodes_that_the_history_names(ada):
    explorer = with_joke(ada).explore()
    assert {"generate_topic", "write_joke"} <= set(QUESTIONS["schema"].answer(explorer, {"position": 1})["nodes"])


def test_another_users_id_is_a_conflict_for_a_migration(ada, bob, tmp_path):
    history = with_joke(ada)
    ada.export(tmp_path / "mine.forkbook")
    for how in ("skip", "compare"):
        report = fb.migrate(tmp_path / "mine.forkbook", bob, on_conflict=how)
        assert list(report.df()["outcome"]) == ["conflict"]
        assert "this user may not see" in report.moves[0].reason
    report = fb.migrate(tmp_path / "mine.forkbook", bob, on_conflict="new_id")
    assert report, report
    assert len(ada[history.thread_id]) == len(history)


DENIED = [
    ("no-create", "copying thread", lambda cp: cp.preview({"topic": "dogs"})),
    ("no-create", "copying thread", lambda cp: cp.edit({"topic": "dogs"})),
    ("no-create", "copying thread", lambda cp: cp.resume(in_copy=True)),
    ("no-create", "copying thread", lambda cp: cp.history.copy()),
    ("no-create", "creating thread", lambda cp: cp.history.book.run(None, {}, assistant="agent")),
    ("no-update", "scratch copy", lambda cp: cp.preview({"topic": "dogs"})),
    ("no-update", "scratch copy", lambda cp: cp.fork({"topic": "dogs"})),
    ("no-update", "tagging", lambda cp: cp.history.copy()),
    ("no-run", "starting a run", lambda cp: cp.resume()),
    ("no-threads", "listing the threads", lambda cp: cp.history.book.threads()),
]


@pytest.mark.parametrize(("lacking", "deed", "act"), DENIED)
def test_what_is_denied_is_named(ada, as_user, lacking, deed, act):
    history = with_joke(ada)
    before = every_thread(ada)
    with as_user(f"{name_of(ada)}.{lacking}") as book:
        cp = book[history.thread_id][1]
        with pytest.raises(fb.AccessDenied, match=f"(?s){deed}.*this user may not do that.*is not yours"):
            act(cp)
    assert every_thread(ada) == before
    assert len(ada[history.thread_id]) == len(history)


def test_a_migration_says_of_each_thread_that_it_may_not_be_created(ada, as_user, demo_url, demo_threads):
    with as_user(f"{name_of(ada)}.no-create") as book:
        report = fb.migrate(demo_url, book, list(demo_threads.values())[:3])
    assert [move.outcome for move in report.moves] == ["error"] * 3
    assert all(re.search("creating thread .* this user may not do that", move.reason) for move in report.moves)


def test_a_user_without_any_right_to_see_assistants_acts_all_the_same(ada, as_user):
    history = with_joke(ada)
    for lacking in ("no-search", "no-assistants"):
        with as_user(f"{name_of(ada)}.{lacking}") as book:
            act = book[history.thread_id][1].fork({"topic": "dogs"}, interrupt_before="write_joke")
            assert act.checkpoint.next == ("write_joke",)
            assert book.run(None, {"topic": "cats"}, assistant="agent").status == "finished"


def test_a_scratch_copy_that_may_not_be_deleted_is_named_and_hidden(ada, as_user):
    history = with_joke(ada)
    with as_user(f"{name_of(ada)}.no-delete") as book:
        seen = book[history.thread_id][1].preview({"topic": "dogs"})
        (left,) = re.findall(r"still there, thread ([0-9a-f-]+): deleting", "\n".join(seen.notes))
        assert left in every_thread(ada)
        assert left not in list(book.threads()["thread_id"])
    assert sdk(ada).threads.get(left)["metadata"]["forkbook"] == "scratch"


def test_without_a_token_the_server_says_so(url):
    with pytest.raises(fb.AccessDenied, match=r"denies access \(401.*api_key or headers"):
        fb.connect(url)


def test_threads_that_may_not_be_read_do_not_end_an_export_or_a_migration(ada, bob, tmp_path, target_url):
    theirs = [with_joke(bob).thread_id for _ in range(2)]
    mine = with_joke(ada).thread_id
    with opened(ada.backend.address, f"{name_of(ada)}.strict") as book:
        with pytest.raises(fb.AccessDenied, match=f"{theirs[0]}.*this user may not do that"):
            book.history(theirs[0])
        report = book.export(tmp_path / "mine.forkbook", [*theirs, mine])
        assert [thread_id for thread_id in theirs if thread_id in str(report)] == theirs
        with fb.connect(tmp_path / "mine.forkbook") as archive:
            assert list(archive.threads()["thread_id"]) == [mine]
        moved = fb.migrate(book, target_url, [*theirs, mine])
        assert [move.outcome for move in moved.moves] == ["error", "error", "created"]
