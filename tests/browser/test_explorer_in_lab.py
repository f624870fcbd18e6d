"""What a person does in the explorer, in a real JupyterLab: every gesture leaves a value in the kernel."""

import uuid

import pytest
from driver import in_kernel

SHOWN = "import forkbook as fb\nexplorer = fb.connect('demo')['{}'].explore()\nexplorer"


@pytest.fixture
def joke(client, demo_threads):
    """A copy of the time travel thread."""
    return client.threads.copy(demo_threads["time travel"])["thread_id"]


@pytest.fixture
def page(run, joke):
    page = run(SHOWN.format(joke))
    page.locator(".fb-tree [role=treeitem]").first.wait_for()
    return page


def said(page, text):
    """Wait until the line of results has this text."""
    page.locator(".fb-result-text", has_text=text).wait_for()


def row(page, text):
    return page.locator(".fb-tree [role=treeitem]", has_text=text)


def menu(page, name, item):
    page.get_by_role("button", name=name, exact=True).click()
    page.get_by_role("menuitem", name=item).click()


def test_a_branch_by_keyboard_alone(page):
    assert in_kernel(page, "print(explorer.selected.title)").strip() == "write_joke"
    page.locator(".fb-tree").focus()
    page.keyboard.press("ArrowUp")
    page.locator(".fb-inspector", has_text="next: write_joke").wait_for()
    page.keyboard.press("e")
    page.locator(".fb-field textarea:focus").wait_for()
    page.keyboard.type("dogs")
    page.keyboard.press("Control+Enter")
    said(page, "finished")
    assert "dogs" in in_kernel(page, "print(explorer.act.checkpoint.values['joke'])")
    assert in_kernel(page, "print(explorer.history.branches, explorer.selected.branch)").strip() == "['A', 'B', 'C'] C"


def test_by_mouse(page):
    row(page, "generate_topic").click()
    page.locator(".fb-inspector", has_text="next: write_joke").wait_for()
    page.get_by_role("textbox", name="topic").fill("dogs")
    menu(page, "other ways to run", "Preview")
    said(page, "topic written; runs write_joke next")
    assert in_kernel(page, "print(len(explorer.history))").strip() == "6"

    page.get_by_role("button", name="Run from here").click()
    said(page, "finished")
    row(page, "dog").first.wait_for()
    assert in_kernel(page, "print(explorer.selected.branch, explorer.acts)").startswith("C [")

    page.get_by_role("tab", name="Code").click()
    page.locator(".fb-inspector pre", has_text=".fork(").first.wait_for()
    menu(page, "more", "Copy thread")
    said(page, "the histories are the same")
    assert in_kernel(page, "print(bool(explorer.copy_report))").strip() == "True"

    for text in ("write_joke · 21", "write_joke · 18"):
        row(page, text).last.hover()
        row(page, text).last.locator(".fb-tick").click()
    page.get_by_role("button", name="Compare 2").click()
    page.get_by_role("region", name="comparison").filter(has_text="shared").wait_for()
    assert in_kernel(page, "print(sorted(explorer.comparison.labels))").strip() == "['A', 'C']"


def test_the_picture_is_there_after_a_reload(page):
    row(page, "generate_topic").click()
    page.locator(".fb-inspector", has_text="next: write_joke").wait_for()
    before = page.locator(".fb-tree [role=treeitem]").all_inner_texts()
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    row(page, "generate_topic").wait_for()
    assert page.locator(".fb-tree [role=treeitem]").all_inner_texts() == before
    assert page.locator(".fb-tree .fb-selected", has_text="generate_topic").count() == 1
    page.locator(".fb-inspector", has_text="next: write_joke").wait_for()


def test_what_goes_wrong_is_told_in_the_line_of_results(page):
    row(page, "generate_topic").click()
    page.locator(".fb-inspector", has_text="next: write_joke").wait_for()
    in_kernel(page, "explorer.history.book.backend.delete(explorer.history.thread_id)")
    page.get_by_role("button", name="Run from here").click()
    said(page, "no thread")


def test_foreign_scripts_do_not_run(run, client):
    evil = "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'><b>bold</b>"
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id)
    client.runs.wait(thread_id, "agent", input={"messages": [{"role": "human", "content": evil}]})
    client.threads.update_state(thread_id, {"topic": evil})
    page = run(SHOWN.format(thread_id), "explorer.history", "explorer.history.messages_df()")
    page.locator(".fb-inspector", has_text="<b>bold</b>").wait_for()
    for tab in ("Changes", "State", "Tasks", "Tokens", "Metadata", "Memory", "Code", "Conversation"):
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("tab", name=tab, selected=True).wait_for()
    page.locator(".fb-tree").focus()
    for key in ("c", "ArrowUp", "c"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Compare 2").click()
    page.get_by_role("region", name="comparison").wait_for()
    assert page.evaluate("window.hacked") is None
