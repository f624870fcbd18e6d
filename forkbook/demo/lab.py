"""JupyterLab for the demo: loopback only, behind a token, and writing nothing outside the demo's folder."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..model.held import Secret
from . import DEMO_URL
from .loopback import HOST, fetch_json
from .tether import Tethered, on_free_port

SECONDS_TO_START = 120
"""It takes about two; the first start after an installation compiles a lot."""

_NOT_OURS = ("JUPYTER", "JPY_", "IPYTHON")
_QUIET = {"fetchNews": "false", "checkForUpdates": False}
_KERNEL = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "metadata": {"debugger": True},
}
_OPTIONS = (
    "--no-browser",
    "--allow-root",
    f"--ServerApp.ip={HOST}",
    "--ServerApp.port_retries=0",
    "--ServerApp.base_url=/",
    "--LabApp.extension_manager=readonly",
    "--LanguageServerManager.autodetect=False",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab; make one with `start`.

    Attributes:
        process: The server.
        port: Where it listens, on loopback only.
        token: Lets a browser in.
    """

    process: Tethered
    port: int
    token: Secret

    def address(self, notebook: str) -> str:
        """The URL that opens a notebook, token included."""
        return f"http://{HOST}:{self.port}/lab/tree/{notebook}?token={self.token.reveal()}"


def start(notebooks: Path, folder: Path, demo_url: str) -> Lab:
    """Start a JupyterLab.

    Args:
        notebooks: The folder that it shows.
        folder: Keeps everything that Jupyter and IPython write.
        demo_url: The Agent Server that `fb.connect("demo")` uses in its kernels.

    Raises:
        ForkbookError: It did not come up; the text has its last words.
    """
    token = Secret(secrets.token_hex(24))
    env = environment(folder, demo_url)

    def spawn(port: int) -> Tethered:
        options = [*_OPTIONS, f"--ServerApp.port={port}", f"--ServerApp.root_dir={notebooks}"]
        log, hidden = folder / "lab.log", {"JUPYTER_TOKEN": token}
        return Tethered("JupyterLab", "jupyterlab", options, log=log, env=env, secrets=hidden, cwd=folder, private=True)

    def ready(port: int) -> bool:
        asked = {"Authorization": Secret(f"token {token.reveal()}")}
        return fetch_json(f"http://{HOST}:{port}/api/status", asked) is not None

    port, process = on_free_port(spawn, ready, SECONDS_TO_START)
    return Lab(process, port, token)


def environment(folder: Path, demo_url: str) -> dict[str, str]:
    """The environment in which Jupyter and IPython keep to a folder, and `python3` is the kernel of this interpreter.

    Args:
        folder: Made if missing, for this user alone: Jupyter keeps its token in it.
        demo_url: The Agent Server that `fb.connect("demo")` uses in kernels.
    """
    ours = {
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "IPYTHONDIR": folder / "ipython",
    }
    for path in (folder, *ours.values()):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
    _write(ours["JUPYTER_DATA_DIR"] / "kernels" / "python3" / "kernel.json", _KERNEL)
    notices = (
        ours["JUPYTERLAB_SETTINGS_DIR"] / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    )
    if not notices.exists():
        _write(notices, _QUIET)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    return (
        inherited
        | {name: str(path) for name, path in ours.items()}
        | {"JUPYTER_PREFER_ENV_PATH": "0", DEMO_URL: demo_url}
    )


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), "utf-8")
