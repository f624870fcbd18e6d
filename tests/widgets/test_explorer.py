"""The kernel's half of the explorer, as a page speaks to it: questions, gestures, growth, Stop, results."""

import struct
import threading
import time

import pytest
from agents import graphs
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import MessagesState, StateGraph
from misbehaving import Misdeed, misbehaving
from places import history_in_process, history_on_server

import forkbook as fb
from forkbook.widgets.explorer import Explorer
from forkbook.widgets.sendable import sendable


class Page:
    """What stands at the other end: it sends what a page sends, and keeps what comes."""

    def __init__(self, explorer):
        self.explorer, self.came, self._asked = explorer, [], 0
        self._more = threading.Condition()
        explorer._send = self._take
        self.rows = explorer.get_state("rows")["rows"]

    def _take(self, message, buffers=None):
        with self._more:
            self.came.append((message, buffers))
            self._more.notify_all()

    def ask(self, name, **about):
        self._asked += 1
        id_ = f"view-{self._asked}"
        self.explorer._handle_custom_msg({"id": id_, "ask": name, "about": about}, [])
        with self._more:
            assert self._more.wait_for(lambda: self._answer(id_) is not None, 20), name
        content, buffers = self._answer(id_)
        if "error" in content:
            raise LookupError(content["error"])
        return buffers if buffers else content["answer"]

    def _answer(self, id_):
        found = [(m["content"], b) for m, b in self.came if m["method"] == "custom" and m["content"].get("id") == id_]
        return found[0] if found else None

    def do(self, gesture, **about):
        assert self.ask("do", gesture=gesture, **about) == {"accepted": True}
        self.explorer.wait()
        assert self.tree() == self.explorer.document.rows(), "what came adds up to what there is"
        assert self.values("n")[-1:] in ([], [self.explorer.n])
        return self.explorer.result

    def tree(self):
        """The rows, as a page keeps them from what came."""
        rows = columns(self.rows)
        for message, buffers in list(self.came):
            content = message.get("content") or {}
            if "rows" in message.get("state", {}):
                pytest.fail("bytes are sent beside a message")
            if ["rows"] in message.get("buffer_paths", []):
                rows = columns(buffers[message["buffer_paths"].index(["rows"])])
            elif content.get("push") == "grow":
                rows = [old + new for old, new in zip(rows, columns(buffers[0]), strict=True)]
                assert content["n"] == len(rows[3])
            elif content.get("push") == "flags":
                flags = bytearray(rows[3])
                for position, flag in content["flags"].items():
                    flags[int(position)] = flag
                rows[3] = bytes(flags)
        return b"".join(rows)

    def pushes(self, kind):
        return [(m["content"], b) for m, b in self.came if m["method"] == "custom" and m["content"].get("push") == kind]

    def values(self, trait):
        return [m["state"][trait] for m, _ in self.came if m["method"] == "update" and trait in m["state"]]


def opened(history):
    explorer = Explorer(history)
    return explorer, Page(explorer)


def edit(channel, *path, text):
    return {"channel": channel, "path": list(path), "text": text}


def columns(rows):
    n = len(rows) // 8
    return [bytes(rows[: 4 * n]), bytes(rows[4 * n : 6 * n]), bytes(rows[6 * n : 7 * n]), bytes(rows[7 * n :])]


def parents_of(rows):
    n = len(rows) // 8
    return list(struct.unpack(f"<{n}i", rows[: 4 * n]))


@pytest.fixture
def asking():
    return history_in_process("questions")


@pytest.fixture
def talker():
    book = fb.connect(graphs.build_talker().compile(checkpointer=InMemorySaver(), name="talker"))
    return book.run(None, {"topic": "cats"}).history


def test_it_is_there_before_anything_is_asked(asking):
    explorer = Explorer(asking)
    state = explorer.get_state()
    assert parents_of(state["rows"]) == [-1, 0]
    assert (state["n"], state["selected"], state["marked"], state["running"]) == (2, 1, [], None)
    assert set(state["first_labels"]) == {"1"}, "the input stands in the row of the start that it leads to"
    assert state["first_page"]["position"] == 1
    assert state["result"]["kind"] == "idle"
    assert "2 checkpoints" in state["summary"]
    assert state["can"] == {
        "read": True, "write": True, "run": True, "copy": True, "export": True, "store": False, "subgraphs": True,
    }  # fmt: skip
    assert "cannot show a memory" in state["why_not"]["store"]
    assert "export default" in state["_esm"]


def test_it_shows_a_picture_before_itself(asking, monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "publish_display_data", shown.append)
    explorer = Explorer(asking)
    explorer._ipython_display_()
    still, live = shown
    assert still["text/html"].startswith('<div class="fb-still"><p>This is a picture. Run this cell')
    assert "data:image/svg+xml" in still["text/html"]
    assert live["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert live["text/plain"] == repr(explorer)
    assert "an explorer: show it in a notebook" in live["text/plain"]


def test_a_thread_without_checkpoints_is_shown():
    book = fb.connect(graphs.build_questions().compile(checkpointer=InMemorySaver(), name="questions"))
    from forkbook.facts import Facts

    explorer, page = opened(fb.History.of(book, Facts.of("nobody", {})))
    state = explorer.get_state()
    assert (state["n"], state["selected"], state["first_page"], state["first_labels"]) == (0, -1, None, {})
    with pytest.raises(LookupError, match="no checkpoint at position 0: the history has 0"):
        page.ask("show", position=0)


def test_what_is_picked_is_a_value_that_can_be_observed_and_linked(asking):
    import traitlets

    explorer, other = Explorer(asking), Explorer(asking)
    seen = []
    explorer.observe(lambda change: seen.append(change["new"]), "selected")
    traitlets.link((explorer, "selected"), (other, "selected"))
    explorer.set_state({"selected": 0})
    assert explorer.selected == asking[0] == other.selected
    explorer.selected = "A"
    assert seen == [asking[0], asking[1]]
    assert other.get_state("selected") == {"selected": 1}
    explorer.set_state({"marked": [1, 0, 1, 99, "x"]})
    assert explorer.marked == (asking[1], asking[0])
    explorer.selected = None
    assert explorer.get_state("selected") == {"selected": -1}
    with pytest.raises(fb.CheckpointNotFound):
        explorer.selected = "nothing like this"


def test_the_page_sets_only_what_is_its_own(asking):
    explorer, _ = opened(asking)
    explorer.set_state({"rows": b"", "n": 7, "result": {"kind": "ok"}, "selected": 99, "tab": 5, "drafts": {"x": []}})
    assert (explorer.n, explorer.selected, explorer.drafts) == (2, None, {"x": []})
    assert explorer.result["kind"] == "failed", "what cannot be set is told"
    assert "tab" in explorer.result["text"]


def test_questions_are_answered(asking):
    _, page = opened(asking)
    assert page.ask("rows", **{"from": 1})[0] == page.rows[4:8] + page.rows[10:12] + page.rows[13:14] + page.rows[15:]
    assert set(page.ask("labels", positions=[1])) == {"1"}
    assert page.ask("show", position=0)["position"] == 0
    for tab in page.explorer.tabs:
        assert isinstance(page.ask("view", position=1, tab=tab), list), tab
    assert page.ask("find", text="zzz") == {"positions": [], "more": False}
    assert [block["kind"] for block in page.ask("compare", positions=[0, 1])][:2] == ["note", "table"]
    assert page.explorer.comparison.labels == ("A", "A")
    assert page.ask("compare", positions=[0])[1]["positions"] == [0]
    schema = page.ask("schema", position=1)
    assert schema["nodes"] == [*schema["stops"], "__end__"]
    assert {field["channel"] for field in schema["fields"]} == {"answers"}
    assert page.ask("check", position=1, edits=[edit("answers", text="[")])["errors"][0]["line"] == 1


@pytest.mark.parametrize(
    ("name", "about", "said"),
    [
        ("show", {}, "no checkpoint at position None"),
        ("show", {"position": True}, "no checkpoint at position True"),
        ("show", {"position": 2}, "the history has 2"),
        ("labels", {"positions": "01"}, "positions are a list"),
        ("view", {"position": 0, "tab": "Nothing"}, "there is no tab 'Nothing'; there is Conversation, "),
        ("code", {"act": 0}, "there is no act 0"),
        ("compare", {"positions": []}, "mark the checkpoints"),
        ("sing", {}, "there is no question 'sing'; there is rows, "),
        ("do", {"gesture": "sing"}, "there is no gesture 'sing'; there is run, "),
        ("do", {"gesture": "stop"}, "no run is under way"),
        ("do", {"gesture": "run", "position": 0, "edits": [{}]}, "an edit has a channel"),
        ("do", {"gesture": "write", "position": 0}, "nothing is changed here"),
        ("do", {"gesture": "open_copy"}, "no copy was made"),
        ("do", {"gesture": "export", "format": "x"}, "there is archive, json, parquet"),
        ("do", {"gesture": "answer", "position": 1, "text": "{", "as": "json"}, "not valid JSON"),
        ("do", {"gesture": "run", "position": 0, "stop_before": "x"}, "stop_before is a list"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_at_once(asking, name, about, said):
    _, page = opened(asking)
    with pytest.raises(LookupError, match=said):
        page.ask(name, **about)


def test_an_answer_runs_and_the_tree_grows_at_its_end(asking):
    explorer, page = opened(asking)
    result = page.do("answer", position=1, question=None, text="yes")
    assert (result["kind"], result["text"]) == ("waiting", "Branch A · waits for an answer")
    assert explorer.selected.next == ("second",)
    (grown, buffers), *_ = page.pushes("grow")
    assert (grown["from"], grown["n"]) == (2, 3)
    assert parents_of(buffers[0]) == [1]
    flags = [content["flags"] for content, _ in page.pushes("flags")]
    assert any("1" in each for each in flags), "the one that was a tip"
    assert not page.pushes("reset")
    assert page.values("running")[-1] is None
    assert len(explorer.acts) == 1
    assert explorer.act is explorer.acts[0]
    lines = [block["text"] for block in page.ask("code", act=0) if block["kind"] == "code"]
    line = f'done = book["{asking.thread_id}"]["{asking[1].id}"].answer("yes",)'
    assert "".join(lines[0].split()) == "".join(line.split())
    result = page.do("answer", position=1, question=explorer.history[1].interrupts[0]["id"], text="2", **{"as": "json"})
    assert explorer.history.branches == ["A", "B"]
    assert explorer.selected.values["answers"] == ["first=2"]


def test_the_tree_grows_while_a_run_goes_on_and_stop_stops_it(talker):
    explorer, page = opened(talker)
    at = talker[1].position
    page.ask("do", gesture="run", position=at, edits=[edit("topic", text='"dogs and nothing but dogs so far"')])
    deadline = time.monotonic() + 20
    while not any(running and running["messages"] for running in page.values("running")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert page.pushes("grow"), "before the end"
    assert explorer.running["nodes"] == ["talk"]
    assert "all there is to say".startswith(explorer.running["messages"][0]["text"][:19])
    with pytest.raises(LookupError, match="one thing at a time: running is still under way"):
        page.ask("do", gesture="refresh")
    assert page.ask("do", gesture="stop") == {"accepted": True}
    explorer.wait()
    assert (explorer.result["kind"], explorer.result["text"]) == ("stopped", "Branch B · stopped")
    assert any(running and running["stopping"] for running in page.values("running"))
    assert explorer.selected.next == ("talk",)
    result = page.do("run", position=explorer.selected.position, edits=[])
    assert result["kind"] == "ok"
    assert explorer.selected.is_tip
    told = [m for m, _ in page.came if m["method"] == "update" and "running" in m["state"]]
    assert len(told) < 200


def test_an_interrupt_of_a_waiting_cell_stops_the_run(talker, monkeypatch):
    explorer, page = opened(talker)
    page.ask("do", gesture="run", position=1, edits=[edit("topic", text='"dogs and nothing but dogs so far"')])
    jobs, waited = explorer._sitting.jobs, []
    wait = jobs._wait

    def interrupted(*given):
        while not any(running and running["nodes"] == ["talk"] for running in page.values("running")):
            time.sleep(0.02)
        waited.append(given)
        if len(waited) == 1:
            raise KeyboardInterrupt
        return wait(*given)

    monkeypatch.setattr(jobs, "_wait", interrupted)
    explorer.wait()
    assert explorer.result["kind"] == "stopped"
    monkeypatch.setattr(jobs, "_wait", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        explorer.wait()


def test_who_looks_elsewhere_meanwhile_stays_there(talker):
    explorer, page = opened(talker)
    page.ask("do", gesture="run", position=1, edits=[edit("topic", text='"dogs"')])
    explorer.set_state({"selected": 0})
    explorer.wait()
    assert explorer.selected.position == 0
    assert explorer.result["position"] == len(explorer.history) - 1


def test_what_a_run_raises_is_told_in_red():
    def bad(state):
        raise ValueError("it broke \ud83d<b>")

    graph = StateGraph(MessagesState).add_node("good", lambda state: {}).add_node("bad", bad)
    graph = graph.add_edge("__start__", "good").add_edge("good", "bad")
    book = fb.connect(graph.compile(checkpointer=InMemorySaver(), name="g"))
    history = book.run(None, {"messages": ["hi"]}, interrupt_before=["bad"]).history
    explorer, page = opened(history)
    result = page.do("run", position=len(history) - 1)
    assert result["kind"] == "failed"
    assert result["text"].startswith("Branch A · failed: ")
    assert "it broke" in result["text"]
    assert "\ud83d" not in result["text"]
    result = page.do("run", position=0, edits=[edit("nope", text="1")])
    assert (result["kind"], result["act"]) == ("failed", -1)
    assert "no channel 'nope'" in result["text"]
    assert explorer.running is None


def test_write_preview_and_what_they_say(talker):
    explorer, page = opened(talker)
    edits = [edit("topic", text='"dogs"')]
    result = page.do("preview", position=2, edits=edits)
    assert result["text"] == "preview: topic written; runs talk next"
    assert len(explorer.history) == len(talker)
    assert page.ask("view", position=2, tab="Code")[0]["text"] == "what Run would do"
    result = page.do("write", position=2, edits=edits, as_node="think")
    assert (result["kind"], result["text"]) == ("ok", "Branch B · written, nothing ran yet; next: talk")
    assert explorer.selected.values["topic"] == "dogs"
    result = page.do("run", position=explorer.selected.position, stop_before=["end"])
    assert result["text"] == "Branch B · stopped before end"
    result = page.do("write", position=2, edits=edits, in_copy=True)
    assert explorer.history.thread_id != talker.thread_id
    assert page.pushes("reset"), "another thread"
    assert any("done in a copy" in detail for detail in result["details"])


def chat(node=None):
    def echo(state):
        return {"messages": [AIMessage(f"you said {state['messages'][-1].content}")]}

    graph = StateGraph(MessagesState).add_node("chat", node or echo).add_edge("__start__", "chat")
    graph = graph.compile(checkpointer=InMemorySaver(), name="chat")
    for text in ("one", "two"):
        graph.invoke({"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": "t"}})
    return fb.connect(graph)["t"]


def test_an_edited_message_runs_its_reader_again():
    history = chat()
    explorer, page = opened(history)
    tip, edits = len(history) - 1, [edit("messages", 2, text='{"content": "TWO"}')]
    result = page.do("preview", position=tip, edits=edits)
    assert "runs chat next" in result["text"]
    assert any("where the message arrived" in detail for detail in result["details"])
    assert page.do("run", position=tip, edits=edits)["kind"] == "ok"
    said = [message["content"] for message in explorer.selected.values["messages"]]
    assert said == ["one", "you said one", "TWO", "you said TWO"]
    by_hand = explorer.selected.lineage[-2]
    assert (by_hand.source, by_hand.next) == ("update", ("chat",))
    again = [edit("messages", 2, text='{"content": "three"}')]
    assert page.do("run", position=explorer.selected.position, edits=again)["kind"] == "ok"
    said = [message["content"] for message in explorer.selected.values["messages"]]
    assert said[2:] == ["three", "you said three"], "one that was edited by hand runs what followed, too"


def test_drafts_go_when_they_are_written_and_stay_when_they_are_refused(talker):
    explorer, page = opened(talker)
    mine, other, bad = edit("topic", text='"dogs"'), edit("topic", text='"crows"'), edit("topic", text='"do')
    explorer.set_state({"drafts": {talker[2].id: [mine], talker[0].id: [other]}})
    assert explorer.get_state("places") == {"places": {talker[2].id: 2, talker[0].id: 0}}
    page.do("run", position=2, edits=[mine])
    assert explorer.drafts == {talker[0].id: [other]}
    explorer.set_state({"drafts": {talker[0].id: [bad]}})
    with pytest.raises(LookupError, match=r"not valid JSON: .*, line 1, column 1"):
        page.ask("do", gesture="run", position=0, edits=[bad])
    page.do("write", position=0, edits=[edit("nope", text="1")])
    assert explorer.drafts == {talker[0].id: [bad]}


def test_copy_and_open_the_copy(asking):
    explorer, page = opened(asking)
    result = page.do("copy")
    assert (result["kind"], result["act"]) == ("ok", 0)
    assert explorer.copy_report
    assert page.do("open_copy")["kind"] == "ok", explorer.result
    assert explorer.history.thread_id == explorer.copy_report.new_thread_id
    assert page.pushes("reset")
    assert explorer.selected is not None


def test_export_writes_a_file_beside_the_notebook(asking, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, page = opened(asking)
    result = page.do("export", format="json")
    assert result["kind"] == "ok"
    (path,) = tmp_path.iterdir()
    assert f"file {path}" in result["details"]
    with fb.connect(path) as book:
        assert len(book[asking.thread_id]) == 2


def test_refresh_shows_what_others_wrote(asking):
    explorer, page = opened(asking)
    asking.tips[0].answer("yes")
    assert page.do("refresh")["text"] == "1 new checkpoint"
    assert explorer.n == 3
    assert page.do("refresh")["text"] == "0 new checkpoints"


def test_a_checkpoint_is_named_noted_and_starred(asking):
    explorer, page = opened(asking)
    seen = []
    explorer.observe(lambda change: seen.append(change["new"]), "labels")
    assert page.ask("do", gesture="label", position=0, star=True) == {"accepted": True}
    page.ask("do", gesture="label", position=0, label="good one", note="why")
    explorer.wait()
    assert explorer.labels == {asking[0].id: {"label": "good one", "note": "why", "star": True}}
    assert seen[0] == {asking[0].id: {"label": "", "note": "", "star": True}}, "before it is written"
    assert asking.book[asking.thread_id]["good one"] == asking[0]
    assert explorer.get_state("places") == {"places": {asking[0].id: 0}}
    assert explorer.counts["starred"] == 1
    assert page.pushes("flags")[0][0]["flags"]["0"] & 8
    assert page.ask("show", position=0)["note"] == "why"
    other = Explorer(asking.book[asking.thread_id])
    assert other.labels == explorer.labels
    assert other.counts["starred"] == 1
    page.ask("do", gesture="label", position=0, label="", note="", star=False)
    explorer.wait()
    assert explorer.labels == {}
    assert page.tree() == explorer.document.rows()


def test_a_label_that_cannot_be_is_taken_back_and_told(asking):
    explorer, page = opened(asking)
    with pytest.raises(LookupError, match="a label is text"):
        page.ask("do", gesture="label", position=0, label=5)
    page.ask("do", gesture="label", position=0, label="A")
    explorer.wait()
    assert explorer.labels == {}
    assert (explorer.result["kind"], "names a branch" in explorer.result["text"]) == ("failed", True)


def test_subgraphs_are_read_when_they_are_asked_for():
    act = fb.connect(graphs.build_nested().compile(checkpointer=InMemorySaver(), name="nested")).run(None, {})
    explorer, page = opened(act.history)
    number, picked = len(act.history), explorer.selected
    assert page.do("subgraphs", on=True)["kind"] == "ok", explorer.result
    assert explorer.n > number
    assert explorer.selected == picked
    assert any(flags & 32 for flags in page.tree()[-explorer.n :]), "inside"
    page.do("subgraphs", on=False)
    assert explorer.n == number
    assert page.pushes("reset")


def test_a_place_that_is_read_only_says_so(tmp_path):
    path = tmp_path / "store.db"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = graphs.build_questions().compile(checkpointer=saver, name="questions")
        graph.invoke({}, {"configurable": {"thread_id": "t"}})
    with fb.connect(path) as book:
        explorer, page = opened(book["t"])
        assert not any(explorer.can[name] for name in ("write", "run", "copy"))
        assert "the SQLite store" in explorer.why_not["run"]
        assert "cannot run a graph" in explorer.why_not["run"]
        for gesture in ("run", "write", "preview", "answer", "copy"):
            with pytest.raises(LookupError, match=r"the SQLite store .* cannot"):
                page.ask("do", gesture=gesture, position=0)
        assert page.ask("schema", position=1)["nodes"] == ["first", "__end__"]
        assert page.do("refresh")["kind"] == "ok"


def test_foreign_text_is_sent_as_text(asking):
    assert sendable({"a": ["\ud83d", float("nan"), 2**60 + 1, 1.0, None, True, b"x"]}) == {
        "a": ["\\ud83d", "nan", str(2**60 + 1), 1.0, None, True, "b'x'"]
    }


def test_a_closed_book_is_told(asking):
    book = asking.book
    _, page = opened(asking)
    book.close()
    with pytest.raises(LookupError, match="is closed"):
        page.ask("do", gesture="run", position=0)
    assert page.do("refresh")["kind"] == "failed"
    assert page.ask("show", position=0)


def test_a_function_that_observes_and_fails_is_told(asking):
    explorer, page = opened(asking)

    def bad(change):
        raise ZeroDivisionError("mine")

    explorer.observe(bad, "selected")
    explorer.set_state({"selected": 0})
    assert explorer.selected.position == 0
    assert (explorer.result["kind"], explorer.result["text"]) == ("failed", "ZeroDivisionError: mine")
    result = page.do("answer", position=1, question=None, text="yes")
    assert result["kind"] == "waiting", "the act was done"
    assert any("observes selected: ZeroDivisionError: mine" in detail for detail in result["details"])


def test_on_a_server_it_does_the_same(book, client, demo_threads):
    thread_id = client.threads.copy(demo_threads["time travel"])["thread_id"]
    explorer, page = opened(book[thread_id])
    before = next(cp for cp in explorer.history if cp.next == ("write_joke",))
    edits = [edit("topic", text='"chickens"')]
    fields = {field["channel"]: field for field in page.ask("schema", position=before.position)["fields"]}
    assert (fields["topic"]["type"], fields["messages"]["type"]) == ("text", "messages")
    assert page.ask("check", position=before.position, edits=[edit("topic", text="[1]")])["errors"][0]["message"]
    assert "runs write_joke next" in page.do("preview", position=before.position, edits=edits)["text"]
    result = page.do("run", position=before.position, edits=edits)
    assert (result["kind"], result["text"]) == ("ok", "Branch C · finished, 18 tokens")
    assert "chicken" in explorer.selected.values["joke"]
    assert page.pushes("grow"), "before the end, or at it"
    languages = [block["label"] for block in page.ask("code", act=0) if block["kind"] == "code"]
    assert languages[:2] == ["forkbook", "Python"]
    assert isinstance(page.ask("view", position=before.position, tab="Memory"), list)
    result = page.do("copy")
    assert result["kind"] == "ok"
    client.threads.delete(explorer.copy_report.new_thread_id)
    client.threads.delete(thread_id)


def test_a_run_on_a_server_is_stopped(testbed):
    history = history_on_server(testbed, "talker", topic="cats")
    explorer, page = opened(history)
    at = next(cp for cp in history if cp.next == ("talk",)).position
    page.ask("do", gesture="run", position=at, edits=[edit("topic", text='"dogs and nothing but dogs "')])
    deadline = time.monotonic() + 30
    while not any(running and running["messages"] for running in page.values("running")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    page.ask("do", gesture="stop")
    explorer.wait()
    assert (explorer.result["kind"], explorer.selected.next) == ("stopped", ("talk",))


def test_a_server_that_is_gone_is_told_and_what_was_read_stays(testbed):
    cut = threading.Event()
    with misbehaving(testbed, lambda request: Misdeed("reset") if cut.is_set() else None) as (address, _):
        history = history_on_server(address, "talker", topic="cats")
        explorer, page = opened(history)
        cut.set()
        result = page.do("run", position=2)
        assert (result["kind"], explorer.running) == ("failed", None)
        assert "cannot" in result["text"] or "connection" in result["text"]
        assert page.ask("show", position=0)
        assert page.ask("schema", position=2)["fields"], "by the values that are there"
        cut.clear()
        assert page.do("refresh")["kind"] == "ok"
