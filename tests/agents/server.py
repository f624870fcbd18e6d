"""Agent Servers for the graphs of `graphs.py`: the testbed, and one with users."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

from forkbook.demo.loopback import HOST, fetch_json
from forkbook.demo.server import _INHERITED, _SETTINGS
from forkbook.demo.tether import Tethered, on_free_port

from .graphs import GRAPHS

HERE = Path(__file__).parent
OPTIONS = ("--no-browser", "--no-reload", "--n-jobs-per-worker", "10", "--host", HOST, "--port")


def testbed_server():
    """Its address; it ends with the block."""
    graphs = {name: f"{HERE / 'graphs.py'}:{name}" for name in GRAPHS}
    return agent_server(graphs | {"machine": f"{HERE / 'machine.py'}:machine"})


def tenants_server():
    """The address of a server that knows its users by `auth.py`; it ends with the block."""
    graphs = {name: f"{HERE / 'graphs.py'}:{name}" for name in ("questions", "nested", "sleeper")}
    return agent_server(graphs | {"agent": "forkbook.demo.agent:graph"}, auth={"path": f"{HERE / 'auth.py'}:auth"})


@contextlib.contextmanager
def agent_server(graphs, **settings):
    """The address of a server of these graphs; it ends with the block."""
    with agent_process(graphs, **settings) as (url, _):
        yield url


@contextlib.contextmanager
def agent_process(graphs, **settings):
    """The address of a server, and its process, which is a group of its own."""
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ} | _SETTINGS
    with tempfile.TemporaryDirectory(prefix="forkbook-testbed-") as folder:
        home = Path(folder)
        (home / "langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": graphs, **settings}), "utf-8")

        def spawn(port):
            args = ["dev", *OPTIONS, str(port)]
            return Tethered("the testbed", "langgraph_cli", args, log=home / "server.log", env=env, cwd=home)

        port, process = on_free_port(spawn, lambda port: fetch_json(f"http://{HOST}:{port}/ok") is not None, 60)
        with process:
            yield f"http://{HOST}:{port}", process.process
