"""Preview, edit, resume, fork on the real server."""

import contextlib
import uuid

import pytest
from proxy import proxy

import forkbook as fb

WRITES = {"POST", "PATCH", "PUT", "DELETE"}
READS = ("/search", "/history", "/checkpoint")


@pytest.fixture
def before_joke(book, joke_thread):
    return book.history(joke_thread).at(step=1)


@pytest.fixture
def chat(client):
    """A thread with four messages: hi, its answer, and one more round."""
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id)
    for n, text in enumerate(("hi", "ho")):
        message = {"role": "human", "content": text, "id": f"h{n}"}
        client.runs.wait(thread_id, "agent", input={"messages": [message]}, config={"configurable": {"user_id": "9"}})
    return thread_id


def threads(client, copied_from=None):
    search = {"metadata": {"forkbook_of": copied_from}} if copied_from else {}
    return {thread["thread_id"] for thread in client.threads.search(limit=1000, **search)}


def test_the_four_steps_of_time_travel(before_joke):
    act = before_joke.fork({"topic": "chickens"})
    assert act.status == "finished"
    assert "drumsticks" in act.checkpoint.values["joke"]
    assert [cp.title for cp in act.checkpoint.lineage] == [
        "input", "__start__", "generate_topic", "edit topic=chickens", "write_joke",
    ]  # fmt: skip
    assert (act.checkpoint.branch, act.history.branches) == ("B", ["A", "B"])
    assert act.deviations == ()
    assert len(before_joke.history) == 4, "the history at hand stays as it was"
    assert len(before_joke.history.refresh()) == 6
    assert "its next message follows this branch" in act.notes[0]


def test_config_of_the_checkpoints_own_run_goes_along(client, before_joke):
    act = before_joke.fork({"topic": "dogs"})
    assert act.settings.config == {"configurable": {"user_id": "123"}}
    assert act.checkpoint.metadata["user_id"] == "123"
    again = act.history.at(step=1).resume(config={"configurable": {"user_id": "321"}})
    assert again.checkpoint.metadata["user_id"] == "321"
    with_context = again.history.at(step=1).resume(context={"user_id": "7"})
    assert client.runs.get(with_context.history.thread_id, with_context.run_id)["kwargs"]["context"] == {"user_id": "7"}


def test_config_goes_along_in_a_copy_too_whose_runs_are_gone(client, before_joke):
    head = client.threads.get_state(before_joke.thread_id)["checkpoint"]["checkpoint_id"]
    act = before_joke.fork({"topic": "dogs"}, in_copy=True)
    assert act.history.thread_id != before_joke.thread_id
    assert act.checkpoint.metadata["user_id"] == "123"
    assert client.threads.get_state(before_joke.thread_id)["checkpoint"]["checkpoint_id"] == head
    assert client.threads.get(act.history.thread_id)["metadata"]["forkbook_copy_of"] == before_joke.thread_id


def test_preview_shows_the_edit_and_leaves_nothing_behind(client, before_joke):
    before = before_joke.history.states
    seen = before_joke.preview({"topic": "chickens"})
    assert (seen.values["topic"], seen.next, seen.deviations) == ("chickens", ("write_joke",), ())
    assert before_joke.history.refreshed().states == before
    assert threads(client, before_joke.thread_id) == set()
    assert before_joke.preview({"topic": "x"}, as_node="write_joke").next == ()
    assert before_joke.preview({"topic": "x"}, as_node="__start__").next == ("generate_topic",)


def test_preview_agrees_with_the_edit(before_joke):
    typed = {"log": ["typed"], "topic": "x"}
    for replace in (False, True):
        seen, act = before_joke.preview(typed, replace=replace), before_joke.edit(typed, replace=replace, in_copy=True)
        assert (seen.values, seen.next, seen.deviations) == (act.checkpoint.values, act.checkpoint.next, act.deviations)


def test_a_list_that_adds_up_is_told_or_replaced(before_joke):
    act = before_joke.edit({"log": ["typed"]})
    assert act.checkpoint.values["log"] == ["picked a topic", "typed"]
    (deviation,) = act.deviations
    assert (deviation.channel, deviation.became) == ("log", ["picked a topic", "typed"])
    assert "not as typed: log: you typed 1 item, the state has 2 items" in repr(act)

    exact = before_joke.edit({"log": ["typed"], "topic": "dogs"}, replace=True)
    assert (exact.checkpoint.values["log"], exact.checkpoint.values["topic"]) == (["typed"], "dogs")
    assert exact.deviations == ()
    assert before_joke.edit({"log": {"__overwrite__": []}}).deviations == ()


def test_an_edited_and_a_deleted_message(book, chat):
    tip = book.history(chat).tips[0]
    messages = tip.values["messages"]
    edited = [{**messages[0], "content": "hello"}, *messages[1:]]
    assert tip.edit({"messages": edited}).deviations == (), "add_messages replaces by id"

    shorter = [messages[0], messages[3]]
    told = tip.edit({"messages": shorter})
    assert [m["id"] for m in told.checkpoint.values["messages"]] == [m["id"] for m in messages]
    assert "you typed 2 items, the state has 4 items now" in str(told.deviations[0])

    exact = tip.edit({"messages": shorter}, replace=True)
    assert exact.deviations == ()
    assert [m["id"] for m in exact.checkpoint.values["messages"]] == [m["id"] for m in shorter]
    assert exact.checkpoint.values["messages"][1]["usage_metadata"] == messages[3]["usage_metadata"]

    removed = tip.edit({"messages": [{"type": "remove", "id": messages[0]["id"], "content": ""}]})
    assert removed.deviations == ()
    assert len(removed.checkpoint.values["messages"]) == 3

    turned = tip.edit({"messages": messages[::-1]}, replace=True)
    assert [m["id"] for m in turned.checkpoint.values["messages"]] == [m["id"] for m in messages[::-1]]


def test_values_are_a_copy(before_joke):
    before_joke.values["log"].append("mine")
    assert before_joke.values["log"] == ["picked a topic"]


@pytest.fixture
def watched(demo_url, joke_thread):
    """The joke thread before `write_joke` behind a proxy, and what was asked to change anything there."""
    with proxy(demo_url) as (url, requests), fb.connect(url) as book:
        yield (
            book.history(joke_thread),
            lambda: [path for method, path, _ in requests if method in WRITES and not path.endswith(READS)],
        )


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda cp: cp.edit({"nope": 1}), fb.Refused, "no channel 'nope'; it has joke, log, messages, topic"),
        (
            lambda cp: cp.fork({"topic": "x"}, as_node="wright_joke"),
            fb.Refused,
            "no node 'wright_joke'; it has .*write_joke",
        ),
        (lambda cp: cp.history.tips[0].resume(), fb.Refused, "is finished"),
        (lambda cp: cp.edit({"topic": {1, 2}}), fb.InvalidInput, "set"),
        (lambda cp: cp.edit("topic"), fb.InvalidInput, "maps channels to values"),
        (lambda cp: cp.resume(assistant="nobody"), fb.InvalidInput, "no assistant 'nobody'.*it has agent"),
    ],
)
def test_what_would_only_confuse_is_refused_before_anything_is_written(watched, act, error, says):
    history, written = watched
    with pytest.raises(error, match=says):
        act(history.at(step=1))
    assert [path for path in written() if "/assistants/" not in path] == []


def test_a_fork_after_which_nothing_would_run_is_refused(client, before_joke):
    with pytest.raises(fb.Refused, match="nothing would run") as caught:
        before_joke.fork({"topic": "x"}, as_node="write_joke")
    assert "generate_topic" in caught.value.candidates
    assert len(before_joke.history.refreshed()) == 4
    assert threads(client, before_joke.thread_id) == set()


def test_a_run_that_is_known_from_metadata_alone_is_not_run_with_what_marks_a_copy(before_joke):
    act = before_joke.resume(in_copy=True)
    again = act.checkpoint.edit({"topic": "dogs"}, in_copy=True).history[act.checkpoint.id]
    far = again.edit({"topic": "cats"}, in_copy=True).history[act.checkpoint.id]
    assert far.metadata["forkbook_copy"]["of"] == before_joke.thread_id, "of the copy it was run in, far up"
    settings = far.own_settings()
    assert (settings.guessed, settings.config) == (True, {"configurable": {"user_id": "123"}})


@pytest.mark.parametrize(
    "wrong",
    [{"confg": {}}, {"config": "x"}, {"context": 7}, {"assistant": "nope"}, {"interrupt_before": 7},
     {"interrupt_after": ["nope"]}, {"config": {"configurable": {"a": 1}}, "context": {"b": 2}}],
)  # fmt: skip
@pytest.mark.parametrize("in_copy", [False, True])
def test_wrong_run_arguments_are_found_before_the_edit_is_written(client, before_joke, wrong, in_copy):
    with pytest.raises((fb.ForkbookError, TypeError)):
        before_joke.fork({"topic": "x"}, in_copy=in_copy, **wrong)
    assert len(before_joke.history.refreshed()) == 4
    assert client.threads.search(metadata={"forkbook_copy_of": before_joke.thread_id}) == []


def test_a_refused_act_leaves_no_copy_behind(client, before_joke):
    for refused in (
        lambda: before_joke.fork({"nope": 1}, in_copy=True),
        lambda: before_joke.edit({"topic": "x"}, as_node="zz", in_copy=True),
        lambda: before_joke.history.tips[0].resume(in_copy=True),
    ):
        with pytest.raises(fb.Refused):
            refused()
    assert client.threads.search(metadata={"forkbook_copy_of": before_joke.thread_id}) == []


def test_nodes_to_stop_at(before_joke):
    start = before_joke.parent
    for nodes in ("write_joke", ["write_joke"], "*"):
        act = start.resume(interrupt_before=nodes, in_copy=True)
        assert act.status == "pending", nodes
        assert "interrupt_before" in repr(act)
    assert start.resume(interrupt_after="generate_topic", in_copy=True).checkpoint.next == ("write_joke",)


def test_what_is_not_given_is_taken_from_the_run(client, joke_thread, book):
    client.runs.wait(
        joke_thread, "agent", input={}, config={"configurable": {"user_id": "u", "source": "web"}, "recursion_limit": 9}
    )
    start = book.history(joke_thread)[-2]
    assert start.own_settings().config == {"configurable": {"user_id": "u", "source": "web"}, "recursion_limit": 9}
    act = start.resume(config={"tags": ["x"]})
    assert act.settings.config == {"configurable": {"user_id": "u", "source": "web"}, "tags": ["x"]}
    assert start.resume(context={"user_id": "7"}).settings.config == {"recursion_limit": 9}


def test_a_copy_knows_the_settings_of_its_originals_runs(client, joke_thread, book):
    client.threads.update(joke_thread, metadata={"title": "not a setting"})
    config = {"configurable": {"user_id": "u"}, "tags": ["t"]}
    client.runs.wait(joke_thread, "agent", input={}, config=config)
    by_us = book.history(book.copy(joke_thread).new_thread_id)[-1].own_settings()
    assert (by_us.config, by_us.guessed) == (config, False)
    by_others = book.history(client.threads.copy(joke_thread)["thread_id"])[-1].own_settings()
    assert (by_others.config, by_others.guessed) == ({"configurable": {"user_id": "u"}}, True)


def test_a_run_without_settings_is_resumed_without(client, book):
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, "agent", input={})
    assert book.history(thread_id)[-1].own_settings().config == {}


def test_an_edit_that_the_graph_cannot_take_is_told_of_the_preview(before_joke):
    with pytest.raises(fb.InvalidInput, match="tried on a scratch copy, nothing was written"):
        before_joke.preview({"messages": 7})


def test_a_stale_checkpoint_is_refused(client, before_joke):
    client.threads.delete(before_joke.thread_id)
    with pytest.raises(fb.ThreadNotFound):
        before_joke.edit({"topic": "x"})
    client.threads.create(thread_id=before_joke.thread_id, graph_id="agent")
    with pytest.raises(fb.CheckpointNotFound, match=r"history\.refresh"):
        before_joke.edit({"topic": "x"})
    assert client.threads.get_history(before_joke.thread_id) == []


def test_a_busy_thread_is_refused(client, before_joke):
    run = client.runs.create(before_joke.thread_id, "agent", input={}, after_seconds=1)
    while client.threads.get(before_joke.thread_id)["status"] != "busy":
        pass
    try:
        with pytest.raises(fb.ThreadBusy, match=r"in_copy=True"):
            before_joke.fork({"topic": "x"})
    finally:
        client.runs.join(before_joke.thread_id, run["run_id"])


def test_a_run_that_fails_is_told(client):
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id)
    with contextlib.suppress(Exception):  # raised by langgraph-sdk 0.4 and later
        client.runs.wait(thread_id, "agent", input={"messages": [{"role": "human", "content": "what is 1 / 0?"}]})
    with fb.connect(str(client.http.client.base_url)) as book:
        tip = book.history(thread_id).tips[0]
        assert tip.status == "error"
        act = tip.resume()
    assert (act.status, act.error) == ("error", "ZeroDivisionError('float division by zero')")
    assert act.checkpoint.branch == "A"


def test_what_was_waiting_is_pending_after_an_edit(book, demo_threads):
    tip = book.history(demo_threads["approval"]).tips[0]
    assert tip.status == "waiting"
    assert tip.interrupts[0]["value"]["question"] == "Publish this?"
    act = tip.edit({"topic": "x"}, in_copy=True)
    assert (act.status, tip.status) == ("pending", "waiting")


def test_scratch_copies_are_hidden_and_swept(demo_url, client, joke_thread):
    left = client.threads.copy(joke_thread)["thread_id"]
    client.threads.update(left, metadata={"forkbook": "scratch", "forkbook_since": "2026-01-01T00:00:00+00:00"})
    young = client.threads.copy(joke_thread)["thread_id"]
    client.threads.update(young, metadata={"forkbook": "scratch", "forkbook_since": "2999-01-01T00:00:00+00:00"})
    with fb.connect(demo_url) as book:
        shown = set(book.threads().thread_id)
    assert joke_thread in shown
    assert not {left, young} & shown
    assert left not in threads(client)
    assert young in threads(client)
    client.threads.delete(young)


def test_a_failing_preview_leaves_no_scratch_copy(client, before_joke):
    with pytest.raises(fb.InvalidInput):
        before_joke.preview({"messages": [{"role": "nobody", "content": "x"}]})
    assert threads(client, before_joke.thread_id) == set()
