"""One escape for every way out: no id, name, address or text of others commands a terminal or a page."""

import ast
import contextlib
import inspect
import itertools
import json
import operator
import pickle
import re
import sqlite3
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Annotated, TypedDict

import pytest
from in_sight import NASTY, living, raw, said_by
from ipywidgets import DOMWidget
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import interrupt

import forkbook as fb
from forkbook.report import write_report

PACKAGE = Path(fb.__file__).parent
THREAD = f"thread{NASTY}"
ODD = f"odd{NASTY}"
LONE = f"lone\ud83d{NASTY}"
NAMES = {("Variant", "name")}  # data, which frames have as it is
EMPTY = "\u200b"  # of ipywidgets itself
WIDGETS = ("HTML", "Label", "Button", "Dropdown", "Select", "Checkbox", "ToggleButtons", "Tab")
CHOICES = ("Dropdown", "Select", "ToggleButtons")  # their labels show, not their values
State = TypedDict("State", {"messages": Annotated[list, operator.add], f"topic{NASTY}": str, "topic": str})  # type: ignore[misc]


def node(state, config, *, store):
    """Speaks, and remembers."""
    store.put((f"memories{NASTY}",), f"key{NASTY}", {NASTY: NASTY})
    said = {"type": "ai", "id": f"m{NASTY}", "name": f"name{NASTY}", "content": f"hi{NASTY}"}
    call = {"name": f"tool{NASTY}", "id": f"call{NASTY}", "args": {NASTY: NASTY}}
    return {"messages": [said | {"tool_calls": [call]}]}


def fails(state):
    if state.get("topic") == "boom":
        raise ValueError(f"boom{NASTY}")
    return {}


def asks(state):
    return {f"topic{NASTY}": interrupt({f"question{NASTY}": NASTY})}


def graph(checkpointer):
    built = StateGraph(State)
    for each in (node, fails, asks):
        built.add_node(each.__name__ + NASTY, each)
    names = [START, *(each.__name__ + NASTY for each in (node, fails, asks)), END]
    for pair in itertools.pairwise(names):
        built.add_edge(*pair)
    return built.compile(checkpointer=checkpointer, store=InMemoryStore(), name=f"graph{NASTY}")


def begun(checkpointer):
    """A graph with a thread whose every name is hostile."""
    made = graph(checkpointer)
    settings = {"configurable": {"thread_id": THREAD, "user_id": f"u{NASTY}", f"x{NASTY}": NASTY}}
    made.invoke({"messages": [], "topic": "x"}, settings | {"metadata": {f"k{NASTY}": NASTY}})
    return made


class Gone:
    """Everything that was given or raised, kept alive so that it can be looked at."""

    def __init__(self):
        self.kept, self.told = [], []

    def __call__(self, act, *args, **more):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                result = act(*args, **more)
            except fb.ForkbookError as error:
                result = error
        self.kept.append(result)
        self.told += told
        return result


def lone_json(path):
    """A JSON file whose every name has a lone surrogate, too; the id of one of its threads as well."""
    path.write_text(json.dumps([lone_thread(ODD), lone_thread(LONE)]))
    return path


def lone_thread(thread_id):
    at = {"checkpoint_ns": "", "thread_id": thread_id}
    state = {
        "values": {"messages": [{"type": LONE, "id": LONE, "content": LONE}], LONE: LONE},
        "next": [LONE],
        "tasks": [{"id": LONE, "name": LONE, "error": LONE, "interrupts": [{"id": LONE, "value": LONE}]}],
        "metadata": {"source": LONE, "step": 1, LONE: LONE},
        "created_at": "2026-01-01T00:00:00+00:00",
        "checkpoint": {"checkpoint_id": LONE, **at},
        "parent_checkpoint": None,
        "interrupts": [],
    }
    return {"thread_id": thread_id, "status": LONE, "metadata": {LONE: LONE}, "values": {}, "history": [state]}


def files(ways, book, folder):
    """Write every kind of file, read them again, compare and migrate them; broken ones, too."""
    names = [folder / f"x{NASTY}.{suffix}" for suffix in ("forkbook", "json", "parquet", "what")]
    for name in (*names, folder / f"no{NASTY}" / "x.json"):
        ways(book.export, name)
    read = [ways(fb.connect, name) for name in (*names[:2], lone_json(folder / "lone.json"))]
    for other in read:
        for thread_id in (THREAD, ODD, LONE, "nobody"):
            ways(lambda other=other, thread_id=thread_id: repr(other[thread_id]))
        ways(lambda other=other: ways(fb.compare, other[ODD]))
        ways(fb.verify, other, book)
        with contextlib.closing(fb.connect(graph(InMemorySaver()))) as target:
            ways(fb.migrate, other, target, dry_run=True)
            ways(fb.migrate, other, target)
    for suffix, content in (("forkbook", b"junk"), ("json", b"{junk"), ("sqlite", b"junk")):
        bad = folder / f"bad{NASTY}.{suffix}"
        bad.write_bytes(content)
        ways(lambda bad=bad: fb.connect(bad)[THREAD])
        ways(fb.verify, bad)
    for address in (f"http://x{NASTY}", NASTY, folder / NASTY, f"postgresql://u@127.0.0.1:1/{NASTY}"):
        ways(lambda address=address: fb.connect(address).threads())
    ways(write_report, read[2][ODD].facts, folder / "lone.html")


def acts(ways, book):
    """Run, answer, fork, edit, sweep, copy, compare, look at the memory, and do all of it wrong."""
    history = book[THREAD]
    waiting, early = history.tips[0], history[2]
    ways(lambda: ways.kept.append(waiting.answer(NASTY).code()))
    ways(early.preview, {"topic": NASTY})
    for edit in ({f"topic{NASTY}": NASTY}, {"topic": "boom"}, {f"none{NASTY}": 1}):
        ways(early.fork, edit)
        ways(early.fork, edit, in_copy=True)
    ways(early.edit, {"topic": "x"}, as_node=f"none{NASTY}")
    ways(early.sweep, [{"topic": "boom"}, {"topic": f"c{NASTY}"}], score=lambda cp: {}[NASTY])
    ways(book.sweeps, THREAD)
    ways(book.run, THREAD, {"topic": "x"}, metadata={NASTY: NASTY}, config={"configurable": {NASTY: NASTY}})
    ways(book.run, NASTY, {"topic": "x"})
    with book.store.recording() as recording:
        ways(book.run, THREAD, {"topic": "y"}, on_event=ways.kept.append)
    ways.kept += [recording, recording.diff, ways(book.store.snapshot)]
    ways(book.copy, THREAD)
    history = book[THREAD]
    ways(lambda: history[f"none{NASTY}"])
    ways(history.compare, 0, -1)
    ways(fb.compare, history)
    ways.kept += [history.facts, *history, ways(history.explore)]
    ways.kept += [figure.to_dict() for figure in (history.figure(), history.tokens_figure(), history.context_figure())]
    return history


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    """All that came of hostile places."""
    folder, ways = tmp_path_factory.mktemp("out"), Gone()
    with contextlib.closing(fb.connect(begun(InMemorySaver()))) as book:
        history = acts(ways, book)
        files(ways, book, folder)
        ways(history.report, folder / "page.html")
        with sqlite3.connect(folder / f"{NASTY}.sqlite", check_same_thread=False) as db:
            begun(SqliteSaver(db))
        store = ways(fb.connect, folder / f"{NASTY}.sqlite")
        ways(lambda: repr(store[THREAD]))
        ways.folder = folder
        yield ways
    for each in ways.kept:
        if isinstance(each, fb.Book):
            each.close()


pytestmark = pytest.mark.outside


def test_no_object_says_what_a_terminal_would_obey(ways):
    objects = living("forkbook")
    kinds = {type(each).__name__ for each in objects}
    assert {"Act", "Sweep", "Checkpoint", "Explorer", "CopyReport", "MigrateReport", "StoreDiff", "Overview"} <= kinds
    bad = {
        (type(each).__name__, name): (raw(said), ascii(said)[:300])
        for each in objects
        for name, said in said_by(each)
        if raw(said) and (type(each).__name__, name) not in NAMES
    }
    assert bad == {}


def test_no_figure_has_them(ways):
    figures = [each for each in ways.kept if isinstance(each, dict)]
    assert figures
    assert [raw(each) for each in figures] == [set()] * len(figures)


def test_no_widget_shows_them(ways):
    shown = [each for each in living("ipywidgets") if type(each).__name__ in WIDGETS]
    shown += [each for each in living("forkbook") if isinstance(each, DOMWidget)]
    assert "Explorer" in {type(each).__name__ for each in shown}
    said = [
        (type(each).__name__, name, value)
        for each in shown
        for name in ("value", "description", "tooltip", "placeholder", "_options_labels", "titles", "lines")
        if raw(value := getattr(each, name, None))
        and value != EMPTY
        and not (name == "value" and type(each).__name__ in CHOICES)
    ]
    assert said == []


def test_no_warning_and_no_traceback_has_them(ways):
    errors = [each for each in ways.kept if isinstance(each, fb.ForkbookError)]
    assert len(errors) > 20
    for error in errors:
        error.add(f"more{NASTY}")
        error.add_note(f"note{NASTY}")
        again = pickle.loads(pickle.dumps(error))
        for each in (error, again):
            assert raw([str(each), repr(each), str(each.args[0]), *each.__notes__]) == set()
            assert raw("".join(traceback.format_exception(each))) == set()
    assert ways.told
    assert raw([str(told.message) for told in ways.told]) == set()


@pytest.mark.parametrize("name", ["page.html", "lone.html"])
def test_no_page_has_them(ways, name):
    page = (ways.folder / name).read_bytes().decode()
    ours = re.sub(r"<script[^>]*>/\*\*\n\* plotly.*?</script>", "", page, flags=re.DOTALL)
    assert len(ours) < len(page) / 2
    assert raw(ours) == set()
    assert "\\u202e" in ours


def test_an_error_of_others_shows_its_text_in_a_traceback():
    def act():
        try:
            raise KeyboardInterrupt from RuntimeError(f"cause{NASTY}\n\tsecond")
        except KeyboardInterrupt as error:
            error.add_note(NASTY)
            raise fb.SourceError(f"ours{NASTY}") from error

    with pytest.raises(fb.SourceError) as caught:
        act()
    said = "".join(traceback.format_exception(caught.value))
    assert raw(said) == set()
    assert "cause␛]52;" in said
    assert caught.value.__cause__.__cause__.args[0].endswith("\n\tsecond")


def classes():
    """Every class that forkbook defines."""
    for found in walk_packages([str(PACKAGE)], "forkbook."):
        if not found.name.endswith("__main__"):
            own = inspect.getmembers(import_module(found.name), inspect.isclass)
            yield from (each for _, each in own if each.__module__ == found.name)


def test_every_repr_goes_through_the_escape():
    own = [
        (kind.__name__, name, method)
        for kind in classes()
        for name in ("__repr__", "__str__", "summary", "text")
        if inspect.isfunction(method := vars(kind).get(name)) and method.__code__.co_filename.startswith(str(PACKAGE))
    ]
    assert len(own) > 30
    assert [f"{kind}.{name}" for kind, name, method in own if not hasattr(method, "__wrapped__")] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_warning_and_note_goes_through_the_escape(path):
    calls = [each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)]
    told = [call for call in calls if re.search(r"(?<!super\(\))\.(warn|add_note)$", ast.unparse(call.func))]
    assert [ast.unparse(call) for call in told if not ast.unparse(call.args[0]).startswith("visible")] == []


def test_no_second_escape():
    users = [path for path in PACKAGE.rglob("*.py") if re.search(r"\bhtml\.escape|saxutils", path.read_text())]
    assert users == [PACKAGE / "model" / "text.py"]
