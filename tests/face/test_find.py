"""Search: what is new at a checkpoint, by text, node, flags and time."""

import pytest
from shapes import ai, facts_of, human, state

import forkbook as fb
import forkbook.face.find
from forkbook.face import codes
from forkbook.face.document import Document
from forkbook.face.find import find

CALL = {"name": "calculate", "args": {"expression": "1 / 0"}, "id": "c"}


def thread():
    """A tool fails, then the model; on another branch a question is open."""
    asked = [human("h", "Why did the Cat cross?")]
    said = [{"type": "text", "text": "Let me see"}, {"type": "image", "base64": "cat"}]
    called = [*asked, ai("a", said, tool_calls=[CALL])]
    failed = [*called, {"type": "tool", "id": "t", "content": "ZeroDivisionError", "status": "error"}]
    values = {"messages": failed, "topic": "cats", "draft": {"title": "Crossing", "n": [7.5, True]}}
    edited = {"messages": called, "topic": "dogs", "x": ["a", "Road"]}
    raised = {"name": "model", "error": "ValueError('no road')"}
    asks = {"name": "ask", "interrupts": [{"id": "q", "value": {"question": "Which chicken?"}}]}
    return facts_of(
        state("abcd00", None, {}, source="input", step=-1, next=["__start__"], tasks=[{"name": "__start__"}]),
        state("abcd01", "abcd00", {"messages": asked, "topic": "cats"}, next=["model"], tasks=[{"name": "model"}]),
        state("abcd02", "abcd01", {"messages": called, "topic": "cats"}, next=["tools", "log"], step=1),
        state("abcd03", "abcd02", values, step=2, next=["model"], tasks=[raised]),
        state("abcd04", "abcd02", edited, source="update", tasks=[asks]),
    )


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("cat", [1]),  # the message and the topic are new there, and nowhere else; nothing of an image
        ("CATS", [1]),
        ("dogs", [4]),
        ("let me see", [2]),
        ("1 / 0", [2]),
        ("calculate", [2]),
        ("zerodivision", [3]),
        ("no road", [3]),
        ("road", [3, 4]),
        ("chicken", [4]),
        ("crossing", [3]),
        ("7.5", [3]),
        ("true", [3]),
        ("abcd03", [3]),
        ("title", []),
        ("human", []),
        ("nowhere", []),
        ("  ", [0, 1, 2, 3, 4]),
    ],
)
def test_a_text_is_found_where_it_is_new(text, positions):
    assert find(Document(thread()), text=text) == {"positions": positions, "more": False}


@pytest.mark.parametrize(
    ("wanted", "positions"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"node": "model"}, [2]),
        ({"node": "log"}, [3]),
        ({"node": "tools, log"}, [3]),
        ({"flags": codes.FAILED}, [3]),
        ({"flags": codes.FAILED | codes.EDITED}, [3, 4]),
        ({"flags": codes.FAILED, "text": "chicken"}, []),
        ({"since": "2026-01-01T00:00:02"}, [2, 3, 4]),
        ({"until": "2026-01-01T00:00:02+00:00", "text": "c"}, [1, 2]),
        ({"since": "2027-01-01"}, []),
    ],
)
def test_everything_that_is_asked_has_to_fit(wanted, positions):
    states = [state | {"created_at": f"2026-01-01T00:00:0{n}+00:00"} for n, state in enumerate(thread().states)]
    assert find(Document(facts_of(*states)), **wanted)["positions"] == positions


def test_so_many_are_found_and_no_more():
    document = Document(thread())
    assert find(document, limit=2) == {"positions": [0, 1], "more": True}
    assert find(document, limit=5)["more"] is False


def test_a_time_that_cannot_be_read_is_refused():
    with pytest.raises(fb.InvalidInput, match="a time is written as 2026-01-31"):
        find(Document(thread()), since="yesterday")


def test_what_a_list_lost_or_moved_is_not_new():
    states = [
        state("00", None, {"x": ["one", "two", "three"]}),
        state("01", "00", {"x": ["three", "one"]}),
        state("02", "01", {"x": ["three", "one", "four"]}),
    ]
    shared = states[0]["values"]["x"]
    states[1]["values"]["x"] = [shared[2], shared[0]]
    states[2]["values"]["x"] = [*states[1]["values"]["x"], "four"]
    document = Document(facts_of(*states))
    assert [find(document, text=text)["positions"] for text in ("three", "four", "two")] == [[0], [2], [0]]


def test_a_value_is_looked_into_once_wherever_it_is(monkeypatch):
    shared, looked = {"said": ["one", "two"]}, []
    states = [state(f"{n:02x}", f"{n - 1:02x}" if n else None, {f"c{n}": shared}) for n in range(50)]
    document = Document(facts_of(*states))
    parts = forkbook.face.find._parts
    monkeypatch.setattr(forkbook.face.find, "_parts", lambda value: looked.append(value) or parts(value))
    assert find(document, text="two")["positions"] == list(range(50))
    assert looked == [shared, shared["said"]]


def test_why_a_value_is_not_known_is_no_part_of_it():
    document = Document(facts_of(state("00", None, {"x": {"__type__": "opaque", "reason": "a pickle"}})))
    assert find(document, text="pickle")["positions"] == []
