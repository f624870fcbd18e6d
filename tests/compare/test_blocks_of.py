"""Comparisons as blocks that the explorer's page draws."""

import json

from shapes import ai, facts_of, human, state

from forkbook.compare.blocks_of import blocks_of, change_blocks
from forkbook.compare.diff import diff
from forkbook.compare.many import Overview
from forkbook.compare.side import Side
from forkbook.compare.two import compare


def thread():
    asked = [human("h", "Why?")]
    return facts_of(
        state("00", None, {"messages": asked, "topic": "cats"}, next=["model"], tasks=[{"name": "model"}]),
        state("01", "00", {"messages": [*asked, ai("a", "Cats.", usage=(10, 5))], "topic": "cats"}, step=1),
        state("02", "00", {"messages": asked, "topic": "dogs"}, source="update", step=1, next=["model"]),
        state("03", "02", {"messages": [*asked, ai("b", "Dogs.", usage=(10, 7))], "topic": "dogs"}, step=2),
    )


def kinds(blocks):
    return [block["kind"] for block in blocks]


def test_two_checkpoints_are_a_table_of_costs_then_their_messages_then_the_difference():
    facts = thread()
    blocks = json.loads(json.dumps(blocks_of(compare(Side(facts, 1), Side(facts, 3)))))
    assert kinds(blocks) == ["note", "table", "note", "columns", "heading", "change", "change", "change"]
    _, costs, shared, columns, heading, *_ = blocks
    assert costs["rows"] == [
        ["both", "0", "0", "0", ""],
        ["only A", "10", "5", "15", "1.00"],
        ["only B", "10", "7", "17", None],  # people's time is in it
    ]
    assert costs["numeric"] == [1, 2, 3, 4]
    assert shared["text"] == "1 message in both"
    assert columns["titles"] == ["only A", "only B"]
    assert [[message["text"] for message in column] for column in columns["columns"]] == [["Cats."], ["Dogs."]]
    assert heading["text"] == "3 differences between the states, A to B"


def test_any_number_is_a_table_with_a_row_each_that_leads_to_its_checkpoint():
    facts = thread()
    blocks = blocks_of(Overview({"A": Side(facts, 1), "B": Side(facts, 3), "B 02": Side(facts, 2)}))
    assert kinds(blocks) == ["note", "table", "bars"]
    assert blocks[1]["positions"] == [1, 3, 2]
    assert [row[0] for row in blocks[1]["rows"]] == ["A", "B", "B 02"]
    assert blocks[2]["rows"][1] == ["B", [[0, "shared"], [17, "own"]]]


def test_a_change_marks_words_and_says_how_much_is_not_shown():
    found = diff({"a": "one two", "b": 1, "c": [1]}, {"a": "one three", "b": 2, "d": "x" * 5000})
    a, b, c, d = change_blocks(found.changes)
    assert a["parts"] == [[" ", "one "], ["-", "two"], ["+", "three"]]
    assert (b["parts"], c["change"], c["parts"]) == ([["-", "1"], ["+", "2"]], "removed", [["-", "[1]"]])
    assert d["parts"][0][1].endswith(" … 3,002 more characters")
    assert kinds(change_blocks(found.changes, most=1)) == ["change", "note"]
    assert change_blocks(found.changes, most=1)[1]["text"] == "… 3 more changes"
    moved = diff({"m": [human("a"), human("b")]}, {"m": [human("b"), human("a")]})
    assert change_blocks(moved.changes)[0]["change"] == "moved"
