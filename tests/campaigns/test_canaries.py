"""Each kind of secret, and each way out of a process: nothing that is shown, logged or written has the secret.

What a thread's metadata hold is the user's own: it is masked where it is shown, and left out of files; a pickle has it.
"""

import contextlib
import copy
import logging
import os
import pickle
import traceback
from pathlib import Path

import ipywidgets
import pytest
from agents.machine import build_machine
from canary import CANARY, canary, everything_about, where
from databases import fresh_database
from langgraph.checkpoint.postgres import PostgresSaver
from page_of import given_to_the_page

import forkbook as fb
from forkbook.backends.capabilities import Capability
from forkbook.demo import server
from forkbook.widgets.explorer import Explorer
from forkbook.widgets.sweep_bar import SweepBar

pytestmark = pytest.mark.outside


def settings():
    """What a user gives a run, with secrets in it."""
    nested = {"openai_api_key": canary(), "nested": {"token": canary()}, "user_id": "7"}
    return {"config": {"configurable": nested}, "metadata": {"my_secret": canary()}}


@contextlib.contextmanager
def with_key(request):
    """A server that was given a key and a header."""
    with fb.connect(request.getfixturevalue("testbed"), api_key=canary(), headers={"cookie": f"s={canary()}"}) as book:
        yield book.run(None, {"ask": ["left"]}, assistant="machine").history


@contextlib.contextmanager
def with_settings_on_server(request):
    """A server whose runs were given secrets."""
    with fb.connect(request.getfixturevalue("testbed")) as book:
        yield book.run(None, {"ask": ["left"]}, assistant="machine", **settings()).history


@contextlib.contextmanager
def with_settings_in_process(request):
    """A graph whose runs were given secrets."""
    from langgraph.checkpoint.memory import InMemorySaver

    with fb.connect(build_machine().compile(checkpointer=InMemorySaver(), name="machine")) as book:
        yield book.run(None, {"ask": ["left"]}, **settings()).history


@contextlib.contextmanager
def with_password(request):
    """A database whose address has a password."""
    address = fresh_database(request.getfixturevalue("postgres"))
    with PostgresSaver.from_conn_string(address) as saver:
        saver.setup()
        graph = build_machine().compile(checkpointer=saver)
        graph.invoke({"ask": ["left"]}, {"configurable": {"thread_id": "t"}})
    sign = "&" if "?" in address else "?"
    with fb.connect(f"{address}{sign}password={canary()}") as book:
        yield book["t"]


def acts(history):
    """What acts give back, where the place can act; with the secrets of a run among the arguments."""
    tip = history.tips[0]
    if Capability.RUN in history.book.backend.capabilities:
        yield tip.answer("x", in_copy=True, **settings())
        yield tip.fork({"counter": 1}, "count", in_copy=True)
        yield tip.edit({"counter": 1}, in_copy=True)


def of_widgets(history, folder):
    """The state of every widget that there is, which a notebook saves."""
    explorer = Explorer(history)
    yield from given_to_the_page(explorer)
    if Capability.RUN in history.book.backend.capabilities:
        tip = explorer.selected.position
        for gesture, about in (("preview", {}), ("answer", {"text": "x", "in_copy": True}), ("copy", {})):
            explorer.do(gesture, position=tip, **about)
            explorer.wait()
            yield [explorer.result, explorer.acts, *given_to_the_page(explorer)]
        sweep = history.tips[0].sweep([{"counter": 1}], **settings())
        SweepBar(sweep)
        yield [sweep, sweep.df().to_string(), sweep.rows]
    for widget in list(ipywidgets.widgets.widget._instances.values()):
        yield widget.get_state()
    yield [ipywidgets.Widget.get_manager_state(), explorer._repr_mimebundle_(), history._repr_mimebundle_()]


def of_what_is_held(history, folder):
    """What a debugger shows, of the things themselves and of deep copies."""
    for held in (history.book, history, history.tips[0], *acts(history)):
        yield [held, getattr(held, "__dict__", ""), getattr(held, "settings", "")]
        with contextlib.suppress(TypeError, fb.ForkbookError):
            copied = copy.deepcopy(held)
            yield [copied, getattr(copied, "__dict__", "")]
    yield [vars(history.book.backend), history.book.threads().to_string(), history.checkpoints_df().to_string()]
    yield [act.code() for act in acts(history)]


def of_pickles(history, folder):
    """Pickles of what can be pickled."""
    yield "what has a connection cannot be"
    for held in (history.book, history, history.tips[0], *acts(history)):
        with contextlib.suppress(Exception):
            yield pickle.dumps(held)


def of_tracebacks(history, folder):
    """All that is told of acts that fail, with the locals of every frame of forkbook's."""
    tip, book = history.tips[0], history.book
    for act in (
        lambda: tip.resume(input={"no such channel": 1}, **settings()),
        lambda: tip.fork({"counter": 1}, "no such node", **settings()),
        lambda: tip.answer(by_id={"no such question": 1}, **settings()),
        lambda: book.run(history.thread_id, {"no such channel": 1}, **settings()),
        lambda: book.history("no such thread"),
        lambda: book.export("/nowhere/x.json"),
        lambda: book.copy("no such thread"),
    ):
        with pytest.raises(fb.ForkbookError) as caught:
            act()
        error = caught.value
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        ours = [frame for frame in frames if "/forkbook/" in frame.f_code.co_filename]
        yield [str(error), repr(error), vars(error), [frame.f_locals for frame in ours]]
        yield "".join(traceback.format_exception(error))


def of_broken_reads(history, folder):
    """All that is told of a read that breaks off, with the locals of the frames that read."""
    backend = history.book.backend
    whole = backend.pages
    if Capability.WRITE in backend.capabilities:
        history.tips[0].edit({"counter": 1})

    def broken(*args, **more):
        for page in whole(*args, **more):
            yield page[:1]
            raise fb.SourceError("the line broke")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(backend, "pages", broken, raising=True)
        for read in (lambda: history.book.history(history.thread_id), history.refreshed):
            with pytest.raises(fb.SourceError) as caught:
                read()
            frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
            yield [dict(frame.f_locals) for frame in frames if "/forkbook/" in frame.f_code.co_filename]


def of_every_mode(history, folder):
    """The same in every traceback mode, where a user's own frames hold no secret."""
    for act in (lambda: history.book.history("no such thread"), lambda: history.tips[0].preview({"none": 1})):
        with pytest.raises(fb.ForkbookError) as caught:
            act()
        yield everything_about(caught.value)


def of_files(history, folder):
    """Every file that an export or a report writes, unpacked."""
    for name in ("a.forkbook", "a.json", "a.parquet"):
        history.book.export(folder / name, [history.thread_id])
    history.report(folder / "a.html")
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        yield [str(path), path.read_bytes()]
    for name in ("a.forkbook", "a.json"):
        with fb.connect(folder / name) as again:
            yield [dict(checkpoint.state["metadata"]) for checkpoint in again[history.thread_id]]
            yield again.threads().to_string()


KINDS = (with_key, with_settings_on_server, with_settings_in_process, with_password)
WAYS = (of_widgets, of_what_is_held, of_pickles, of_tracebacks, of_broken_reads, of_every_mode, of_files)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_secret_does_not_get_out(kind, way, request, tmp_path, caplog, capfd, monkeypatch):
    if way is of_pickles and kind is not with_key and kind is not with_password:
        pytest.skip("a pickle of a thread has its metadata")
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    with kind(request) as history:
        said = [
            str(each) if not isinstance(each, list) else "".join(map(repr, each)) for each in way(history, tmp_path)
        ]
    assert said
    text = "\n".join([*said, caplog.text, *capfd.readouterr()])
    assert CANARY not in text, where(text)


def descendants(pid):
    """The processes that a process started, at any depth, and itself."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents.setdefault(int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1]), []).append(
                int(folder.name)
            )
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no list of processes to read")
def test_no_key_of_the_environment_reaches_a_process_or_file_of_the_demo(tmp_path, monkeypatch):
    for name in ("LANGSMITH_API_KEY", "LANGGRAPH_API_KEY", "OPENAI_API_KEY", "DATABASE_PASSWORD"):
        monkeypatch.setenv(name, canary())
    with server.start(tmp_path) as running:
        started = descendants(running._process.process.pid)
        said = [(Path("/proc") / str(pid) / name).read_bytes() for pid in started for name in ("environ", "cmdline")]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"langgraph_cli" in each for each in said)
    assert not [each for each in said + files if CANARY.encode() in each]
    assert os.environ["OPENAI_API_KEY"] == CANARY
