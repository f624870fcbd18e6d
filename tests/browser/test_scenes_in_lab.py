"""What people open the explorer for, in a real JupyterLab: questions, long chats, one failure of 2,000, bookmarks."""

from pathlib import Path

import pytest
from driver import RUN_ALL, in_kernel

HERE = f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
SAVER = "from langgraph.checkpoint.memory import InMemorySaver\nimport forkbook as fb\n"
ASKING = f"""{HERE}{SAVER}from agents import graphs
book = fb.connect(graphs.build_questions().compile(checkpointer=InMemorySaver()))
explorer = book.run(None, {{}}).history.explore()
explorer
"""
CHAT = f"""{SAVER}from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
chat = StateGraph(MessagesState)
chat.add_node("chat", lambda state: {{"messages": [AIMessage("you said " + state["messages"][-1].content[-20:])]}})
chat.add_edge(START, "chat")
book = fb.connect(chat.compile(checkpointer=InMemorySaver()))
thread = book.run(None, {{"messages": [("human", "word " * 12_000)]}}).history
explorer = book.run(thread.thread_id, {{"messages": [("human", "the last one")]}}).history.explore()
explorer
"""
MANY = f"""{SAVER}from langchain_core.messages import ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
def step(state):
    at = len(state["messages"])
    return {{"messages": [ToolMessage(f"{{at}}", tool_call_id=f"{{at}}", status="error" if at == 700 else "success")]}}
many = StateGraph(MessagesState).add_node("step", step).add_edge(START, "step")
many.add_conditional_edges("step", lambda state: "step" if len(state["messages"]) < 2_000 else "__end__")
book = fb.connect(many.compile(checkpointer=InMemorySaver()))
explorer = book.run(None, {{"messages": []}}, config={{"recursion_limit": 3_000}}).history.explore()
explorer
"""


@pytest.fixture
def shown(run):
    """The page with an explorer, its tree in focus."""

    def show(source):
        page = run(source)
        page.locator(".fb-tree [role=treeitem]").first.wait_for()
        page.locator(".fb-tree").focus()
        return page

    return show


def said(page, text):
    page.locator(".fb-result-text", has_text=text).wait_for()


def test_a_question_is_answered_and_then_the_old_one_differently(shown):
    page = shown(ASKING)
    page.locator(".fb-answer", has_text="first?").wait_for()
    page.get_by_role("textbox", name="answer").fill("one")
    page.keyboard.press("Enter")
    page.locator(".fb-answer", has_text="second?").wait_for()
    assert page.get_by_role("textbox", name="answer").input_value() == "", "empty for each new question"
    page.locator(".fb-tree").focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="answer differently").click()
    page.locator(".fb-answer", has_text="answered").wait_for()
    page.get_by_role("textbox", name="answer").fill("uno")
    page.keyboard.press("Enter")
    page.locator(".fb-tree [title='branch B']").wait_for()
    said(page, "Branch B · waits for an answer")
    found = "print([tip.values['answers'] for tip in explorer.history.tips])"
    assert in_kernel(page, found).strip() == "[['first=one'], ['first=uno']]"


def test_the_last_message_of_a_long_chat_is_edited_where_it_stands(shown):
    page = shown(CHAT)
    page.keyboard.press("e")
    page.locator(".fb-message-edit textarea").wait_for()
    page.keyboard.press("Control+a")
    page.keyboard.type("something else")
    page.keyboard.press("Control+Enter")
    page.locator(".fb-tree [role=treeitem]", has_text="you said something else").wait_for()
    assert in_kernel(page, "print(explorer.selected.values['messages'][-2]['content'])").strip() == "something else"


def test_one_failed_tool_among_2000_is_a_key_away(shown):
    page = shown(MANY)
    page.keyboard.press("Home")
    page.keyboard.press("n")
    page.locator(".fb-tree .fb-selected.fb-failed").wait_for()
    found = "print(len(explorer.selected.values['messages']), len(explorer.history))"
    assert in_kernel(page, found).strip() == "701 2002"
    assert page.locator(".fb-tree [role=treeitem]").count() < 60


RESTART = """async () => {
  const isNotebook = w => w.sessionContext && w.content && w.content.widgets;
  const panel = [...window.jupyterapp.shell.widgets('main')].find(isNotebook);
  await panel.sessionContext.session.kernel.restart();
}"""


def test_a_bookmark_is_there_after_the_kernel_began_again(run, client, demo_threads):
    thread_id = client.threads.copy(demo_threads["time travel"])["thread_id"]
    page = run(f"import forkbook as fb\nexplorer = fb.connect('demo')['{thread_id}'].explore()\nexplorer")
    page.locator(".fb-tree").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("b")
    page.locator(".fb-tree .fb-selected [aria-label=starred]").wait_for()
    in_kernel(page, "mark = 1")
    page.evaluate(RESTART)
    assert in_kernel(page, "print('mark' in globals())").strip() == "False"
    assert page.evaluate(RUN_ALL)
    page.get_by_role("button", name="1 bookmarked with a star").wait_for()
    page.locator(".fb-tree [role=treeitem]").filter(has=page.locator("[aria-label=starred]")).wait_for()
    assert (
        in_kernel(page, "print([cp.position for cp in explorer.history if cp.id in explorer.labels])").strip() != "[]"
    )
