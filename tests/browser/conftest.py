"""A real JupyterLab in a real Chromium; without one these tests skip, but not in CI."""

import os
import shutil

import pytest
from driver import browser, jupyter, open_and_run, write_notebook


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def installed():
    """Skip where there is no Chromium."""
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        reason = "no Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def lab(installed, demo_url, tmp_path_factory):
    root = tmp_path_factory.mktemp("lab")
    with jupyter(root, FORKBOOK_DEMO_URL=demo_url) as (base, token):
        yield root, base, token


@pytest.fixture(scope="module")  # while Playwright is open its event loop runs, in the way of other tests
def chromium(installed):
    with browser() as open_page:
        yield open_page


@pytest.fixture
def run(lab, chromium, request):
    """Write a notebook of these cells, open it in Lab and run it; gives the page."""
    root, base, token = lab
    page = chromium()

    def run_cells(*sources):
        name = f"{request.node.name[:40]}.ipynb"
        write_notebook(root / name, *sources)
        assert open_and_run(page, base, token, name), "a cell failed"
        return page

    yield run_cells
    page.screenshot(path=root / f"{request.node.name[:40]}.png")
    outside = list(page.outside)
    page.context.close()
    assert outside == [], "something left this machine"
