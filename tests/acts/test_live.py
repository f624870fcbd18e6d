"""Runs while they go on, on a real server and on graphs in this process: told, stopped, followed, queued."""

import asyncio
import contextlib
import re
import threading
import time
import uuid

import pytest
from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_sdk import get_sync_client
from proxy import Fault, proxy

import forkbook as fb
from forkbook import Running, StopRun

pytestmark = pytest.mark.outside  # events come when they come


def compiled(name, saver, *args):
    builder = getattr(graphs, f"build_{name}")(*args)
    return fb.connect(builder.compile(checkpointer=saver, name=name))


@contextlib.contextmanager
def async_saver():
    """An async checkpointer on a loop that stands still while nobody calls."""
    loop = asyncio.new_event_loop()
    manager = AsyncSqliteSaver.from_conn_string(":memory:")

    async def enter():
        return await manager.__aenter__()

    yield loop.run_until_complete(enter())
    loop.run_until_complete(manager.__aexit__(None, None, None))
    loop.close()


@pytest.fixture(
    params=[pytest.param("server", marks=pytest.mark.outside), "memory", "sqlite", "async node", "async saver"]
)
def opened(request, tmp_path):
    """Opens a book on one of the test graphs; a graph in this process is alone in its own."""
    with contextlib.ExitStack() as stack:

        def on_server(name):
            return stack.enter_context(fb.connect(request.getfixturevalue("testbed")))

        def in_process(name):
            if request.param == "sqlite":
                saver = stack.enter_context(SqliteSaver.from_conn_string(str(tmp_path / "s.sqlite")))
            elif request.param == "async saver":
                saver = stack.enter_context(async_saver())
            else:
                saver = InMemorySaver()
            talks = (graphs.atalk,) if request.param == "async node" and name == "talker" else ()
            return compiled(name, saver, *talks)

        yield on_server if request.param == "server" else in_process


@pytest.fixture
def served(testbed):
    with fb.connect(testbed) as book:
        yield book


@pytest.fixture
def client(testbed):
    return get_sync_client(url=testbed, api_key=None)


def starting(book, name, input, **more):
    """A new thread's first run, and when each event came."""
    events = []

    def heard(event):
        assert threading.current_thread() is threading.main_thread()
        events.append((time.monotonic(), event))

    act = book.run(None, input, assistant=name, on_event=heard, **more)
    return act, events


def test_events_come_while_the_run_goes_on(opened):
    book = opened("talker")
    act, events = starting(book, "talker", {"topic": "cats"})
    assert (act.kind, act.status, act.checkpoint.branch) == ("run", "finished", "A")
    told = [event for _, event in events]
    assert {event.run_id for event in told} == {act.run_id}
    assert {event.thread_id for event in told} == {act.history.thread_id}
    assert [told[0].kind, told[-1].kind, told[-1].status] == ["start", "end", "success"]

    checkpoints = [event for event in told if event.kind == "checkpoint"]
    assert [event.checkpoint_id for event in checkpoints] == [cp.id for cp in act.history], "all, in order"
    for event, cp in zip(checkpoints, act.history, strict=True):
        assert event.state["values"] == cp.state["values"]
        assert tuple(event.state["next"]) == cp.next
        assert (event.state["parent_checkpoint"] or {}).get("checkpoint_id") == (cp.parent and cp.parent.id)
        assert (event.state["metadata"]["step"], event.state["metadata"]["run_id"]) == (cp.step, act.run_id)

    tokens = [event for event in told if event.kind == "tokens"]
    (message,) = act.checkpoint.values["messages"]
    assert "".join(event.delta for event in tokens) == tokens[-1].text == message["content"]
    assert {(event.node, event.role, event.message_id) for event in tokens} == {("talk", "ai", message["id"])}
    times = [when for when, event in events if event.kind == "tokens"]
    assert len(times) > 8
    assert times[-1] - times[0] > 5 * graphs.TOKEN_SECONDS, "they came one by one, not all at the end"

    tasks = [(event.node, event.status) for event in told if event.kind == "task" and event.node != "__start__"]
    assert tasks == [(node, status) for node in ("think", "talk", "end") for status in ("started", "finished")]
    again = book.history(act.history.thread_id)
    assert [cp.id for cp in again] == [cp.id for cp in act.history], "the new thread can be read"


def test_every_act_tells_its_run(opened):
    book = opened("questions")
    act, events = starting(book, "questions", {})
    assert [event.status for _, event in events if event.kind == "task"][-1] == "waiting"
    heard = []
    answered = act.checkpoint.answer("A", on_event=heard.append)
    assert answered.checkpoint.values["answers"] == ["first=A"]
    forked = answered.history[-2].fork({"answers": ["mine"]}, as_node="first", on_event=heard.append)
    resumed = forked.history[1].resume(on_event=heard.append)
    for done in (answered, forked, resumed):
        mine = [event for event in heard if event.run_id == done.run_id]
        assert [mine[0].kind, mine[-1].kind] == ["start", "end"]
        ids = [event.checkpoint_id for event in mine if event.kind == "checkpoint"]
        assert ids[-1] == done.checkpoint.id


def test_a_failing_node_is_told_and_no_exception(opened):
    act, events = starting(opened("sleeper"), "sleeper", {"topic": "fail"})
    assert (act.status, events[-1][1].status) == ("error", "error")
    assert "the topic is fail" in act.error
    (failed,) = [event for _, event in events if event.kind == "task" and event.status == "error"]
    assert (failed.node, failed.error) == ("sleep", "ValueError: the topic is fail")


def test_checkpoints_of_subgraphs_are_told_with_their_namespace(opened):
    act, events = starting(opened("nested"), "nested", {})
    spaces = list(dict.fromkeys(event.ns for _, event in events))
    assert [[part.split(":")[0] for part in ns.split("|")] for ns in spaces] == [[""], ["outer"], ["outer", "inner"]]
    root = [event.checkpoint_id for _, event in events if event.kind == "checkpoint" and not event.ns]
    assert root == [cp.id for cp in act.history]


def test_an_event_shows_itself_in_one_short_line(opened):
    act, events = starting(opened("talker"), "talker", {"topic": "long " * 100})
    shown = [repr(event) for _, event in events]
    assert max(map(len, shown)) < 120
    assert not [text for text in shown if "\n" in text]
    assert (shown[0], shown[-1]) == ("<Event start>", "<Event end · status success>")
    assert "<Event task · node talk · status started>" in shown
    assert f"<Event checkpoint · checkpoint {act.checkpoint.short_id} · step 3>" in shown
    assert any(text.startswith("<Event tokens · node talk · role ai · delta 'all") for text in shown)


def stop_at_first_token(event):
    if event.kind == "tokens":
        raise StopRun


def test_a_run_is_stopped_from_within_and_the_thread_stays_readable(opened):
    book = opened("talker")
    act = book.run(None, {"topic": "cats " * 12}, assistant="talker", on_event=stop_at_first_token)
    assert act.checkpoint.next == ("talk",)
    assert any("was stopped" in note for note in act.notes)
    assert (act.status, act.error, act.history.tips[0].status) == ("pending", None, "pending"), "it did not fail"
    history = book[act.history.thread_id]
    assert history.checkpoints_df().error.isna().all()
    assert [cp.id for cp in history] == [cp.id for cp in act.history]
    assert book.run(history.thread_id).status == "finished", "and it goes on from there"


def test_what_on_event_raises_cancels_the_run_and_comes_out(opened):
    book, seen = opened("talker"), []

    def broken(event):
        seen.append(event.thread_id)
        if event.kind == "tokens":
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        book.run(None, {"topic": "cats " * 12}, assistant="talker", on_event=broken)
    history = book[seen[0]]
    history.follow(poll=0.05, seconds=2)
    assert history[-1].next == ("talk",), "and it stays so"


def test_the_tree_grows_with_the_events_and_is_read_anew_in_the_end(opened, monkeypatch):
    book = opened("talker")
    history = book.run(None, {"topic": "a"}, assistant="talker").history
    grown = [history]

    def grow(event):
        if event.kind == "checkpoint":
            grown.append(grown[-1].grown(event.state))

    act = history[2].resume(on_event=grow)
    assert [len(one) for one in grown] == list(range(5, 9))
    assert [cp.id for cp in grown[-1]] == [cp.id for cp in act.history]
    assert grown[-1].branches == ["A", "B"]
    assert grown[-1][-1].created_at is None
    assert grown[-1].checkpoints_df().created_at.isna().sum() == 3
    monkeypatch.setattr("forkbook.backends.read.REFRESH_PAGE", 1)  # as where a run wrote more than a page
    assert grown[-1].refreshed().states == act.history.states
    assert len(history) == 5


def test_an_act_in_the_background_is_watched_and_stopped(opened):
    book = opened("talker")
    running = Running(book.run, None, {"topic": "cats " * 12}, assistant="talker")
    for event in running:
        if event.kind == "tokens":
            assert not running.done
            running.stop()
            break
    act = running.wait(20)
    assert act.checkpoint.next == ("talk",)
    assert running.events[-1].kind == "end"
    assert [event.kind for event in running] == [event.kind for event in running.events]
    failing = Running(act.checkpoint.fork, {"no such channel": 1})
    with pytest.raises(fb.Refused, match="no such channel"):
        failing.wait(20)


def test_what_is_no_act_is_not_begun(opened):
    book = opened("sleeper")
    cp = book.run(None, {"topic": "a"}, assistant="sleeper").checkpoint
    before = len(book.threads())
    acts = [print, None, 3, book, cp, book.threads, book.close, book.arun, cp.edit, cp.sweep, cp.afork, lambda: cp.fork]
    for wrong in acts:
        with pytest.raises(fb.InvalidInput, match=r"as in Running\(cp.fork, .*resume, fork or answer of a checkpoint"):
            Running(wrong)
    for act, given, more, says in [
        (cp.fork, (), {}, "fork cannot be called like this: missing a required argument: 'values'"),
        (cp.resume, ({"topic": "b"},), {}, "resume cannot be called like this: too many positional arguments"),
        (book.run, (None, {}), {"inputs": 1}, "run cannot be called like this: .*unexpected keyword argument 'inputs'"),
        (book.run, (None, {}), {"on_event": "print"}, "on_event is a function that takes an event, not 'print'"),
    ]:
        with pytest.raises(fb.InvalidInput, match=says):
            Running(act, *given, **more)
    assert len(book.threads()) == before


def test_a_run_in_the_background_says_what_it_is():
    running = Running(compiled("sleeper", InMemorySaver()).run, None, {"topic": "a"})
    assert repr(running).startswith("<Running run · under way · 0")
    running.wait(20)
    assert re.fullmatch(r"<Running run · ended · \d\.\d s · \d+ events>", repr(running))


def test_an_act_in_the_background_is_watched_from_a_cell_whose_loop_it_needs():
    async def cell():
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            book = compiled("talker", saver, graphs.atalk)
            running = Running(book.run, None, {"topic": "cats"})
            with pytest.raises(TimeoutError):
                running.wait(0.1)
            kinds, act = [event.kind for event in running], running.wait(20)
            history = book[act.history.thread_id]
            again = Running(book.run, history.thread_id, {"topic": "dogs"})
            started = next(event for event in again if event.kind == "task")
            seen = history.follow(poll=1, until_idle=False, seconds=3)
            assert (started.kind, again.done, seen[-1].title) == ("task", True, "end")
            return kinds, act.status

    kinds, status = asyncio.run(asyncio.wait_for(cell(), 60))
    assert (kinds[0], kinds[-1], status) == ("start", "end", "finished")


def test_stopping_cuts_off_a_node_that_says_nothing(served):
    running = Running(served.run, None, {"topic": "x"}, assistant="sleeper")
    started = next(event for event in running if (event.kind, event.node) == ("task", "sleep"))
    running.stop()
    act = running.wait(20)
    assert act.checkpoint.next == ("sleep",)
    assert served.backend.thread(started.thread_id)["status"] != "busy"


def test_a_line_that_breaks_loses_no_event(testbed):
    broken = []

    def cut(method, path):
        if path.partition("?")[0].endswith("/stream") and len(broken) < 2:
            broken.append(path)
            return Fault(carried_out=True)
        return None

    with proxy(testbed, fault=cut) as (url, _), fb.connect(url) as book:
        act, events = starting(book, "talker", {"topic": "cats"})
    assert broken
    assert [event.checkpoint_id for _, event in events if event.kind == "checkpoint"] == [cp.id for cp in act.history]
    assert "".join(event.delta for _, event in events) == act.checkpoint.values["messages"][-1]["content"]


def test_without_on_event_nothing_is_streamed(testbed):
    with proxy(testbed) as (url, requests), fb.connect(url) as book:
        book.run(None, {"topic": "x"}, assistant="sleeper")
    assert not [path for _, path, _ in requests if "/stream" in path]


def test_a_new_thread_has_its_metadata_and_an_old_one_keeps_its_settings(opened):
    book, owner = opened("sleeper"), uuid.uuid4().hex
    first = book.run(
        None,
        {"topic": "a"},
        assistant="sleeper",
        config={"configurable": {"user_id": "123"}},
        metadata={"why": "first"},
        thread_metadata={"owner": owner},
    )
    assert list(book.threads(metadata={"owner": owner}).thread_id) == [first.history.thread_id]
    assert first.checkpoint.metadata["why"] == "first"
    second = book.run(first.history.thread_id, {"topic": "b"})
    assert second.settings.config["configurable"]["user_id"] == "123"
    assert [message["content"] for message in second.checkpoint.values["messages"]] == ["about a", "about b"]
    assert second.checkpoint.branch == "A", "it went on from the head"
    assert "topic" in second.code()


def test_a_thread_is_begun_under_an_id_of_ones_own(opened):
    book, owner = opened("sleeper"), uuid.uuid4().hex
    mine = str(uuid.uuid4()) if book.backend.assistant is None else "Zoë's 1st / thread"
    with pytest.raises(fb.ThreadNotFound, match="if_not_exists='create' begins a thread under this id"):
        book.run(mine, {"topic": "a"}, assistant="sleeper")
    create = {"if_not_exists": "create", "thread_metadata": {"owner": owner}}
    with pytest.raises(fb.Refused, match="starts with an input"):
        book.run(mine, assistant="sleeper", **create)
    assert mine not in book
    first = book.run(mine, {"topic": "a"}, assistant="sleeper", busy="wait", **create)
    assert first.history.thread_id == mine
    assert list(book.threads(metadata={"owner": owner}).thread_id) == [mine]
    second = book.run(mine, {"topic": "b"}, **create)
    assert [message["content"] for message in second.checkpoint.values["messages"]] == ["about a", "about b"]
    assert not any("was there already" in note for note in second.notes)
    third = book.run(mine, {"topic": "c"}, if_not_exists="create", thread_metadata={"owner": "else", "n": 1})
    assert f"thread {mine} was there already: its metadata owner, n is as it was" in third.notes
    assert list(book.threads(metadata={"owner": owner}).thread_id) == [mine]


def test_a_server_takes_no_id_but_a_uuid_however_it_is_spelt(served):
    mine = str(uuid.uuid4())
    first, second = (
        served.run(mine.upper(), {"items": []}, assistant="fanout", if_not_exists="create").history for _ in range(2)
    )
    assert (first.thread_id, second.thread_id) == (mine, mine)
    assert len(second) == 2 * len(first)
    assert served.copies(mine.upper()).empty
    with pytest.raises(fb.InvalidInput, match=r"creating thread mine.*UUID"):
        served.run("mine", {"topic": "a"}, assistant="sleeper", if_not_exists="create")


def test_what_cannot_be_run_is_refused_and_no_thread_is_made(opened):
    book = opened("sleeper")
    wrong = [
        ({"input": {"tpic": "x"}, "assistant": "sleeper"}, fb.Refused, "no channel 'tpic'"),
        ({"assistant": "sleeper"}, fb.Refused, "starts with an input"),
        ({"input": {}, "assistant": "sleeper", "interrupt_before": ["no"]}, fb.Refused, "no node 'no'"),
        ({"input": {}, "assistant": "nobody"}, fb.InvalidInput, "no assistant 'nobody'"),
        ({"input": {}, "assistant": "sleeper", "busy": "hope"}, fb.InvalidInput, "refuse, wait, enqueue"),
        ({"input": {}, "assistant": "sleeper", "multitask_strategy": "x"}, fb.InvalidInput, "reject, enqueue"),
        (
            {"input": {}, "assistant": "sleeper", "busy": "wait", "multitask_strategy": "enqueue"},
            fb.InvalidInput,
            "two things",
        ),
        ({"input": {}, "assistant": "sleeper", "on_event": "print"}, fb.InvalidInput, "a function that takes an event"),
        (
            {"input": {}, "assistant": "sleeper", "if_not_exists": "make"},
            fb.InvalidInput,
            "LangGraph has reject, create",
        ),
        ({"input": {}, "assistant": "sleeper", "thread_metadata": "x"}, fb.InvalidInput, "metadata is 'x'"),
    ]
    made = []
    make, book.backend.create = getattr(book.backend, "create", None), lambda *args: made.append(args)
    for given, error, says in wrong:
        with pytest.raises(error, match=says):
            book.run(None, **given)
    assert not made
    book.backend.create = make
    with pytest.raises(fb.ThreadNotFound):
        book.run(str(uuid.uuid4()), {"topic": "x"})
    done = book.run(None, {"topic": "x"}, assistant="sleeper")
    with pytest.raises(fb.Refused, match="is finished"):
        book.run(done.history.thread_id)
    with pytest.raises(fb.InvalidInput, match="for a new thread"):
        book.run(done.history.thread_id, {"topic": "x"}, thread_metadata={})


def test_with_several_assistants_one_must_be_named(served):
    with pytest.raises(fb.InvalidInput, match="give assistant="):
        served.run(None, {"topic": "x"})


def test_the_only_assistant_is_the_default(demo_url):
    with fb.connect(demo_url) as book:
        assert book.run(input={}).checkpoint.values["topic"] == "cats"


@pytest.fixture
def busy(client):
    """A thread at `sleep`, and a function that starts another client's run of it, which takes half a second."""
    thread_id = client.threads.create(graph_id="sleeper")["thread_id"]
    client.runs.wait(thread_id, "sleeper", input={"topic": "x"}, interrupt_before=["sleep"])

    def begin():
        run = client.runs.create(thread_id, "sleeper", input=None)
        while client.runs.get(thread_id, run["run_id"])["status"] == "pending":
            time.sleep(0.02)

    return thread_id, begin


def test_a_busy_thread_refuses(served, busy):
    thread_id, begin = busy
    asked = served[thread_id][-1]
    begin()
    acts = [
        lambda: served.run(thread_id, {"topic": "y"}),
        asked.resume,
        lambda: asked.fork({"topic": "y"}),
    ]
    for act in acts:
        with pytest.raises(fb.ThreadBusy, match="busy"):
            act()
    with pytest.raises(fb.ThreadBusy, match=r"still busy.*busy_timeout"):
        asked.resume(busy="wait", busy_timeout=0)
    with pytest.raises(fb.InvalidInput, match="is for runs alone"):
        asked.fork({"topic": "y"}, multitask_strategy="interrupt")


@pytest.mark.parametrize("policy", ["wait", "enqueue"])
def test_a_busy_thread_is_waited_for_or_queued_at(served, busy, policy):
    thread_id, begin = busy
    asked = served[thread_id][-1]
    begin()
    forked = asked.fork({"topic": "y"}, busy=policy)
    assert forked.checkpoint.values["messages"][-1]["content"] == "about y"
    begin_again = asked.resume(input={"topic": "z"}, interrupt_before=["sleep"])
    assert begin_again.status == "pending"
    begin()
    resumed = asked.resume(busy=policy)
    assert resumed.checkpoint.values["messages"][-1]["content"] == "about x"
    ended = served.run(thread_id, {"topic": "w"}, busy=policy, interrupt_before=[], on_event=lambda event: None)
    assert [m["content"] for m in ended.checkpoint.values["messages"]][-1] == "about w"
    assert ended.history[-1].id == ended.checkpoint.id


def test_a_run_that_comes_first_meanwhile_is_waited_for(served, busy, monkeypatch):
    thread_id, begin = busy
    asked, look = served[thread_id][-1], served.backend.thread
    stale = iter([{"status": "idle"}] * 2)
    monkeypatch.setattr(served.backend, "thread", lambda id_: next(stale, None) or look(id_))
    begin()
    act = asked.resume(busy="wait")
    assert next(stale, None) is None
    assert act.checkpoint.values["messages"][-1]["content"] == "about x"


def test_another_run_can_be_interrupted(served, busy, client):
    thread_id, begin = busy
    begin()
    act = served.run(thread_id, {"topic": "mine"}, multitask_strategy="interrupt", interrupt_before=[])
    assert [message["content"] for message in act.checkpoint.values["messages"]] == ["about mine"]
    assert {run["status"] for run in client.runs.list(thread_id)} == {"success", "interrupted"}


def test_a_graph_in_this_process_has_no_queue():
    book = compiled("sleeper", InMemorySaver())
    assert book.run(None, {"topic": "x"}, busy="wait").status == "finished"
    with pytest.raises(fb.Unsupported, match=r"no queue of runs.*an Agent Server"):
        book.run(None, {"topic": "x"}, busy="enqueue")


def test_a_thread_that_another_client_drives_is_followed(served, busy):
    thread_id, begin = busy
    history = served[thread_id]
    before, seen = len(history), []
    begin()
    new = history.follow(lambda cp: seen.append((cp.id, len(history))), poll=0.05)
    assert [cp.id for cp in new] == [cp.id for cp in history[before:]] == [id_ for id_, _ in seen]
    assert history[-1].status == "finished", "it was followed to its end"
    assert history.follow(poll=0.05) == [], "an idle thread is not waited for"


def test_a_thread_in_this_process_is_followed_as_it_grows(tmp_path):
    path = str(tmp_path / "s.sqlite")
    with SqliteSaver.from_conn_string(path) as saver, SqliteSaver.from_conn_string(path) as other:
        book, driver = compiled("talker", saver), compiled("talker", other)
        thread_id = driver.run(None, {"topic": "a"}, interrupt_before=["talk"]).history.thread_id
        history, seen = book[thread_id], []
        running = Running(driver.run, thread_id, None)
        new = history.follow(lambda cp: seen.append((cp.title, running.done)), poll=0.02)
        running.wait(20)
        assert [title for title, _ in seen] == ["talk", "end"]
        assert [cp.id for cp in new] == [cp.id for cp in book[thread_id]][-2:]
        with fb.connect(path) as store:
            assert store[thread_id].follow(seconds=0.1, poll=0.05) == [], "a store is followed for as long as is said"


def test_following_goes_on_through_quiet_times_if_asked(served, busy):
    thread_id, begin = busy
    history = served[thread_id]
    timer = threading.Timer(0.3, begin)
    timer.start()
    new = history.follow(poll=0.05, seconds=4, until_idle=False)
    timer.join()
    assert [cp.title for cp in new] == ["sleep"]


def test_an_interrupt_of_the_kernel_ends_the_watch(served, busy):
    thread_id, begin = busy
    history = served[thread_id]
    begin()

    def interrupt(cp):
        raise KeyboardInterrupt

    assert len(history.follow(interrupt, poll=0.05)) == 1


def test_async_code_hears_events_on_its_own_loop(opened):
    book = opened("talker")

    async def story():
        loop, kinds = asyncio.get_running_loop(), []

        async def heard(event):
            assert asyncio.get_running_loop() is loop
            kinds.append(event.kind)

        act = await book.arun(None, {"topic": "cats"}, assistant="talker", on_event=heard)
        assert kinds.count("checkpoint") == len(act.history)
        kinds.clear()
        await act.history[2].aresume(on_event=heard)
        assert kinds.count("checkpoint") == 3
        return await act.history.afollow(poll=0.05, seconds=0.2)

    assert len(asyncio.run(story())) == 3


def test_cancelling_an_awaited_run_cancels_it(served):
    async def story():
        tokens, ids = asyncio.Event(), []

        def heard(event):
            ids.append(event.thread_id)
            if event.kind == "tokens":
                tokens.set()

        run = asyncio.create_task(served.arun(None, {"topic": "c " * 12}, assistant="talker", on_event=heard))
        await tokens.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        return ids[0]

    thread_id = asyncio.run(story())
    history = served[thread_id]
    history.follow(poll=0.05, seconds=10)
    assert history[-1].next == ("talk",)


def test_a_sync_call_is_told_where_the_loop_is_the_callers_own():
    async def cell():
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            kinds = []
            act = compiled("talker", saver, graphs.atalk).run(
                None, {"topic": "cats"}, on_event=lambda event: kinds.append(event.kind)
            )
            assert kinds.count("checkpoint") == len(act.history) == 5
            stopped = act.history[2].resume(on_event=stop_at_first_token)
            assert stopped.checkpoint.next == ("talk",)

    asyncio.run(cell())


def test_a_stop_that_was_asked_for_is_told_as_one(book):
    act = book.run(None, {}, assistant="agent", interrupt_before=["write_joke"])
    assert act.status == "pending"
    assert "stopped before write_joke, as interrupt_before said: no question is open, resume() goes on" in act.notes
    after = book.run(None, {}, assistant="agent", interrupt_after=["generate_topic"])
    assert "stopped after generate_topic, as interrupt_after said: no question is open, resume() goes on" in after.notes
