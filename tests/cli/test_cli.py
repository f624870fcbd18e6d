"""The command line as people use it, on two real servers; real processes where pipes, terminals and signals matter."""

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import socket
import sqlite3
import termios
import threading
import time
import uuid
from pathlib import Path

import jsonpatch
import pytest
import typer
from commands import document, run, run_alone, started
from langgraph_sdk import get_sync_client
from proxy import answering, proxy, writes
from rich.cells import cell_len

import forkbook as fb
from forkbook.cli import app, screen
from forkbook.cli.commands.threads import described, origin
from forkbook.cli.places import backup_of
from forkbook.cli.say_migration import say_migration
from forkbook.marks import IMPORT
from forkbook.transfer.outcome import MigrateReport, Move

pytestmark = pytest.mark.xdist_group("target")  # one migration at a time to the one target

KEY, OTHER_KEY = "lsv2_sk_do_not_show_me", "lsv2_sk_nor_me_either"
README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture
def fresh(book, client, demo_threads):
    """Copies of two of the demo's threads under ids that no other test knows; both belong to somebody."""
    ids = [book.copy(demo_threads[name]).new_thread_id for name in ("time travel", "approval")]
    for id_ in ids:
        client.threads.update(id_, metadata={"owner": "ada"})
    return ids


@pytest.fixture
def target(target_url):
    with fb.connect(target_url) as opened:
        yield opened


@pytest.fixture
def archive(book, demo_threads, tmp_path):
    book.export(tmp_path / "study.forkbook", demo_threads.values())
    return tmp_path / "study.forkbook"


def made_from(target, thread_id):
    """Threads of the target that a migration made from this one."""
    return [
        record["thread_id"]
        for record in target.backend.threads()
        if (record["metadata"].get(IMPORT) or {}).get("of") == thread_id
    ]


# Help


def commands():
    return typer.main.get_command(app).commands


@pytest.mark.parametrize("name", list(commands()))
def test_help_says_everything(name):
    command = commands()[name]
    first, *rest = command.help.split("\n")
    assert 0 < len(first) <= 80
    assert "Examples:" in command.help
    assert f"forkbook {name}" in command.help
    assert all(len(line) <= 80 for line in rest[rest.index("Examples:") :])
    without = [param.name for param in command.params if not getattr(param, "help", None)]
    assert without == []
    code, said, _ = run(name, "--help", env={"COLUMNS": "80"})
    assert code == 0
    usage = re.search(r"Usage: (.*?)\n\n", said, re.DOTALL)[1]
    assert not re.search(r"[{}<>]|\[\[", usage), usage
    assert set(re.findall(r"[A-Za-z]+", usage.partition("[OPTIONS]")[2])) <= {"SRC", "DST", "FILE", "THREAD", "A", "B"}
    assert "<str>" not in said
    assert all(option in said for param in command.params for option in param.opts if option.startswith("--"))
    assert all(len(line) <= 80 for line in said.splitlines())


def test_every_command_has_json_but_the_demo():
    without = [name for name, command in commands().items() if "--json" not in str([p.opts for p in command.params])]
    assert without == ["demo"]


def test_the_overview_cuts_nothing_and_lists_the_exit_codes_as_the_readme_does():
    code, said, _ = run("--help", env={"COLUMNS": "80"})
    assert code == 0
    assert "..." not in said.partition("Commands:")[2]
    assert all(command.help.split("\n")[0] in said for command in commands().values())
    codes = {int(found) for found in re.findall(r"^ +(\d+)  ", said, re.MULTILINE)}
    names = ("OK", "DIFFERENT", "MISUSED", "UNREACHABLE", "INTERRUPTED", "READER_GONE")
    assert codes == {getattr(screen, name) for name in names}
    assert {int(found) for found in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)} == codes


# Looking


def test_threads_are_listed(demo_url, demo_threads):
    code, out, err = run("threads", demo_url)
    assert code == 0
    assert all(id_ in out for id_ in demo_threads.values())
    assert re.search(rf"^{demo_threads['approval']}  interrupted +\d{{4}}-", out, re.MULTILINE)
    assert err.strip().endswith("threads")


def test_threads_are_searched(demo_url, fresh, client):
    client.threads.update(fresh[0], metadata={"cli": 7})
    code, said = document("threads", demo_url, "--metadata", "cli=7", "--metadata", "owner=ada")
    assert code == 0
    assert (said["source"], said["total"]) == (demo_url, 1)
    assert [row["thread_id"] for row in said["threads"]] == [fresh[0]]
    assert said["threads"][0]["metadata"]["owner"] == "ada"
    assert document("threads", demo_url, "--limit", "2")[1]["total"] == 2


def test_a_status_that_no_thread_has_is_told_with_those_that_there_are(demo_url, archive):
    with proxy(demo_url) as (url, seen):
        for place in (url, archive):
            code, said = document("threads", place, "--status", "foo")
            assert code == 2
            assert "'foo': --status takes idle, busy, interrupted, error" in said["error"]["message"]
            assert said["error"]["candidates"] == ["idle", "busy", "interrupted", "error"]
    assert seen == []


def test_people_see_their_own_metadata_and_whence_a_thread_came(demo_url, target_url, client, fresh, book, tmp_path):
    client.threads.update(fresh[0], metadata={"title": "Mine"})
    assert run("migrate", demo_url, target_url, "-t", fresh[0], "--on-conflict", "new_id")[0] == 0
    (line,) = [line for line in run("threads", demo_url)[1].splitlines() if line.startswith(fresh[0])]
    assert re.search(r"  Mine · owner=ada · copy of …[0-9a-f]{6} · graph_id=agent", line)
    assert "forkbook" not in line
    out = run("threads", target_url)[1]
    (line,) = [line for line in out.splitlines() if "Mine" in line and line.startswith(fresh[0])]
    assert "owner=ada" in line
    assert "forkbook" not in out
    (row,) = [row for row in document("threads", target_url)[1]["threads"] if row["thread_id"] == fresh[0]]
    assert row["metadata"][IMPORT]["of"] == fresh[0]


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, ""),
        ({IMPORT: {"of": "t"}}, "migrated"),
        ({IMPORT: {"of": "12345678", "state": "done"}}, "migrated from …345678"),
        ({IMPORT: {"of": "12345678", "state": "writing"}}, "half migrated from …345678"),
        ({"forkbook_copy_of": "12345678", "forkbook_copy": {"at": "t"}}, "copy of …345678"),
        ({"forkbook_copy_of": "12345678", "forkbook_copy": {"at": "87654321"}}, "copy of …654321"),
        ({"forkbook_sweep_of": "12345678", "forkbook_sweep_at": "t"}, "variant of …345678"),
        ({IMPORT: "odd"}, ""),
    ],
)
def test_what_made_a_thread_is_said_in_a_word(metadata, words):
    assert origin("t", metadata) == words
    row = {"thread_id": "t", "metadata": metadata | {"graph_id": "g", "mood": "good"}}
    assert described(row) == " · ".join(filter(None, ["mood=good", words, "graph_id=g"]))


BAD = [
    {"thread_id": "good", "metadata": {"owner": "ada"}, "values": {"log": ["a"]}},
    {"metadata": {}, "values": {}},
    7,
    {"thread_id": "odd", "metadata": "oops", "values": {"log": ["a"]}},
    {"thread_id": "twice", "metadata": {}, "values": {"log": ["a"]}},
    {"thread_id": "twice", "metadata": {}, "values": {"log": ["b"]}},
    {"thread_id": "list", "metadata": {}, "history": {"a": 1}},
]


def test_what_is_no_thread_in_a_file_is_listed_with_the_reason(tmp_path):
    (tmp_path / "bad.json").write_text(json.dumps(BAD))
    code, out, _ = run("threads", tmp_path / "bad.json")
    assert (code, bool(re.search("^good .*owner=ada", out, re.MULTILINE))) == (1, True)
    assert "5 of these cannot be read" in out
    for words in (
        "thread_id is None",
        "7 is no object",
        "metadata is 'oops'",
        "more than once",
        "where a list belongs",
    ):
        assert words in out
    code, said = document("threads", tmp_path / "bad.json")
    assert (code, set(said["faults"])) == (1, {"item 2", "item 3", "odd", "twice", "list"})
    (tmp_path / "only.json").write_text(json.dumps(BAD[1:4]))
    assert run("threads", tmp_path / "only.json")[0] == 1
    (tmp_path / "good.json").write_text(json.dumps(BAD[:1]))
    assert document("threads", tmp_path / "good.json")[0] == 0


def test_an_empty_place_is_told_with_what_may_be_the_reason(target_url, tmp_path):
    (tmp_path / "x.json").write_text("[]")
    words = "no thread was found at .*x.json: is this the right place\\?"
    for args in (
        ("threads", tmp_path / "x.json"),
        ("export", tmp_path / "x.json", "-o", tmp_path / "y.json"),
        ("migrate", tmp_path / "x.json", target_url, "--dry-run"),
        ("migrate", tmp_path / "x.json", target_url, "--validate"),
        ("import", tmp_path / "x.json", "--to", target_url, "--test-single", "--dry-run"),
        ("verify", tmp_path / "x.json", target_url),
    ):
        code, out, err = run(*args)
        assert (code, bool(re.search(words, out + err))) == (0, True), args
    assert "no thread was found" not in "".join(run("threads", tmp_path / "x.json", "--limit", "0")[1:])
    with answering(200, b"[]") as (url, _):
        assert "may your key read its threads?" in run("threads", url)[2]


def test_a_title_is_readable_on_80_columns(demo_url, demo_threads):
    out = run("threads", demo_url, env={"COLUMNS": "80"})[1]
    assert re.search(rf"^{demo_threads['branches']}  idle .*\n  Branches: one conversation, three ways on ", out, re.M)


def test_a_thread_is_drawn(demo_url, book, demo_threads):
    code, out, _ = run("show", demo_url, demo_threads["branches"])
    assert code == 0
    assert out.rstrip("\n") == repr(book[demo_threads["branches"]])


@pytest.mark.parametrize("columns", [42, 80, 120])
def test_everything_fits_the_terminal(archive, demo_threads, columns):
    env = {"COLUMNS": str(columns)}
    for args in (("show", archive, demo_threads["branches"]), ("threads", archive), ("verify", archive)):
        code, out, _ = run(*args, env=env)
        assert code == 0
        assert all(cell_len(line) <= columns for line in out.splitlines())
    _, out, _ = run("show", archive, demo_threads["branches"], env=env)
    assert re.findall(r"tip [A-Z]$", out, re.MULTILINE) == ["tip A", "tip B", "tip C"]


def test_colours_are_for_terminals_or_on_demand(archive, demo_threads):
    args = ("show", archive, demo_threads["approval"])
    plain, coloured = run(*args)[1], run(*args, env={"FORCE_COLOR": "1"})[1]
    assert "\x1b" not in plain
    assert "\x1b[33m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    assert "\x1b[33m" not in run(*args, env={"FORCE_COLOR": "1", "NO_COLOR": "1"})[1]


def test_a_thread_as_json(archive, demo_threads, book):
    code, said = document("show", archive, demo_threads["time travel"])
    assert code == 0
    assert (said["complete"], len(said["checkpoints"])) == (True, 6)
    assert [branch["branch"] for branch in said["branches"]] == ["A", "B"]
    assert {row["spent_tokens"] for row in said["checkpoints"]} == {None, 18, 21}


def test_two_branches_are_compared(demo_url, demo_threads, book):
    thread_id = demo_threads["time travel"]
    code, out, _ = run("diff", demo_url, thread_id, "A", "B")
    assert code == 1
    assert 'topic: "cats" → "chickens"' in out
    code, said = document("diff", demo_url, thread_id, "A", "B")
    a, b = (book[thread_id].pick(label) for label in "AB")
    assert (code, said["equal"], said["a"], said["b"]) == (1, False, a.id, b.id)
    assert jsonpatch.apply_patch(a.values, said["patch"]) == b.values
    assert document("diff", demo_url, thread_id, a.id[-6:], "A") == (
        0,
        {"thread_id": thread_id, "a": a.id, "b": a.id, "common_ancestor": a.id, "equal": True, "patch": []},
    )


def test_foreign_text_commands_no_terminal(demo_url, client):
    thread_id = str(uuid.uuid4())
    nasty = "\nforkbook: a line of ours\r\x1b]0;owned\x07\x1b[2J[red]x[/red] :smile: \u202eabc\x9b31m"
    client.threads.create(
        thread_id=thread_id,
        graph_id="agent",
        metadata={"title": nasty, "mark": thread_id},
        supersteps=[
            {"updates": [{"as_node": "__start__", "values": {"messages": [{"role": "human", "content": nasty}]}}]},
            {"updates": [{"as_node": "chat", "values": {"topic": nasty}}]},
        ],
    )
    ids = [state["checkpoint"]["checkpoint_id"] for state in client.threads.get_history(thread_id)]
    said = [
        run("threads", demo_url, "--metadata", f"mark={thread_id}")[1],
        run("show", demo_url, thread_id)[1],
        run("diff", demo_url, thread_id, ids[-1], ids[0])[1],
    ]
    assert all(not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text) for text in said)
    assert "␛[2J[red]x[/red] :smile: \\u202eabc" in said[0]
    assert "[red]x[/red]" in said[2]
    assert not re.search("^forkbook:", "".join(said), re.MULTILINE)
    (found,) = document("threads", demo_url, "--metadata", f"mark={thread_id}")[1]["threads"]
    assert found["metadata"]["title"] == nasty
    _, raw, _ = run("threads", demo_url, "--metadata", f"mark={thread_id}", "--json")
    assert raw.isascii()
    assert "\x1b" not in raw
    assert "\x1b" not in run("show", demo_url, nasty)[2]


# The options that people know from migration scripts


@pytest.mark.parametrize("name", ["backup.json", "backup.forkbook"])
def test_export_only_then_import_only(demo_url, target_url, target, fresh, tmp_path, name):
    code, said = document("export", demo_url, "-o", tmp_path / name, "--threads", ",".join(fresh))
    assert code == 0
    assert (said["ok"], said["threads"], said["errors"]) == (True, 2, {})
    code, said = document("import", tmp_path / name, "--to", target_url)
    assert (code, said["ok"], said["migration"]["counts"]["created"]) == (0, True, 2)
    for id_ in fresh:
        assert target.backend.thread(id_)["metadata"]["owner"] == "ada"
    code, said = document("import", tmp_path / name, "--to", target_url)
    assert (code, said["migration"]["counts"]["already there"]) == (0, 2)
    assert document("verify", tmp_path / name, target_url)[1]["ok"]


def test_parquet_tables(demo_url, fresh, tmp_path):
    import pandas as pd

    code, _, _ = run("export", demo_url, "-o", tmp_path / "x.parquet", "-t", fresh[0], "-t", fresh[1])
    assert code == 0
    assert set(pd.read_parquet(tmp_path / "x.parquet" / "threads").thread_id) == set(fresh)


def test_migrate_keeps_the_tree_and_the_owner(demo_url, target_url, book, target, fresh):
    code, out, _ = run("migrate", demo_url, target_url, "--threads", fresh[0], "--threads", fresh[1])
    assert code == 0
    assert re.search(r"created +2\n +already there +0\n +errors +0\n +total +2", out)
    for id_ in fresh:
        assert target.backend.thread(id_)["metadata"]["owner"] == "ada"
        assert target[id_].tree.parents == book[id_].tree.parents
    code, out, _ = run("migrate", demo_url, target_url, "--threads", ",".join(fresh))
    assert (code, bool(re.search(r"already there +2\n", out))) == (0, True)


def test_full_is_backup_migrate_validate(demo_url, target_url, fresh, tmp_path):
    code, said = document("migrate", demo_url, target_url, "--full", "-t", ",".join(fresh), cwd=tmp_path)
    assert code == 0
    assert [said[step]["ok"] for step in ("backup", "migration", "validation")] == [True] * 3
    assert {move["verdict"] for move in said["validation"]["threads"]} == {"identical under new ids"}
    (backup,) = tmp_path.iterdir()
    assert backup.name == f"threads_backup-{demo_url.removeprefix('http://').replace(':', '-')}.forkbook"
    assert {verdict.thread_id for verdict in fb.verify(backup).threads} == set(fresh)


def test_each_source_has_a_backup_of_its_own_with_which_the_same_command_goes_on(demo_url, target_url, fresh, tmp_path):
    for number, id_ in enumerate(fresh, 1):
        code, out, _ = run("migrate", demo_url, target_url, "--full", "-t", id_, cwd=tmp_path)
        assert (code, len(list(tmp_path.iterdir()))) == (0, 1)
        assert f"holds {number} thread{'s' * (number > 1)} now" in out
    with proxy(demo_url) as (elsewhere, _):
        _, said = document("migrate", elsewhere, target_url, "--full", "-t", fresh[0], cwd=tmp_path)
    assert (said["backup"]["held"], len(list(tmp_path.iterdir()))) == (1, 2)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("http://localhost:2024", "localhost-2024"),
        (" HTTP://Localhost:2024/ ", "localhost-2024"),
        ("https://a.example.org", "a.example.org"),
        ("https://a.example.org/b/c", "a.example.org-b-c-......"),
        ("http://[::1]:2024", "1-2024-......"),
        ("postgresql://ada:secret@db:5432/main", "db-5432-main-......"),
        ("some/folder/study.json", "study.json-......"),
        ("demo", "demo"),
    ],
)
def test_a_backup_says_where_from(place, name):
    assert re.fullmatch(f"threads_backup-{name}.forkbook", str(backup_of(place)))


@pytest.mark.parametrize(
    ("one", "other"),
    [("https://h/a/b", "https://h/a-b"), ("a/x.json", "b/x.json"), ("postgresql:///x", "postgresql:///x?host=/tmp")],
)
def test_no_two_places_share_a_backup(one, other):
    assert backup_of(one) != backup_of(other)
    assert backup_of("postgresql://u:one@h/d") == backup_of("postgresql://u:two@h/d")


def test_the_backup_file_has_the_name_that_was_given(demo_url, target_url, fresh, tmp_path):
    args = ("migrate", demo_url, target_url, "-t", fresh[0], "--backup-file", tmp_path / "mine.json")
    code, _, err = run(*args)
    assert (code, "step 1 of 2: back up" in err) == (0, True)
    assert [thread["thread_id"] for thread in json.loads((tmp_path / "mine.json").read_text())] == [fresh[0]]


def test_an_export_of_nothing_leaves_no_file(demo_url, fresh, tmp_path):
    for name in ("x.forkbook", "x.json", "x.parquet"):
        code, out, _ = run("export", demo_url, "-o", tmp_path / name, "-t", "nope")
        assert (code, "not written" in out, list(tmp_path.iterdir())) == (1, True, [])
    assert run("export", demo_url, "-o", tmp_path / "x.forkbook", "-t", fresh[0])[0] == 0
    code, said = document("export", demo_url, "-o", tmp_path / "x.forkbook", "-t", "nope")
    assert (code, said["held"], (tmp_path / "x.forkbook").exists()) == (1, 1, True)


def test_one_of_many_that_is_not_there_is_exit_code_1(demo_url, target_url, fresh, tmp_path):
    missing = f"{fresh[0]},{uuid.uuid4()}"
    assert run("migrate", demo_url, target_url, "-t", missing)[0] == 1
    assert run("verify", demo_url, target_url, "-t", missing)[0] == 1
    assert run("export", demo_url, "-o", tmp_path / "x.json", "-t", missing)[0] == 1
    assert len(json.loads((tmp_path / "x.json").read_text())) == 1


def test_tables_are_no_backup(demo_url, target_url, tmp_path):
    args = ("migrate", demo_url, target_url, "--backup-file", tmp_path / "x.parquet")
    code, _, err = run(*args)
    assert (code, "tables cannot be read back, so they are no backup; end it in .forkbook or .json" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_validate_compares_and_writes_nothing(demo_url, target_url, fresh):
    code, out, _ = run("migrate", demo_url, target_url, "--validate", "-t", fresh[0])
    assert (code, bool(re.search(r"missing +1\n", out))) == (1, True)
    assert run("migrate", demo_url, target_url, "-t", fresh[0])[0] == 0
    with proxy(demo_url) as (source, read), proxy(target_url) as (url, seen):
        code, out, _ = run("migrate", source, url, "--validate", "-t", fresh[0])
    assert (code, bool(re.search(r"identical under new ids +1\n", out))) == (0, True)
    assert read
    assert writes(read) + writes(seen) == []


def test_what_differs_is_named_and_is_exit_code_1(demo_url, target_url, fresh):
    assert run("migrate", demo_url, target_url, "-t", fresh[0])[0] == 0

    def flip(method, path, body):
        return body.replace(b'"topic":"cats"', b'"topic":"cows"') if path.endswith("/history") else None

    with proxy(target_url, flip) as (url, _):
        code, out, _ = run("verify", demo_url, url, "-t", fresh[0])
    assert code == 1
    assert "values.topic: 'cats' became 'cows'" in out
    assert "Agent Server" in out


def test_a_dry_run_changes_nothing_anywhere(demo_url, target_url, fresh, tmp_path):
    with proxy(demo_url) as (source, read), proxy(target_url) as (url, seen):
        code, said = document("migrate", source, url, "--full", "--dry-run", "-t", ",".join(fresh), cwd=tmp_path)
    assert (code, said["migration"]["counts"]["planned"], said["backup"]) == (0, 2, None)
    assert read
    assert seen
    assert writes(read) + writes(seen) == []
    assert list(tmp_path.iterdir()) == []


def test_a_single_test_moves_one_thread(demo_url, target_url, target, fresh, tmp_path):
    args = ("--full", "--test-single", "--threads", ",".join(fresh), "--backup-file", tmp_path / "one.forkbook")
    code, said = document("migrate", demo_url, target_url, *args)
    assert code == 0
    assert [len(said[step]["threads"]) for step in ("migration", "validation")] == [1, 1]
    assert (said["backup"]["threads"], fresh[0] in target, fresh[1] in target) == (1, True, False)
    code, said = document("migrate", demo_url, target_url, "--test-single", "--dry-run")
    assert (code, said["migration"]["counts"]["total"]) == (0, 1)
    out = run("migrate", demo_url, target_url, "--test-single", "--threads", fresh[1])[1]
    assert f"  {fresh[1]}: created, identical under new ids" in out


def test_conflicts_are_left_alone_unless_another_id_is_asked_for(demo_url, target_url, target, fresh, tmp_path):
    client = get_sync_client(url=target_url, api_key=None)
    client.threads.create(thread_id=fresh[0])
    code, out, _ = run("migrate", demo_url, target_url, "-t", fresh[0])
    assert (code, "another thread has the id" in out) == (1, True)
    assert "--on-conflict compare compares the two, new_id writes this one under a new id" in out
    said = run("migrate", demo_url, target_url, "-t", fresh[0], "--on-conflict", "compare")[1]
    assert "and differs: --on-conflict new_id writes this one under a new id" in said
    args = ("migrate", demo_url, target_url, "-t", fresh[0], "--on-conflict", "new_id", "--full")
    code, said = document(*args, cwd=tmp_path)
    (move,), (compared,) = said["migration"]["threads"], said["validation"]["threads"]
    assert (code, move["outcome"], len(target[move["new_thread_id"]])) == (0, "created", 6)
    assert compared["new_thread_id"] == move["new_thread_id"]
    pair = fresh[0], move["new_thread_id"]
    assert "  {} ↔ {}: identical under new ids".format(*pair) in run("verify", demo_url, target_url, "-t", fresh[0])[1]
    out = run("migrate", demo_url, target_url, "-t", ",".join(fresh), "--on-conflict", "new_id")[1]
    assert "under another id there:\n  {} → {}\n".format(*pair) in out
    assert f"{fresh[1]} →" not in out


def test_at_most_ten_new_ids_are_named(capsys):
    moves = [Move(f"old-{n}", f"new-{n}", "created", "identical under new ids") for n in range(13)]
    report = MigrateReport("here", "there", tuple(moves))
    say_migration(screen.Screen(), report)
    said = capsys.readouterr().out
    assert ("old-9 → new-9" in said, "old-10" in said, "3 more; --json has all" in said) == (True, False, True)
    assert ("old-9 → new-9" in repr(report), "old-10" in repr(report)) == (True, False)
    assert "3 more new ids: .df()" in repr(report)


def test_a_thread_that_went_on_at_the_target_is_no_fault_and_is_told(demo_url, target_url, book, target, fresh):
    args = ("migrate", demo_url, target_url, "-t", ",".join(fresh))
    assert run(*args)[0] == 0
    target[fresh[0]][1].edit({"topic": "later"})
    code, out, _ = run(*args)
    words = "already there: the thread has new checkpoints there"
    assert (code, words in out, "(1)" in out) == (0, True, True)
    assert words in repr(fb.migrate(book, target, fresh))


def test_a_conflict_with_an_earlier_migration_says_how_the_thread_is_written_anew(
    demo_url, target_url, book, target, fresh
):
    args = ("migrate", demo_url, target_url, "-t", fresh[0])
    assert run(*args)[0] == 0
    book[fresh[0]][1].edit({"topic": "later"})
    for how in ("skip", "compare"):
        code, out, _ = run(*args, "--on-conflict", how)
        assert (code, "delete it at the target to have it written anew" in out) == (1, True)
        assert "another thread has the id" not in out
    report = repr(fb.migrate(book, target, [fresh[0]]))
    assert "delete the thread at the target to have it written anew" in report
    assert "compares the two threads" not in report


def test_a_copy_is_proven(demo_url, book, fresh):
    code, said = document("copy", demo_url, fresh[0])
    assert (code, said["ok"], said["compared"], said["differences"]) == (0, True, 6, [])
    assert len(book[said["new_thread_id"]]) == 6
    assert "the histories are the same" in run("copy", demo_url, fresh[0])[1].replace("\n", " ")


def test_a_copy_up_to_a_checkpoint_has_what_it_was_told(demo_url, book, fresh):
    args = ("copy", demo_url, fresh[0], "--checkpoint", "A", "--metadata", "purpose=template", "--metadata", "n=3")
    code, said = document(*args)
    assert (code, said["ok"], said["checkpoint_id"]) == (0, True, book[fresh[0]]["A"].id)
    metadata = book.backend.thread(said["new_thread_id"])["metadata"]
    assert (metadata["purpose"], metadata["n"], metadata["owner"]) == ("template", 3, "ada")
    assert len(book[said["new_thread_id"]]) == len(book[fresh[0]]["A"].lineage)
    assert run("copy", demo_url, fresh[0], "--metadata", "purpose")[0] == 2
    assert run("copy", demo_url, fresh[0], "--checkpoint", "Z")[0] == 2


@pytest.mark.parametrize("upto", [(), ("--checkpoint", "A")], ids=["whole", "lineage"])
def test_ctrl_c_ends_a_copy_and_nothing_is_left(demo_url, client, fresh, upto):
    tag = {"of": str(uuid.uuid4())}  # others make threads here at the same time
    client.threads.update(fresh[0], metadata=tag)
    with proxy(demo_url, slowly(2, lambda method, path: method == "PATCH")) as (url, seen):
        process = started("copy", url, fresh[0], *upto, "--json")
        code, out, err = stopped_after(process, lambda: any(method == "PATCH" for method, *_ in seen))
    assert (code, "Traceback" in err) == (130, False)
    assert re.search("Stopped. The half-made copy, thread .*, was deleted", json.loads(out)["error"]["message"])
    assert "was deleted" in err.replace("\n", " ")
    assert [thread["thread_id"] for thread in client.threads.search(metadata=tag)] == [fresh[0]]


def test_an_archive_is_verified(archive):
    code, said = document("verify", archive)
    assert (code, said["ok"], len(said["threads"])) == (0, True, 5)
    with contextlib.closing(sqlite3.connect(archive)) as db, db:
        db.execute("UPDATE threads SET digest = x'00' WHERE n = 1")
    code, said = document("verify", archive)
    assert (code, said["ok"]) == (1, False)
    code, out, _ = run("verify", archive)
    assert (code, bool(re.search(r"damaged +1\n", out))) == (1, True)
    assert f"forkbook export {archive} -o saved.forkbook --threads " in out
    assert "fb.verify" not in out


def test_a_cut_archive_is_told_with_what_can_still_be_read(archive, tmp_path):
    content = archive.read_bytes()
    archive.write_bytes(content[:-4096])
    code, out, _ = run("verify", archive, env={"COLUMNS": "80"})
    assert code == 1
    assert f"it is cut, {len(content) - 4096:,} of its {len(content):,} bytes are there" in out
    assert "Take the file from a backup" in out
    (command,) = [line.split() for line in out.splitlines() if line.startswith("    forkbook export")]
    code, said = document(*command[1:], cwd=tmp_path)
    assert (code, said["errors"], said["threads"]) == (0, {}, len(command[-1].split(",")))
    assert run("verify", tmp_path / "saved.forkbook")[0] == 0
    archive.write_bytes(content[:8192])
    code, out, err = run("verify", archive)
    assert (code, "No thread of it can be read" in out) == (1, True)
    assert "verify" not in out + err
    code, _, err = run("threads", archive)
    assert (code, "`forkbook verify` says what can still be read" in err) == (3, True)
    archive.write_bytes(b"")
    code, _, err = run("verify", archive)
    assert (code, "it is empty" in err) == (2, True)


# The same in async code


def test_migrate_and_verify_have_async_twins(demo_url, target_url, target, fresh, archive):
    async def moved():
        report = await fb.amigrate(demo_url, target_url, fresh[:1], concurrency=1)
        return report, await fb.averify(demo_url, target_url, fresh[:1]), await fb.averify(archive)

    report, compared, whole = asyncio.run(moved())
    assert (report.counts["created"], bool(compared), bool(whole)) == (1, True, True)
    assert fresh[0] in target


def test_a_migration_whose_twin_is_cancelled_ends_in_its_thread(demo_url, target_url, target, fresh):
    async def cancelled(url, seen):
        task = asyncio.create_task(fb.amigrate(demo_url, url, fresh, concurrency=1))
        while not writes(seen):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with proxy(target_url) as (url, seen):
        asyncio.run(cancelled(url, seen))
        deadline = time.monotonic() + 20
        while not fb.verify(demo_url, target_url, fresh) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert fb.verify(demo_url, target_url, fresh)


# Keys


def keys_of(requests):
    return {{name.lower(): value for name, value in headers.items()}.get("x-api-key") for *_, headers in requests}


@pytest.fixture
def env_file(tmp_path):
    (tmp_path / ".env").write_text(f'# keys\nLANGSMITH_API_KEY="{KEY}"\nexport DEV_KEY={OTHER_KEY}\n')
    return tmp_path / ".env"


def test_a_key_from_a_dotenv_file_that_is_named(demo_url, env_file):
    with proxy(demo_url) as (url, seen):
        assert run("threads", url, "--env-file", ".env", cwd=env_file.parent)[0] == 0
    assert keys_of(seen) == {KEY}


def test_no_key_goes_anywhere_by_itself(demo_url, env_file):
    with proxy(demo_url) as (url, seen):
        assert run("threads", url, cwd=env_file.parent, env={"LANGSMITH_API_KEY": KEY})[0] == 0
        assert keys_of(seen) == {None}
        assert run("threads", url, "--api-key", "env", env={"LANGSMITH_API_KEY": KEY})[0] == 0
        assert run("threads", url, "--api-key", "env:MINE", env={"MINE": OTHER_KEY})[0] == 0
    assert keys_of(seen) == {None, KEY, OTHER_KEY}


def test_one_key_goes_to_two_servers_only_if_somebody_says_so(demo_url, target_url, env_file, fresh):
    with proxy(demo_url) as (source, read), proxy(target_url) as (url, seen):
        migrate = ("migrate", source, url, "--dry-run", "-t", fresh[0])
        for option in (("--api-key", KEY), ("--env-file", env_file)):
            code, _, err = run(*migrate, *option)
            assert (code, "--same-key" in err) == (2, True)
        assert (read, seen) == ([], [])
        assert run(*migrate, "--env-file", env_file, "--same-key")[0] == 0
        assert keys_of(read) == keys_of(seen) == {KEY}


def test_each_server_gets_its_own_key(demo_url, target_url, env_file, fresh):
    with proxy(demo_url) as (source, read), proxy(target_url) as (url, seen):
        own = ("--source-api-key", "env", "--target-api-key", "env:DEV_KEY", "--env-file", env_file)
        assert run("migrate", source, url, "--dry-run", "-t", fresh[0], *own)[0] == 0
        assert (keys_of(read), keys_of(seen)) == ({KEY}, {OTHER_KEY})
        read.clear(), seen.clear()
        one = ("--target-api-key", "env:DEV_KEY", "--env-file", env_file)
        assert run("migrate", source, url, "--dry-run", "-t", fresh[0], *one)[0] == 0
        assert (keys_of(read), keys_of(seen)) == ({None}, {OTHER_KEY})


def test_with_a_file_on_one_side_the_key_is_the_servers(archive, target_url, fresh):
    with proxy(target_url) as (url, seen):
        assert run("import", archive, "--to", url, "--dry-run", "--api-key", KEY)[0] == 0
    assert keys_of(seen) == {KEY}


def test_the_backup_of_tables_names_what_it_needs():
    command = "pip install 'forkbook[parquet]'"
    assert command in " ".join(run("export", "--help")[1].split())
    assert command in README


def test_a_key_shows_nowhere(target_url, archive, tmp_path):
    """Not even if the server repeats it, or is none."""
    said = json.dumps({"detail": f"key {KEY} is unknown"}).encode()
    for status in (500, 200, 401):
        with answering(status, said) as (url, _):
            for args in (("threads", url), ("import", archive, "--to", url), ("show", url, "x", "--json")):
                code, out, err = run(*args, "--api-key", KEY)
                assert (code, KEY in out + err) == (3, False)
    assert "--api-key" in err
    for args in (("threads", "http://example.org"), ("threads", archive), ("threads", "nothing")):
        code, out, err = run(*args, "--api-key", KEY, "--json")
        assert (code, KEY in out + err) == (2, False)
    code, out, err = run("threads", f"http://user:{KEY}@localhost:1")
    assert (code, KEY in out + err) == (2, False)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--api-key", "env"), "none|is not set in the environment"),
        (("--env-file", "nowhere.env"), "there is no file"),
        (("--env-file", "empty.env"), "is not set in empty.env"),
    ],
    ids=["environment", "file", "empty file"],
)
def test_a_key_that_is_not_there_is_wrong_use(args, words, tmp_path):
    (tmp_path / "empty.env").write_text("X=1\n")
    code, _, err = run("threads", "http://127.0.0.1:1", *args, cwd=tmp_path)
    assert code == 2
    assert re.search(words, err)


# How commands end


def free_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_exit_codes_and_documents_of_errors(demo_url, archive, tmp_path):
    missing = str(uuid.uuid4())
    code, said = document("show", demo_url, missing)
    assert (code, said["ok"], said["error"]["kind"]) == (2, False, "ThreadNotFound")
    assert (said["error"]["thread_id"], said["exit_code"]) == (missing, 2)
    code, said = document("threads", free_address())
    assert (code, said["error"]["kind"]) == (3, "ConnectionFailed")
    assert said["error"]["message"].startswith("cannot reach http://127.0.0.1:")
    code, said = document("migrate", demo_url, archive)
    assert (code, said["error"]["kind"]) == (3, "Unsupported")
    for args in (
        ("threads",),
        ("threads", demo_url, "--colour"),
        ("threads", "nothing-of-that-name"),
        ("threads", demo_url, "--metadata", "owner"),
        ("export", demo_url, "-o", tmp_path / "x.txt"),
        ("migrate", demo_url, demo_url, "--test-single", "--limit", "3"),
        ("migrate", demo_url, demo_url, "--validate", "--backup-file", "x.json"),
        ("migrate", demo_url, demo_url, "--validate", "--full"),
        ("migrate", demo_url, demo_url, "--on-conflict", "overwrite", "--dry-run"),
        ("import", demo_url, "--to", demo_url),
        ("migrate", demo_url, demo_url, "--threads", " ,"),
        ("verify", archive, "--threads", "x"),
        ("verify", tmp_path / "x.json"),
    ):
        code, out, err = run(*args)
        assert (code, out) == (2, ""), args
        assert err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("show", "{server}", "nope"), "forkbook: no thread 'nope' on .*; `forkbook threads SRC` lists them"),
        (("threads", "{server}/elsewhere"), "answered 404 .*Is this the address of an Agent Server"),
        (("verify", "no.forkbook"), "there is no file no.forkbook; `forkbook export` writes an archive"),
        (("verify", "no.json"), "there is no file no.json"),
        (("copy", "{archive}", "x"), "cannot copy a thread: an Agent Server, http://…, can"),
        (("migrate", "{server}", "{server}"), "--on-conflict new_id writes"),
        (("threads", "{archive}", "--api-key", "some-key"), "--api-key is for Agent Servers"),
        (("threads", "http://example.org", "--api-key", "some-key"), "or say --insecure"),
    ],
    ids=[
        "no thread",
        "no server",
        "no file",
        "no JSON file",
        "copy",
        "same place",
        "key for a file",
        "key in the clear",
    ],
)
def test_errors_speak_the_words_of_a_terminal(demo_url, archive, args, words):
    code, _, err = run(*(arg.format(server=demo_url, archive=archive) for arg in args))
    assert code in (2, 3)
    assert re.search(words, err), err
    assert not re.search(r"book\.|fb\.|connect\(|api_key|on_conflict|In a terminal", err), err


def test_a_reader_that_leaves_early_is_no_fault(demo_url, demo_threads):
    for args in (("threads", demo_url), ("show", demo_url, demo_threads["branches"], "--json"), ("--help",)):
        process = started(*args)
        process.stdout.close()
        err = process.stderr.read().decode()
        assert (process.wait(60) in (141, 1), "Traceback" in err, "rokenPipe" in err) == (True, False, False), err
    assert process.returncode == 1  # of --help, which the library prints itself


def test_a_full_disk_is_told(demo_url):
    with open("/dev/full", "w") as full:
        process = started("threads", demo_url, stdout=full)
        err = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, "No space left" in err, "Traceback" in err) == (3, True, False)


def test_a_terminal_that_knows_only_ascii(archive, demo_threads):
    code, out, _ = run_alone("show", archive, demo_threads["approval"], env={"PYTHONIOENCODING": "ascii"})
    assert (code, "\\u25a0 ?" in out) == (0, True)


def slowly(seconds, slow):
    """Lets some requests take their time."""

    def change(method, path, body):
        time.sleep(seconds if slow(method, path) else 0)

    return change


def stopped_after(process, condition):
    """Exit code and texts of a process that gets Ctrl-C when something has happened."""
    deadline = time.monotonic() + 30
    while not condition() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("concurrency", [1, 4])
def test_ctrl_c_ends_a_migration_and_the_same_command_goes_on(
    demo_url, target_url, book, target, fresh, demo_threads, concurrency
):
    ids = [*fresh, *(book.copy(demo_threads["branches"]).new_thread_id for _ in range(3))]
    with proxy(target_url, slowly(0.05, lambda method, path: method == "POST")) as (url, seen):
        args = ("migrate", demo_url, url, "-t", ",".join(ids), "--concurrency", concurrency, "--json")
        code, out, err = stopped_after(started(*args), lambda: len(writes(seen)) > 0)
    said = json.loads(out)
    assert (code, said["ok"], "run again" in said["migration"]["stopped"]) == (130, False, True)
    assert said["migration"]["counts"]["not reached"] > 0
    assert "Traceback" not in err
    truth = "is left half-made, and the same command goes on" if concurrency == 1 else "are brought to their end"
    left = said["migration"]["counts"]["not reached"]
    assert re.search(f"Stopping: .*{truth}.*Stopped: {left} of 5 threads are left; interrupted; run again", err, re.S)
    half_made = [
        id_ for id_ in ids if id_ in target and target.backend.thread(id_)["metadata"][IMPORT]["state"] != "done"
    ]
    assert (len(half_made) > 0) == (concurrency == 1)
    code, said = document("migrate", demo_url, target_url, "-t", ",".join(ids))
    assert (code, said["migration"]["ok"], said["migration"]["counts"]["total"]) == (0, True, 5)
    assert [made_from(target, id_) for id_ in ids] == [[id_] for id_ in ids]


@pytest.mark.parametrize(
    ("name", "words"),
    [("x.forkbook", "keeps the threads that it has: the same export goes on"), ("x.json", "was not written: .* anew")],
    ids=["archive", "json"],
)
def test_ctrl_c_ends_an_export_and_says_what_the_same_command_does(demo_url, book, demo_threads, tmp_path, name, words):
    path = tmp_path / name
    with proxy(demo_url, slowly(0.4, lambda method, path: path.endswith("/history"))) as (url, seen):
        ids = ",".join(demo_threads.values())
        process = started("export", url, "-o", path, "-t", ids)
        code, out, err = stopped_after(process, lambda: sum("/history" in path for _, path, _ in seen) > 1)
    assert (code, out) == (130, "")
    assert re.search(f"Stopping .*Stopped. .*{name} {words}", err, re.DOTALL)
    assert "Traceback" not in err
    assert name == "x.forkbook" or not path.exists()
    code, out, _ = run("export", demo_url, "-o", path, "-t", ids)
    assert (code, bool(re.search(r"total +5\n", out))) == (0, True)
    assert [found.name for found in tmp_path.iterdir()] == [name]
    assert fb.verify(book, path, demo_threads.values())
    if name == "x.forkbook":
        book.export(tmp_path / "whole.forkbook", demo_threads.values())
        digests = [{v.thread_id: v.digest for v in fb.verify(tmp_path / n).threads} for n in (name, "whole.forkbook")]
        assert digests[0] == digests[1]


@pytest.mark.parametrize("name", ["x.forkbook", "x.json", "x.parquet"])
def test_ctrl_c_waits_for_no_answer(demo_url, demo_threads, tmp_path, name):
    late = threading.Event()

    def slow(method, path, body):
        if path.endswith("/history"):
            late.wait(60)

    with proxy(demo_url, slow) as (url, seen):
        process = started("export", url, "-o", tmp_path / name, "-t", ",".join(demo_threads.values()))
        code, _, err = stopped_after(process, lambda: sum("/history" in path for _, path, _ in seen) > 1)
        assert not late.is_set()
        late.set()
    assert (code, "Stopped." in err) == (130, True)


def test_ctrl_c_of_an_export_leaves_the_old_file_and_says_so(demo_url, demo_threads, tmp_path):
    (path := tmp_path / "x.json").write_text("[]")
    with proxy(demo_url, slowly(0.4, lambda method, path: path.endswith("/history"))) as (url, seen):
        process = started("export", url, "-o", path, "-t", ",".join(demo_threads.values()))
        _, _, err = stopped_after(process, lambda: sum("/history" in path for _, path, _ in seen) > 1)
    assert "x.json is as it was before: the same export begins anew" in err
    assert path.read_text() == "[]"


def test_ctrl_c_while_looking_says_that_nothing_was_written(demo_url, demo_threads):
    with proxy(demo_url, slowly(1, lambda method, path: path.endswith("/history"))) as (url, seen):
        process = started("show", url, demo_threads["branches"])
        code, _, err = stopped_after(process, lambda: any("/history" in path for _, path, _ in seen))
    assert (code, err.strip()) == (130, "Stopped. Nothing was written.")


def test_ctrl_c_in_a_backup_says_that_nothing_was_migrated(demo_url, target_url, fresh, tmp_path):
    with proxy(demo_url, slowly(0.4, lambda method, path: path.endswith("/history"))) as (url, seen):
        process = started("migrate", url, target_url, "--full", "-t", ",".join(fresh), cwd=tmp_path)
        code, _, err = stopped_after(process, lambda: any("/history" in path for _, path, _ in seen))
    assert (code, "Nothing was migrated." in err) == (130, True)
    assert re.search(r"threads_backup-127.0.0.1-\d+.forkbook keeps the threads that it has", err)


def test_ctrl_c_in_a_migration_of_three_steps_says_counts_and_keeps_what_was_said(
    demo_url, target_url, fresh, tmp_path
):
    args = ("--full", "--json", "--concurrency", "1", "-t", ",".join(fresh))
    with proxy(target_url, slowly(0.2, lambda method, path: method == "POST")) as (url, seen):
        process = started("migrate", demo_url, url, *args, cwd=tmp_path)
        code, out, err = stopped_after(process, lambda: len(writes(seen)) > 0)
    said = json.loads(out)
    assert (code, said["backup"]["ok"], said["migration"]["counts"]["not reached"], said["validation"]) == (
        130, True, 2, None,
    )  # fmt: skip
    assert re.search(r"not reached +2\n +total +2\n.*Stopped: 2 of 2 threads are left", err, re.DOTALL)
    with proxy(target_url, slowly(0.5, lambda method, path: path.endswith("/search"))) as (url, seen):
        process = started("migrate", demo_url, url, *args, cwd=tmp_path)
        searched = lambda: sum(path.endswith("/threads/search") for _, path, _ in seen) > 1  # noqa: E731
        code, out, err = stopped_after(process, searched)
    said = json.loads(out)
    assert (code, said["backup"]["skipped"], said["migration"]) == (130, 2, None)
    assert "Step 2 of 3, migrate, was not done" in err.replace("\n", " ")
    assert writes(seen) == []
    code, said = document("migrate", demo_url, target_url, *args[:1], *args[2:], cwd=tmp_path)
    assert (code, said["ok"]) == (0, True)


@pytest.mark.parametrize("how", [("verify",), ("migrate", "--dry-run")], ids=["comparison", "dry run"])
def test_ctrl_c_where_nothing_is_written_does_not_say_that_it_goes_on(demo_url, target_url, demo_threads, how):
    ids = list(demo_threads.values())
    with proxy(demo_url, slowly(0.4, lambda method, path: ids[0] in path)) as (url, seen):
        process = started(how[0], url, target_url, *how[1:], "-t", ",".join(ids))
        code, _, err = stopped_after(process, lambda: any(ids[0] in path for _, path, _ in seen))
    assert (code, "nothing was written, and the same command begins anew" in err) == (130, True)
    assert "goes on" not in err


def test_progress_is_for_terminals(demo_url, demo_threads, tmp_path):
    with proxy(demo_url, slowly(1.5, lambda method, path: path.endswith("/history"))) as (url, _):
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        threads = ("-t", ",".join(demo_threads.values()))
        on_terminal = started("export", url, "-o", tmp_path / "x.forkbook", *threads, stderr=theirs)
        on_none = started("export", url, "-o", tmp_path / "y.forkbook", *threads)
        os.close(theirs)
        out, shown = on_terminal.communicate(timeout=60)[0], b""
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 1000):
                shown += piece
        os.close(ours)
        assert b"exporting threads" in shown
        assert b"exporting" not in out
        assert (on_none.communicate(timeout=60)[1], on_none.returncode) == (b"", 0)
