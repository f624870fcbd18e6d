"""The explorer where there is no JupyterLab: in Notebook 7, and in a page that nbconvert made, without a kernel."""

import json
import subprocess
import sys

import pytest
from driver import in_kernel, jupyter, open_and_run, write_notebook

SHOWN = "import forkbook as fb\nexplorer = fb.connect('demo')['{}'].explore()\nexplorer"


@pytest.fixture(scope="module")
def notebook(installed, demo_url, tmp_path_factory):
    root = tmp_path_factory.mktemp("notebook")
    with jupyter(root, "notebook", FORKBOOK_DEMO_URL=demo_url) as (base, token):
        yield root, base, token


@pytest.fixture
def thread_id(client, demo_threads):
    return client.threads.copy(demo_threads["time travel"])["thread_id"]


def test_a_branch_by_keyboard_alone_in_notebook_7(notebook, chromium, thread_id):
    root, base, token = notebook
    write_notebook(root / "keys.ipynb", SHOWN.format(thread_id))
    page = chromium()
    assert open_and_run(page, base, token, "keys.ipynb", app="notebook")
    page.locator(".fb-tree [role=treeitem]").first.wait_for()
    page.locator(".fb-tree").focus()
    page.keyboard.press("ArrowUp")
    page.locator(".fb-inspector", has_text="next: write_joke").wait_for()
    page.keyboard.press("e")
    page.locator(".fb-field textarea:focus").wait_for()
    page.keyboard.type("dogs")
    page.keyboard.press("Control+Enter")
    page.locator(".fb-result-text", has_text="finished").wait_for()
    assert "dogs" in in_kernel(page, "print(explorer.act.checkpoint.values['joke'])")
    page.screenshot(path=root / "keys.png")
    assert page.outside == []
    page.context.close()


@pytest.mark.parametrize("keeps_widgets", [False, True])
def test_a_page_of_nbconvert_shows_the_picture(chromium, demo_url, thread_id, tmp_path, monkeypatch, keeps_widgets):
    monkeypatch.setenv("FORKBOOK_DEMO_URL", demo_url)
    write_notebook(path := tmp_path / "a.ipynb", SHOWN.format(thread_id))
    convert = [sys.executable, "-m", "jupyter", "nbconvert", path]
    subprocess.run([*convert, "--to", "notebook", "--execute", "--inplace"], check=True)
    notebook = json.loads(path.read_text())
    assert notebook["metadata"]["widgets"]
    if not keeps_widgets:  # as Lab saves it, unless it is asked to keep them
        del notebook["metadata"]["widgets"]
        path.write_text(json.dumps(notebook))
    subprocess.run([*convert, "--to", "html"], check=True)
    page = chromium()
    page.goto(path.with_suffix(".html").as_uri())
    picture = page.locator(".fb-still img")
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 900
    page.get_by_text("Run this cell for the live explorer").wait_for()
    page.screenshot(path=tmp_path / "a.png")
    page.context.close()
