"""What the inspector shows of a checkpoint, and asks for afterwards."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws
from shapes import ai, facts_of, human, state

import forkbook as fb
from forkbook.face.document import Document
from forkbook.face.message_items import message_item
from forkbook.face.page import messages, page, text, value
from forkbook.facts import Facts
from forkbook.testing import sample_threads

CALL = {"name": "calculate", "args": {"expression": "1 / 0"}, "id": "c"}
OPAQUE = {"__type__": "opaque", "reason": "a pickle"}


def chat():
    """Two turns: a tool fails in the first; the second is asked on two branches."""
    asked = [human("h", "What is 1 / 0?")]
    called = [*asked, ai("a", "", usage=(100, 20), tool_calls=[CALL])]
    failed = [*called, {"type": "tool", "id": "t", "content": "no", "status": "error", "tool_call_id": "c"}]
    question = {"name": "model", "interrupts": [{"id": "q", "value": {"question": "Go on?", "type": "boolean"}}]}
    return facts_of(
        state("00", None, {}, source="input", step=-1, next=["__start__"], tasks=[{"name": "__start__"}]),
        state("01", "00", {"messages": asked, "topic": "sums"}, next=["model"], tasks=[{"name": "model"}]),
        state("02", "01", {"messages": called, "topic": "sums"}, next=["tools"], tasks=[{"name": "tools"}], step=1),
        state("03", "02", {"messages": failed, "topic": "sums"}, step=2, next=["model"], tasks=[question]),
        state("04", "02", {"messages": called, "topic": "more"}, source="update", step=2, next=["tools"]),
    )


def test_a_page_says_where_a_checkpoint_stands():
    found = page(chat(), 3, {"label": "bad", "note": "look", "star": True})
    heading = "tools · branch A · step 2 · tip, waiting · next: model"
    assert {key: found[key] for key in ("id", "title", "node", "heading", "branch", "step")} == {
        "id": "03", "title": "tools", "node": "tools", "heading": heading, "branch": "A", "step": 2,
    }  # fmt: skip
    assert (found["is_tip"], found["status"], found["next"], found["error"]) == (True, "waiting", ["model"], None)
    assert (found["parent"], found["children"], page(chat(), 2)["children"]) == (2, [], [3, 4])
    assert (found["label"], found["note"], found["star"]) == ("bad", "look", True)
    (asked,) = found["questions"]
    assert (asked["text"], asked["form"]["type"], asked["open"]) == ('Go on?\n{"type": "boolean"}', "boolean", True)


def test_messages_say_who_wrote_them_where_they_arrived_and_what_runs_again():
    found = page(chat(), 3)["messages"]
    assert (found["channel"], found["total"], found["from"]) == ("messages", 3, 0)
    items = found["items"]
    assert [(m["index"], m["role"], m["at"], m["fresh"], m["node"], m["runs"]) for m in items] == [
        (0, "human", 1, False, "__start__", ["model"]),
        (1, "ai", 2, False, "model", ["tools"]),
        (2, "tool", 3, True, "tools", ["model"]),
    ]
    assert [m["failed"] for m in items] == [False, False, True]
    assert items[1]["tool_calls"] == [{"name": "calculate", "args": '{"expression":"1 / 0"}', "id": "c"}]
    assert (items[1]["tokens"], items[2]["tool_call_id"]) == (120, "c")
    assert all(m["editable"] for m in items)


def test_the_other_channels_are_blocks():
    (topic,) = page(chat(), 3)["blocks"]
    assert (topic["kind"], topic["channel"], topic["text"], topic["editable"]) == ("json", "topic", '"sums"', True)


def test_long_chats_are_shown_in_part_and_asked_for():
    said = [human(f"m{n}", f"{n} " + "x" * 3000) for n in range(100)]
    facts = facts_of(state("00", None, {"messages": said}))
    found = page(facts, 0)["messages"]
    assert (found["total"], found["from"], len(found["items"])) == (100, 70, 30)
    last, first = found["items"][-1], found["items"][0]
    assert (last["size"], len(last["text"]), last["cut"]) == (3003, 2000, True)
    assert len(first["text"]) == 300
    assert sum(len(item["text"]) for item in found["items"]) < 25_000
    assert [item["index"] for item in messages(facts, 0, 10, 12)] == [10, 11]
    assert text(facts, 0, 99) == said[99]["content"]
    with pytest.raises(fb.InvalidInput, match="no message 100 in messages: it has 100 messages"):
        text(facts, 0, 100)


def test_messages_beside_the_conversation_are_shown_below():
    notes = {"plan": [human("p", "a plan")], "inner": {"deep": [ai("d", "deep")]}, "messages": [human("h"), ai("a")]}
    found = page(facts_of(state("00", None, notes)), 0)
    assert found["messages"]["channel"] == "messages"
    assert [block["text"] for block in found["blocks"] if block["kind"] == "message"] == ["a plan", "deep"]
    assert {block["channel"] for block in found["blocks"] if block["kind"] == "json"} == {"inner"}
    other = page(facts_of(state("00", None, {"plan": [human("p", "a plan")]})), 0)
    assert other["messages"]["channel"] == "plan"


def test_what_is_not_known_is_never_empty():
    values = {"messages": OPAQUE, "draft": {"a": 1, "b": OPAQUE}}
    found = page(facts_of(state("00", None, values, next=None)), 0)
    assert found["next"] is None
    assert found["messages"] is None
    note, hidden, draft = found["blocks"]
    assert note == {"kind": "note", "text": "not known: draft.b (a pickle)", "tone": "warn"}
    assert (hidden["channel"], hidden["unknown"], hidden["editable"]) == ("messages", "a pickle", False)
    assert (draft["channel"], draft["editable"]) == ("draft", False)
    whole = page(facts_of(state("00", None, OPAQUE)), 0)
    note, hidden = whole["blocks"]
    assert (note["text"], hidden["unknown"]) == ("not known: the whole state (a pickle)", "a pickle")


def test_values_are_found_by_their_path():
    facts = facts_of(state("00", None, {"a": {"b": [1, {"c": 1.0}]}}))
    assert value(facts, 0, "a", ["b", 1, "c"]) == "1.0"
    assert json.loads(value(facts, 0, "a")) == {"b": [1, {"c": 1.0}]}
    for channel, path in (("x", []), ("a", ["c"]), ("a", ["b", 2]), ("a", ["b", -1]), ("a", ["b", True, 0])):
        with pytest.raises(fb.InvalidInput):
            value(facts, 0, channel, path)


def test_content_blocks_are_said():
    blocks = [
        {"type": "thinking", "thinking": "hmm"},
        {"type": "text", "text": "See:"},
        {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
        {"type": "audio", "data": "xx"},
        {"type": "tool_use", "id": "c", "name": "calculate", "input": {}},
        "end",
    ]
    item = message_item({"type": "ai", "content": blocks, "tool_calls": [CALL]})
    assert item["text"] == "[thinking] hmm\nSee:\n[audio]\nend"
    assert item["images"] == ["data:image/png;base64,AAAA"]
    broken = {"type": "ai", "content": "", "invalid_tool_calls": [{"name": "f", "args": "{"}, 5]}
    assert message_item(broken)["tool_calls"] == [{"name": "f (invalid)", "args": "{", "id": None}]


def test_a_page_without_images_is_small_whatever_the_state_holds():
    big = {f"c{n}": ["x" * 5000] * 50 for n in range(50)}
    big["messages"] = [human(f"m{n}", "x" * 90_000) for n in range(50)]
    assert len(json.dumps(page(facts_of(state("00", None, big)), 0))) < 50_000


@pytest.mark.parametrize("sample", sample_threads(), ids=lambda sample: sample.thread_id[-1])
def test_the_sample_threads_have_pages(sample):
    states = {state["checkpoint"]["checkpoint_id"]: state for state in sample.states}
    facts = Facts.of(sample.thread_id, states, subgraphs=True)
    for position in range(len(facts.states)):
        found = json.loads(json.dumps(page(facts, position)))
        assert found["id"] == facts.tree.heads[position].id
        assert (found["host"] >= 0) == bool(found["namespace"])


KEYS = [
    *(
        "type",
        "role",
        "content",
        "id",
        "tool_calls",
        "name",
        "args",
        "status",
        "__type__",
        "reason",
        "text",
        "image_url",
    ),
    *("source", "action_requests", "question", "default", "choices", "usage_metadata", "x"),
]
LEAVES = st.sampled_from(["\ud800\x00\u202e", "ai", "tool", "image", "opaque", "error"]) | st.text(max_size=8)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
INTERRUPT = st.fixed_dictionaries({"id": st.none() | st.just("q"), "value": ODD})
TASK = st.fixed_dictionaries(
    {
        "name": st.none() | st.text(max_size=3),
        "error": st.none() | st.text(max_size=3),
        "interrupts": st.lists(INTERRUPT, max_size=2),
    }
)
VALUES = st.dictionaries(st.sampled_from(["messages", "x", "y"]), ODD) | ODD


@pytest.mark.long
@given(st.lists(st.tuples(VALUES, st.lists(TASK, max_size=2)), min_size=1, max_size=4))
@laws(500)
def test_nothing_raises_whatever_the_values_are(drawn):
    states = [
        state(f"{n:02x}", f"{n - 1:02x}" if n else None, values, tasks=tasks, step=n, next=["a"] if n % 2 else None)
        for n, (values, tasks) in enumerate(drawn)
    ]
    facts = facts_of(*states)
    document = Document(facts)
    assert len(document.rows()) == 8 * len(states)
    for position in range(len(states)):
        json.dumps(page(facts, position))
        document.first_labels(position)
