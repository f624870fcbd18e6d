"""The rows that the page keeps, and what it is told at once."""

import struct

import pytest
from shapes import ai, facts_of, human, state

from forkbook.face import codes
from forkbook.face.document import Document
from forkbook.facts import Facts
from forkbook.testing import sample_threads


def columns(data):
    number = len(data) // 8
    return [
        list(struct.unpack_from(f"<{number}{form}", data, number * at))
        for form, at in (("i", 0), ("H", 4), ("B", 6), ("B", 7))
    ]


def failing(id_, **more):
    return {"type": "tool", "id": id_, "content": "no", "status": "error", **more}


def thread():
    """A tool that failed, a question that is open, an edit, a task that raised, and one that was cut off."""
    asked = [human("h")]
    after = [*asked, ai("a"), failing("t")]
    ask = {"name": "ask", "interrupts": [{"id": "q", "value": "Go on?"}]}
    odd = {"messages": asked, "x": {"__type__": "opaque", "reason": "no"}}
    raised, cut_off = ({"name": "model", "error": error} for error in ("ValueError()", "CancelledError()"))
    return [
        state("00", None, {}, source="input", step=-1, next=["__start__"], tasks=[{"name": "__start__"}]),
        state("01", "00", {"messages": asked}, next=["model"], tasks=[{"name": "model"}, {"name": "search"}]),
        state("02", "01", {"messages": after}, step=1, next=["ask"], tasks=[ask | {"result": {}}]),
        state("03", "02", {"messages": after}, step=2, next=["ask"], tasks=[ask]),
        state("04", "01", {"messages": asked}, source="update", step=1, next=["model"], tasks=[raised]),
        state("05", "01", odd, source="fork", next=["model"], tasks=[cut_off]),
    ]


def test_a_row_is_the_parent_the_node_the_kind_and_the_flags():
    document = Document(facts_of(*thread()), {"00000002", "02"})
    parents, nodes, kinds, flags = columns(document.rows())
    assert parents == [-1, 0, 1, 2, 1, 1]
    assert [document.nodes[number] for number in nodes] == ["", "", "model, search", "ask", "", ""]
    assert kinds == [codes.START, codes.START, codes.LOOP, codes.LOOP, codes.EDIT, codes.REPLAY]
    assert flags == [
        0,
        0,
        codes.FAILED | codes.ASKED | codes.STARRED,
        codes.WAITS | codes.TIP,
        codes.FAILED | codes.EDITED | codes.TIP,
        codes.TIP | codes.UNKNOWN,
    ]
    assert flags == [document.flags(position) for position in range(6)]
    expected = {"failed": 2, "waiting": 1, "edited": 1, "starred": 1, "checkpoints": 6, "branches": 3}
    assert document.counts == expected


def test_a_question_above_an_edit_is_no_longer_open():
    states = [*thread(), state("06", "03", {"messages": []}, source="update", next=["ask"])]
    document = Document(facts_of(*states))
    assert (document.flags(3), document.counts["waiting"]) == (codes.ASKED, 0)


def test_the_first_that_is_known_of_a_subgraph_is_its_start():
    inside = state("01", None, {}, step=4)
    inside["checkpoint"]["checkpoint_ns"] = "search:1"
    inside["metadata"]["parents"] = {"": "00"}
    document = Document(facts_of(state("00"), inside, state("02", "00")))
    assert [column[1] for column in columns(document.rows())] == [0, 0, codes.START, codes.INSIDE | codes.TIP]
    assert document.order.rows == [0, 1, 2]


def test_rows_from_a_position_on_are_the_end_of_the_columns():
    document = Document(facts_of(*thread()))
    assert columns(document.rows(4)) == [column[4:] for column in columns(document.rows())]
    assert document.rows(6) == b""


def test_a_thread_that_grows_keeps_the_rows_that_it_had_but_for_flags():
    states = thread()
    short, long = (Document(facts_of(*states[:number])) for number in (3, 6))
    assert [column[:3] for column in columns(long.rows())[:3]] == columns(short.rows())[:3]
    assert long.nodes[: len(short.nodes)] == short.nodes


@pytest.mark.parametrize("sample", sample_threads(), ids=lambda sample: sample.thread_id[-1])
def test_the_sample_threads_have_rows(sample):
    states = {state["checkpoint"]["checkpoint_id"]: state for state in sample.states}
    document = Document(Facts.of(sample.thread_id, states, subgraphs=True))
    parents, _, kinds, flags = columns(document.rows())
    assert len(document) == len(sample.states) == len(parents)
    for position, inside in enumerate(document.facts.tree.inside):
        if inside >= 0 and document.facts.tree.parents[position] < 0:
            assert (parents[position], kinds[position]) == (inside, codes.START)
            assert flags[position] & codes.INSIDE
    assert sorted(document.order.rows) == list(range(len(document)))


def test_the_first_labels_are_of_the_rows_around_the_selected_one():
    states = [state(f"{n:04x}", f"{n - 1:04x}" if n else None, {"n": n}, step=n) for n in range(300)]
    states[100]["tasks"] = [{"id": "t", "name": "x", "error": "no", "interrupts": []}]
    document = Document(facts_of(*states))
    labels = document.first_labels(200)
    assert labels["200"] == ["n = 200", "step 200", ""]
    assert {"0", "1", "98", "99", "100", "101", "298", "299"} <= labels.keys()
    assert len(labels) <= 40
    assert Document(facts_of()).first_labels(-1) == {}
