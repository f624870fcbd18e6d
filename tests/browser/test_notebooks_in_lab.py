"""The lessons in a real JupyterLab: every cell runs, the pictures show, nothing leaves this machine."""

import shutil
from pathlib import Path

import pytest
from driver import open_and_run

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.mark.parametrize("name", ["01-time-travel.ipynb", "02-compare-branches.ipynb"])
def test_a_notebook_in_the_browser(lab, chromium, name):
    root, base, token = lab
    shutil.copy(NOTEBOOKS / name, root)
    page = chromium()
    assert open_and_run(page, base, token, name)
    page.locator(".js-plotly-plot").last.wait_for()
    assert page.outside == []
    page.context.close()
