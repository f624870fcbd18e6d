"""One HTML file about a thread."""

import re

import pytest
from shapes import human, state

import forkbook as fb
from forkbook.book import Book
from forkbook.history import History


def test_it_has_the_tree_the_tokens_and_what_was_said(book, demo_threads, tmp_path):
    page = book[demo_threads["branches"]].report(tmp_path / "report.html").read_text()
    assert "25 checkpoints · 3 branches · complete" in page
    assert "3 paths · 247 tokens spent in all" in page
    assert "You said: tell me about myself. I know about you: my name is Ada; I like chess." in page
    assert page.count("plotly-graph-div") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_it_asks_nothing_of_the_network(book, demo_threads, tmp_path):
    page = book[demo_threads["branches"]].report(tmp_path / "report.html").read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)


def test_what_people_wrote_commands_nothing(tmp_path):
    evil = "</script><script>alert(1)</script>"
    states = {"1": state("1", None, {"messages": [human(evil, evil)]}, source="input")}
    page = History(Book(backend=None), evil, states).report(tmp_path / "r.html").read_text()
    assert "<script>alert(1)" not in page


def test_a_place_that_is_no_file_is_told(book, demo_threads, tmp_path):
    with pytest.raises(fb.ForkbookError, match="nowhere"):
        book[demo_threads["memory"]].report(tmp_path / "nowhere" / "r.html")
