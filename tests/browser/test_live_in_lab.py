"""A run in a real JupyterLab: its words appear while it goes on, and its Stop button is a click away."""

from driver import in_kernel

SHOWN = """
import threading
import forkbook as fb
from forkbook.widgets.live_panel import LivePanel
panel, acts = LivePanel(), []
running = fb.Running(fb.connect({url!r}).run, None, {{"topic": "<b>cats</b> " * 100}}, assistant="talker")
threading.Thread(target=lambda: acts.append(panel.watch(running))).start()
panel
"""


def test_words_appear_and_stop_is_a_click_away(run, testbed):
    page = run(SHOWN.format(url=testbed))
    panel = page.locator(".forkbook-live")
    panel.filter(has_text="running talk").wait_for()
    panel.filter(has_text="all there is to say about <b>cats</b>").wait_for()
    before = len(panel.inner_text())
    page.wait_for_timeout(500)
    assert len(panel.inner_text()) > before, "it grows"
    panel.get_by_role("button", name="Stop", exact=True).click()
    panel.wait_for(state="hidden")
    assert "('talk',)" in in_kernel(page, "print(acts[0].checkpoint.next)")
