"""Agents of today's libraries, whose models follow a script; `stories` talks to them.

The numbers of a script are the tokens that each call reports; a call without numbers reports none.
"""

from itertools import count
from typing import Any

from langchain_core.tools import tool
from langgraph.types import interrupt

from .scripted import ScriptedError, reply, script


def flaky() -> Any:
    """A tool that fails the first time that it is asked for `boom`."""
    calls = count()

    @tool
    def search(query: str) -> str:
        """Search the web."""
        if query == "boom" and next(calls) == 0:
            raise ScriptedError("the line is dead")
        return f"found {query}"

    return search


def careful(request: Any) -> bool:
    """Whether a search needs an approval."""
    return request.tool_call["args"]["query"] == "boom"


def deep(saver: Any) -> Any:
    """A deep agent with files, to-dos, two subagents and edits that need an approval."""
    from deepagents import create_deep_agent
    from langchain.agents.middleware import TodoListMiddleware

    turns = [
        said
        for n in range(8)
        for said in (reply(f"look {n}", (200 + n, 10), search={"query": f"{n}"}), reply(f"answer {n}", (300, 10)))
    ]
    model = script(
        reply("plan", (100, 10), write_todos={"todos": [{"content": "write", "status": "pending"}]}),
        reply("write", (110, 10), write_file={"file_path": "/a.md", "content": "one\n"}),
        reply(
            "delegate",
            None,
            task={"description": "check", "subagent_type": "critic"},
            task_2={"description": "look", "subagent_type": "scout"},
        ),
        reply("fix", (120, 10), edit_file={"file_path": "/a.md", "old_string": "one", "new_string": "two"}),
        reply("done", (130, 10)),
        *turns,
        reply("try", (140, 10), search={"query": "boom"}),
        reply("tried", (150, 10)),
        ScriptedError("overloaded"),
        reply("awake", (160, 10)),
        reply("more", (170, 10), edit_file={"file_path": "/a.md", "old_string": "two", "new_string": "three"}),
        reply("never mind", (180, 10)),
        reply("edited", None),
        reply("replayed", (190, 10)),
        # the thread whose runs are saved at their exit only
        reply("quick", (60, 6), search={"query": "exit"}),
        reply("left", (70, 7)),
        reply("again", (80, 8), edit_file={"file_path": "/a.md", "old_string": "x", "new_string": "y"}),
        reply("gone", (90, 9)),
        reply("other way", (95, 9)),
    )
    critic = script(
        reply("note", (20, 2), write_file={"file_path": "/notes.md", "content": "hm"}), reply("verdict", (30, 3))
    )
    search = flaky()
    helper = {"description": "helps", "system_prompt": "Help.", "tools": [search]}
    return create_deep_agent(
        model,
        tools=[search],
        middleware=[TodoListMiddleware()],
        subagents=[
            {"name": "critic", "model": critic, **helper},
            {"name": "scout", "model": script(reply("all clear", None)), **helper},
        ],
        interrupt_on={"edit_file": True},
        checkpointer=saver,
    )


def assistant(saver: Any) -> Any:
    """An agent with to-dos, approvals, summaries, a limit of model calls, and hooks of its own."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import (
        AgentMiddleware,
        AgentState,
        HumanInTheLoopMiddleware,
        ModelCallLimitMiddleware,
        SummarizationMiddleware,
        TodoListMiddleware,
    )

    class Counted(AgentState):
        n_calls: int
        notes: list[str]

    class Counting(AgentMiddleware):
        state_schema = Counted

        def before_model(self, state: Any, runtime: Any) -> dict[str, Any]:
            return {"n_calls": state.get("n_calls", 0) + 1}

        def after_model(self, state: Any, runtime: Any) -> dict[str, Any]:
            return {"notes": [*state.get("notes", []), state["messages"][-1].text]}

    @tool
    def send(to: str) -> str:
        """Send a letter."""
        return f"sent to {to}"

    model = script(
        reply("plan", (100, 10), write_todos={"todos": [{"content": "send", "status": "in_progress"}]}),
        reply("letter", None, send={"to": "Ada"}),
        reply("sent", (120, 12)),
        reply("look", (130, 13), search={"query": "boom"}),
        reply("found", None),
        reply("sum", (60, 6), search={"query": "a"}, search_2={"query": "b"}),
        reply("once", (61, 6), search={"query": "c"}),
        reply("twice", (62, 6), search={"query": "d"}),
        reply("forked", (70, 7)),
        reply("replayed", (80, 8), send={"to": "Bob"}),
    )
    summarizer = script(*[reply("in short", (999, 99))] * 9)
    return create_agent(
        model,
        [send, flaky()],
        middleware=[
            TodoListMiddleware(),
            Counting(),
            SummarizationMiddleware(summarizer, trigger=("messages", 12), keep=("messages", 4)),
            ModelCallLimitMiddleware(run_limit=3, exit_behavior="end"),
            HumanInTheLoopMiddleware({"send": True}),
        ],
        checkpointer=saver,
    )


def supervised(saver: Any) -> Any:
    """A supervisor with two agents, whose messages it can forward; one of them needs an approval to search `boom`."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langgraph_supervisor import create_supervisor
    from langgraph_supervisor.handoff import create_forward_message_tool

    model = script(
        reply("calculate", (20, 2), search={"query": "1 + 2"}),
        reply("three", (30, 3)),
        reply("check", (31, 3), search={"query": "boom"}),
        reply("checked", None),
    )
    asking = HumanInTheLoopMiddleware({"search": {"allowed_decisions": ["approve"], "when": careful}})
    math = create_agent(model, [flaky()], middleware=[asking], name="math")
    poet = create_agent(script(reply("a rhyme", (40, 4)), reply("a verse", (41, 4))), [], name="poet")
    boss = script(
        reply("to math", (100, 10), transfer_to_math={}),
        reply("to poet", None, transfer_to_poet={}),
        reply("all done", (300, 30)),
        reply("on to math", (400, 40), transfer_to_math={}),
        reply("checked it", (410, 41)),
        reply("to poet again", (500, 50), transfer_to_poet={}),
        reply("as he says", (510, 51), forward_message={"from_agent": "poet"}),
        reply("forked", (600, 60)),
    )
    tools = [create_forward_message_tool()]
    return create_supervisor([math, poet], model=boss, tools=tools, output_mode="full_history").compile(
        checkpointer=saver
    )


def swarm(saver: Any) -> Any:
    """Two agents that hand over to each other; one of them can ask the user."""
    from langchain.agents import create_agent
    from langgraph_swarm import create_handoff_tool, create_swarm

    @tool
    def confirm(what: str) -> str:
        """Ask the user."""
        return f"the user says {interrupt(what)}"

    alice = script(
        reply("to Bob", (10, 1), transfer_to_bob={}), reply("hello, I am Alice", (50, 5)), reply("forked", None)
    )
    bob = script(
        reply("hello, I am Bob", (20, 2)),
        reply("sure?", None, confirm={"what": "sure?"}),
        reply("to Alice", (40, 4), transfer_to_alice={}),
        reply("replayed", (45, 4)),
    )
    agents = [
        create_agent(alice, [create_handoff_tool(agent_name="bob")], name="alice"),
        create_agent(bob, [create_handoff_tool(agent_name="alice"), confirm], name="bob"),
    ]
    return create_swarm(agents, default_active_agent="alice").compile(checkpointer=saver)
