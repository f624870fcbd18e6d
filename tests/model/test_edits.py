import math
from datetime import date

import pytest
from shapes import ai, human

from forkbook.errors import InvalidInput
from forkbook.model.edits import deviations, exact_writes, plain, replacing_writes
from forkbook.model.message_edits import completed, message_writes

A, B, C = human("a"), ai("b"), human("c")
F = {"name": "f", "args": {}, "id": "1"}
CALLED = {"type": "ai", "content": "", "tool_calls": [F]}
REMOVE_B = {"type": "remove", "id": "b", "content": ""}
REMOVE_ALL = {"type": "remove", "id": "__remove_all__", "content": ""}


def apply(before, writes):
    """What LangGraph's own reducer makes of the writes: ids in order, and contents."""
    from langchain_core.messages import convert_to_messages
    from langgraph.graph.message import add_messages

    return [(m.id, m.content) for m in add_messages(convert_to_messages(before), writes)]


@pytest.mark.parametrize(
    "wanted",
    [
        [A, B, C],
        [A, C],
        [],
        [A, B, C, human("d")],
        [C, A],
        [human("d"), A],
        [A, {**B, "content": "new"}, C],
        [human("e")],
    ],
)
def test_writes_make_a_message_channel_exactly_what_was_typed(wanted):
    assert apply([A, B, C], message_writes([A, B, C], wanted)) == [(m["id"], m["content"]) for m in wanted]


def test_untouched_messages_are_not_sent_so_they_keep_their_usage():
    assert message_writes([A, B, C], [A, B]) == [{"type": "remove", "id": "c", "content": ""}]
    assert message_writes([A, B], [A, B]) == []
    assert exact_writes([1], [0]) == [[1], {"__overwrite__": [1]}]
    assert exact_writes([A], [A, B])[0] == [{"type": "remove", "id": "b", "content": ""}]
    assert exact_writes([{"role": "user", "content": "no id"}], [A]) == exact_writes(
        [{"role": "user", "content": "no id"}], 3
    )


@pytest.mark.parametrize(
    ("typed", "became"),
    [
        (1, 1), ([1, 2], [1, 2]), ({"__overwrite__": [1]}, [1]), ({"a": {"b": None}}, {"a": {"b": None}}),
        ([{"role": "user", "content": "hi"}], [human("x", "hi")]),
        ([{"type": "remove", "id": "a", "content": ""}], [B]),
    ],
)  # fmt: skip
def test_what_became_as_typed_is_no_deviation(typed, became):
    assert deviations({"ch": typed}, {"ch": None}, {"ch": became}) == ()


@pytest.mark.parametrize(
    ("typed", "became"),
    [
        (1, True), (1, 1.0), ([1], [1, 1]), ("a", None), ([human("x", "hi")], [human("x", "ho")]),
        ([{"type": "remove", "id": "a", "content": ""}], [A, B]),
        ("x", {"__overwrite__": "x"}),
    ],
)  # fmt: skip
def test_what_became_otherwise_is(typed, became):
    (found,) = deviations({"ch": typed}, {"ch": None}, {"ch": became})
    assert (found.channel, found.typed, found.became) == ("ch", typed, became)


@pytest.mark.parametrize("typed", [[{**A, "content": "new"}], [human("d")], [C], [REMOVE_B, human("d"), human("e")]])
def test_messages_that_went_where_their_ids_say_are_as_typed_among_others(typed):
    from langchain_core.messages import convert_to_messages, messages_to_dict
    from langgraph.graph.message import add_messages

    merged = add_messages(convert_to_messages([A, B, C]), typed)
    after = {"ch": [{"type": kind["type"], **kind["data"]} for kind in messages_to_dict(merged)]}
    assert deviations({"ch": typed}, {"ch": [A, B, C]}, after) == ()
    (found,) = deviations({"ch": typed}, {"ch": [A, B, C]}, after, exact=True)
    assert "reducer merges" in str(found)
    (found,) = deviations({"ch": {"__overwrite__": typed}}, {"ch": [A, B, C]}, after)
    assert found.channel == "ch"


@pytest.mark.parametrize(
    ("typed", "became"),
    [
        ([{"type": "human", "content": "no id"}], [A, human("x", "no id")]),
        ([{"type": "human", "content": "no id"}], [A, B, human("x", "another")]),
        ([{"type": "human", "content": "hi"}], [A, B]),
        (["one", "two"], [A, B, human("x", "two"), human("y", "one")]),
        (["one", "one"], [A, B, human("x", "one")]),
        ([REMOVE_ALL], [A]),
        ([REMOVE_ALL, "one"], [A, human("x", "one")]),
        ([{**A, "content": "new"}], [A, B, {**A, "content": "new"}]),
        ([{**A, "content": "new"}], [A, B]),
        ([human("d"), {"type": "human", "content": "no id"}], [A, human("d"), human("x", "no id")]),
        ([{"id": "1", "note": "no message"}], [{"id": "0"}, {"id": "1", "note": "no message"}]),
        ([REMOVE_B, human("d")], [A, B, human("d")]),
        ([A], [A, B]),
        ([A, {**B, "content": "new"}], [A, {**B, "content": "new"}, C]),
        ([CALLED], [A, B, {**CALLED, "tool_calls": [{**F, "name": "g"}]}]),
        ([CALLED], [A, B, {**CALLED, "tool_calls": []}]),
    ],
)
def test_what_was_merely_appended_or_is_there_twice_is_not_as_typed(typed, became):
    (found,) = deviations({"ch": typed}, {"ch": [A, B]}, {"ch": became})
    assert "reducer merges" in str(found)


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    "typed",
    [
        "hi", ["hi"], ["hi", "ho"], ("user", "hi"), [("user", "hi")], [["human", "hi"], ("assistant", "ho")],
        {"role": "user", "content": "hi"}, {"type": "human", "content": "hi"}, [{"role": "user", "content": "hi"}],
        [{"role": "user", "content": "hi"}, human("d")],
        [{"role": "system", "content": [{"type": "text", "text": "x"}]}],
        [{"role": "assistant", "content": None, "tool_calls": [CALL]}], human("d"), [human("d"), "ho"],
        [{"role": "assistant", "content": "", "tool_calls": [{"name": "f", "args": {"x": 1}, "id": "c"}]}],
        {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {}, "id": "c", "type": "tool_call"}]},
        [{"type": "remove", "id": "a"}], {"type": "remove", "id": "a"}, {"role": "remove", "id": "b"},
        [{"type": "remove", "id": "a"}, "ho"], [{"type": "remove", "id": "__remove_all__"}],
        [{"type": "remove", "id": "__remove_all__"}, "ho", human("d")], [{**A, "content": "new"}, "ho"],
    ],
)  # fmt: skip
def test_appended_and_removed_messages_of_any_form_are_as_typed(typed):
    from langchain_core.messages import convert_to_messages, messages_to_dict
    from langgraph.graph.message import add_messages

    sent = plain({"ch": completed(typed, [A, B])})["ch"]
    merged = add_messages(convert_to_messages([A, B]), sent)
    after = {"ch": [{"type": kind["type"], **kind["data"]} for kind in messages_to_dict(merged)]}
    assert deviations({"ch": sent}, {"ch": [A, B]}, after) == ()


@pytest.mark.parametrize("typed", ["hi", ["hi"], ("user", "hi"), {"role": "user", "content": "hi"}, [human("d"), "ho"]])
def test_messages_without_ids_replace_all_others(typed):
    from langchain_core.messages import convert_to_messages, messages_to_dict
    from langgraph.graph.message import add_messages

    sent = plain({"ch": completed(typed, [A, B])})["ch"]
    merged = add_messages(convert_to_messages([A, B]), replacing_writes(sent, [A, B])[0])
    after = {"ch": [{"type": kind["type"], **kind["data"]} for kind in messages_to_dict(merged)]}
    assert deviations({"ch": sent}, {"ch": [A, B]}, after, exact=True) == ()


@pytest.mark.parametrize(
    ("value", "before"),
    [([{"type": "remove", "id": 1}], [{"type": "add", "id": 1}]), (["a"], ["b"]), (("user", "x"), ["b"]), ("a", None),
     ([{"type": "remove", "id": 1}], None), ({"a": 1}, {"b": 2})],
)  # fmt: skip
def test_what_is_no_message_is_left_as_typed(value, before):
    assert completed(value, before) == value
    assert replacing_writes(value, before) == exact_writes(value, before)


def test_a_merging_reducer_is_explained_with_numbers():
    (found,) = deviations({"log": ["c"]}, {"log": ["a", "b"]}, {"log": ["a", "b", "c"]})
    assert "you typed 1 item, the state has 3 items now (2 items before)" in str(found)
    assert "replace=True" in str(found)


def test_edits_travel_as_json():
    assert plain({"d": date(2026, 1, 2), "t": (1, 2)}) == {"d": "2026-01-02", "t": [1, 2]}
    with pytest.raises(InvalidInput, match="nan would become null"):
        plain({"n": [{"x": math.nan}]})
    with pytest.raises(InvalidInput, match="complex"):
        plain({"z": 1j})
    with pytest.raises(InvalidInput, match="maps channels"):
        plain(["topic"])
