"""Small graphs that the sample agent is not: they ask, nest, take their time, fan out.

`build_…()` gives a builder, to be compiled with a checkpointer in this process; the compiled ones are for the server.
"""

import operator
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, NamedTuple, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import _messages_delta_reducer, add_messages
from langgraph.types import Send, interrupt
from pydantic import BaseModel, Field

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


def build_flow(checkpointer: Any = None) -> Any:
    """A functional graph: its input is anything, what it returned is its state, and what it remembers."""

    @entrypoint(checkpointer=checkpointer)
    def flow(given: Any, *, previous: Any = None) -> dict[str, Any]:
        return {"given": given, "ok": "fine", "before": (previous or {}).get("ok")}

    return flow


def build_listed() -> StateGraph:
    """The whole state is a list of messages; `bot` says hi."""
    builder = StateGraph(Annotated[list, add_messages])
    return builder.add_node("bot", lambda state: [AIMessage("hi")]).add_edge(START, "bot")


def build_counter() -> StateGraph:
    """The whole state is a number; `more` adds one."""
    return StateGraph(Annotated[int, operator.add]).add_node("more", lambda state: 1).add_edge(START, "more")


def build_merged() -> StateGraph:
    """The whole state is a dict without named channels; `more` adds a key."""
    return StateGraph(Annotated[dict, operator.or_]).add_node("more", lambda s: {"more": 1}).add_edge(START, "more")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Job(BaseModel):
    name: str
    colour: Colour = Colour.RED
    done: bool = False


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Remark:
    text: str
    stars: int = 0


class Jobs(TypedDict, total=False):
    """Objects of many kinds, alone, in lists and in dicts."""

    job: Job
    jobs: list[Job]
    by_name: dict[str, Job]
    log: Annotated[list[Job], operator.add]
    remark: Remark
    colour: Colour
    point: Point
    anything: Any


def plan_jobs(state: Jobs) -> dict[str, Any]:
    return {
        "job": Job(name="a"), "jobs": [Job(name="b"), Job(name="c")], "by_name": {"d": Job(name="d")},
        "log": [Job(name="e")], "remark": Remark("f"), "colour": Colour.RED, "point": Point(1, 2),
        "anything": Job(name="g"),
    }  # fmt: skip


def do_jobs(state: Jobs) -> dict[str, Any]:
    """Needs every object to be one."""
    done = [state["job"], *state["jobs"], *state["by_name"].values(), *state["log"], state["anything"]]
    names = [job.name for job in done]
    return {"remark": Remark(f"{state['remark'].text} {state['colour'].name} {state['point'].x} {' '.join(names)}")}


def build_jobs() -> StateGraph:
    """`plan` makes objects, `do` uses their attributes."""
    return StateGraph(Jobs).add_sequence([("plan", plan_jobs), ("do", do_jobs)]).add_edge(START, "plan")


class Strict(BaseModel):
    """A state that pydantic checks."""

    size: int = Field(ge=0, default=0)
    label: str = ""


def build_strict() -> StateGraph:
    """`one` and `two` add one each."""
    builder = StateGraph(Strict)
    builder.add_sequence([(name, lambda state: {"size": state.size + 1}) for name in ("one", "two")])
    return builder.add_edge(START, "one")


class Topical(Asked, total=False):
    topic: str


def ask_about(state: Topical) -> dict[str, Any]:
    answer = interrupt(f"about {state['topic']}?")
    return {"answers": [f"{state['topic']}={answer}"]}


def build_topical() -> StateGraph:
    """`outer` holds `prepare` and `ask`, which asks about the topic, then `again` asks too; `end` writes."""
    inner = StateGraph(Topical)
    inner.add_sequence([("prepare", lambda state: {}), ("ask", ask_about), asking("again", "again?")])
    inner.add_edge(START, "prepare")
    builder = StateGraph(Topical)
    builder.add_sequence([("outer", inner.compile()), ("end", lambda state: {"answers": ["end"]})])
    return builder.add_edge(START, "outer")


class Told(TypedDict, total=False):
    """Names of what a run was configured with, LangGraph's own left out by nobody; and a channel of changes."""

    told: Annotated[list[dict[str, Any]], operator.add]
    changes: Annotated[
        list[str],
        DeltaChannel(lambda old, new: [*(old or []), *(x for each in new for x in each)], snapshot_frequency=1000),
    ]


def tell_config(state: Told, config: RunnableConfig) -> dict[str, Any]:
    given = {name: value for name, value in config["configurable"].items() if isinstance(value, str | int | float)}
    return {"told": [given], "changes": ["told"]}


def build_told() -> StateGraph:
    """`tell` writes down its `configurable`, in the root and in a subgraph, then `wait` asks."""
    inner = StateGraph(Told).add_node("tell", tell_config).add_edge(START, "tell").compile()
    wait = ("wait", lambda state: {"changes": [interrupt("go on?")]})
    return StateGraph(Told).add_sequence([("tell", tell_config), ("inner", inner), wait]).add_edge(START, "tell")


class Helped(TypedDict, total=False):
    """Messages as deep agents keep them."""

    messages: Annotated[list[AnyMessage], DeltaChannel(_messages_delta_reducer, snapshot_frequency=4)]


class Helper:
    """A node that runs a graph which LangGraph cannot find in its code, as tools do."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    def __call__(self, state: Helped) -> dict[str, Any]:
        return {"messages": self._graph.invoke({"messages": [("user", "help")]})["messages"][-1:]}


def saying(text: str, tokens: int) -> Any:
    """A node that says so, and reports that it read so many tokens and wrote one."""
    usage = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1}
    return lambda state: {"messages": [AIMessage(text, usage_metadata=usage)]}


def build_helped() -> StateGraph:
    """`help` runs a graph with the node `think` where nobody sees it, then `reply` answers."""
    inner = StateGraph(Helped).add_node("think", saying("thought", 10)).add_edge(START, "think").compile()
    nodes = [("help", Helper(inner)), ("reply", saying("done", 100))]
    return StateGraph(Helped).add_sequence(nodes).add_edge(START, "help")


GRAPHS = (
    "joined", "questions", "twice", "nested", "sleeper", "fanout", "team", "talker", "flow", "listed", "counter",
    "merged", "jobs", "strict", "topical", "told", "helped",
)  # fmt: skip
questions, twice, nested = build_questions().compile(), build_twice().compile(), build_nested().compile()
sleeper, fanout, team = build_sleeper().compile(), build_fanout().compile(), build_team().compile()
talker, joined = build_talker().compile(), build_joined().compile()
flow, listed, counter, merged = build_flow(), *(b().compile() for b in (build_listed, build_counter, build_merged))
jobs, strict, topical, told = (b().compile() for b in (build_jobs, build_strict, build_topical, build_told))
helped = build_helped().compile()
