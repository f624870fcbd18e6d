"""A private Agent Server for the sample agent: loopback only, no key, shut to web pages, gone when this process is."""

import atexit
import contextlib
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ..errors import Refused
from ..extras import require_extra, require_langgraph
from ..model.text import shown
from .loopback import HOST, fetch_json
from .tether import Tethered, on_free_port

SECONDS_TO_START = 60
"""It takes about two; a cold disk may need longer."""

_GRAPHS = {"agent": "forkbook.demo.agent:graph"}
_CONFIG = {"dependencies": ["."], "graphs": _GRAPHS, "http": {"app": "forkbook.demo.gate:app"}}
_INHERITED = (
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
)
_SETTINGS = {
    "LANGSMITH_TRACING": "false",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "true",
    "LOG_COLOR": "false",
    "PYTHONUNBUFFERED": "1",
}


class DemoServer:
    """A running Agent Server; make one with `start`.

    Attributes:
        url: Where it listens, on loopback only.
        folder: Its working folder, with `langgraph.json` and `server.log`.
    """

    def __init__(self, url: str, folder: Path, process: Tethered, cleanup: contextlib.ExitStack) -> None:
        self.url = url
        self.folder = folder
        self._process = process
        self._cleanup = cleanup
        self._owner = os.getpid()
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @shown
    def __repr__(self) -> str:
        return f"<DemoServer {self.url} {'running' if self.running else 'stopped'}>"

    @property
    def running(self) -> bool:
        """Whether the server has not ended yet."""
        return self._process.running

    def close(self) -> None:
        """Stop the server and, if it made its own folder, remove that; closing again does nothing."""
        if os.getpid() != self._owner:
            return
        self._process.stop()
        self._cleanup.close()
        atexit.unregister(self.close)


def start(folder: Path | str | None = None) -> DemoServer:
    """Start an Agent Server that knows one graph, `agent`, and no thread.

    Args:
        folder: Its working folder, made if missing; what an earlier server left there is removed (`.langgraph_api`).
            Without one the server gets a temporary folder that goes when it does.

    Raises:
        MissingExtra: The Agent Server is not installed.
        Refused: The folder belongs to another project, or to a server that still runs.
        ForkbookError: The server did not come up; the text has its last words.
    """
    require_extra("langgraph_cli", "langgraph_api", "langgraph_runtime_inmem")
    require_langgraph()
    with contextlib.ExitStack() as cleanup:
        home = Path(folder).resolve() if folder is not None else _temporary_folder(cleanup)
        home.mkdir(parents=True, exist_ok=True)
        _claim(home, cleanup)
        _start_fresh(home)
        url, process = _launch(home)
        return DemoServer(url, home, process, cleanup.pop_all())


def _temporary_folder(cleanup: contextlib.ExitStack) -> Path:
    folder = tempfile.mkdtemp(prefix="forkbook-")
    cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _claim(folder: Path, cleanup: contextlib.ExitStack) -> None:
    """Let no second server into the folder; the lock goes with the process that holds it."""
    lock = cleanup.enter_context((folder / ".forkbook-demo").open("w"))
    if not _locked(lock):
        raise Refused(f"another demo runs in {folder}; use that one, stop it, or choose another folder")


def _locked(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _start_fresh(folder: Path) -> None:
    config, data = folder / "langgraph.json", folder / ".langgraph_api"
    ours = config.exists() and _read_graphs(config) == _GRAPHS
    if not ours and (config.exists() or data.exists()):
        raise Refused(f"{folder} belongs to another LangGraph project; choose another folder for the demo")
    if data.is_symlink():
        data.unlink()
    elif data.exists():
        shutil.rmtree(data)
    config.write_text(json.dumps(_CONFIG), "utf-8")


def _read_graphs(config: Path) -> object:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return json.loads(config.read_text("utf-8")).get("graphs")
    return None


def _launch(folder: Path) -> tuple[str, Tethered]:
    badge = secrets.token_hex(8)
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    env |= _SETTINGS | {"LANGSMITH_HOST_REVISION_ID": badge}

    def spawn(port: int) -> Tethered:
        options = ["--no-browser", "--no-reload", "--n-jobs-per-worker", "10", "--host", HOST, "--port", str(port)]
        log = folder / "server.log"
        return Tethered(
            "the demo's Agent Server", "langgraph_cli", ["dev", *options], log=log, env=env, cwd=folder, private=True
        )

    port, process = on_free_port(spawn, lambda port: _answers(_url(port), badge), SECONDS_TO_START)
    return _url(port), process


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _answers(url: str, badge: str) -> bool:
    """Whether a server is up there and wears our badge (one that shows none has none to show)."""
    if fetch_json(f"{url}/ok") is None:
        return False
    info = fetch_json(f"{url}/info") or {}
    return info.get("host", {}).get("host_revision_id") in (badge, None)
