"""Small graphs that the sample agent is not: they ask, nest, take their time, fan out.

`build_…()` gives a builder, to be compiled with a checkpointer in this process; the compiled ones are for the server.
"""

import operator
import time
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Send, interrupt

SECONDS = 0.5  # that the sleeper sleeps
TOKEN_SECONDS = 0.05  # between two pieces of what the talker says


class Asked(TypedDict, total=False):
    """Answers, in the order in which they were given."""

    answers: Annotated[list[str], operator.add]


def asking(name: str, *questions: str) -> Any:
    """A node that asks one question after the other, and writes the answers with its name; the answer `fail` raises."""

    def node(state: Asked) -> dict[str, Any]:
        given = [interrupt(question) for question in questions]
        if "fail" in given:
            raise ValueError("the answer is fail")
        return {"answers": [f"{name}={'+'.join(map(str, given))}"]}

    node.__name__ = name
    return node


def build_questions() -> StateGraph:
    """`first`, `second` and `third` ask one question each, in a row."""
    builder = StateGraph(Asked)
    builder.add_sequence([asking(name, f"{name}?") for name in ("first", "second", "third")])
    return builder.add_edge(START, "first")


def build_twice() -> StateGraph:
    """`both` asks two questions in one node, `after` does not ask."""
    builder = StateGraph(Asked)
    builder.add_sequence([asking("both", "one?", "two?"), ("after", lambda state: {"answers": ["after"]})])
    return builder.add_edge(START, "both")


def build_nested() -> StateGraph:
    """`outer` holds `inner`, which holds a node that asks: two levels; then `end` writes."""
    innermost = StateGraph(Asked)
    innermost.add_sequence([("prepare", lambda state: {"answers": ["prepared"]}), asking("ask", "deep?")])
    innermost.add_edge(START, "prepare")
    middle = StateGraph(Asked).add_node("inner", innermost.compile()).add_edge(START, "inner")
    builder = StateGraph(Asked)
    builder.add_sequence([("outer", middle.compile()), ("end", lambda state: {"answers": ["end"]})])
    return builder.add_edge(START, "outer")


class Topic(TypedDict, total=False):
    """What the sleeper is to talk about, and what it said."""

    topic: str
    messages: Annotated[list[AnyMessage], add_messages]


def sleep(state: Topic) -> dict[str, Any]:
    time.sleep(SECONDS)
    topic = state.get("topic", "nothing")
    if topic == "fail":
        raise ValueError("the topic is fail")
    words = len(topic.split())
    usage = {"input_tokens": 10, "output_tokens": words, "total_tokens": 10 + words}
    return {"messages": [AIMessage(f"about {topic}", usage_metadata=usage)]}


def build_sleeper() -> StateGraph:
    """`start`, then `sleep`: half a second, then an AI message: 10 tokens read, a token a word of the topic written.

    The topic `fail` raises.
    """
    builder = StateGraph(Topic)
    builder.add_sequence([("start", lambda state: {}), sleep])
    return builder.add_edge(START, "start")


class Slowly(GenericFakeChatModel):
    """A chat model without a key: a word, or the space after it, every `TOKEN_SECONDS`."""

    def _stream(self, *args: Any, **more: Any) -> Iterator[Any]:
        for chunk in super()._stream(*args, **more):
            time.sleep(TOKEN_SECONDS)
            yield chunk


def talk(state: Topic) -> dict[str, Any]:
    reply = f"all there is to say about {state.get('topic', 'nothing')}"
    return {"messages": [Slowly(messages=iter([AIMessage(reply)])).invoke("talk")]}


async def atalk(state: Topic) -> dict[str, Any]:
    reply = f"all there is to say about {state.get('topic', 'nothing')}"
    return {"messages": [await Slowly(messages=iter([AIMessage(reply)])).ainvoke("talk")]}


def build_talker(node: Any = talk) -> StateGraph:
    """`think`, then `talk`, whose words come one by one; `end` says nothing."""
    builder = StateGraph(Topic)
    builder.add_sequence([("think", lambda state: {}), ("talk", node), ("end", lambda state: {})])
    return builder.add_edge(START, "think")


class Fan(TypedDict, total=False):
    """Items, whether to ask about each, and what the workers made of them."""

    items: list[str]
    ask: bool
    answers: Annotated[list[str], operator.add]


def worker(state: dict[str, Any]) -> dict[str, Any]:
    answer = interrupt(f"{state['item']}?") if state["ask"] else "unasked"
    return {"answers": [f"{state['item']}={answer}"]}


def to_workers(state: Fan) -> list[Send]:
    return [Send("worker", {"item": item, "ask": state.get("ask", False)}) for item in state.get("items", "abc")]


def build_fanout() -> StateGraph:
    """`plan` sends each item (a, b, c) to a `worker`; with `ask` each asks; then `join`."""
    builder = StateGraph(Fan)
    builder.add_node("plan", lambda state: {}).add_edge(START, "plan")
    builder.add_node("worker", worker).add_conditional_edges("plan", to_workers, ["worker"])
    builder.add_node("join", lambda state: {"answers": ["joined"]}).add_edge("worker", "join")
    return builder.add_edge("join", END)


def build_team() -> StateGraph:
    """`team` holds the fan-out, so that one task of the root asks several questions."""
    return StateGraph(Fan).add_node("team", build_fanout().compile()).add_edge(START, "team")


def build_joined() -> StateGraph:
    """`left` and `right` run side by side; `join` waits for both; then `ask` asks, and `end` writes nothing at all."""
    builder = StateGraph(Asked)
    for name in ("left", "right", "join"):
        builder.add_node(name, lambda state, name=name: {"answers": [name]})
    builder.add_edge(START, "left").add_edge(START, "right").add_edge(["left", "right"], "join")
    builder.add_node("ask", asking("ask", "go?")).add_edge("join", "ask")
    return builder.add_node("end", lambda state: {}).add_edge("ask", "end")


GRAPHS = ("joined", "questions", "twice", "nested", "sleeper", "fanout", "team", "talker")
questions, twice, nested = build_questions().compile(), build_twice().compile(), build_nested().compile()
sleeper, fanout, team = build_sleeper().compile(), build_fanout().compile(), build_team().compile()
talker, joined = build_talker().compile(), build_joined().compile()
