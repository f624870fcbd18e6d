"""The house keeps its plan (docs/house.md): which file may know which, what is heavy, how large a room may be."""

import ast
import contextlib
import inspect
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import networkx as nx
import pytest
import typer

import forkbook as fb
from forkbook import columns, frames
from forkbook.cli import app
from forkbook.cli.arguments import check_name
from forkbook.cli.commands import COMMANDS
from forkbook.plot.tree.colours import MODES
from forkbook.snippets import LANGUAGES, Code
from forkbook.transfer.export import format_of
from forkbook.transfer.formats import FORMATS, SUFFIXES

PACKAGE = Path(__file__).parents[1] / "forkbook"
DOORS = {"forkbook.book", "forkbook.history", "forkbook.checkpoint"}
LAZY_DOOR = ("forkbook.history", "forkbook.widgets.explorer")
FACADE = "forkbook"  # the package itself, which only names what the doors offer

# From the ground up: a module may import its own layer and those below it.
LAYERS = (
    ("errors", "extras", "columns", "interrupts", "model.text"),
    ("model", "aio", "files", "twins"),
    ("tokens", "demo", "marks"),
    ("backends",),
    ("facts", "checkpoint_facts", "frames", "frame_rows", "frame_files"),
    ("plot", "face", "snippets", "history_views", "history_labels"),
    ("acts", "compare", "face.views"),
    ("transfer", "store", "report", "sweep", "book_views"),
    ("book", "history", "checkpoint"),
    ("connect", "widgets"),
    ("cli", "testing"),
)
PARALLEL = (
    "backends",
    "face",
    "snippets",
    "transfer/formats",
    "cli/commands",
)  # folders whose files have the same names on purpose
MOST_LINES = 350
MOST_CLASS_LINES = 300


@cache
def nodes(path):
    """Every node of a file's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def modules():
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }


@cache
def arrows():
    """All imports between modules of the package, those for types and those inside functions included."""
    graph = nx.DiGraph()
    for name, path in modules().items():
        graph.add_edges_from((name, target) for target in imported(name, path) if target != name)
    return graph


def imported(name, path):
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                if inner in modules():
                    yield inner
                elif source in modules():
                    yield source


def foreign(path):
    """Names of the packages that a file imports from elsewhere, wherever in it."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def layer(name):
    inner = name.removeprefix("forkbook").removeprefix(".")
    fits = [
        (len(prefix), number)
        for number, prefixes in enumerate(LAYERS)
        for prefix in prefixes
        if inner == prefix or inner.startswith(prefix + ".")
    ]
    assert fits, f"{name} is in no layer: add its place to LAYERS and to docs/house.md"
    return max(fits)[1]


def test_there_is_no_circle_but_the_doors():
    graph = arrows().copy()
    graph.remove_edge(*LAZY_DOOR)
    circles = [sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1]
    assert circles == [sorted(DOORS)]


def test_arrows_run_down():
    up = [
        (name, target)
        for name, target in arrows().edges
        if FACADE not in (name, target) and (name, target) != LAZY_DOOR and layer(name) < layer(target)
    ]
    assert not up


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("ipywidgets", ("widgets",)),
        ("anywidget", ("widgets",)),
        ("langgraph", ("backends/graph", "demo")),
        ("html", ("model/text.py",)),
    ],
)
def test_only_one_room_imports(package, rooms):
    """`html` stands for the one escape: nobody else makes foreign text fit for a page."""
    users = [path.relative_to(PACKAGE).as_posix() for path in modules().values() if package in foreign(path)]
    assert not [user for user in users if not user.startswith(rooms)]


@pytest.mark.outside
def test_the_import_is_light():
    heavy = [
        "plotly",
        "ipywidgets",
        "anywidget",
        "langgraph",
        "networkx",
        "pyarrow",
        "tqdm",
        "pygments",
        "nbformat",
        "psycopg",
        "typer",
    ]
    program = "import sys, forkbook; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not set(heavy) & set(loaded)


def test_files_and_classes_are_short():
    long = {
        path.relative_to(PACKAGE).as_posix(): count
        for path in modules().values()
        if (count := len(path.read_text().splitlines())) > MOST_LINES
    }
    wide = {
        f"{path.name}: {node.name}": lines
        for path in modules().values()
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and (lines := node.end_lineno - node.lineno + 1) > MOST_CLASS_LINES
    }
    assert (long, wide) == ({}, {})


def test_a_file_name_means_one_file():
    names = Counter(
        path.stem
        for path in modules().values()
        if not path.stem.startswith("__") and not path.relative_to(PACKAGE).as_posix().startswith(PARALLEL)
    )
    assert not [name for name, count in names.items() if count > 1]


TABLES = {
    "checkpoints_df": frames.CHECKPOINTS,
    "messages_df": frames.MESSAGES,
    "tasks_df": frames.TASKS,
    "branches_df": frames.BRANCHES,
    "tokens_df": frames.TOKENS,
}


@pytest.mark.parametrize("method", TABLES)
def test_a_column_is_one_row_of_a_table_which_the_docstring_follows(method):
    """The docstring names the columns of the table; lists and dicts have a form in files."""
    text = inspect.getdoc(getattr(fb.History, method)).partition("Columns:")[2]
    named = set(re.findall(r"[a-z]\w+", text))
    table = TABLES[method]
    assert set(table) <= named
    assert all(column.about.endswith(".") for column in table.columns)
    assert {name for name, dtype in table.items() if dtype == columns.OBJECT} <= {*columns.NAMES, *columns.JSON}


def test_a_colour_of_the_picture_is_one_row_of_a_table_which_the_docstring_follows():
    text = re.search(r"(?s)\n    color: (.*?)\n    \w+: ", inspect.getdoc(fb.History.figure))[1]
    assert re.findall(r"`(\w+)`", text) == list(MODES)
    assert all(mode.about for mode in MODES.values())


def test_a_language_of_snippets_is_one_row_of_a_table_which_the_docstring_follows():
    named = re.findall(r"`(\w+)`", inspect.getdoc(Code).partition("language:")[2])
    assert named == list(LANGUAGES)
    assert all(language.label for language in LANGUAGES.values())


def test_a_command_is_one_file_and_one_row_of_a_table():
    files = {path.stem.strip("_") for path in (PACKAGE / "cli" / "commands").glob("*.py")} - {"init"}
    assert files == set(COMMANDS)
    assert list(typer.main.get_command(app).commands) == list(COMMANDS)


def test_a_format_of_an_export_is_one_row_of_a_table_which_the_doors_follow():
    """`Book.export`, its docstring, the command line and the errors take the formats of the table, and no others."""
    files = {path.stem for path in (PACKAGE / "transfer" / "formats").glob("*.py")} - {"__init__", "format"}
    assert files == set(FORMATS)
    assert all((row.name, bool(row.about)) == (name, True) for name, row in FORMATS.items())
    text = inspect.getdoc(fb.Book.export)
    assert re.findall(r'"(\w+)"', re.search(r"format: (.*)", text)[1]) == list(FORMATS)
    assert all(row.suffix in text for row in FORMATS.values())
    command = typer.main.get_command(app).commands["export"]
    (output,) = (option for option in command.params if option.name == "output")
    assert re.findall(r"x(\.\w+)", output.help) == [row.suffix for row in FORMATS.values()]
    for row in FORMATS.values():
        path = Path("x").with_suffix(row.suffix)
        assert format_of(path, None) is format_of(Path("x"), row.name) is row
        check_name("--output", path, SUFFIXES)
    for asked in (lambda: format_of(Path("x.csv"), None), lambda: format_of(Path("x"), "csv")):
        with pytest.raises(fb.InvalidInput) as refused:
            asked()
        assert refused.value.candidates == tuple(FORMATS)
    with pytest.raises(fb.InvalidInput) as refused:
        check_name("--output", Path("x.csv"), SUFFIXES)
    assert refused.value.candidates == SUFFIXES


@pytest.mark.parametrize("row", FORMATS.values(), ids=FORMATS)
def test_a_backup_is_of_a_format_that_can_be_connected(row, tmp_path):
    with row.open(path := tmp_path / f"x{row.suffix}", None):
        pass
    assert row.held(path) == set()
    refused = contextlib.nullcontext() if row.is_backup else pytest.raises(fb.InvalidInput)
    with refused, fb.connect(path) as book:
        assert list(book.backend.threads()) == []


def test_tests_have_the_folders_of_the_package():
    """Tests of a room stand in a folder of its name; `agents`, `campaigns` and the like serve them all."""
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()} | {
        "agents",
        "benchmarks",
        "browser",
        "campaigns",
        "data",
        "helpers",
    }
    folders = {path.parent.name for path in Path(__file__).parent.glob("*/*.py")}
    assert folders <= rooms


def test_each_test_file_has_a_name_of_its_own():
    """Pytest imports tests by their file's name alone, so two of one name are an error while it collects them."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
