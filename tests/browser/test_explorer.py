"""What a person does, in a real browser: every gesture leaves a value in the kernel."""

import json
import shutil
import uuid
from pathlib import Path

import pytest
from driver import click_point, in_kernel, open_and_run

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def said(page, text):
    """Wait until the explorer's status line has this text."""
    page.locator(".forkbook-status", has_text=text).wait_for()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def edit(page, change):
    """Change the state in the edit box as a person would: as text."""
    box = page.locator(".forkbook-edit textarea")
    state = json.loads(box.input_value())
    change(state)
    box.fill(json.dumps(state, indent=2))
    box.blur()


@pytest.fixture
def explorer(run, client, demo_threads):
    """An explorer on a copy of the time travel thread."""
    thread_id = client.threads.copy(demo_threads["time travel"])["thread_id"]
    page = run(
        "import forkbook as fb\nbook = fb.connect('demo')",
        f"explorer = book['{thread_id}'].explore()\nexplorer",
    )
    said(page, "pick a checkpoint")
    return page


def test_the_whole_way(explorer):
    page = explorer
    assert in_kernel(page, "print(explorer.selected.title, explorer.act)").strip() == "write_joke None"

    click_point(page, 0)
    page.locator(".forkbook-heading", has_text="input").wait_for()
    assert in_kernel(page, "print(explorer.selected.position)").strip() == "0"

    page.locator(".forkbook-list select").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.locator(".forkbook-heading", has_text="step 1 · generate_topic").wait_for()
    assert in_kernel(page, "print(explorer.selected.next)").strip() == "('write_joke',)"

    edit(page, lambda state: state.update(topic="dogs"))
    press(page, "Preview")
    said(page, "topic written; runs write_joke next")
    assert in_kernel(page, "print(len(explorer.history))").strip() == "6"

    press(page, "Fork and run")
    said(page, "on branch C")
    page.locator(".forkbook-list option", has_text="tip C").wait_for(state="attached")
    page.locator(".js-plotly-plot", has_text="tip C").wait_for()
    assert "dogs" in in_kernel(page, "print(explorer.act.checkpoint.values['joke'])")
    assert in_kernel(page, "print(explorer.history.branches, explorer.selected.branch)").strip() == "['A', 'B', 'C'] C"

    press(page, "Copy thread")
    said(page, "8 checkpoints compared, the histories are the same")
    assert in_kernel(page, "print(bool(explorer.copy_report))").strip() == "True"

    press(page, "Compare")
    page.locator(".forkbook-comparison", has_text="shared 0 tokens · own 21 / 18 (reported)").wait_for()
    assert in_kernel(page, "print(explorer.comparison.labels)").strip() == "('A', 'C')"

    page.locator(".forkbook-chips button", has_text="all").click()
    press(page, "Compare")
    page.locator(".forkbook-comparison", has_text="3 paths · 57 tokens spent in all").wait_for()
    assert in_kernel(page, "print(list(explorer.comparison.sides))").strip() == "['A', 'B', 'C']"


def test_what_goes_wrong_is_told_under_the_widget(explorer):
    page = explorer
    edit(page, lambda state: state.update(nope=1))
    press(page, "Fork")
    said(page, "no channel 'nope'")

    edit(page, lambda state: [state.pop("nope"), state.update(topic=["x"])])
    press(page, "Preview")
    said(page, "channel topic cannot be ['x']")

    edit(page, lambda state: state.pop("topic"))
    press(page, "Preview")
    said(page, "channel topic was deleted")

    box = page.locator(".forkbook-edit textarea")
    box.fill('{"topic": ')
    box.blur()
    press(page, "Preview")
    said(page, "not valid JSON")
    press(page, "Refresh")
    said(page, "0 new checkpoints")
    assert box.input_value() == '{"topic": ', "what was typed stays"

    in_kernel(page, "explorer.history.book.backend.delete(explorer.history.thread_id)")
    press(page, "Refresh")
    said(page, "no thread")


def test_foreign_scripts_do_not_run(run, client):
    evil = "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'><b>bold</b>"
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id)
    client.runs.wait(thread_id, "agent", input={"messages": [{"role": "human", "content": evil}]})
    client.threads.update_state(thread_id, {"topic": evil})
    page = run(
        "import forkbook as fb\nhistory = fb.connect('demo')['" + thread_id + "']\nhistory",
        "explorer = history.explore()\nexplorer",
        "history.messages_df()",
    )
    said(page, "pick a checkpoint")
    for tab in ("State", "Tasks", "Tokens", "Messages"):
        press(page, tab)
    page.locator(".forkbook-explorer", has_text="<b>bold</b>").wait_for()
    press(page, "Compare")
    page.locator(".forkbook-comparison").wait_for()
    click_point(page, 1)
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("name", ["01-time-travel.ipynb", "02-compare-branches.ipynb"])
def test_a_notebook_in_the_browser(run, lab, chromium, name):
    root, base, token = lab
    shutil.copy(NOTEBOOKS / name, root)
    page = chromium()
    assert open_and_run(page, base, token, name)
    page.locator(".js-plotly-plot").last.wait_for()
    assert page.outside == []
    page.context.close()


NESTED = """
import sys
sys.path.insert(0, {tests!r})
from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver
import forkbook as fb
act = fb.connect(graphs.build_nested().compile(checkpointer=InMemorySaver())).run(None, {{}})
explorer = act.history.explore()
explorer
"""


def test_a_question_two_levels_down_is_seen_and_answered(run):
    page = run(NESTED.format(tests=str(Path(__file__).parents[1])))
    said(page, "pick a checkpoint")
    asked = page.locator(".forkbook-answer", has_text="outer waits for an answer")
    asked.filter(has_text="deep?").wait_for()

    page.get_by_label("subgraphs").check()
    said(page, "7 checkpoints, those of subgraphs among them")
    page.locator(".js-plotly-plot", has_text="inner: prepare").wait_for()

    page.get_by_placeholder("an answer").fill("yes")
    press(page, "Answer")
    said(page, "answer → ")
    assert (
        in_kernel(page, "print(explorer.act.checkpoint.values['answers'])").strip() == "['prepared', 'ask=yes', 'end']"
    )
    press(page, "Code")
    page.locator(".forkbook-explorer pre", has_text="Command(resume=").wait_for()

    page.get_by_label("subgraphs").uncheck()
    page.locator(".js-plotly-plot", has_text="7 inside").wait_for()
