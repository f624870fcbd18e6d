"""What stands beside a checkpoint: what was said or changed, who did it, the letter of its branch."""

import pytest
from shapes import ai, facts_of, human, state

from forkbook.face.labels import label

CALL = {"name": "calculate", "args": {"expression": "1 / 0"}, "id": "c"}
OPAQUE = {"__type__": "opaque", "reason": "a pickle"}


def chat():
    """An input, its start, an answer with a call, a tool that fails, an edit, a replay, a node that waits."""
    asked = [human("h", "What is\n1 / 0?")]
    called = [*asked, ai("a", "Let me see.", usage=(100, 20), tool_calls=[CALL])]
    answered = {"type": "tool", "id": "t", "name": "calculate", "content": "ZeroDivisionError", "status": "error"}
    edited = {"messages": called, "topic": "cats"}
    raised = {"name": "tools", "error": "ValueError('no')"}
    asks = {"name": "ask", "interrupts": [{"id": "q", "value": {"question": "Go on?"}}]}
    return facts_of(
        state("00", None, {}, source="input", step=-1, next=["__start__"], tasks=[{"name": "__start__"}]),
        state("01", "00", {"messages": asked}, next=["model"], tasks=[{"name": "model"}]),
        state("02", "01", {"messages": called}, next=["tools"], tasks=[{"name": "tools"}], step=1),
        state("03", "02", {"messages": [*called, answered]}, step=2),
        state("04", "02", edited, source="update", step=2, next=["tools"]),
        state("05", "02", {"messages": called}, source="fork", next=["tools"], tasks=[raised]),
        state("06", "04", edited, next=["ask"], tasks=[asks]),
    )


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (0, ["start", "start", ""]),
        (1, ["“What is 1 / 0?”", "start", ""]),
        (2, ['“Let me see.” calculate("1 / 0")', "model · 120 tokens", ""]),
        (3, ["calculate: ZeroDivisionError", "tools", "A"]),
        (4, ['topic = "cats"', "edit", ""]),
        (5, ["replay", "replay · ValueError('no')", "C"]),
        (6, ["no change", "tools · asks Go on?", "B"]),
    ],
)
def test_a_label_says_what_happened(position, expected):
    assert label(chat(), position) == expected


def test_tokens_come_from_the_ledger_once_that_is_known():
    facts = chat()
    assert "tokens" not in label(facts, 1)[1]
    assert facts.ledger.total.total == 120
    assert label(facts, 2)[1] == "model · 120 tokens"


def test_what_is_not_known_and_what_is_gone_is_said():
    facts = facts_of(
        state("00", None, {"messages": [human("a"), human("b")], "plan": [1], "n": 1, "x": {}}),
        state("01", "00", {"messages": [human("a")], "plan": [1, 2], "n": 2, "x": {}}),
        state("02", "01", {"messages": [], "plan": [1, 2], "n": 2, "x": OPAQUE}),
    )
    assert label(facts, 1)[0] == "1 message removed, messages, plan, n = 2"
    assert label(facts, 2)[0] == "messages, x: not known"  # the message may be there


def test_foreign_text_is_one_short_line_without_what_does_not_show():
    facts = facts_of(state("00", None, {"messages": [human("a", "\u202eevil\x1b[1m " + "x" * 5000)]}))
    text = label(facts, 0)[0]
    assert text.startswith("“\\u202eevil␛[1m x")
    assert len(text) == 90
