"""Secrets are left out of archives, exports and migrations unless they are asked for; the reports name them."""

import json
import sqlite3
import uuid
import zlib

import pandas as pd
import pytest
from agents import graphs
from given_secrets import CANARY, begun_with_secrets
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_sync_client

import forkbook as fb
from forkbook.backends.archive.text import unsqueezed
from forkbook.cli.app import app

NAMES = {"db_password", "token", "api_key", "openai.token", "providers.secret", "auth_token"}
SECRETS_ON_GRAPH = {"api_key", "auth_token"}


@pytest.fixture(scope="module")
def history(testbed):
    return begun_with_secrets(testbed)


def everything_in(path):
    """The text of a file or folder, whatever its format."""
    if path.is_dir():
        return "".join(pd.read_parquet(table).to_string() for table in path.iterdir() if table.is_dir())
    if path.suffix == ".json":
        return path.read_text()
    with sqlite3.connect(path) as db:
        tables = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
        cells = [cell for table in tables for row in db.execute(f"select * from {table}") for cell in row]
        samples = [unsqueezed(row[0]) for row in db.execute("select sample from threads")]
    found = []
    for cell in cells:
        for dictionary in (None, *samples) if isinstance(cell, bytes) else ():
            try:
                found.append(unsqueezed(cell, dictionary) if dictionary is not None else unsqueezed(cell))
            except (ValueError, zlib.error):
                continue
    return str(found + [cell for cell in cells if not isinstance(cell, bytes)])


def reopened(path):
    with fb.connect(path) as book:
        (thread,) = list(book.backend.threads())
        history = book.history(thread["thread_id"])
        return str(thread) + "".join(
            str(list(cp.metadata.items())) + str(cp.state["metadata"].get("api_key")) for cp in history
        )


@pytest.mark.parametrize("name", ["a.forkbook", "a.json", "a.parquet"])
def test_an_export_leaves_secrets_out_and_names_them(history, tmp_path, name):
    with fb.connect(history.book.backend.address) as book:
        report = book.export(tmp_path / name, [history.thread_id])
        assert report
        assert set(report.left_out) == NAMES
        assert "left out" in repr(report)
        assert "db_password" in repr(report)
        assert CANARY not in repr(report) + everything_in(tmp_path / name)
        if not name.endswith("parquet"):
            assert CANARY not in reopened(tmp_path / name)
            assert "user_id" in reopened(tmp_path / name)
        again = book.export(tmp_path / name, [history.thread_id])
        assert again.left_out == report.left_out
        assert again.skipped == (name == "a.forkbook")


@pytest.mark.parametrize("name", ["a.forkbook", "a.json", "a.parquet"])
def test_an_export_has_them_where_they_are_asked_for(history, tmp_path, name):
    with fb.connect(history.book.backend.address) as book:
        book.export(tmp_path / name, [history.thread_id])
        report = book.export(tmp_path / name, [history.thread_id], secrets=True)
        assert (report.left_out, report.threads) == ((), 1)
        assert "left out" not in repr(report)
        assert CANARY in everything_in(tmp_path / name)


def test_the_cache_of_a_server_is_an_archive_too(history, tmp_path):
    cache = tmp_path / "c.forkbook"
    for _ in range(2):
        with fb.connect(history.book.backend.address, cache=cache) as book:
            read = book.history(history.thread_id)
            assert CANARY not in everything_in(cache)
            assert read.tips[0].own_settings().config["configurable"]["api_key"] == CANARY
    with fb.connect(history.book.backend.address) as book:
        copy = book.backend._client.threads.copy(history.thread_id)["thread_id"]  # nothing has a record of its runs
        expected = book[copy].tips[0].own_settings()
    assert expected.guessed
    for _ in range(2):
        with fb.connect(history.book.backend.address, cache=cache) as book:
            assert book.history(copy).tips[0].own_settings() == expected
    assert expected.config["configurable"]["api_key"] == CANARY


def in_this_process():
    return fb.connect(graphs.build_fanout().compile(checkpointer=InMemorySaver(), name="fanout"))


def test_a_migration_between_servers_leaves_secrets_out(history, testbed):
    thread_id, source, client = history.thread_id, history.book, get_sync_client(url=testbed, api_key=None)
    for secrets in (False, True):
        target = in_this_process()
        planned = fb.migrate(source, target, [thread_id], dry_run=True, secrets=secrets)
        report = fb.migrate(source, target, [thread_id], secrets=secrets)
        held = f"{target.backend.thread(thread_id)}" + "".join(
            str(list(cp.metadata.items())) for cp in target[thread_id]
        )
        assert report
        assert (CANARY in held) is secrets
        assert set(report.left_out) == set(report.moves[0].left_out) == (set() if secrets else NAMES)
        assert set(planned.left_out) == set(report.left_out)
        assert ("left out" in repr(report)) is not secrets
        assert CANARY not in repr(report) + str(report.json()) + report.df().to_string()
        assert not any(d for move in report.moves for d in move.differences)
        verified = fb.verify(source, target, [thread_id])
        assert verified
        assert CANARY not in repr(verified) + str(verified.json())
        back = fb.migrate(target, fb.connect(testbed), [thread_id], on_conflict="new_id", secrets=secrets)
        assert back
        metadata = client.threads.get(back.moves[0].new_thread_id)["metadata"]
        assert metadata["owner"] == "ada"
        assert ("db_password" in metadata) is secrets


def test_a_thread_that_is_there_without_its_secrets_is_no_thread_with_them(history):
    source, target, wanted = history.book, in_this_process(), [history.thread_id]
    assert fb.migrate(source, target, wanted)
    again = fb.migrate(source, target, wanted)
    assert again.moves[0].outcome == "already there"
    assert again.left_out
    asked = fb.migrate(source, target, wanted, secrets=True)
    assert asked.moves[0].outcome == "conflict"
    assert "without its secrets" in asked.moves[0].reason
    target.backend.delete(history.thread_id)
    assert fb.migrate(source, target, wanted, secrets=True).moves[0].outcome == "created"
    assert fb.migrate(source, target, wanted, secrets=True).moves[0].outcome == "already there"


def test_secrets_that_differ_are_no_difference(history, tmp_path):
    one, other = tmp_path / "a.json", tmp_path / "b.json"
    with fb.connect(history.book.backend.address) as book:
        book.export(one, [history.thread_id], secrets=True)
    other.write_text(one.read_text().replace(CANARY, "another-canary"))
    found = fb.verify(one, other)
    assert found
    assert "not compared" in repr(found)
    other.write_text(one.read_text().replace('"why":"x"', '"why":"y"'))
    differs = fb.verify(one, other)
    assert not differs
    assert CANARY not in repr(differs) + str(differs.json())


def test_a_copy_keeps_its_secrets_and_says_none(history):
    report = history.copy()
    assert report
    assert CANARY not in repr(report)
    assert history.book[report.new_thread_id].tips[0].metadata["api_key"] == CANARY


def test_the_command_line_leaves_them_out_unless_told(history, tmp_path, capsys):
    address, ids = history.book.backend.address, ["--threads", history.thread_id]
    archive = str(tmp_path / "a.forkbook")
    for flag in ([], ["--secrets"]):
        for command in (["export", address, "-o", archive, *ids], ["export", address, "-o", archive, *ids, "--json"]):
            with pytest.raises(SystemExit) as ended:
                app([*command, *flag], prog_name="forkbook")
            told = capsys.readouterr()
            assert not ended.value.code
            assert CANARY not in told.out + told.err
            if "--json" in command:
                assert set(json.loads(told.out)["left_out"]) == (set() if flag else NAMES)
            else:
                assert ("--secrets takes them along" in " ".join(told.out.split())) is not bool(flag)
        assert (CANARY in everything_in(tmp_path / "a.forkbook")) is bool(flag)


def test_a_state_keeps_its_channels_whatever_their_names(tmp_path):
    """Only settings and metadata are told by names; what a graph computes is its own."""
    from langgraph.graph import START, StateGraph

    builder = StateGraph(dict)
    builder.add_node("node", lambda state: {"api_key": "of the state"}).add_edge(START, "node")
    graph = builder.compile(checkpointer=InMemorySaver())
    thread_id = str(uuid.uuid4())
    graph.invoke({"api_key": "x"}, {"configurable": {"thread_id": thread_id}})
    with fb.connect(graph) as book:
        assert book.export(tmp_path / "a.forkbook").left_out == ()
        with fb.connect(tmp_path / "a.forkbook") as archive:
            assert archive[thread_id][-1].values == book[thread_id][-1].values
        assert "of the state" in str(book[thread_id][-1].values)
