"""What a user may name by mistake: told without secrets, and with the way out."""

import pytest
from langgraph.graph import MessagesState, StateGraph

import forkbook as fb


@pytest.mark.parametrize(
    "source",
    [
        "mysql://u:hunter2@h/x",
        "postgresql+psycopg://u:hunter2@127.0.0.1:1/x",
        "POSTGRESQL://u:hunter2@127.0.0.1:1/x",
        "postgresql://u:hun/hunter2@127.0.0.1:1/x",
        "host=127.0.0.1 port=1 password=hunter2 dbname=x",
        "http://u:hunter2@h",
    ],
)
def test_no_password_is_shown(source):
    with pytest.raises(fb.ForkbookError) as caught:
        fb.connect(source)
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__} {caught.value.details}"


def test_options_that_do_not_apply_are_refused(tmp_path):
    for option in ({"cache": "x.forkbook"}, {"api_key": "k"}, {"headers": {"a": "b"}}):
        with pytest.raises(fb.InvalidInput, match="for Agent Servers"):
            fb.connect(tmp_path / "x.sqlite", **option)


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("dmo", "'demo'"),
        ("Demo", "'demo'"),
        ("localhost:2024", "'http://localhost:2024'"),
        ("127.0.0.1:2024", "'http://127.0.0.1:2024'"),
    ],
)
def test_what_was_meant_is_suggested(source, meant):
    with pytest.raises(fb.InvalidInput, match=f"did you mean {meant}"):
        fb.connect(source)


def test_a_graph_that_is_not_compiled():
    with pytest.raises(fb.InvalidInput, match="not compiled"):
        fb.connect(StateGraph(MessagesState))


@pytest.mark.parametrize("thread_id", ["\ud800", "a\ud800b"])
def test_ids_that_no_place_can_hold(demo_url, thread_id):
    with fb.connect(demo_url) as book:
        with pytest.raises(fb.ThreadNotFound, match="ud800"):
            book.history(thread_id)
        assert thread_id not in book


def test_searches_that_make_no_sense(demo_url):
    with fb.connect(demo_url) as book:
        for search in ({"limit": -1}, {"limit": "2"}, {"offset": -1}):
            with pytest.raises(fb.InvalidInput, match="a number of threads"):
                book.threads(**search)


def test_a_folder_is_no_place(tmp_path):
    with pytest.raises(fb.InvalidInput, match="Parquet"):
        fb.connect(tmp_path)
