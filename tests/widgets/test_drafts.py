"""Edits of a page as values to write: numbers stay what they are, a message goes where it arrived, errors say where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph

import forkbook as fb
from forkbook.widgets import drafts


def edit(channel, *path, text):
    return drafts.Edit(channel, path, text)


VALUES = {
    "topic": "cats",
    "count": 2**60 + 1,
    "ratio": 1.0,
    "notes": {"a": [1, 2, 3], "b": {"c": None}},
    "messages": [
        {"type": "human", "content": "hi", "id": "m1", "name": "Ann"},
        {"type": "ai", "content": "yes", "id": "m2", "tool_calls": [{"name": "f", "args": {}, "id": "c1"}]},
    ],
}


def test_values_stay_what_they_are():
    assert drafts.changed(VALUES, [edit("count", text=str(2**60 + 1))]) == {}
    (new,) = drafts.changed(VALUES, [edit("count", text=str(2**60 + 3))]).values()
    assert new == 2**60 + 3
    assert drafts.changed(VALUES, [edit("ratio", text="1.0")]) == {}
    (new,) = drafts.changed(VALUES, [edit("ratio", text="2.0")]).values()
    assert isinstance(new, float)
    assert drafts.changed(VALUES, [edit("topic", text='"cats"')]) == {}


def test_a_leaf_is_changed_where_it_stands():
    before = json.dumps(VALUES)
    assert drafts.changed(VALUES, [edit("notes", "a", 1, text="9"), edit("notes", "b", "c", text="[]")]) == {
        "notes": {"a": [1, 9, 3], "b": {"c": []}}
    }
    assert json.dumps(VALUES) == before, "the state itself stays"
    assert drafts.changed(VALUES, [edit("notes", "a", 3, text="4")])["notes"]["a"] == [1, 2, 3, 4]
    assert drafts.changed(VALUES, [edit("notes", "d", text="0")])["notes"]["d"] == 0
    gone = drafts.changed(VALUES, [edit("notes", "a", 0, text=""), edit("notes", "a", 2, text="")])
    assert gone == {"notes": {"a": [2], "b": {"c": None}}}
    assert drafts.changed(VALUES, [edit("new", text="1")]) == {"new": 1}


@given(st.lists(st.integers(0, 11), unique=True, min_size=1), st.integers(12, 30))
def test_what_is_taken_away_leaves_the_others(indexes, length):
    state = {"items": list(range(length))}
    gone = drafts.changed(state, [edit("items", index, text="") for index in indexes])
    assert gone["items"] == [item for item in range(length) if item not in indexes]


def test_of_a_message_only_what_was_typed_changes():
    (messages,) = drafts.changed(VALUES, [edit("messages", 1, text='{"content": "no"}')]).values()
    assert messages == [VALUES["messages"][0], {**VALUES["messages"][1], "content": "no"}]
    (messages,) = drafts.changed(VALUES, [edit("messages", 1, text='{"role": "user", "content": "no"}')]).values()
    assert messages[1] == {"type": "human", "content": "no", "id": "m2"}, "a human calls no tools"
    (messages,) = drafts.changed(VALUES, [edit("messages", 0, "content", text='"ho"')]).values()
    assert messages[0] == {**VALUES["messages"][0], "content": "ho"}
    whole = '{"type": "human", "content": "other", "id": "m9"}'
    assert drafts.changed(VALUES, [edit("messages", 0, text=whole)])["messages"][0] == json.loads(whole)
    assert drafts.changed(VALUES, [edit("messages", 0, text="")])["messages"] == VALUES["messages"][1:]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (edit("topic", text='{"a": '), r"topic: this is not valid JSON: .*, line 1, column 7"),
        (edit("notes", "a", 1, text="[1,\n2,,3]"), r"notes\['a'\]\[1\]: .*line 2, column 3"),
        (edit("topic", text="NaN"), "NaN is no JSON"),
        (edit("notes", "a", 7, text="1"), "there is nothing at 7"),
        (edit("notes", "x", "y", text="1"), "there is no key 'x'"),
        (edit("topic", 0, text="1"), "there is nothing at 0"),
        (edit("topic", text=""), "a channel stays"),
        (edit("messages", 0, text='{"role": "king", "content": "x"}'), "a message has a role: .*human.*; not 'king'"),
    ],
)
def test_what_cannot_be_right_is_said_with_its_place(wrong, said):
    with pytest.raises(fb.InvalidInput, match=said):
        drafts.changed(VALUES, [wrong])
    (found,) = drafts.check(VALUES, [wrong, edit("ratio", text="2.0")], None)
    assert (found["channel"], found["path"]) == (wrong.channel, list(wrong.path))


def test_an_edit_that_breaks_the_schema_is_told_with_its_path():
    schema = {"properties": {"notes": {"type": "object", "properties": {"a": {"items": {"type": "integer"}}}}}}
    (found,) = drafts.check(VALUES, [edit("notes", "a", 1, text='"x"')], schema)
    assert (found["channel"], found["path"]) == ("notes", ["a", 1])
    assert "'x' is not of type 'integer'" in found["message"]
    with pytest.raises(fb.InvalidInput, match=r"notes\['a'\]\[1\]: 'x' is not of type"):
        drafts.refuse_broken(VALUES, [edit("notes", "a", 1, text='"x"')], schema)
    broken = {"properties": {"topic": {"type": "integer"}}}
    assert drafts.check(VALUES, [edit("topic", text='"dogs"')], broken) == [], "it did not fit before either"


@pytest.mark.parametrize("item", [None, "x", {}, {"channel": "a", "path": "b", "text": ""}, {"channel": 1}])
def test_what_is_no_edit_is_refused(item):
    with pytest.raises(fb.InvalidInput, match="an edit has a channel, a path and a text"):
        drafts.read([item])


def echo(state):
    return {"messages": [AIMessage(f"you said {state['messages'][-1].content}")]}


def chat(*said):
    graph = StateGraph(MessagesState)
    graph.add_node("chat", echo)
    graph.add_edge("__start__", "chat")
    graph = graph.compile(checkpointer=InMemorySaver(), name="chat")
    config = {"configurable": {"thread_id": "t"}}
    for text in said:
        graph.invoke({"messages": [HumanMessage(text)]}, config)
    return fb.connect(graph)["t"]


def test_an_edited_message_is_written_where_it_arrived():
    history = chat("one", "two", "three")
    tip = len(history) - 1
    placed = drafts.placed(history.facts, tip, [edit("messages", 2, text='{"content": "TWO"}')])
    at = history[placed.position]
    assert at.next == ("chat",)
    assert [message["content"] for message in at.values["messages"]] == ["one", "you said one", "two"]
    assert placed.moved
    act = at.fork(placed.values, placed.as_nodes[0], replace=True)
    texts = [message["content"] for message in act.checkpoint.values["messages"]]
    assert texts == ["one", "you said one", "TWO", "you said TWO"]
    ids = [message["id"] for message in act.checkpoint.values["messages"]]
    assert ids[2] == at.values["messages"][2]["id"], "it replaces"


def test_what_the_model_said_is_written_as_from_its_node():
    history = chat("one", "two")
    placed = drafts.placed(history.facts, len(history) - 1, [edit("messages", 1, text='{"content": "ONE!"}')])
    assert history[placed.position].values["messages"][-1]["content"] == "you said one"
    assert placed.as_nodes == ("chat",)


def test_of_two_messages_the_later_one_says_where():
    history = chat("one", "two")
    edits = [edit("messages", 0, text='{"content": "1"}'), edit("messages", 2, text='{"content": "2"}')]
    placed = drafts.placed(history.facts, len(history) - 1, edits)
    assert [message["content"] for message in placed.values["messages"]] == ["1", "you said one", "2"]
    assert history[placed.position].next == ("chat",)


def test_other_edits_stay_where_they_were_made():
    history = chat("one")
    tip = len(history) - 1
    assert drafts.placed(history.facts, tip, []) == drafts.Placed(tip, {})
    placed = drafts.placed(history.facts, tip, [edit("messages", text="[]")])
    assert placed == drafts.Placed(tip, {"messages": []})


def test_of_several_nodes_side_by_side_the_one_that_wrote_the_message_is_tried_first():
    graph = StateGraph(MessagesState)
    for name in ("left", "right", "join"):
        graph.add_node(name, lambda state, name=name: {"messages": [AIMessage(name)]})
    for name in ("left", "right"):
        graph.add_edge("__start__", name).add_edge(name, "join")
    graph = graph.compile(checkpointer=InMemorySaver(), name="sides")
    history = fb.connect(graph).run(None, {"messages": [HumanMessage("go")]}).history
    tip = history.tips[0]
    said = [message["content"] for message in tip.values["messages"]]
    for name in ("left", "right"):
        index = said.index(name)
        placed = drafts.placed(history.facts, tip.position, [edit("messages", index, text='{"content": "x"}')])
        assert history[placed.position].next == ("join",)
        assert placed.as_nodes[0] == name


def test_after_an_edit_by_hand_every_node_is_tried():
    act = chat("one").tips[0].edit({"messages": [HumanMessage("by hand", id="h")]}, "__start__")
    placed = drafts.placed(act.history.facts, act.checkpoint.position, [edit("messages", 2, text='{"content": "x"}')])
    assert (placed.moved, placed.as_nodes) == (False, (None, "chat"))
