"""The sample agent of the demo: deterministic, without a key, yet shaped like a real one.

An empty input writes a joke (`generate_topic` → `write_joke`). A message is a chat: the "model" answers, or calls a
tool first, and `publish` asks a human for approval. One token is one word, so every number can be worked out by hand.
"""

import operator
import re
from typing import Annotated, Any, NotRequired, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.store.base import BaseStore
from langgraph.types import interrupt

JOKES = {
    "cats": "Why did the cat sit on the laptop? To keep an eye on the mouse.",
    "chickens": "Why did the chicken join a band? It already had the drumsticks.",
}


class State(TypedDict):
    """What a thread of the sample agent holds."""

    messages: Annotated[list[AnyMessage], add_messages]
    topic: NotRequired[str]
    joke: NotRequired[str]
    log: Annotated[list[str], operator.add]


def words(text: str) -> int:
    return len(text.split())


def spoken(message: AnyMessage) -> int:
    """Tokens of a message: its words, and the words of its tool calls' arguments."""
    calls = getattr(message, "tool_calls", [])
    return words(str(message.content)) + sum(words(str(value)) for call in calls for value in call["args"].values())


def model(messages: list[AnyMessage], reply: str, tool: str | None = None, **args: str) -> AIMessage:
    """What a chat model would return: the reply or a tool call, with the usage that the context cost."""
    calls = [{"name": tool, "args": args, "id": f"call_{len(messages)}", "type": "tool_call"}] if tool else []
    message = AIMessage(reply, tool_calls=calls, response_metadata={"model_name": "sample-model"})
    read, written = sum(map(spoken, messages)), spoken(message)
    message.usage_metadata = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    return message


def generate_topic(state: State) -> dict[str, Any]:
    return {"topic": "cats", "log": ["picked a topic"]}


def write_joke(state: State) -> dict[str, Any]:
    topic = state["topic"]
    joke = JOKES.get(topic, f"Why did the {topic} cross the road? Nobody forked it in time.")
    request = SystemMessage(f"Write a short joke about {topic}")
    return {"joke": joke, "log": [f"wrote about {topic}"], "messages": [model([request], joke)]}


def chat(state: State, config: RunnableConfig, *, store: BaseStore) -> dict[str, Any]:
    messages = state["messages"]
    last = messages[-1]
    text = str(last.content)
    if isinstance(last, ToolMessage):
        return {"messages": [model(messages, f"Done: {text}")]}
    if found := re.search(r"\b(?:i (?:like|also like|moved to|live in|am)|my \w+ is)\b.*", text, re.IGNORECASE):
        return {"messages": [model(messages, "", "remember", fact=found[0])]}
    if found := re.search(r"what is ([-+*/(). \d]+)\?", text, re.IGNORECASE):
        return {"messages": [model(messages, "", "calculate", expression=found[1])]}
    if found := re.search(r"publish (.+)", text, re.IGNORECASE):
        return {"messages": [model(messages, "", "publish", text=found[1])]}
    facts = [item.value["fact"] for item in store.search(memories(config))]
    known = f" I know about you: {'; '.join(facts)}." if facts else ""
    return {"messages": [model(messages, f"You said: {text}.{known}")]}


def tools(state: State, config: RunnableConfig, *, store: BaseStore) -> dict[str, Any]:
    call = state["messages"][-1].tool_calls[0]  # type: ignore[union-attr]  # chat() routes here only after a tool call
    if call["name"] == "remember":
        store.put(memories(config), call["id"] + call["args"]["fact"], {"fact": call["args"]["fact"]})
        result = "Saved!"
    else:
        result = str(calculate(call["args"]["expression"]))
    message = ToolMessage(result, tool_call_id=call["id"], name=call["name"])
    return {"messages": [message], "log": [f"called {call['name']}"]}


def approve(state: State) -> dict[str, Any]:
    """Ask a human; the run waits here until a user resumes it with an answer."""
    call = state["messages"][-1].tool_calls[0]  # type: ignore[union-attr]
    answer = interrupt({"question": "Publish this?", "text": call["args"]["text"]})
    result = "published" if str(answer).lower() in ("yes", "true", "ok") else f"not published ({answer})"
    return {"messages": [ToolMessage(result, tool_call_id=call["id"], name="publish")]}


def memories(config: RunnableConfig) -> tuple[str, str]:
    return ("memories", str(config["configurable"].get("user_id") or "anonymous"))


def calculate(expression: str) -> float:
    """The four operations on two numbers; dividing by zero raises, as tools do."""
    left, sign, right = re.fullmatch(r"\s*([\d.]+)\s*([-+*/])\s*([\d.]+)\s*", expression).groups()  # type: ignore[union-attr]
    a, b = float(left), float(right)
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[sign]()


def first(state: State) -> str:
    return "chat" if state.get("messages") and state["messages"][-1].type == "human" else "generate_topic"


def after_chat(state: State) -> str:
    calls = getattr(state["messages"][-1], "tool_calls", [])
    return END if not calls else "approve" if calls[0]["name"] == "publish" else "tools"


builder = StateGraph(State)
for node in (generate_topic, write_joke, chat, tools, approve):
    builder.add_node(node.__name__, node)
builder.add_conditional_edges(START, first, ["chat", "generate_topic"])
builder.add_edge("generate_topic", "write_joke")
builder.add_edge("write_joke", END)
builder.add_conditional_edges("chat", after_chat, ["tools", "approve", END])
builder.add_edge("tools", "chat")
builder.add_edge("approve", "chat")
graph = builder.compile()
