"""A sweep in a real JupyterLab: its bar, its Stop button, its picture."""

import uuid

import pytest
from driver import in_kernel
from langgraph_sdk import get_sync_client


@pytest.fixture
def before_sleep(testbed):
    client = get_sync_client(url=testbed, api_key=None)
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id, graph_id="sleeper")
    client.runs.wait(thread_id, "sleeper", input={"topic": "x"}, interrupt_before=["sleep"])
    return f"import forkbook as fb\ncp = fb.connect('{testbed}')['{thread_id}'].tips[0]"


def test_stop_is_a_click_away(run, before_sleep):
    page = run(before_sleep, "sweep = cp.sweep([{'topic': str(n)} for n in range(30)], wait=False)")
    page.locator(".forkbook-sweep .forkbook-status", has_text="1 done").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".forkbook-sweep .forkbook-status", has_text="✓").wait_for()
    said = in_kernel(page, "print(sweep.wait(20).df().status.unique().tolist())").strip().splitlines()
    assert "['finished', 'cancelled']" in said


def test_a_sweep_as_a_cells_last_line_is_a_picture(run, before_sleep):
    page = run(before_sleep, "cp.sweep([{'topic': 'a'}, {'topic': 'b c'}], parallel=True)")
    page.locator(".js-plotly-plot", has_text="topic=b c").wait_for()
