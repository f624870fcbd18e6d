"""The demo for real: its server, its threads, its notebooks; and nothing of it outlives the process that started it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from forkbook import demo, extras
from forkbook.cli import app
from forkbook.demo import check, loopback, notebooks, server, tether
from forkbook.demo.seed import THREADS, seed
from forkbook.errors import ForkbookError, InvalidInput, MissingExtra, Refused

pytestmark = pytest.mark.outside

HOME = str(Path(demo.__file__).resolve().parents[2])


def python(code, *args, **env):
    """A Python process that runs the code and can be read and signalled."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        env={**os.environ, "PYTHONPATH": HOME, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process, wanted):
    seen = []
    for line in process.stdout:
        seen.append(line)
        if wanted in line:
            return "".join(seen)
    raise AssertionError(f"never printed {wanted!r}: {''.join(seen)}")


def alive(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def soon(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def all_gone(processes):
    return soon(lambda: not any(map(alive, processes)))


# The server


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server in a folder that an earlier one has used, started from an environment with keys."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / ".langgraph_api").mkdir()
    (folder / ".langgraph_api" / "old.pckl").write_bytes(b"old")
    (folder / "langgraph.json").write_text('{"dependencies": ["."], "graphs": {"agent": "forkbook.demo.agent:graph"}}')
    (folder / "notes.txt").write_text("mine")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "LANGSMITH_API_KEY", "LANGGRAPH_API_KEY", "LANGSMITH_TRACING"):
            patch.setenv(name, "secret-or-true")
        running = server.start(folder)
    yield running
    running.close()
    running.close()
    assert not running.running


def process_of(running):
    return psutil.Process(running._process.process.pid)


def test_the_server_answers_on_loopback_only(own_server):
    listening = [c.laddr for c in process_of(own_server).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert [f"http://{address.ip}:{address.port}" for address in listening] == [own_server.url]
    assert own_server.url.startswith("http://127.0.0.1:")


def test_the_server_gets_no_key_and_does_not_trace(own_server):
    environment = process_of(own_server).environ()
    assert not [name for name in environment if name.endswith("_API_KEY")]
    assert environment["LANGSMITH_TRACING"] == "false"


def test_the_server_starts_fresh_and_leaves_other_files_alone(own_server):
    assert not (own_server.folder / ".langgraph_api" / "old.pckl").exists()
    assert (own_server.folder / "notes.txt").read_text() == "mine"


def test_a_folder_serves_one_demo_at_a_time(own_server):
    with pytest.raises(Refused, match="another demo runs in"):
        server.start(own_server.folder)
    assert own_server.running


@pytest.mark.parametrize("theirs", ["langgraph.json", ".langgraph_api"])
def test_the_folder_of_another_project_is_left_alone(tmp_path, theirs):
    if theirs == ".langgraph_api":
        (tmp_path / theirs).mkdir()
    else:
        (tmp_path / theirs).write_text('{"graphs": {"mine": "mine:graph"}}')
    with pytest.raises(Refused, match="belongs to another LangGraph project"):
        server.start(tmp_path)
    assert (tmp_path / theirs).exists()


def test_without_a_folder_the_server_leaves_nothing_and_a_taken_port_is_no_problem(monkeypatch):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        ports = iter([taken, loopback.free_port()])
        monkeypatch.setattr(tether, "free_port", lambda: next(ports))
        with server.start() as running:
            assert running.url != f"http://127.0.0.1:{taken}"
            assert loopback.fetch_json(f"{running.url}/ok")["ok"]
            assert running.folder.is_dir()
    assert not running.folder.exists()


def test_without_the_extra_the_error_has_the_command(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'forkbook[demo]'")):
        server.start()


def test_the_server_dies_with_its_killed_parent():
    parent = python("""
        import time
        from forkbook.demo import server
        running = server.start()
        print(running.url, running.folder, flush=True)
        time.sleep(100)
    """)
    url, folder = read_until(parent, "http").split()
    family = psutil.Process(parent.pid).children(recursive=True)
    assert family
    parent.kill()
    parent.wait()
    assert all_gone(family)
    assert loopback.fetch_json(f"{url}/ok") is None
    subprocess.run(["rm", "-r", folder], check=True)


# The tether

STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    print("ready", grandchild.pid, flush=True)
    time.sleep(100)
"""


@pytest.fixture
def stubborn(tmp_path):
    (tmp_path / "stubborn.py").write_text(textwrap.dedent(STUBBORN))
    return tmp_path


def test_stop_ends_a_stubborn_child_and_what_it_started(stubborn):
    log = stubborn / "log"
    child = tether.Tethered("it", "stubborn", log=log, env={**os.environ, "PYTHONPATH": str(stubborn)})
    child.wait_until(lambda: "ready" in log.read_text(), 10)
    grandchild = psutil.Process(int(log.read_text().split()[1]))
    child.stop(seconds=0.2)
    assert not child.running
    assert all_gone([grandchild])


def test_a_stubborn_child_ends_itself_and_what_it_started_when_its_input_ends(stubborn):
    child = python(
        "from forkbook.demo import tether; tether.run('stubborn', [], grace=0.3)", PYTHONPATH=f"{HOME}:{stubborn}"
    )
    grandchild = psutil.Process(int(read_until(child, "ready").split()[1]))
    child.stdin.close()
    assert child.wait(10) == -signal.SIGKILL
    assert all_gone([grandchild])


def test_a_start_that_fails_shows_the_end_of_the_log_and_a_next_step(tmp_path):
    child = tether.Tethered("The thing", "no_such_module_anywhere", log=tmp_path / "log")
    with pytest.raises(ForkbookError, match="No module named no_such_module_anywhere") as caught:
        child.wait_until(lambda: False, 10)
    assert "The thing ended with exit code 1" in str(caught.value)
    assert "pip install -U" in str(caught.value)


def test_a_start_that_takes_too_long_is_stopped(tmp_path):
    child = tether.Tethered("The thing", "http.server", ["--bind", "127.0.0.1", "0"], log=tmp_path / "log")
    with pytest.raises(ForkbookError, match="was not ready after 0 seconds"):
        child.wait_until(lambda: False, 0.3)
    assert not child.running


# The threads


def history(client, name, length):
    """The first checkpoints of a seeded thread, oldest first, and the position of each one's parent."""
    states = list(reversed(client.threads.get_history(THREADS[name], limit=100)))[:length]
    position = {state["checkpoint"]["checkpoint_id"]: n for n, state in enumerate(states)}
    parents = [state["parent_checkpoint"] for state in states]
    return states, [position[parent["checkpoint_id"]] if parent else None for parent in parents]


def spent(states):
    usage = {}
    for state in states:
        for message in state["values"].get("messages", []):
            if message["type"] == "ai":
                usage[message["id"]] = message["usage_metadata"]["total_tokens"]
    return sum(usage.values())


@pytest.mark.parametrize(
    ("name", "parents", "tokens"),
    [
        ("time travel", [None, 0, 1, 2, 2, 4], 39),
        ("branches", [None, *range(12), 6, *range(13, 21), 16, 22, 23], 247),
        ("approval", [None, 0, 1], 6),
        ("memory", [None, 0, 1], 17),
        ("trouble", [None, 0, 1], 8),
    ],
)
def test_the_threads_have_the_drawn_shapes_and_numbers(client, name, parents, tokens):
    states, found = history(client, name, len(parents))
    assert found == parents
    assert spent(states) == tokens


def test_the_threads_tell_what_they_are_for(client):
    jokes = [state["values"].get("joke", "") for state in history(client, "time travel", 6)[0]]
    assert "cat" in jokes[3]
    assert "chicken" in jokes[5]
    waiting = history(client, "approval", 3)[0][-1]
    assert waiting["next"] == ["approve"]
    assert waiting["tasks"][0]["interrupts"][0]["value"]["question"] == "Publish this?"
    remembered = history(client, "memory", 3)[0][-1]["values"]["messages"][-1]["content"]
    assert remembered == "You said: good morning. I know about you: my name is Ada; I like chess."
    assert "ZeroDivisionError" in history(client, "trouble", 3)[0][-1]["tasks"][0]["error"]
    titles = [client.threads.get(thread_id)["metadata"]["title"] for thread_id in THREADS.values()]
    assert len(set(titles)) == len(THREADS)


def test_seeding_again_changes_nothing(client, demo_url):
    before = {name: client.threads.get(thread_id)["updated_at"] for name, thread_id in THREADS.items()}
    assert seed(demo_url) == THREADS
    assert {name: client.threads.get(thread_id)["updated_at"] for name, thread_id in THREADS.items()} == before


# fb.connect("demo")


def test_a_process_has_one_server_of_its_own(monkeypatch):
    monkeypatch.delenv("FORKBOOK_DEMO_URL", raising=False)
    monkeypatch.setattr("forkbook.demo._server", None)
    monkeypatch.setattr("forkbook.demo.seed.seed", seeded := [].append)
    url = demo.serve()
    with demo._server:
        assert demo.serve() == url
        assert seeded.__self__ == [url]
        assert loopback.fetch_json(f"{url}/ok")["ok"]


def test_the_named_server_is_used(monkeypatch):
    monkeypatch.setenv("FORKBOOK_DEMO_URL", "http://localhost:2024/")
    assert demo.serve() == "http://localhost:2024"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://10.0.0.1:2024",
        "http://127.0.0.1.example.com",
        "file:///etc/passwd",
        "127.0.0.1:2024",
    ],
)
def test_a_server_that_may_be_elsewhere_is_refused(monkeypatch, url):
    monkeypatch.setenv("FORKBOOK_DEMO_URL", url)
    with pytest.raises(InvalidInput, match=r"FORKBOOK_DEMO_URL is .* stays on this machine"):
        demo.serve()


def test_importing_the_demo_loads_nothing_heavy():
    code = """
        import sys
        import forkbook.demo, forkbook.demo.tether
        print({"langgraph", "httpx", "langgraph_sdk"} & set(sys.modules))
    """
    assert python(code).communicate()[0].strip() == "set()"


# The notebooks


def write_notebook(path, *cells):
    import nbformat  # seconds, which unit tests would pay while they are collected
    from nbformat.v4 import new_code_cell, new_notebook

    content = new_notebook(cells=list(map(new_code_cell, cells)))
    content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(content, path)
    return path


@pytest.fixture
def originals(tmp_path, monkeypatch):
    folder = tmp_path / "originals"
    folder.mkdir()
    write_notebook(folder / notebooks.FIRST, "print('✓ it runs')")
    write_notebook(folder / "02-more.ipynb", "1")
    monkeypatch.setattr(notebooks, "source", lambda: folder)
    return folder


@pytest.mark.parametrize("place", ["forkbook/notebooks", "notebooks"])
def test_the_originals_are_in_a_wheel_or_beside_a_checkout(monkeypatch, tmp_path, place):
    monkeypatch.setattr(notebooks, "_PACKAGE", tmp_path / "forkbook")
    with pytest.raises(ForkbookError, match=r"has no 01-time-travel\.ipynb"):
        notebooks.source()
    (tmp_path / place).mkdir(parents=True)
    write_notebook(tmp_path / place / notebooks.FIRST)
    assert notebooks.source() == tmp_path / place


def test_copies_are_made_but_nothing_is_overwritten(originals, tmp_path):
    copies = tmp_path / "copies"
    assert notebooks.copy_to(copies) == []
    (copies / notebooks.FIRST).write_text("my work")
    (copies / "02-more.ipynb").unlink()
    assert notebooks.copy_to(copies) == [notebooks.FIRST]
    assert (copies / notebooks.FIRST).read_text() == "my work"
    assert (copies / "02-more.ipynb").exists()


SHOW_ENVIRONMENT = """
import os, sys
print("noise")
for value in (os.environ["FORKBOOK_DEMO_URL"], sys.executable, os.environ["IPYTHONDIR"]):
    print("✓", value)
"""

CHECKED = {
    "fine": ["print('✓ one')", SHOW_ENVIRONMENT],
    "failing": ["print('✓ one')", "# the second step\nprint('✓ half')\n{}['topic']", "print('✓ never')"],
    "silent": ["print('nothing to see')"],
    "dying": ["print('✓ one')", "import os\nos._exit(1)"],
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What check returned and said for each of the notebooks; all run at the same time."""
    folder = tmp_path_factory.mktemp("checked")

    def run(name):
        lines = []
        notebook = write_notebook(folder / f"{name}.ipynb", *CHECKED[name])
        return check.check(notebook, folder / name, "http://127.0.0.1:1", lines.append), lines

    with ThreadPoolExecutor() as pool:
        return folder, dict(zip(CHECKED, pool.map(run, CHECKED), strict=True))


def test_check_prints_the_steps_of_a_kernel_that_has_the_demo_and_this_interpreter(checked):
    folder, outcomes = checked
    values = ("one", "http://127.0.0.1:1", sys.executable, folder / "fine" / "ipython")
    assert outcomes["fine"] == (0, [f"✓ {value}" for value in values])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("failing", ["✓ one", "✓ half", "✗ # the second step", "  KeyError: 'topic'"]),
        ("silent", ["✗ silent.ipynb printed no line that begins with '✓ ': nothing was checked"]),
        ("dying", ["✓ one", "✗ import os", "  Kernel died"]),
    ],
)
def test_check_fails_with_the_step_and_its_error(checked, name, said):
    assert checked[1][name] == (1, said)


# forkbook demo


def test_ctrl_c_stops_all_and_everything_written_is_in_the_folder(originals, tmp_path):
    home, folder = tmp_path / "home", tmp_path / "demo"
    home.mkdir()
    run = """
        import sys, pathlib
        from forkbook.demo import notebooks
        originals = pathlib.Path(sys.argv.pop(1))
        notebooks.source = lambda: originals
        from forkbook.cli import app
        app()
    """
    terminal = python(run, originals, "demo", "--no-browser", "--folder", folder, HOME=str(home))
    said = read_until(terminal, "Ctrl-C")
    address = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/01-time-travel\.ipynb\?token=\w+", said)
    assert address, said
    assert urllib.request.urlopen(address[0]).status == 200
    token = address[0].partition("token=")[2]
    jupyters = [path for path in (folder / "jupyter").rglob("*") if path.is_file()]
    telling = [path for path in jupyters if token.encode() in path.read_bytes()]
    assert telling, "Jupyter keeps its token in a file"
    assert {path.stat().st_mode & 0o777 for path in telling} == {0o600}
    private = {folder / "jupyter", *(path.parent for path in telling)}
    assert {path.stat().st_mode & 0o777 for path in private} == {0o700}
    others = [path for path in folder.rglob("*") if path.is_file() and path not in jupyters]
    assert not [path for path in others if token.encode() in path.read_bytes()]
    family = psutil.Process(terminal.pid).children(recursive=True)
    listening = [c.laddr.ip for p in family for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"] * 2

    terminal.send_signal(signal.SIGINT)
    rest = terminal.communicate(timeout=20)[0]
    assert "Stopped. The notebooks stay in" in rest
    assert "Traceback" not in rest
    assert terminal.returncode == 0
    assert all_gone(family)
    assert list(home.rglob("*")) == []
    assert (folder / "notebooks" / notebooks.FIRST).exists()


def test_an_error_is_a_message_not_a_traceback(originals, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    tmp_path /= "a-folder-of-a-name-so-long-that-no-line-of-a-narrow-terminal-could-ever-hold-all-of-it"
    (tmp_path / "server").mkdir(parents=True)
    (tmp_path / "server" / "langgraph.json").write_text("{}")
    result = CliRunner().invoke(app, ["demo", "--no-browser", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "forkbook: " in result.output
    assert "belongs to another LangGraph project; choose another folder" in result.output
    assert "Traceback" not in result.output
