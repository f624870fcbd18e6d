"""Versions of LangGraph: those that are too old are named, the others act alike."""

import subprocess
import sys
import tomllib
from importlib import metadata

import environments
import pytest

import forkbook as fb
from forkbook import extras
from forkbook.demo import server


@pytest.mark.versions
@pytest.mark.parametrize("name", environments.PINS)
def test_acts_in_an_environment_of_its_own(name):
    assert environments.run_acts(name, "-n", "2") == 0


@pytest.fixture
def installed(monkeypatch):
    """Lets a package appear in another version, or (None) as not installed."""

    known = metadata.version

    def appear(package, found):
        def version(name):
            if name == package and found is None:
                raise metadata.PackageNotFoundError(name)
            return found if name == package else known(name)

        monkeypatch.setattr(metadata, "version", version)

    return appear


OLD = [
    ("langgraph", "1.1.10", "langgraph 1.1.10 is installed.*need langgraph 1.2 or newer"),
    ("langgraph", "0.6.11", "langgraph 0.6.11 is installed"),
    ("langgraph-checkpoint", "4.0.1", "langgraph-checkpoint 4.0.1 is installed.*4.1 or newer"),
    ("langgraph", None, "langgraph is not installed"),
]


@pytest.mark.parametrize(("package", "found", "says"), OLD)
def test_a_langgraph_that_is_too_old_is_named_with_what_to_do(installed, package, found, says):
    from agents.graphs import build_sleeper
    from langgraph.checkpoint.memory import InMemorySaver

    graph = build_sleeper().compile(checkpointer=InMemorySaver())
    installed(package, found)
    for deed in (lambda: fb.connect(graph), server.start):
        with pytest.raises(fb.MissingExtra, match=rf"(?s){says}.*pip install -U 'forkbook\[graph\]'") as caught:
            deed()
        assert (caught.value.details["package"], caught.value.details["found"]) == (package, found)


@pytest.mark.parametrize("found", ["1.2.0", "1.2.0rc1", "1.10.1", "2.0"])
def test_a_langgraph_that_is_new_enough_is_taken(installed, found):
    installed("langgraph", found)
    extras.require_langgraph()


def test_the_floor_is_the_one_of_the_extra():
    project = tomllib.loads((environments.REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    needed = ".".join(map(str, extras.NEEDED["langgraph"]))
    for extra in ("graph", "demo"):
        assert f"langgraph>={needed}" in project["optional-dependencies"][extra]


@pytest.mark.versions
def test_a_real_older_langgraph_is_named(tmp_path):
    """As somebody has it who installed forkbook beside it all the same."""
    wanted = ["langgraph==1.1.10", "langgraph-checkpoint==4.0.1", "langgraph-prebuilt==1.0.9"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, *wanted]
    subprocess.run(pip, check=True)
    code = (
        "import forkbook as fb; from langgraph.graph import StateGraph, START; "
        "from langgraph.checkpoint.memory import InMemorySaver; "
        "b = StateGraph(dict).add_node('a', lambda s: s).add_edge(START, 'a'); "
        "fb.connect(b.compile(checkpointer=InMemorySaver()))"
    )
    env = {"PYTHONPATH": f"{tmp_path}:{environments.REPOSITORY}"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert "MissingExtra: langgraph 1.1.10 is installed" in done.stderr
