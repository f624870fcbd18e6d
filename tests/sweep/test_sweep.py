"""Many variants from one checkpoint: on the demo's server, on one that takes its time, on graphs in this process."""

import asyncio
import dataclasses
import json
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from typing import Any, TypedDict

import numpy as np
import pytest
from agents import graphs
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from langgraph_sdk import get_sync_client

import forkbook as fb
from forkbook.sweep.result import moved
from forkbook.sweep.variants import variant_of, variants

FAILING = {
    "type": "ai",
    "content": "",
    "tool_calls": [{"name": "calculate", "args": {"expression": "1 / 0"}, "id": "c"}],
}
NOBODY = {"configurable": {"user_id": "nobody"}}  # of whom the agent remembers nothing
JOKES = ["cats", "chickens", "dogs"]
JOKE_TOKENS = [21, 18, 18]  # the request is six words; the jokes have 15, 12 and 12
MEMORY_ONLY = ["score", "score_error"]


@pytest.fixture
def before_joke(book, client, demo_threads):
    """In a copy of the time travel thread: 6 checkpoints, branches A and B."""
    return book[client.threads.copy(demo_threads["time travel"])["thread_id"]].at(step=1)


def topics(*names):
    return [{"topic": name} for name in names]


def same_frames(a, b):
    assert a.drop(columns=MEMORY_ONLY).equals(b.drop(columns=MEMORY_ONLY)), f"{a.to_string()}\n{b.to_string()}"


def test_every_variant_is_a_branch_with_its_tokens(before_joke):
    sweep = before_joke.sweep(topics(*JOKES), score=lambda cp: "drumsticks" in cp.values["joke"])
    df = sweep.df()
    assert df.topic.tolist() == JOKES
    assert df.branch.tolist() == ["C", "D", "E"]
    assert df.status.tolist() == ["finished"] * 3
    assert df.spent_tokens.tolist() == JOKE_TOKENS
    assert (df.input_tokens + df.output_tokens == df.spent_tokens).all()
    assert df.score.tolist() == [False, True, False]
    assert df.text[1] == sweep.checkpoints[1].values["joke"]
    assert set(df.thread_id) == {before_joke.thread_id}
    assert (df.seconds > 0).all()
    assert sweep.history.branches == ["A", "B", "C", "D", "E"]
    assert len(before_joke.history) == 6, "the history at hand stays as it was"
    assert sweep.checkpoints[0].metadata["user_id"] == "123", "settings of the checkpoint's own run go along"


def test_copies_give_the_same_rows_and_leave_the_thread_alone(before_joke, client):
    edits = [*topics(*JOKES), None, fb.Edit({"messages": [FAILING]}, "chat"), fb.Edit({"topic": "x"}, "write_joke")]
    before = client.threads.get_history(before_joke.thread_id, limit=100)
    apart = before_joke.sweep(edits, parallel=True).df()
    assert client.threads.get_history(before_joke.thread_id, limit=100) == before
    together = before_joke.sweep(edits).df()
    places = ["thread_id", "branch", "tip_id", "seconds"]
    apart["deviation"] = apart.deviation.str.replace(r"'id': '[^']+'", "", regex=True)
    assert apart.drop(columns=places).equals(together.drop(columns=places)), f"{apart}\n{together}"
    assert apart.thread_id.nunique() == 6
    assert set(apart.branch) == {"C"}
    assert apart.status.tolist() == ["finished"] * 4 + ["error"] * 2
    assert apart.error[4] == "ZeroDivisionError('float division by zero')"
    assert "nothing would run" in apart.error[5]
    assert apart.spent_tokens.tolist()[:4] == [*JOKE_TOKENS, 21]


def test_what_a_copy_shares_is_not_read_again_and_is_what_reading_gives(before_joke):
    sweep = before_joke.sweep(topics("dogs"), parallel=True)
    (history,) = sweep.histories
    assert history.states == before_joke.history.book.history(history.thread_id).states
    copy = before_joke.history.book.backend.thread(history.thread_id)
    assert copy["metadata"]["forkbook_copy_of"] == before_joke.thread_id


def test_a_history_moves_to_a_copy_as_the_copy_has_it(book, demo_threads, sleepy):
    for place, thread_id in ((book, demo_threads["branches"]), (fb.connect(sleepy), "t")):
        copy_id = place.copy(thread_id).new_thread_id
        assert moved(place[thread_id].facts, copy_id).by_id == place[copy_id].states


@pytest.mark.parametrize("parallel", [False, True])
def test_a_sweep_is_found_again_by_another_connection(before_joke, demo_url, parallel):
    edits = [*topics("dogs"), fb.Edit({"messages": [FAILING]}, "chat"), fb.Edit({"topic": "x"}, "write_joke"), None]
    sweep = before_joke.sweep(edits, score=lambda cp: len(cp.values["joke"]), parallel=parallel)
    with fb.connect(demo_url) as again:
        (found,) = again.sweeps(before_joke.thread_id)
        assert found.id == sweep.id
        same_frames(found.df(), sweep.df())
        assert found.df().score.isna().all()
        assert found.scored(lambda cp: len(cp.values["joke"])).df().equals(sweep.df())
        assert found.df().score.isna().all(), "scored() gives another sweep"
        copy_id = again.copy(before_joke.thread_id).new_thread_id
        assert [len(s.rows) for s in again.sweeps(copy_id)] == ([] if parallel else [2]), "its checkpoints tell, too"


@pytest.mark.parametrize("parallel", [False, True])
def test_what_a_killed_kernel_had_not_noted_its_checkpoints_tell(before_joke, parallel):
    from forkbook.sweep.variants import packed, unpacked

    sweep = before_joke.sweep(topics(*JOKES), parallel=parallel)
    noted = unpacked(sweep._journal())
    for number, outcome in ((1, "running"), (2, "not run")):
        noted["rows"][number] |= {"thread_id": sweep.thread_id, "outcome": outcome, "start_id": None, "seconds": None}
    book = before_joke.history.book
    book.backend.tag(sweep.thread_id, {f"forkbook_sweep_{sweep.id}": packed(noted)})
    (found,) = book.sweeps(sweep.thread_id)
    same_frames(found.df().drop(columns="seconds"), sweep.df().drop(columns="seconds"))
    assert [row.start_id for row in found.rows] == [row.start_id for row in sweep.rows]


def test_answers_to_an_interrupt(book, client, demo_threads):
    waiting = book[client.threads.copy(demo_threads["approval"])["thread_id"]].tips[0]
    for parallel in (True, False):
        df = waiting.sweep([fb.Answer("yes"), fb.Answer("no")], parallel=parallel).df()
        assert df.answer.tolist() == ["yes", "no"]
        assert df.status.tolist() == ["finished"] * 2
        assert df.text.tolist() == ["Done: published", "Done: not published (no)"], df.to_string()
        # it reads: please publish the study (4), publish(the study) (2), the tool's word or three; and says Done: …
        assert df.spent_tokens.tolist() == [4 + 2 + 1 + 2, 4 + 2 + 3 + 4]


def test_every_edit_is_tried_with_every_input(book, joke_thread):
    tip = book[joke_thread].tips[0]
    said = [{"messages": [{"role": "human", "content": text}]} for text in ("one two", "three")]
    df = tip.sweep([None, fb.Edit({"topic": "x"})], inputs=said, parallel=True, config=NOBODY).df()
    assert df.variant.tolist() == [0, 1, 2, 3]
    assert df.input.tolist() == said * 2
    assert df.text.tolist() == ["You said: one two.", "You said: three."] * 2
    assert df.topic.fillna("").tolist() == ["", "", "x", "x"]
    assert df.output_tokens.tolist() == [4, 3, 4, 3]


def test_columns_of_channels_keep_out_of_the_way_and_scores_have_their_own(before_joke):
    def judged(cp):
        if cp.values["topic"] == "dogs":
            raise KeyError("no judge for dogs")
        return {"length": len(cp.values["joke"]), "good": True}

    from forkbook.sweep.rows import columns

    df = before_joke.sweep([*topics("cats", "dogs"), {"log": ["a"]}], score=judged, parallel=True).df()
    assert df["score.length"].tolist()[::2] == [63, 63]
    assert df["score.good"].dtype == "boolean"
    assert "no judge for dogs" in df.score_error[1]
    assert df.log[2] == ["a"]
    assert "reducer merges" in df.deviation[2]
    assert "score" not in df
    names = list(columns([]))
    assert "input" not in names
    assert {"thread_id", "branch", "tip_id", "variant", "repeat", "status", "error", "text"} <= set(names)


def test_replace_makes_it_as_typed(before_joke):
    for parallel in (False, True):
        sweep = before_joke.sweep([{"log": ["typed"]}], replace=True, parallel=parallel)
        assert sweep.df().deviation.isna().all()
        assert sweep.checkpoints[0].values["log"] == ["typed", "wrote about cats"]


@pytest.mark.parametrize(
    ("error", "says", "edits", "more"),
    [
        (fb.Refused, "no channel 'nope'", [{"topic": "x"}, {"nope": 1}], {}),
        (fb.Refused, "no node 'zz'", [fb.Edit({"topic": "x"}, "zz")], {}),
        (fb.Refused, "takes no answer", [fb.Answer("yes")], {}),
        (fb.Refused, "no channel 'nope'", [None], {"inputs": [{"nope": 1}]}),
        (fb.Refused, "no node", [None], {"interrupt_before": ["zz"]}),
        (fb.InvalidInput, "empty list", [], {}),
        (fb.InvalidInput, "empty list", [None], {"inputs": []}),
        (fb.InvalidInput, "are a list", {"topic": "x"}, {}),
        (fb.InvalidInput, "an edit is a mapping", ["topic"], {}),
        (fb.InvalidInput, "repeats", [None], {"repeats": 0}),
        (fb.InvalidInput, "concurrency", [None], {"concurrency": 1.5}),
        (fb.InvalidInput, "max_total_tokens", [None], {"max_total_tokens": True}),
        (fb.InvalidInput, "score", [None], {"score": 7}),
        (fb.InvalidInput, "JSON", [{"topic": {1}}], {}),
        (fb.InvalidInput, "no setting 'confg'; it has assistant, config, context", [None], {"confg": {}}),
        (fb.InvalidInput, "replace is 'yes'", [None], {"replace": "yes"}),
    ],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_what_cannot_be_right_is_refused_before_anything_is_written(
    before_joke, client, error, says, edits, more, parallel
):
    with pytest.raises(error, match=says):
        before_joke.sweep(edits, parallel=parallel, **more)
    assert len(before_joke.history.refreshed()) == 6
    assert client.threads.search(metadata={"forkbook_copy_of": before_joke.thread_id}) == []
    assert not any("sweep" in key for key in client.threads.get(before_joke.thread_id)["metadata"])


def test_a_finished_tip_runs_again_only_with_an_edit_or_an_input(before_joke):
    with pytest.raises(fb.Refused, match="finished"):
        before_joke.history.tips[0].sweep([None])


@pytest.mark.parametrize("parallel", [False, True])
def test_the_budget_stops_it_cleanly(before_joke, parallel):
    said = "has spent its tokens: 1 of 3 .* max_total_tokens is 22, spent were 39: "
    with pytest.warns(UserWarning, match=said):
        sweep = before_joke.sweep(topics(*JOKES), max_total_tokens=22, parallel=parallel, concurrency=1)
    df = sweep.df()
    assert df.status.tolist() == ["finished", "finished", "not run"], "21 is less than 22"
    assert df.spent_tokens.sum() == 39
    assert df.tip_id.isna().tolist() == [False, False, True]
    (found,) = before_joke.history.book.sweeps(before_joke.thread_id)
    same_frames(found.df(), df)


@pytest.fixture
def before_sleep(testbed):
    """On the testbed: the checkpoint before half a second of sleep."""
    client = get_sync_client(url=testbed, api_key=None)
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id, graph_id="sleeper")
    client.runs.wait(thread_id, "sleeper", input={"topic": "x"}, interrupt_before=["sleep"])
    with fb.connect(testbed) as book:
        yield book[thread_id].tips[0]


@pytest.mark.parametrize("parallel", [False, True])
def test_stop_cancels_what_runs_and_leaves_what_is_finished_whole(before_sleep, parallel):
    many = topics(*map(str, range(12)))
    sweep = before_sleep.sweep(many, parallel=parallel, concurrency=2, wait=False)
    while not any(row.outcome == "ended" for row in sweep.rows):
        time.sleep(0.05)
    sweep.stop()
    with pytest.warns(UserWarning, match="was stopped"):
        sweep.wait(20)
    statuses = sweep.df().status.tolist()
    assert set(statuses) == {"finished", "cancelled"}, statuses
    assert parallel or statuses == ["finished"] + ["cancelled"] * 11, "the second ran, and was cancelled"
    for row, checkpoint in zip(sweep.rows, sweep.checkpoints, strict=True):
        if row.outcome == "ended":
            assert checkpoint.values["messages"][-1]["content"] == f"about {row.variant.values['topic']}"
    book = before_sleep.history.book
    assert {book.backend.thread(row.thread_id)["status"] for row in sweep.rows} <= {"idle", "interrupted"}
    same_frames(book.sweeps(before_sleep.thread_id)[0].df(), sweep.df())


INTERRUPTED = """
        import json, os, signal, sys, threading, time, warnings
        import forkbook as fb
        warnings.simplefilter("always")

        def interrupt_soon(book):
            ran, run = threading.Event(), book.backend.run
            def watched(*args, **more):
                outcome = run(*args, **more)
                ran.set()
                return outcome
            def interrupt():
                ran.wait()
                time.sleep(0.2)  # the next one runs
                os.kill(os.getpid(), signal.SIGINT)
            book.backend.run = watched
            threading.Thread(target=interrupt, daemon=True).start()
"""


@pytest.mark.parametrize("parallel", [False, True])
def test_an_interrupt_of_the_kernel_ends_it_and_loses_nothing(testbed, before_sleep, parallel):
    script = f"""{INTERRUPTED}
        book = fb.connect({testbed!r})
        cp = book[{before_sleep.thread_id!r}][{before_sleep.id!r}]
        interrupt_soon(book)
        sweep = cp.sweep([{{"topic": str(n)}} for n in range(20)], parallel={parallel}, concurrency=2)
        busy = {{book.backend.thread(row.thread_id)["status"] for row in sweep.rows}} & {{"busy"}}
        print(json.dumps([sweep.df().status.tolist(), sweep.df().text.dropna().tolist(), list(busy)]))
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    statuses, texts, busy = json.loads(ran.stdout)
    assert "the sweep was stopped" in ran.stderr
    assert set(statuses) == {"finished", "cancelled"}, statuses
    assert len(texts) == statuses.count("finished")
    assert busy == []


def test_a_failing_variant_is_a_row_and_the_others_go_on(before_sleep):
    df = before_sleep.sweep(topics("a", "fail", "b c"), parallel=True).df()
    assert df.status.tolist() == ["finished", "error", "finished"]
    assert df.error[1] == "ValueError('the topic is fail')"
    assert df.spent_tokens.fillna(0).tolist() == [11, 0, 12]


def test_the_await_twin_stops_when_it_is_cancelled(before_sleep):
    async def cancelled():
        task = asyncio.create_task(before_sleep.asweep(topics(*map(str, range(20)))))
        await asyncio.sleep(1.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    book = before_sleep.history.book
    while not (found := book.sweeps(before_sleep.thread_id)) or "running" in {r.outcome for r in found[0].rows}:
        time.sleep(0.1)
    time.sleep(2.5)
    (sweep,) = book.sweeps(before_sleep.thread_id)
    assert set(sweep.df().status) <= {"finished", "cancelled"}


# graphs in this process


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
    else:
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(str(tmp_path / "c.sqlite")) as opened:
            yield opened


@pytest.fixture
def sleepy(saver, monkeypatch):
    """A sleeper in this process that hardly sleeps, and its thread before the sleep."""
    monkeypatch.setattr(graphs, "SECONDS", 0.05)
    graph = graphs.build_sleeper().compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "t"}}
    graph.invoke({"topic": "x"}, config, interrupt_before=["sleep"])
    return graph


@pytest.mark.parametrize("parallel", [False, True])
def test_on_a_graph_in_this_process(sleepy, parallel):
    tip = fb.connect(sleepy)["t"].tips[0]
    sweep = tip.sweep([*topics("a", "fail"), None], 2, parallel=parallel)
    df = sweep.df()
    assert df.status.tolist() == ["finished"] * 2 + ["error"] * 2 + ["finished"] * 2
    assert df.spent_tokens.fillna(0).tolist() == [11, 11, 0, 0, 11, 11]
    assert df.text.tolist()[4] == "about x"
    assert df.error[2] == "ValueError('the topic is fail')"
    (known,) = tip.history.book.sweeps("t")
    same_frames(known.df(), df)
    (found,) = fb.connect(sleepy).sweeps("t")
    assert found.df()[["thread_id", "tip_id", "branch", "topic", "spent_tokens", "text"]].equals(
        df[df.status == "finished"].reset_index(drop=True)[
            ["thread_id", "tip_id", "branch", "topic", "spent_tokens", "text"]
        ]
    )
    assert "2 of its 6 branches left no checkpoint" in str(found)
    assert "4 of 6 branches found" in repr(found)


def test_messages_may_be_objects_on_a_graph(sleepy):
    from langchain_core.messages import HumanMessage

    tip = fb.connect(sleepy)["t"].tips[0]
    df = tip.sweep([{"messages": [HumanMessage("hi", id="h")]}], inputs=[{"topic": "a b"}]).df()
    assert df.messages[0][0]["content"] == "hi"
    assert df.spent_tokens.tolist() == [12]


def test_scores_may_be_numbers_of_numpy(sleepy):
    tip = fb.connect(sleepy)["t"].tips[0]
    sweep = tip.sweep(topics("a"), score=lambda cp: {"words": np.int64(3), "good": np.bool_(True)})
    assert sweep.df()[["score.words", "score.good"]].dtypes.astype(str).tolist() == ["Int64", "boolean"]
    assert 3.0 in [x for trace in sweep.figure().data if trace.xaxis == "x2" for x in trace.x]
    assert sweep.scored(lambda cp: np.float64(1.5)).df().score.tolist() == [1.5]


class Inside(TypedDict, total=False):
    question: str
    messages: list[Any]


class Outside(TypedDict, total=False):
    question: str


def spends_inside(state):
    """Spend 10 + 5 tokens on a channel of the subgraph alone."""
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    return {"messages": [AIMessage("hm", id="m", usage_metadata=usage)]}


def asks_or_fails(state):
    if state["question"] == "fail":
        raise ValueError("no")
    return {"question": interrupt("sure?") if state["question"] == "ask" else "x"}


@pytest.mark.parametrize("parallel", [False, True])
def test_a_branch_ends_in_the_root_graph_and_spends_in_its_subgraphs(parallel):
    inner = StateGraph(Inside).add_sequence([spends_inside, asks_or_fails]).add_edge(START, "spends_inside")
    outer = StateGraph(Outside).add_node("review", inner.compile()).add_edge(START, "review")
    graph = outer.compile(checkpointer=InMemorySaver())
    graph.invoke({"question": "a"}, {"configurable": {"thread_id": "t"}})
    before = fb.connect(graph).history("t", subgraphs=True).at(step=0)
    sweep = before.sweep([{"question": "b"}, {"question": "ask"}, {"question": "fail"}], parallel=parallel)
    df = sweep.df()
    assert df.status.tolist() == ["finished", "waiting", "error"]
    assert df.branch.tolist() == (["B"] * 3 if parallel else ["B", "C", "D"])
    assert df.spent_tokens.tolist() == [15, 15, 15]
    assert sweep.spent() == 45
    assert [cp.namespace for cp in sweep.checkpoints] == ["", "", ""]


def test_stop_lets_a_node_in_this_process_end(sleepy, monkeypatch):
    monkeypatch.setattr(graphs, "SECONDS", 0.3)
    sweep = fb.connect(sleepy)["t"].tips[0].sweep(topics("a", "b", "c"), wait=False)
    threading.Timer(0.1, sweep.stop).start()
    with pytest.warns(UserWarning, match="was stopped"):
        sweep.wait(10)
    assert sweep.df().status.tolist() == ["finished", "cancelled", "cancelled"]


def test_an_async_checkpointer_works_in_turn_side_by_side_and_awaited(tmp_path, monkeypatch):
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    monkeypatch.setattr(graphs, "SECONDS", 0.01)

    async def main():
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "c.sqlite")) as saver:
            graph = graphs.build_sleeper().compile(checkpointer=saver)
            await graph.ainvoke({"topic": "x"}, {"configurable": {"thread_id": "t"}}, interrupt_before=["sleep"])
            book = fb.connect(graph)
            tip = (await book.ahistory("t")).tips[0]
            sweep = await tip.asweep(topics("a", "b"), parallel=True)
            assert (await asyncio.to_thread(sweep.df)).spent_tokens.tolist() == [11, 11]
            assert tip.sweep(topics("c")).df().spent_tokens.tolist() == [11]
            with pytest.raises(fb.Unsupported, match="asweep"):
                tip.sweep(topics("c"), parallel=True)

    asyncio.run(main())


# scores


@pytest.fixture
def jokes(before_joke):
    return before_joke.sweep(topics(*JOKES), parallel=True, concurrency=2)


def test_a_score_that_fails_everywhere_is_told_once_in_the_listing_and_in_the_picture(before_joke):
    with pytest.warns(UserWarning, match="score failed") as told:
        sweep = before_joke.sweep(topics(*JOKES), parallel=True, score=lambda cp: cp.values["joke"].nope)
    note = "score failed on 3 of 3: AttributeError: 'str' object has no attribute 'nope'"
    assert [str(one.message) for one in told if "score" in str(one.message)] == [note]
    assert f"note: {note}" in str(sweep)
    assert "score failed on 3 of 3" in repr(sweep)
    assert str(sweep).count("finished · 21 tokens · score failed") == 1
    (words,) = sweep.figure().layout.annotations
    assert "score failed on 3 of 3: AttributeError" in words.text
    assert sweep.scored(lambda cp: 1).notes == ()


def test_a_row_without_a_score_is_marked(jokes):
    with pytest.warns(UserWarning, match="score failed on 1 of 3: KeyError"):
        sweep = jokes.scored(lambda cp: {"cats": 1, "dogs": 2}[cp.values["topic"]])
    (mark,) = [trace for trace in sweep.figure().data if trace.name == "no score"]
    assert (list(mark.y), list(mark.text)) == ([2], ["\N{NO-BREAK SPACE}no score"])


@pytest.mark.parametrize("score", [lambda cp: [1], lambda cp: None, lambda cp: {"a": {}}, lambda cp: {}])
def test_a_score_of_another_kind_is_told(jokes, score):
    with pytest.warns(UserWarning, match="score failed on 3 of 3: InvalidInput: the score is "):
        sweep = jokes.scored(score)
    assert sweep.df().score.isna().all()
    assert "give a number, bool, text, or a dict" in sweep.df().score_error[0]


def test_what_is_no_function_cannot_score(jokes):
    with pytest.raises(fb.InvalidInput, match="score is 'len': give a function"):
        jokes.scored("len")


def test_nan_is_no_score_in_the_frame_and_in_the_listing(jokes):
    alone, beside = jokes.scored(lambda cp: float("nan")), jokes.scored(lambda cp: {"a": np.float64("nan"), "b": 1})
    assert alone.df().score.isna().all()
    assert beside.df()["score.a"].isna().all()
    assert beside.df()["score.b"].tolist() == [1, 1, 1]
    assert alone.notes == ()
    for sweep in (alone, beside):
        assert "nan" not in str(sweep)
        assert "score None" not in str(sweep)
        assert "score.a" not in str(sweep)


def test_of_a_dict_of_scores_the_axis_and_a_note_say_which_is_drawn(jokes):
    sweep = jokes.scored(lambda cp: {"kind": "joke", "<i>length": len(cp.values["joke"]), "good": True})
    drawn = sweep.figure()
    assert drawn.layout.xaxis2.title.text == "&lt;i&gt;length"
    assert "score.&lt;i&gt;length is drawn; df() has score.good, too" in drawn.layout.annotations[0].text
    assert "no score" not in {trace.name for trace in drawn.data if trace.y}


def test_an_axis_of_one_score_begins_at_nothing(jokes):
    low, high = jokes.scored(lambda cp: 5000).figure().layout.xaxis2.range
    assert -500 <= low <= 0
    assert 5000 < high <= 5500
    low, high = jokes.scored(lambda cp: 0.0).figure().layout.xaxis2.range
    assert (low, high) == (-0.5, 0.5)


# money

PRICES = {"sample-model": {"input": 1_000_000, "output": 10_000_000}}  # 1 a token read, 10 a token written


def test_prices_make_tokens_money_in_the_frame_and_in_the_picture(jokes):
    df = jokes.df(prices=PRICES)
    assert df.cost.tolist() == (df.input_tokens + 10 * df.output_tokens).tolist() == [156, 126, 126]
    assert df.unpriced_tokens.tolist() == [0, 0, 0]
    assert "cost" not in jokes.df()
    drawn = jokes.figure(prices=PRICES)
    assert drawn.layout.xaxis.title.text == "cost in the unit of your prices"
    (bars,) = [trace for trace in drawn.data if trace.type == "bar"]
    assert list(bars.x) == [156, 126, 126]
    assert "156" in " ".join(next(trace.text for trace in drawn.data if trace.name == "labels"))
    assert "Cost of each variant" in drawn.layout.legend.title.text


def test_tokens_without_a_price_are_told(jokes):
    prices = {"other": PRICES["sample-model"]}
    assert jokes.df(prices).unpriced_tokens.tolist() == JOKE_TOKENS
    assert jokes.df(prices).cost.isna().all()
    assert "57 tokens have no price" in jokes.figure(prices).layout.annotations[0].text
    with pytest.raises(fb.InvalidInput, match="prices"):
        jokes.df(7)


# copies


def test_delete_removes_the_copies_that_this_sweep_made_and_nothing_else(before_joke, jokes, client):
    book, frame = before_joke.history.book, jokes.df()
    other = before_joke.sweep(topics("cats"), parallel=True)
    of_a_copy = client.threads.copy(jokes.rows[0].thread_id)["thread_id"]
    jokes.rows[1] = dataclasses.replace(jokes.rows[1], thread_id=of_a_copy)
    (found,) = [sweep for sweep in book.sweeps(before_joke.thread_id) if sweep.id == jokes.id]
    assert jokes.delete() == 2, "a copy of a copy says of whom it is, but not that it is its sweep's"
    assert found.delete() == 1
    assert found.delete() == 0
    left = {thread["thread_id"] for thread in client.threads.search(limit=1000)}
    assert {before_joke.thread_id, of_a_copy, other.rows[0].thread_id} <= left
    assert not set(frame.thread_id) & left
    assert found.df().spent_tokens.tolist() == JOKE_TOKENS, "what was read stays"
    assert before_joke.sweep(topics("cats")).delete() == 0, "in the thread itself there is nothing to delete"
    assert before_joke.history.refreshed()


def test_delete_waits_for_the_end(before_sleep):
    sweep = before_sleep.sweep(topics("a"), parallel=True, wait=False)
    with pytest.raises(fb.Refused, match="under way"):
        sweep.delete()
    assert sweep.wait(20).delete() == 1


def test_copies_do_not_keep_what_all_the_others_did(before_joke, jokes, client):
    again = before_joke.sweep(topics(*JOKES), parallel=True, concurrency=1)
    journals = {f"forkbook_sweep_{sweep.id}" for sweep in (jokes, again)}
    assert all(client.threads.get(before_joke.thread_id)["metadata"][key] for key in journals)
    for row in again.rows:
        metadata = client.threads.get(row.thread_id)["metadata"]
        assert not any(metadata.get(key) for key in journals)
        assert len(json.dumps(metadata)) < 1500, metadata


# what it shows


def test_it_shows_itself(before_joke):
    sweep = before_joke.sweep([*topics("cats", "<b>dogs"), fb.Edit({"topic": "x"}, "write_joke")], 2, parallel=True)
    assert "\n" not in repr(sweep), "a list of sweeps has a line each"
    assert sweep.id in repr([sweep])
    text = str(sweep)
    assert "3 variants × 2" in text
    assert "4 done, 2 failed" in text
    assert "topic=cats" in text
    assert "nothing would run" in text
    bundle = sweep._repr_mimebundle_()
    assert "<b>dogs" not in bundle["text/html"]
    assert "<b>dogs" not in json.dumps(bundle["application/vnd.plotly.v1+json"])


def test_the_figure_puts_the_best_on_top():
    from forkbook.sweep.rows import Point
    from forkbook.sweep.show_sweep import figure, lines

    def point(variant, tokens, score, status="finished"):
        return Point(variant, f"<i>{variant}", status, tokens, False, score, "")

    points = [point(0, 10, 1.0), point(0, 20, 2.0), point(1, 30, 5.0), point(2, None, None, "error")]
    assert [(line.number, line.cost, line.score) for line in lines(points)] == [
        (1, 30, 5.0),
        (0, 15, 1.5),
        (2, None, None),
    ]
    drawn = figure(points)
    assert drawn.layout.yaxis.ticktext == ("&lt;i&gt;1", "&lt;i&gt;0", "&lt;i&gt;2")
    assert {trace.name for trace in drawn.data} >= {"median", "finished", "failed", "median score"}
    assert "best first" in drawn.layout.legend.title.text
    for n in (0, 1, 40, 300):
        assert figure([point(v, v, None) for v in range(n)]).layout.height < 1100


def test_the_stop_bar_tells_how_far_it_is(before_sleep):
    from forkbook.widgets.sweep_bar import SweepBar

    sweep = before_sleep.sweep(topics("a", "b", "c"), wait=False)
    bar = SweepBar(sweep)
    bar.advance(1)
    assert bar.bar.value == 1
    bar.stop.click()
    with pytest.warns(UserWarning, match="was stopped"):
        sweep.wait(20)
    assert "stopping" in bar.status.value
    bar.advance(0)
    assert "cancelled" in bar.status.value


def test_a_copy_that_is_gone_is_a_row_that_says_so(before_joke):
    sweep = before_joke.sweep(topics("cats", "dogs"), parallel=True)
    book = before_joke.history.book
    book.backend.delete(sweep.rows[0].thread_id)
    df = book.sweeps(before_joke.thread_id)[0].df()
    assert df.status.tolist() == ["unknown", "finished"]
    assert "is gone" in df.error[0]


def test_a_store_alone_knows_the_sweeps_in_its_checkpoints(tmp_path, monkeypatch):
    from langgraph.checkpoint.sqlite import SqliteSaver

    monkeypatch.setattr(graphs, "SECONDS", 0)
    path = str(tmp_path / "c.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        graph = graphs.build_sleeper().compile(checkpointer=saver)
        graph.invoke({"topic": "x"}, {"configurable": {"thread_id": "t"}}, interrupt_before=["sleep"])
        book = fb.connect(graph)
        book["t"].tips[0].sweep(topics("a", "b c"), parallel=True)
        book["t"].tips[0].sweep(topics("d"))
        book.copy("t")
        assert [len(sweep.rows) for sweep in book.sweeps("t")] == [2, 1], "a copy's rows are not counted again"
    with fb.connect(path) as store:
        assert [sweep.df().spent_tokens.tolist() for sweep in store.sweeps("t")] == [[11]], "those in the thread itself"


@pytest.mark.outside
def test_an_interrupt_reaches_a_node_in_this_process():
    script = f"""{INTERRUPTED}
        sys.path.insert(0, "tests")
        from agents import graphs
        from langgraph.checkpoint.memory import InMemorySaver
        graph = graphs.build_sleeper().compile(checkpointer=InMemorySaver())
        graph.invoke({{"topic": "x"}}, {{"configurable": {{"thread_id": "t"}}}}, interrupt_before=["sleep"])
        for parallel in (False, True):
            book = fb.connect(graph)
            interrupt_soon(book)
            edits = [{{"topic": str(n)}} for n in range(8)]
            sweep = book["t"].at(step=1).sweep(edits, parallel=parallel, concurrency=1)
            print(sweep.df().status.tolist())
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    in_turn, apart = ran.stdout.splitlines()
    assert in_turn == str(["finished"] + ["cancelled"] * 7)
    assert apart == str(["finished"] * 2 + ["cancelled"] * 6), "in a thread, a node that runs ends by itself"


@pytest.mark.parametrize(
    ("says", "given"),
    [
        ("name of an edit is text", {"name": 3}),
        ("as_node of an edit is text", {"as_node": ["chat"]}),
        ("replace of an edit is True", {"replace": "yes"}),
        ("an edit is a mapping", {"values": 5}),
    ],
)
def test_an_edit_that_cannot_be_right_is_refused(says, given):
    with pytest.raises(fb.InvalidInput, match=says):
        fb.Edit(**{"values": {"topic": "x"}, **given})


def test_parallel_is_yes_or_no(before_joke):
    with pytest.raises(fb.InvalidInput, match="parallel is 'yes'"):
        before_joke.sweep([None], parallel="yes")


def test_an_edit_that_the_graph_cannot_take_is_told_of_the_thread(before_joke):
    df = before_joke.sweep([{"messages": 5}, {"topic": "x"}], parallel=True).df()
    assert df.status.tolist() == ["error", "finished"]
    assert f"checkpoint {before_joke.id} of thread {before_joke.thread_id} cannot take this edit" in df.error[0]
    assert "nothing was written to the thread" in df.error[0]
    assert "unknown" not in df.error[0]


def test_a_message_asked_anew_under_its_id_is_no_deviation(book, demo_threads):
    asked = book.history(demo_threads["branches"]).at(step=5, branch="A")
    message = {"type": "human", "id": "message-2", "content": "what is 6 * 7?"}
    edits = [fb.Edit({"messages": [{**message, **more}]}, "__start__") for more in ({}, {"id": "new"})]
    whole = fb.Edit({"messages": [message]}, "__start__", replace=True)
    sweep = asked.sweep([*edits, whole], parallel=True)
    assert sweep.df().deviation.isna().all()
    assert [cp.values["messages"][0]["id"] == "message-2" for cp in sweep.checkpoints] == [False, False, True]
    sweep.delete()


def test_a_variant_is_called_by_what_it_says():
    human = {"type": "human", "id": "1", "content": "what is 6 * 7?"}
    edits = [fb.Edit({"messages": [human]}, "__start__"), {"topic": "cats"}, fb.Edit({"topic": "x"}, name="an x"), None]
    names = [variant.name() for variant in variants([*edits, fb.Answer("yes")], None, False)]
    assert names == ["“what is 6 * 7?”, as __start__", "topic=cats", "an x", "as it was", "answer 'yes'"]
    (asked,) = variants([None], [{"messages": [human]}], False)
    assert asked.name() == "input “what is 6 * 7?”"
    assert variant_of(variants(edits, None, False)[2].record()).name() == "an x"
