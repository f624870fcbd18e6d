"""`--budget` on the command line: what one read may cost, for every command that opens a place."""

import json

import pytest
import typer
from commands import document, run
from held import conversation

import forkbook as fb
from forkbook.backends.budget import UNITS
from forkbook.cli import app

COMMANDS = {
    "threads": ("threads", "{file}", "--json"),  # of a thread that cannot be read it says why
    "show": ("show", "{file}", "t"),
    "diff": ("diff", "{file}", "t", "00000001", "00000002"),
    "report": ("report", "{file}", "t", "-o", "{folder}/t.html"),
    "export": ("export", "{file}", "-o", "{folder}/again.json"),
    "verify": ("verify", "{archive}"),
    "verify two": ("verify", "{file}", "{archive}"),
}


@pytest.fixture
def place(tmp_path):
    """A file and an archive with one thread, and a folder to write to."""
    file, archive = tmp_path / "study.json", tmp_path / "study.forkbook"
    file.write_text(json.dumps([{"thread_id": "t", "metadata": {}, "history": conversation("t", 5)}]))
    with fb.connect(file) as book:
        assert book.export(archive)
    return {"file": file, "archive": archive, "folder": tmp_path}


def said_by(args, *options, **place):
    code, out, err = run(*(arg.format(**place) for arg in args), *options)
    return code, " ".join((out + err).split())


def test_every_command_that_opens_a_place_takes_bounds_and_names_them():
    for name, command in typer.main.get_command(app).commands.items():
        helps = {option: param.help for param in command.params for option in param.opts}
        assert ("--budget" in helps) == (name != "demo")
        named = [bound for bound in UNITS if f"{bound}=" in helps.get("--budget", "")]
        assert named == ([] if name == "demo" else list(UNITS))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_bound_that_a_read_meets_is_told_with_the_option_that_raises_it(command, place):
    met, words = said_by(COMMANDS[command], "--budget", "items=7", **place)
    assert met in (1, 3)
    assert "is too large to read" in words
    assert "If you trust this place, raise it: --budget items=…" in words
    free, words = said_by(COMMANDS[command], "--budget", "items=7", "--budget", "items=1_000", **place)
    assert (free, "too large" in words) == (1 if command == "diff" else 0, False)


@pytest.mark.parametrize("command", [("migrate", "{file}", "{target}"), ("import", "{file}", "--to", "{target}")])
def test_a_migration_keeps_the_bounds_at_both_places(command, place, target_url):
    args = (*command, "--dry-run", "--assistant", "agent")
    assert said_by(args, target=target_url, **place)[0] == 0
    code, words = said_by(args, "--budget", "items=7", target=target_url, **place)
    assert (code, "--budget items=…" in words) == (1, True)
    code, words = said_by(args, "--budget", "read_bytes=1", target=target_url, **place)
    assert (code, "--budget read_bytes=…" in words) == (3, True)


def test_a_copy_keeps_the_bounds(demo_url, demo_threads):
    code, said = document("copy", demo_url, demo_threads["branches"], "--budget", "items=20")
    assert (code, said["error"]["kind"]) == (3, "OverBudget")
    assert said["error"]["message"].endswith("--budget items=…")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("items", "write it as BOUND=N, where BOUND is one of value_bytes, read_bytes, items, depth, seconds"),
        ("item=5", "write it as BOUND=N"),
        ("=5", "write it as BOUND=N"),
        ("items=", "items takes a whole number, as in items=20_000_000"),
        ("items=1e9", "items takes a whole number"),
        ("depth=many", "depth takes a whole number, as in depth=100"),
        ("seconds=soon", "seconds takes a number, as in seconds=300"),
        ("items=0", "--budget items=0: items is a whole number above 0"),
        ("depth=1000", "--budget depth=1000: depth is a whole number above 0, and at most 254"),
        ("seconds=nan", "--budget seconds=nan: seconds is a number above 0"),
        ("seconds=inf", "at most 1,000,000"),
    ],
)
def test_what_is_no_bound_is_wrong_use(place, option, words):
    code, out, err = run("threads", place["file"], "--budget", option)
    assert (code, out) == (2, "")
    assert words in err
    assert "Budget(" not in err


def test_seconds_may_be_a_part_of_one(place):
    assert run("show", place["file"], "t", "--budget", "seconds=2.5")[0] == 0
