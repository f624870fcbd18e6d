"""Conversations with the agents of `libraries` in which everything happens that makes a history hard to read.

A story talks to its agent until the script of its models ends: approvals, errors, hand-offs, edits, forks, replays.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from langchain_core.messages import HumanMessage, RemoveMessage
from langgraph.types import Command

from .scripted import ScriptedError

APPROVED = Command(resume={"decisions": [{"type": "approve"}]})
REFUSED = Command(resume={"decisions": [{"type": "reject", "message": "no"}]})


def at(thread_id: str) -> dict[str, Any]:
    """The config of a thread."""
    return {"configurable": {"thread_id": thread_id}}


def ask(graph: Any, thread_id: str, text: str, **options: Any) -> None:
    """Send a message; its id is its text. What the script has fail fails."""
    with suppress(ScriptedError):
        graph.invoke({"messages": [HumanMessage(text, id=text)]}, at(thread_id), **options)


def past(graph: Any, thread_id: str, fits: Callable[[Any], bool]) -> Any:
    """The newest state of a thread that fits."""
    return next(state for state in graph.get_state_history(at(thread_id)) if fits(state))


def ended(text: str) -> Callable[[Any], bool]:
    """A test whether a run ended there with these words."""
    return lambda state: not state.next and state.values["messages"][-1].content == text


def about_to(node: str, n_messages: int) -> Callable[[Any], bool]:
    """A test whether a node runs next, with so many messages in the state."""
    return lambda state: state.next == (node,) and len(state.values["messages"]) == n_messages


def edit_and_run(graph: Any, state: Any, values: dict[str, Any], **options: Any) -> None:
    """Fork a state: edit it as if it were a new input, and run on."""
    graph.invoke(None, graph.update_state(state.config, values, as_node="__start__"), **options)


def deep(graph: Any) -> None:
    """Two threads: `deep` with more than 50 updates of the messages, `exit` with runs that are saved at their exit."""
    ask(graph, "deep", "write a report")
    graph.invoke(APPROVED, at("deep"))
    for n in range(8):
        ask(graph, "deep", f"question {n}")
    ask(graph, "deep", "fail")
    graph.invoke(None, at("deep"))
    ask(graph, "deep", "fail too")
    ask(graph, "deep", "are you there?")
    ask(graph, "deep", "wait for an approval")
    ask(graph, "deep", "forget it")
    before = past(graph, "deep", ended("answer 3"))
    messages = before.values["messages"]
    changes = [
        RemoveMessage(messages[-2].id),
        RemoveMessage(messages[-3].id),
        HumanMessage("question three", id="question 3"),
    ]
    edit_and_run(graph, before, {"messages": changes})
    graph.invoke(None, past(graph, "deep", about_to("model", 20)).config)
    files = {"/notes.md": None, "/b.md": before.values["files"]["/a.md"]}
    graph.update_state(at("deep"), {"files": files}, as_node="tools")

    ask(graph, "exit", "quickly", durability="exit")
    ask(graph, "exit", "and edit", durability="exit")
    graph.invoke(REFUSED, at("exit"), durability="exit")
    before = past(graph, "exit", ended("left"))
    edit_and_run(graph, before, {"messages": [HumanMessage("or", id="or")]}, durability="exit")


def assistant(graph: Any) -> None:
    """One thread, `assistant`: the fourth message sets off a summary, and too many calls end the third run."""
    ask(graph, "assistant", "write to Ada")
    graph.invoke(APPROVED, at("assistant"))
    ask(graph, "assistant", "search")
    graph.invoke(None, at("assistant"))
    ask(graph, "assistant", "work")
    before = past(graph, "assistant", ended("sent"))
    messages = before.values["messages"]
    changes = [
        RemoveMessage(messages[1].id),
        RemoveMessage(messages[2].id),
        HumanMessage("write to Bob", id="write to Ada"),
    ]
    edit_and_run(graph, before, {"messages": changes, "notes": []})
    graph.invoke(None, past(graph, "assistant", about_to("model", 3)).config)


def supervised(graph: Any) -> None:
    """One thread, `supervised`: hand-offs and back, an approval and an error inside an agent, a forwarded message."""
    ask(graph, "supervised", "count and rhyme")
    ask(graph, "supervised", "check")
    with suppress(ScriptedError):
        graph.invoke(APPROVED, at("supervised"))
    graph.invoke(None, at("supervised"))
    ask(graph, "supervised", "forward")
    before = past(graph, "supervised", ended("all done"))
    last = before.values["messages"][-1]
    edit_and_run(graph, before, {"messages": [RemoveMessage(last.id), HumanMessage("why?", id="why?")]})


def swarm(graph: Any) -> None:
    """One thread, `swarm`: each agent hands over once, one asks; a fork begins with the other agent."""
    ask(graph, "swarm", "Bob, please")
    ask(graph, "swarm", "Alice, please")
    graph.invoke(Command(resume="yes"), at("swarm"))
    before = past(graph, "swarm", ended("hello, I am Bob"))
    last = before.values["messages"][-1]
    changes = [RemoveMessage(last.id), HumanMessage("no", id="no")]
    edit_and_run(graph, before, {"messages": changes, "active_agent": "alice"})
    graph.invoke(None, past(graph, "swarm", about_to("bob", 3)).config)
