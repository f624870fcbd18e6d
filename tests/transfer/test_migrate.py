"""Threads between two real servers: the whole tree, nothing twice, whatever the line does."""

import json
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from langgraph_sdk import get_sync_client
from proxy import Fault, proxy, writes
from shapes import shape

import forkbook as fb
from forkbook.backends import retry
from forkbook.backends.server.backend import ServerBackend
from forkbook.marks import IMPORT
from forkbook.transfer import to_server
from forkbook.transfer.migrate import migrate as migrate_backends

pytestmark = pytest.mark.xdist_group("target")  # one migration at a time to the one target

KEY = "lsv2_sk_0123456789abcdef"


@pytest.fixture
def source(demo_url):
    with fb.connect(demo_url) as opened:
        yield opened


@pytest.fixture
def target(target_url):
    with fb.connect(target_url) as opened:
        yield opened


@pytest.fixture
def fresh(source, demo_threads):
    """Copies of the demo's threads, under ids that no other test knows."""
    return {name: source.copy(demo_threads[name]).new_thread_id for name in ("time travel", "branches", "approval")}


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(to_server, "QUIET", 0.3)


def test_five_threads_and_their_trees(source, target, demo_threads):
    report = fb.migrate(source, target, list(demo_threads.values()))
    assert report
    assert report.counts["created"] + report.counts["already there"] == report.counts["total"] == 5
    for name, thread_id in demo_threads.items():
        before, after = source[thread_id], target[thread_id]
        assert shape(before) == shape(after), name
        assert [cp.branch for cp in before] == [cp.branch for cp in after]
        kept = target.backend.thread(thread_id)["metadata"]
        assert kept["title"] == source.backend.thread(thread_id)["metadata"]["title"]
        assert kept[IMPORT]["state"] == "done"
        assert list(before.tokens_df().total_tokens) == list(after.tokens_df().total_tokens)
    assert {move.verdict for move in report.moves} == {"identical under new ids"}
    assert fb.verify(source, target, list(demo_threads.values()))


def test_what_supersteps_cannot_keep_is_told_from_what_was_measured(source, target, fresh):
    (move,) = fb.migrate(source, target, [fresh["branches"]]).moves
    counted = {words.partition(":")[0]: count for words, count in move.not_kept.items()}
    assert counted["created_at"] == 25
    assert counted["source"] == 19
    assert counted["usage_metadata and invalid_tool_calls of AI messages"] == 10
    assert {"run ids, and what runs leave in the metadata of checkpoints (user_id, assistant_id and the like)"} <= {
        *counted
    }
    (waiting,) = fb.migrate(source, target, [fresh["approval"]]).moves
    assert any(words.startswith("open interrupts") for words in waiting.not_kept)
    assert target[fresh["approval"]].tips[0].next == ("approve",)


def test_a_thread_that_waits_can_be_answered_there(source, target, target_url, fresh):
    fb.migrate(source, target, [fresh["approval"]])
    client = get_sync_client(url=target_url, api_key=None)
    client.runs.wait(fresh["approval"], "agent", input=None)
    values = client.runs.wait(fresh["approval"], "agent", command={"resume": "yes"})
    assert values["messages"][-1]["content"].startswith("Done: published")


def test_a_flipped_value_is_named_by_checkpoint_and_channel(source, target_url, target, fresh):
    thread_id = fresh["time travel"]
    assert fb.migrate(source, target, [thread_id])

    def flip(method, path, body):
        if not path.endswith("/history"):
            return None
        states = json.loads(body)
        for state in states:
            if state["values"].get("topic") == "chickens" and state["next"]:
                state["values"]["topic"] = "cows"
        return json.dumps(states).encode()

    with proxy(target_url, flip) as (url, _):
        report = fb.verify(source, url, [thread_id])
    assert not report
    (found,) = report.moves[0].differences
    chickens = [cp.id for cp in source[thread_id] if cp.values.get("topic") == "chickens" and cp.next]
    assert [found.checkpoint_id] == chickens
    assert (found.field, found.original, found.copied) == ("values.topic", "chickens", "cows")
    assert "values.topic: 'chickens' became 'cows'" in repr(report)
    assert report.moves[0].verdict == "differs"


def test_a_flip_inside_a_message_is_named(source, target_url, target, fresh):
    assert fb.migrate(source, target, [fresh["branches"]])
    flips = []

    def flip(method, path, body):
        states = json.loads(body) if path.endswith("/history") else []
        for state in states:
            if len(state["values"].get("messages", [])) == 4 and not flips:
                state["values"]["messages"][3]["content"] += "!"
                flips.append(state)
        return json.dumps(states).encode() if states else None

    with proxy(target_url, flip) as (url, _):
        (move,) = fb.verify(source, url, [fresh["branches"]]).moves
    (found,) = move.differences
    assert found.field == "values.messages[3].content"
    assert len(source[fresh["branches"]][found.checkpoint_id].values["messages"]) == 4


def test_a_dry_run_changes_nothing(source, target_url, fresh):
    with proxy(target_url) as (url, requests):
        report = fb.migrate(source, url, list(fresh.values()), dry_run=True)
    assert (report.counts["planned"], bool(report), report.dry_run) == (3, True, True)
    assert requests
    assert writes(requests) == []
    with fb.connect(target_url) as target:
        assert not any(thread_id in target for thread_id in fresh.values())


def test_a_second_run_writes_nothing(source, target_url, fresh):
    with proxy(target_url) as (url, requests):
        assert fb.migrate(source, url, list(fresh.values())).counts["created"] == 3
        assert writes(requests)
        del requests[:]
        again = fb.migrate(source, url, list(fresh.values()))
        assert (again.counts["already there"], bool(again)) == (3, True)
        compared = fb.migrate(source, url, list(fresh.values()), on_conflict="compare")
        assert {(move.outcome, move.verdict) for move in compared.moves} == {
            ("already there", "identical under new ids")
        }
        assert writes(requests) == []


def test_limit_and_a_list_of_threads(source, target, fresh):
    report = fb.migrate(source, target, fresh.values(), limit=2)
    assert [move.thread_id for move in report.moves] == list(fresh.values())[:2]
    with pytest.raises(fb.InvalidInput, match="list of ids"):
        fb.migrate(source, target, fresh["approval"])
    with pytest.raises(fb.InvalidInput, match="skip, compare, new_id"):
        fb.migrate(source, target, on_conflict="overwrite")
    with pytest.raises(fb.InvalidInput, match="at a time"):
        fb.migrate(source, target, concurrency=0)


def test_another_thread_under_the_same_id(source, target, target_url, fresh):
    thread_id = fresh["time travel"]
    client = get_sync_client(url=target_url, api_key=None)
    client.threads.create(thread_id=thread_id, graph_id="agent", metadata={"owner": "somebody"})
    client.threads.update_state(thread_id, {"topic": "mine"}, as_node="generate_topic")

    (skipped,) = fb.migrate(source, target, [thread_id]).moves
    assert (skipped.outcome, skipped.new_thread_id, bool(skipped)) == ("conflict", None, False)
    assert "another thread has the id" in skipped.reason
    (compared,) = fb.migrate(source, target, [thread_id], on_conflict="compare").moves
    assert (compared.outcome, compared.verdict) == ("conflict", "differs")
    assert compared.differences
    (renamed,) = fb.migrate(source, target, [thread_id], on_conflict="new_id").moves
    assert (renamed.outcome, renamed.verdict) == ("created", "identical under new ids")
    assert renamed.new_thread_id != thread_id
    (again,) = fb.migrate(source, target, [thread_id], on_conflict="new_id").moves
    assert (again.outcome, again.new_thread_id) == ("already there", renamed.new_thread_id)
    client.threads.copy(renamed.new_thread_id)  # bears the mark, too
    (stands,) = fb.verify(source, target, [thread_id]).moves
    assert (stands.new_thread_id, stands.verdict) == (renamed.new_thread_id, "identical under new ids")
    assert client.threads.get(thread_id)["metadata"]["owner"] == "somebody"
    assert len(target[thread_id]) == 1


def test_of_two_that_were_made_from_a_thread_the_one_of_its_present_content_stands_for_it(source, target, fresh):
    thread_id = fresh["time travel"]
    fb.migrate(source, target, [thread_id])
    source[thread_id][1].edit({"topic": "later"})
    assert not fb.verify(source, target, [thread_id])
    (renamed,) = fb.migrate(source, target, [thread_id], on_conflict="new_id").moves
    (stands,) = fb.verify(source, target, [thread_id]).moves
    assert (stands.new_thread_id, bool(stands)) == (renamed.new_thread_id, True)


def test_metadata_of_another_type_differ(source, target, target_url, demo_url, fresh):
    thread_id = fresh["time travel"]
    get_sync_client(url=demo_url, api_key=None).threads.update(thread_id, metadata={"grade": 1})
    assert fb.migrate(source, target, [thread_id])
    get_sync_client(url=target_url, api_key=None).threads.update(thread_id, metadata={"grade": True})
    (move,) = fb.verify(source, target, [thread_id]).moves
    assert [(d.field, d.original, d.copied) for d in move.differences] == [("metadata.grade", 1, True)]


def test_a_thread_that_went_on_at_its_source_is_a_conflict(source, target, fresh):
    thread_id = fresh["time travel"]
    fb.migrate(source, target, [thread_id])
    source[thread_id][1].edit({"topic": "later"})
    (move,) = fb.migrate(source, target, [thread_id]).moves
    assert (move.outcome, move.outdated) == ("conflict", True)
    assert "an earlier state of this thread" in move.reason
    (compared,) = fb.migrate(source, target, [thread_id], on_conflict="compare").moves
    assert [difference.copied for difference in compared.differences] == ["missing"]


def once(when, what):
    """A fault for the first request that fits."""
    seen = []

    def fault(method, path):
        if when(method, path) and not seen:
            seen.append(path)
            return what
        return None

    return fault


def creating(method, path):
    return method == "POST" and path == "/threads"


def forking(method, path):
    return method == "POST" and path.endswith("/state")


def tagging(method, path):
    return method == "PATCH"


def reading(method, path):
    return path.endswith("/history")


LATER = format_datetime(datetime.now(UTC) - timedelta(seconds=5))


@pytest.mark.parametrize("when", [creating, forking, tagging, reading], ids=["create", "fork", "tag", "read"])
@pytest.mark.parametrize(
    "what",
    [
        Fault(carried_out=True),
        Fault(),
        Fault(503, carried_out=True),
        Fault(503, (("retry-after", LATER),)),
        Fault(429, (("retry-after", "0.05"),)),
        Fault(500),
    ],
    ids=["answer lost", "request lost", "503 though done", "503", "429", "500"],
)
def test_one_fault_of_the_line_and_nothing_is_there_twice(source, target, target_url, fresh, when, what):
    thread_id = fresh["branches"]
    before = {record["thread_id"] for record in target.backend.threads()}
    with proxy(target_url, fault=once(when, what)) as (url, _):
        (move,) = fb.migrate(source, url, [thread_id]).moves
    assert (move.outcome, move.verdict, move.reason) == ("created", "identical under new ids", None)
    assert shape(source[thread_id]) == shape(target[thread_id])
    assert {record["thread_id"] for record in target.backend.threads()} - before >= {thread_id}
    assert not list(target.backend.threads(metadata={"forkbook_of": thread_id}))


def test_waiting_is_bounded_and_the_row_says_why(source, target_url, fresh):
    def always(method, path):
        return Fault(429, (("retry-after", "100000"),)) if creating(method, path) else None

    with proxy(target_url, fault=always) as (url, requests):
        (move,) = fb.migrate(source, url, [fresh["approval"]]).moves
    assert (move.outcome, "429" in move.reason) == ("error", True)
    assert len(writes(requests)) == 1


def test_retry_after_is_obeyed(source, target_url, fresh, monkeypatch):
    waited, sleep = [], time.sleep

    def shortened(seconds):
        if seconds == 7:
            waited.append(seconds)
        sleep(min(seconds, 0.3))  # long enough to see that the proxy hung up

    monkeypatch.setattr(time, "sleep", shortened)
    fault = once(creating, Fault(429, (("retry-after", "7"),)))
    with proxy(target_url, fault=fault) as (url, _):
        assert fb.migrate(source, url, [fresh["approval"]])
    assert waited == [7.0]


def test_a_conflict_that_comes_in_between_is_left_alone(source, target_url, fresh):
    """Another client makes the thread between the look and the create: 409, and nothing of it is touched."""
    client = get_sync_client(url=target_url, api_key=None)
    thread_id = fresh["approval"]

    def somebody_else(method, path):
        if creating(method, path):
            client.threads.create(thread_id=thread_id, metadata={"owner": "somebody"}, if_exists="do_nothing")

    with proxy(target_url, fault=somebody_else) as (url, requests):
        (move,) = fb.migrate(source, url, [thread_id]).moves
    assert (move.outcome, bool(move)) == ("error", False)
    assert client.threads.get(thread_id)["metadata"] == {"owner": "somebody"}
    assert [method for method, _ in writes(requests)] == ["POST"]


def test_a_run_that_is_cut_short_goes_on(source, target, target_url, fresh):
    thread_id = fresh["branches"]
    forks = []

    def third_fork_fails(method, path):
        if forking(method, path) and thread_id in path:
            forks.append(path)
            return Fault() if len(forks) > 3 else None
        return None

    with proxy(target_url, fault=third_fork_fails) as (url, _):
        (cut,) = fb.migrate(source, url, [thread_id]).moves
    assert cut.outcome == "error"
    half = target.backend.thread(thread_id)["metadata"][IMPORT]
    assert half["state"] == "writing"
    there = len(target[thread_id])
    with proxy(target_url) as (url, requests):
        (move,) = fb.migrate(source, url, [thread_id]).moves
    assert (move.outcome, move.verdict) == ("created", "identical under new ids")
    assert not any(creating(*request) for request in writes(requests))
    assert sum(thread_id in path and forking(method, path) for method, path in writes(requests)) == 25 - there


def test_a_half_made_thread_that_somebody_ran_is_left_alone(source, target, target_url, fresh):
    thread_id = fresh["approval"]
    client = get_sync_client(url=target_url, api_key=None)
    client.threads.create(
        thread_id=thread_id, metadata={IMPORT: {"of": thread_id, "at": thread_id, "state": "writing"}}
    )
    client.runs.wait(thread_id, "agent", input={})
    (move,) = fb.migrate(source, target, [thread_id]).moves
    assert (move.outcome, "has been run since" in move.reason) == ("error", True)
    assert len(target[thread_id]) == 4


def test_one_bad_thread_never_stops_the_others(demo_url, target, fresh):
    bad, good = fresh["branches"], fresh["approval"]
    missing = str(uuid.uuid4())

    def fault(method, path):
        return Fault(400) if bad in path and path.endswith("/history") else None

    with proxy(demo_url, fault=fault) as (url, _):
        report = fb.migrate(url, target, [bad, missing, good])
    assert [move.outcome for move in report.moves] == ["error", "error", "created"]
    assert "400" in report.moves[0].reason
    assert missing in report.moves[1].reason
    assert (bool(report), report.counts["error"], report.counts["total"]) == (False, 2, 3)


def test_a_place_that_is_gone_ends_it(source, fresh):
    report = migrate_backends(source.backend, dead_backend(), [*fresh.values(), str(uuid.uuid4())], concurrency=1)
    assert [move.outcome for move in report.moves] == ["error", "error", "error", "not reached"]
    assert "cannot reach" in report.stopped
    assert not report.interrupted


def dead_backend():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        backend = ServerBackend(f"http://127.0.0.1:{taken.getsockname()[1]}")
    backend.threads = lambda **search: iter(())
    return backend


def test_ctrl_c_leaves_a_report_and_the_next_run_ends_it(source, target, fresh, monkeypatch):
    from forkbook.transfer import migrate

    first = threading.Event()
    original = migrate.Mover.move

    def interrupted(self, record):
        if first.is_set():
            raise KeyboardInterrupt
        first.set()
        return original(self, record)

    with monkeypatch.context() as patched:
        patched.setattr(migrate.Mover, "move", interrupted)
        report = fb.migrate(source, target, fresh.values(), concurrency=1)
    assert [move.outcome for move in report.moves] == ["created", "not reached", "not reached"]
    assert (bool(report), report.interrupted, "run again" in report.stopped) == (False, True, True)
    again = fb.migrate(source, target, fresh.values())
    assert again
    assert [move.outcome for move in again.moves] == ["already there", "created", "created"]


def test_scratch_copies_of_a_killed_migration_are_cleared_away(source, target, target_url, fresh):
    client = get_sync_client(url=target_url, api_key=None)
    of, other = ({IMPORT: {"of": id_, "at": "y", "state": "writing", "by": "z"}} for id_ in (fresh["approval"], "x"))
    left, others = (client.threads.create(metadata=mark)["thread_id"] for mark in (of, other))
    assert fb.migrate(source, target, [fresh["approval"]])
    assert left not in target
    assert others in target, "whoever migrates x may be at work"
    target.backend.delete(others)


def test_of_two_migrations_at_once_the_second_leaves_alone_what_the_first_is_writing(source, target_url, fresh):
    thread_id = fresh["branches"]
    with proxy(target_url, lambda method, path, _: time.sleep(0.1) if forking(method, path) else None) as (url, seen):
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(fb.migrate, source, url, [thread_id])
            while sum(forking(*request) for request in writes(seen)) < 2:
                time.sleep(0.01)
            (second,) = fb.migrate(source, target_url, [thread_id]).moves
        assert first.result()
    assert (second.outcome, "another migration is writing" in second.reason) == ("error", True)
    assert fb.migrate(source, target_url, [thread_id]).counts["already there"] == 1


def test_a_migration_that_began_before_another_leaves_alone_what_that_is_writing(source, target_url, fresh):
    """It looked who was at work when nobody was."""
    thread_id = fresh["branches"]
    looked, half = threading.Event(), threading.Event()

    def wait(method, path, _):
        if "search" in path:
            looked.set()
            half.wait(20)

    def write(method, path, _):
        if forking(method, path):
            half.set()
            time.sleep(0.05)

    with proxy(target_url, wait) as (early, _), proxy(target_url, write) as (late, seen), ThreadPoolExecutor(2) as pool:
        first = pool.submit(fb.migrate, source, early, [thread_id])
        assert looked.wait(20)
        second = pool.submit(fb.migrate, source, late, [thread_id])
        assert second.result()
        (left,) = first.result().moves
    assert left.outcome in ("error", "already there")
    assert "DELETE" not in {method for method, path in writes(seen) if thread_id in path}
    assert fb.migrate(source, target_url, [thread_id]).counts["already there"] == 1


def test_a_thread_that_runs_is_migrated_when_its_run_has_ended(testbed, target_url):
    client = get_sync_client(url=testbed, api_key=None)
    thread_id = client.threads.create(graph_id="sleeper")["thread_id"]
    run_id = client.runs.create(thread_id, "sleeper", input={"topic": "cats"})["run_id"]
    (move,) = fb.migrate(testbed, target_url, [thread_id], assistant="agent").moves
    assert (move.outcome, "run again when its run has ended" in move.reason) == ("error", True)
    client.runs.join(thread_id, run_id)


def test_a_place_is_not_migrated_onto_itself(source, demo_url, fresh):
    for there in (source, demo_url.replace("127.0.0.1", "localhost")):
        with pytest.raises(fb.InvalidInput, match="the same place"):
            fb.migrate(source, there, [fresh["approval"]])
    (move,) = fb.migrate(source, demo_url, [fresh["approval"]], on_conflict="new_id").moves
    assert (move.outcome, move.new_thread_id != fresh["approval"]) == ("created", True)


def test_what_the_report_holds(source, target, fresh):
    report = fb.migrate(source, target, fresh.values())
    plain = json.loads(json.dumps(report.json()))
    assert (plain["ok"], plain["counts"]["created"], len(plain["threads"])) == (True, 3, 3)
    assert plain["threads"][0]["verdict"] == "identical under new ids"
    frame = report.df()
    assert list(frame.columns[:4]) == ["thread_id", "new_thread_id", "outcome", "verdict"]
    assert list(frame.differences) == [0, 0, 0]
    assert "3 created, 3 total" in repr(report)
    assert "not kept (" in repr(report)


def test_the_key_shows_nowhere(demo_url, target_url, fresh):
    denied = once(creating, Fault(401))
    with proxy(target_url, fault=denied) as (url, requests):
        with fb.connect(url, api_key=KEY) as target:
            report = fb.migrate(demo_url, target, fresh.values())
            said = repr(report) + json.dumps(report.json()) + report.df().to_string() + repr(target)
        assert KEY not in said
        assert any(KEY in headers.values() for _, _, headers in requests)
    assert report.counts["error"] == 1


def test_an_archive_goes_back_to_a_server(source, target, target_url, fresh, tmp_path):
    source.export(tmp_path / "study.forkbook", fresh.values())
    report = fb.migrate(tmp_path / "study.forkbook", target_url)
    assert report
    assert report.counts["created"] == 3
    assert fb.verify(source, target, fresh.values())
    assert fb.verify(source, tmp_path / "study.forkbook", fresh.values()).moves[0].verdict == "identical"


def test_a_place_that_takes_no_threads_says_which_do(source, tmp_path, fresh):
    source.export(tmp_path / "study.forkbook", fresh.values())
    with pytest.raises(fb.Unsupported, match="Agent Server"):
        fb.migrate(source, tmp_path / "study.forkbook")
