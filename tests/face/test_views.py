"""What the tabs show."""

import json

import pytest
from shapes import ai, facts_of, human, state

from forkbook.face.views import VIEWS
from forkbook.facts import Facts
from forkbook.testing import sample_threads

OPAQUE = {"__type__": "opaque", "reason": "a pickle"}


def thread():
    asked = [human("h", "Why did the cat cross the road, and what did it see there, and what did it do next?")]
    other = [{**asked[0], "content": asked[0]["content"].replace("cat", "dog")}]
    task = {"name": "model", "result": {"messages": []}}
    asks = {"name": "ask", "interrupts": [{"id": "q", "value": "Go on?"}], "error": "ValueError('x')"}
    return facts_of(
        state("00", None, {"messages": asked, "n": 1, "secret": OPAQUE}, tasks=[task], next=["model"]),
        state("01", "00", {"messages": [*asked, ai("a", "Hi", usage=(10, 5))], "n": 1, "secret": OPAQUE}, step=1),
        state("02", "00", {"messages": other, "n": 2, "new": {"a": [1]}}, source="update", tasks=[asks], next=["ask"]),
    )


def test_changes_mark_the_words_that_came_and_went():
    count, message, number, *rest = VIEWS["Changes"](thread(), 2)
    assert count["text"] == "4 changes since checkpoint 00"
    assert message["path"] == "messages[0] (human, id h) · content"
    assert [part for part in message["parts"] if part[0] != " "] == [["-", "cat"], ["+", "dog"]]
    assert (number["path"], number["change"], number["parts"]) == ("n", "changed", [["-", "1"], ["+", "2"]])
    assert [block["change"] for block in rest] == ["removed", "added"]


def test_changes_say_that_there_are_none_and_what_is_not_known():
    facts = facts_of(state("00", None, {"x": OPAQUE}), state("01", "00", {"x": OPAQUE}))
    assert [block["text"] for block in VIEWS["Changes"](facts, 1)] == [
        "The state is the same as before.",
        "not known: x (a pickle)",
    ]
    assert VIEWS["Changes"](facts, 0)[0]["text"] == "1 change since the beginning"
    cut_off = VIEWS["Changes"](facts_of(state("01", "00", {"a": 1})), 0)
    assert cut_off[0]["text"] == "1 change since nothing: the checkpoint before it is not in this history"


def test_the_state_has_a_block_for_each_channel():
    facts = thread()
    facts.states[0]["rebuilt"] = {"n": "the sum of its writes"}
    messages, number, rebuilt, secret = VIEWS["State"](facts, 0)
    assert json.loads(messages["text"]) == facts.states[0]["values"]["messages"]
    assert (number["channel"], number["text"], number["editable"]) == ("n", "1", True)
    assert rebuilt["text"] == "n was rebuilt from writes: the sum of its writes"
    assert (secret["unknown"], secret["text"], secret["editable"]) == ("a pickle", "", False)
    assert VIEWS["State"](facts_of(state("00")), 0) == [
        {"kind": "note", "text": "The state is empty here.", "tone": ""}
    ]


def test_large_values_are_cut_and_say_how_large_they_are():
    facts = facts_of(state("00", None, {f"c{n}": "x" * 30_000 for n in range(20)}))
    blocks = VIEWS["State"](facts, 0)
    assert {(block["size"], block["cut"]) for block in blocks} == {(30_002, True)}
    assert sum(len(block["text"]) for block in blocks) < 210_000


def test_tasks_are_a_table():
    (asked,) = VIEWS["Tasks"](thread(), 2)
    assert asked["columns"] == ["task", "seconds", "interrupts", "error", "writes"]
    assert asked["rows"] == [["ask", None, '"Go on?"', "ValueError('x')", None]]
    assert VIEWS["Tasks"](thread(), 0)[0]["rows"] == [["model", 1.0, "", "", '{"messages":[]}']]
    assert VIEWS["Tasks"](thread(), 1) == [{"kind": "note", "text": "Nothing runs from here.", "tone": ""}]
    unknown = facts_of(state("00", next=None))
    assert VIEWS["Tasks"](unknown, 0)[0]["text"] == "What runs from here is not known."
    long = facts_of(state("00", tasks=[{"name": "a", "error": "E" * 9000}], next=["a"]))
    table, error = VIEWS["Tasks"](long, 0)
    assert table["rows"][0][3].endswith("… 8,500 more characters")
    assert (error["tone"], error["text"][5_000:]) == ("error", " … 4,000 more characters")


def test_tokens_are_those_spent_here_and_a_table_of_the_branches():
    facts = facts_of(
        state("00", None, {"messages": [human("h")]}),
        state("01", "00", {"messages": [human("h"), ai("a", "Hi", usage=(10, 5))]}, step=1),
        state("02", "00", {"messages": [human("h"), ai("b", "Ho", usage=(10, 7))]}, step=1),
    )
    spent, context, table, bars = VIEWS["Tokens"](facts, 1)
    assert spent["text"] == "15 tokens spent here (reported)"
    assert context["text"].endswith(f"tokens of context ({facts.ledger.counter})")
    assert table["rows"] == [["A", 0, 15, 15, "reported"], ["B", 0, 17, 17, "reported"]]
    assert (table["numeric"], table["marked"], table["positions"]) == ([1, 2, 3], 0, [1, 2])
    assert bars["rows"] == [["A", [[0, "shared"], [15, "own"]]], ["B", [[0, "shared"], [17, "own"]]]]
    assert VIEWS["Tokens"](facts, 0)[0]["text"] == "Nothing was spent here."
    hidden = VIEWS["Tokens"](thread(), 1)
    assert "not known: secret (a pickle)" in [block.get("text") for block in hidden]


def test_metadata_hide_secrets():
    held = state("00", None, {})
    held["metadata"]["api_key"] = "sk-123"
    held["metadata"]["user_id"] = "ada"
    metadata, checkpoint, *_ = VIEWS["Metadata"](Facts.of("t", {"00": held}), 0)
    assert json.loads(metadata["text"])["user_id"] == "ada"
    assert "sk-123" not in json.dumps([metadata, checkpoint])
    assert json.loads(checkpoint["text"])["checkpoint_id"] == "00"
    assert not metadata["editable"]


@pytest.mark.parametrize("sample", sample_threads(), ids=lambda sample: sample.thread_id[-1])
def test_every_view_shows_every_checkpoint_of_the_sample_threads(sample):
    states = {state["checkpoint"]["checkpoint_id"]: state for state in sample.states}
    facts = Facts.of(sample.thread_id, states, subgraphs=True)
    for position in range(len(facts.states)):
        for view in VIEWS.values():
            assert json.loads(json.dumps(view(facts, position)))
