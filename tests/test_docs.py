"""What CONTRIBUTING.md, tests/README.md and docs/ name is there: paths, tests, commands of the Makefile, layers."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "docs" / "house.md"
RULES = (ROOT / "tests" / "test_house.py").read_text("utf-8")
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
OF_TESTS = ROOT / "tests" / "README.md"
DOCS = [CONTRIBUTING, *sorted((ROOT / "docs").rglob("*.md"))]
LEFT_OUT = {".git", ".venv", "build", "dist", "node_modules"}


def in_backticks(document, form):
    text = re.sub(r"(?s)^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE)
    return re.findall(rf"`({form})`", text)


def names_of_files():
    found = (path for top in ROOT.iterdir() if top.name not in LEFT_OUT for path in [top, *top.rglob("*.*")])
    return {path.name for path in found}


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.stem)
def test_every_path_that_is_named_exists(document):
    """One with a slash from the root on; a name of a file alone wherever it is."""
    paths = in_backticks(document, r"\.?[\w.-]+/[\w./-]*")
    files = in_backticks(document, r"[\w-]+\.(?:py|md|toml|yaml)")
    assert not [path for path in paths if not (ROOT / path).exists()]
    assert not set(files) - names_of_files()


def test_every_test_file_that_the_table_of_promises_names_exists():
    """One with a slash from the root on, or from `tests/` on."""
    named = set(re.findall(r"\w[\w./-]*\.py", OF_TESTS.read_text("utf-8")))
    assert len(named) > 50
    paths = {name for name in named if "/" in name}
    assert not [path for path in paths if not (ROOT / path).exists() and not (OF_TESTS.parent / path).exists()]
    assert not named - paths - names_of_files()


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.stem)
def test_every_test_that_is_named_watches_over_the_house(document):
    there = re.findall(r"^def (test_\w+)", RULES, re.MULTILINE)
    assert not set(in_backticks(document, r"test_\w+")) - set(there)


def test_every_command_that_is_named_is_in_the_makefile():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert re.findall(r"^\| `make (\w+)` ", CONTRIBUTING.read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bmake (\w+)`", CONTRIBUTING.read_text("utf-8"))) <= set(targets)


def test_the_layers_that_are_drawn_are_those_that_are_checked():
    layers = ast.literal_eval(re.search(r"(?s)\nLAYERS = (\(.*?\n\))", RULES)[1])
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", HOUSE.read_text("utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, len(layers) + 1))
    assert tuple(tuple(re.findall(r"`([\w.]+)`", modules)) for _, modules in rows) == layers
