"""What forkbook says in a terminal commands none, whatever foreign data hold."""

import json

import pytest
from backups import ID, state

import forkbook as fb

EVIL = "a\x1b]52;c;aGk=\x07\u202eb"
LINES = EVIL + "\nforged: line"


@pytest.fixture
def book(tmp_path):
    task = {"id": EVIL, "name": EVIL, "error": EVIL, "interrupts": [], "result": {EVIL: EVIL}, "path": [EVIL]}
    values = {EVIL: EVIL, "messages": [{"type": "ai", "id": EVIL, "content": EVIL}]}
    states = [
        state(1, values={}, tasks=[task], next=[EVIL]),
        state(2, 1, values=values, metadata={"source": "update", "step": 1, EVIL: EVIL}),
        state(3, 1, values={EVIL: [EVIL]}, metadata={"source": EVIL, "step": 1}),
    ]
    states[2]["checkpoint"]["checkpoint_id"] = ID.format(3) + EVIL
    threads = [{"thread_id": id_, "metadata": {"title": EVIL}, "history": states} for id_ in (EVIL, LINES)]
    (tmp_path / "x.json").write_text(json.dumps([*threads, {"thread_id": EVIL + "bad", "history": [EVIL]}]))
    return fb.connect(tmp_path / "x.json")


def clean(text):
    return all(line.isprintable() for line in text.split("\n"))


def test_reprs_and_reports(book, tmp_path):
    history = book[EVIL]
    said = [repr(book), repr(history), history.summary(), *map(repr, history), repr(history.compare(1, 2))]
    said += [history.compare(1, 2).diff.text(), repr(history.compare(1, 2).diff), repr(fb.compare(history))]
    report = book.export(tmp_path / "x.forkbook")
    said += [repr(report), repr(fb.verify(tmp_path / "x.forkbook"))]
    compared = fb.verify(tmp_path / "x.json", tmp_path / "x.forkbook")
    said += [repr(compared), *map(str, compared.moves)]
    assert report.errors
    assert [text for text in said if not clean(text)] == []


def test_one_line_stays_one_line(book):
    assert "\n" not in book[LINES].summary()


def test_errors(book):
    history = book[EVIL]
    for act in (
        lambda: book[EVIL + "bad"],
        lambda: book["no" + EVIL],
        lambda: history[EVIL],
        lambda: history.at(branch=EVIL),
        lambda: history.at(step=1),
        lambda: book.threads(status=EVIL),
        lambda: book.export(EVIL),
        lambda: fb.connect(EVIL),
        lambda: history[0].fork({EVIL: 1}),
    ):
        with pytest.raises(fb.ForkbookError) as caught:
            act()
        assert clean(str(caught.value))
        assert clean(repr(caught.value))


def test_an_error_keeps_its_lines():
    assert str(fb.ForkbookError("one\ntwo\x1b")) == "one\ntwo␛"
