"""Drive a real JupyterLab or Notebook 7 in headless Chromium.

The application object is exposed and its own commands run the cells, so no keyboard focus or menu timing matters; every
request that leaves 127.0.0.1 is recorded.
"""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from playwright.sync_api import sync_playwright

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
RUN_ALL = """async () => {
  const sleep = ms => new Promise(r => setTimeout(r, ms));
  while (!window.jupyterapp) await sleep(20);
  const app = window.jupyterapp; await app.started; await app.restored;
  let panel;
  const isNotebook = w => w.sessionContext && w.content && w.content.widgets;
  while (!(panel = [...app.shell.widgets('main')].find(isNotebook))) await sleep(20);
  await panel.context.ready; await panel.revealed;
  await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info;
  app.shell.activateById(panel.id);
  return await app.commands.execute('notebook:run-all-cells');
}"""


@contextlib.contextmanager
def jupyter(root, app="lab", **environment):
    """Start `jupyter lab` or `jupyter notebook` on a free loopback port; yields (base address, token)."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    token, home = secrets.token_hex(12), tempfile.mkdtemp()
    env = dict(
        os.environ | environment,
        HOME=home,
        JUPYTER_CONFIG_DIR=f"{home}/cfg",
        JUPYTER_DATA_DIR=f"{home}/data",
        JUPYTER_RUNTIME_DIR=f"{home}/rt",
        IPYTHONDIR=f"{home}/ipy",
    )
    log = open(f"{home}/server.log", "w")  # noqa: SIM115  # the server writes to it until the end
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyter",
            app,
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={root}",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
        ],
        env=env,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(pathlib.Path(log.name).read_text()[-3000:])
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{base}/api/status?token={token}", timeout=2).read()
                break
            time.sleep(0.05)
        yield base, token
    finally:
        for sig, wait in ((signal.SIGINT, 1), (signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sig)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait)
                break
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def browser(width=1400, height=1300):
    """A Chromium; yields a function that opens a page whose `outside` lists requests that left 127.0.0.1."""
    inside = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
    with sync_playwright() as p:
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        chromium = p.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)

        def open_page():
            page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
            page.outside = []
            page.on("request", lambda r: None if r.url.startswith(inside) else page.outside.append(r.url))
            page.set_default_timeout(30_000)
            return page

        try:
            yield open_page
        finally:
            chromium.close()


def open_and_run(page, base, token, notebook, app="lab"):
    """Open the notebook and run all its cells; returns True when all of them ran without an error."""
    at = f"lab/workspaces/{secrets.token_hex(4)}/tree" if app == "lab" else "notebooks"  # nothing to restore
    page.goto(f"{base}/{at}/{notebook}?token={token}")
    return page.evaluate(RUN_ALL)


def in_kernel(page, code):
    """Run code in the open notebook's kernel; what it prints."""
    return page.evaluate(
        """async code => {
          const isNotebook = w => w.sessionContext && w.content && w.content.widgets;
          const panel = [...window.jupyterapp.shell.widgets('main')].find(isNotebook);
          const future = panel.sessionContext.session.kernel.requestExecute({code});
          let said = '';
          future.onIOPub = m => { said += m.content.text || (m.content.traceback || []).join('\\n'); };
          await future.done;
          return said;
        }""",
        code,
    )


def write_notebook(path, *sources):
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": s}
        for i, s in enumerate(sources)
    ]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    with open(path, "w") as f:
        json.dump({"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}, f)
