"""What is not known at a source is never written to another place in the shape of a placeholder."""

import json
import sqlite3
import uuid
from contextlib import closing

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from shapes import human, state

import forkbook as fb
from forkbook.backends.values.plain import not_stored, opaque
from forkbook.model.states import holds_placeholder
from forkbook.transfer.original import Original, known_part

PICKLED = opaque("pickled: reading it would run its code", 3)


class Talk(MessagesState):
    notes: list
    n: int


def talk(saver=None):
    builder = StateGraph(Talk)
    builder.add_node("reply", lambda s: {"messages": [("ai", "ok")], "notes": [*s.get("notes", []), "x"], "n": 1})
    return builder.add_edge(START, "reply").compile(checkpointer=saver or InMemorySaver())


@pytest.fixture
def source(tmp_path):
    """A JSON file with a thread of which some values are placeholders, here whole, there nested."""
    book = fb.connect(talk())
    thread_id = str(uuid.uuid4())
    book.backend._graph.invoke({"messages": [human("h")], "notes": ["a"]}, {"configurable": {"thread_id": thread_id}})
    book.export(tmp_path / "whole.json")
    content = json.loads((tmp_path / "whole.json").read_text())

    def spoil(value):
        if isinstance(value, dict):
            if "messages" in value and "notes" in value and value["notes"]:
                value["notes"] = [*value["notes"][:-1], {"deep": [dict(PICKLED)]}]
            if "source" in value and "step" in value:
                value["odd"] = dict(not_stored("gone"))
            return {key: spoil(item) for key, item in value.items()}
        return [spoil(item) for item in value] if isinstance(value, list) else value

    (tmp_path / "spoilt.json").write_text(json.dumps(spoil(content)))
    with fb.connect(tmp_path / "spoilt.json") as opened:
        assert any(holds_placeholder(cp.values) for cp in opened[thread_id])
        yield opened, thread_id


def test_a_channel_with_an_unknown_part_is_left_out_of_a_checkpointer(source):
    opened, thread_id = source
    target = fb.connect(talk())
    report = fb.migrate(opened, target)
    there = target[thread_id]
    assert not any(holds_placeholder(each) for each in (s for s in there.facts.states))
    assert len(there) == 3
    assert not report
    assert "became" in str(report)
    assert any("channel notes" in words and "left out" in words for words in report.moves[0].not_kept)
    assert any("metadata odd" in words for words in report.moves[0].not_kept)
    assert [m["content"] for m in there[-1].values["messages"]] == ["hi", "ok"]
    again = fb.migrate(opened, target)
    assert again.moves[0].outcome in ("created", "already there")
    assert len(target[thread_id]) == 3


def test_a_channel_with_an_unknown_part_is_left_out_of_a_server(target_url, tmp_path, demo_url, demo_threads):
    with fb.connect(demo_url) as live:
        thread_id = live.copy(demo_threads["time travel"]).new_thread_id
        live.export(tmp_path / "whole.json", [thread_id])
    content = json.loads((tmp_path / "whole.json").read_text())

    def spoil(value):
        if isinstance(value, dict):
            return {key: [dict(PICKLED)] if key == "joke" else spoil(item) for key, item in value.items()}
        return [spoil(item) for item in value] if isinstance(value, list) else value

    (tmp_path / "spoilt.json").write_text(json.dumps(spoil(content)))
    with fb.connect(tmp_path / "spoilt.json") as opened, fb.connect(target_url) as target:
        report = fb.migrate(opened, target)
        history = target[report.moves[0].new_thread_id]
        assert len(history) == 6
        assert not any(map(holds_placeholder, history.facts.states))
        assert not report
        assert any("channel joke" in words for words in report.moves[0].not_kept)
        assert any(each.field.startswith("values.joke") for each in report.moves[0].differences)


def test_a_checkpoint_of_which_nothing_can_be_read_is_left_out_and_told(tmp_path):
    """It has no time either, in the checkpointer that it is written to."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        talk(SqliteSaver(connection)).invoke({"messages": [human("h")]}, {"configurable": {"thread_id": "t"}})
        connection.execute("update checkpoints set checkpoint = x'c1' where parent_checkpoint_id is null")
        connection.commit()
    target = fb.connect(talk())
    report = fb.migrate(path, target)
    assert (report.moves[0].outcome, report.moves[0].verdict) == ("created", "differs")
    assert any("the whole state" in words for words in report.moves[0].not_kept)
    assert [each.field for each in report.moves[0].differences] == ["values"]
    assert "not known (damaged: " in str(report)
    assert target["t"][-1].values["n"] == 1
    assert target.threads().created_at.notna().all()


def test_a_thread_of_which_nothing_can_be_read_is_refused():
    secret = opaque("encrypted: msgpack+aes", 12)
    with pytest.raises(fb.Refused, match=r"no state of thread t can be read \(encrypted: msgpack\+aes\)"):
        known_part(Original({"thread_id": "t"}, [state("1", values=secret), state("2", "1", secret)]))


def test_each_unknown_part_of_a_state_is_left_out_and_told():
    asked = {"id": "i", "value": {"secret": dict(PICKLED)}}
    spoilt = state(
        "2", "1", {"a": [1, dict(PICKLED)], "b": 2},
        tasks=[
            {"name": "n", "result": {"a": {"$writes": [dict(PICKLED), 1]}, "b": 1}},
            {"name": "m", "result": dict(PICKLED), "interrupts": [asked]},
        ],
    )  # fmt: skip
    spoilt["interrupts"] = [asked]
    whole = state("1", values={"b": 1})
    known, lost = known_part(Original({"thread_id": "t"}, [whole, spoilt, state("3", "2", dict(PICKLED))]))
    assert known.states[0] == whole
    assert known.states[1]["values"] == {"b": 2}
    assert [task["result"] for task in known.states[1]["tasks"]] == [{"b": 1}, None]
    assert known.states[1]["interrupts"] == [{"id": "i", "value": None}]
    assert known.states[2]["values"] is None
    assert sorted(count for count in lost.values()) == [1] * 5
    assert not holds_placeholder(known.states)


def test_an_original_without_placeholders_is_written_as_it_is():
    original = Original({"thread_id": "t"}, [state("1", values={"x": {"__type__": "date", "value": "2026-01-01"}})])
    assert known_part(original) == (original, {})


@pytest.mark.parametrize("placeholder", [PICKLED, [1, {"deep": PICKLED}], not_stored("gone")])
def test_an_edit_with_a_placeholder_is_refused(placeholder, joke_thread, book):
    graph_book = fb.connect(talk())
    graph_book.backend._graph.invoke({"messages": [human("h")]}, {"configurable": {"thread_id": "t"}})
    with pytest.raises(fb.InvalidInput, match=r"written"):
        graph_book["t"][-1].edit({"notes": placeholder})
    with pytest.raises(fb.InvalidInput, match="channel 'topic' holds a placeholder"):
        book[joke_thread][-1].edit({"topic": placeholder})
    with pytest.raises(fb.InvalidInput, match="channel 'topic' holds a placeholder"):
        book[joke_thread][-1].edit({"topic": placeholder}, replace=True)
