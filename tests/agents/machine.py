"""A small graph that counts, asks where it is told to, and notes what it does: every run of it can be foretold."""

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import interrupt


class Counted(TypedDict, total=False):
    """How far it counted, the nodes that are to ask, and what the nodes did."""

    counter: int
    ask: list[str]
    log: Annotated[list[str], operator.add]


def count(state: Counted) -> dict[str, Any]:
    counter = state.get("counter", 0) + 1
    return {"counter": counter, "log": [f"count {counter}"]}


def noting(name: str) -> Callable[[Counted], dict[str, Any]]:
    """A node that asks if it is to ask, and notes the answer."""

    def node(state: Counted) -> dict[str, Any]:
        said = interrupt(f"{name} {state.get('counter', 0)}?") if name in state.get("ask", ()) else "unasked"
        return {"log": [f"{name} {said}"]}

    return node


def build_machine() -> StateGraph:
    """`count` and `decide` in turns until the counter is a multiple of 3, then `left` and `right` side by side."""
    builder = StateGraph(Counted)
    builder.add_node("count", count).add_edge(START, "count").add_edge("count", "decide")
    for name in ("decide", "left", "right"):
        builder.add_node(name, noting(name))
    after = lambda state: "count" if state.get("counter", 0) % 3 else ["left", "right"]  # noqa: E731
    builder.add_conditional_edges("decide", after, ["count", "left", "right"])
    return builder


machine = build_machine().compile()
