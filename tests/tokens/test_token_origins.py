"""Messages that came with a command spend nothing: a model's call in the thread did not write them."""

import operator
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from shapes import ai, facts_of, human, state

import forkbook as fb

AT = {"configurable": {"thread_id": "t"}}


class Added(TypedDict):
    messages: Annotated[list, operator.add]


def said(text, input, output, id_=None):
    return AIMessage(
        text, id=id_, usage_metadata={"input_tokens": input, "output_tokens": output, "total_tokens": input + output}
    )


def asking(schema, saver):
    """A model answers, a question is asked, and the model answers again."""

    def ask(state):
        return {"messages": [said(f"you said {interrupt('sure?')}", 5, 1)]}

    builder = StateGraph(schema).add_node("call", lambda state: {"messages": [said("hello", 5, 1, "first")]})
    builder.add_node("ask", ask).add_node("other", lambda state: {"messages": [said("other", 5, 1)]})
    builder.add_edge(START, "call").add_edge("call", "ask")
    return builder.compile(checkpointer=saver)


def spent(place):
    with fb.connect(place) as book:
        return book.history("t").total_tokens


@pytest.mark.parametrize("schema", [MessagesState, Added])
@pytest.mark.parametrize("id_", ["example", None])
class TestACommandBringsAMessage:
    def test_with_an_answer(self, schema, id_, tmp_path):
        path = tmp_path / "s.sqlite"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            graph = asking(schema, saver)
            graph.invoke({"messages": [HumanMessage("hi")]}, AT)
            graph.invoke(Command(resume="yes", update={"messages": [said("few-shot", 1000, 0, id_)]}), AT)
            assert spent(graph) == 12
        assert spent(path) == 12

    def test_without_a_report(self, schema, id_, tmp_path):
        path = tmp_path / "s.sqlite"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            graph = asking(schema, saver)
            graph.invoke({"messages": [HumanMessage("hi")]}, AT)
            graph.invoke(Command(resume="yes", update={"messages": [AIMessage("few-shot " * 99, id=id_)]}), AT)
            assert spent(graph) == 12
        assert spent(path) == 12

    def test_and_says_where_to_go_on(self, schema, id_, tmp_path):
        path = tmp_path / "s.sqlite"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            graph = asking(schema, saver)
            graph.invoke({"messages": [HumanMessage("hi")]}, AT)
            graph.invoke(Command(resume="yes"), AT)
            graph.invoke(Command(goto="other", update={"messages": [said("few-shot", 1000, 0, id_)]}), AT)
            assert spent(graph) == 18
        assert spent(path) == 18


def spent_second(result, *, message, step=1, **more):
    """What a message spends at the second of two checkpoints, the first of whose tasks wrote a result."""
    task = {"id": "t", "name": "node", "path": None, "error": None, "interrupts": [], "result": result, **more}
    first = state("1", values={"messages": [human("h")]}, step=0, next=["node"], tasks=[task])
    facts = facts_of(first, state("2", "1", {"messages": [human("h"), message]}, step=step))
    return facts.ledger.total.total


@pytest.mark.parametrize(
    "result",
    [
        {"messages": [ai("a", "yes")]},
        {"messages": [{"role": "assistant", "content": "yes"}]},
        {"messages": [["ai", "yes"]]},
        {"messages": "yes"},
        {"messages": {"__overwrite__": [ai("a", "yes")]}},
        {"messages": {"$writes": [[human("q")], [ai("a", "yes")]]}},
    ],
)
def test_what_a_task_wrote_in_any_form_spends(result):
    assert spent_second(result, message=ai("a", "yes", usage=(5, 1))) == 6


def test_where_the_writes_are_not_known_or_led_elsewhere_a_message_spends():
    message = ai("a", "yes", usage=(5, 1))
    assert spent_second(None, message=message) == 6
    assert spent_second({}, message=message, step=3) == 6, "steps between were not kept"
    assert spent_second({}, message=message) == 0


def test_what_a_reducer_made_of_a_write_spends():
    assert spent_second({"messages": 7}, message=ai("a", "seven")) is not None
