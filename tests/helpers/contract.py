"""What our own backends promise beyond the suite that is shipped: books on the demo's threads look alike everywhere.

The fixture `place` gives `(book, thread ids by name)`.
"""

import pytest

import forkbook as fb
from forkbook import frames, testing
from forkbook.backends.capabilities import Capability

LINE = [None, *range(24)]
SHAPES = {
    "time travel": [None, 0, 1, 2, 2, 4],
    "branches": [*LINE[:13], 6, *LINE[14:22], 16, *LINE[23:25]],
    "approval": LINE[:3],
    "memory": LINE[:3],
    "trouble": LINE[:3],
}
TITLES = {
    "time travel": ["input", "__start__", "generate_topic", "write_joke", "edit topic=chickens", "write_joke"],
    "approval": ["input", "__start__", "chat"],
}
TOKENS = {
    "time travel": {"A": (0, 21), "B": (0, 18)},
    "branches": {"A": (21, 84), "B": (60, 61), "C": (60, 42)},
    "approval": {"A": (0, 6)},
    "memory": {"A": (0, 17)},
    "trouble": {"A": (0, 8)},
}
STATUS = {
    "time travel": ["finished"] * 2,
    "branches": ["finished"] * 3,
    "approval": ["waiting"],
    "memory": ["finished"],
    "trouble": ["error"],
}


class BackendContract(testing.BackendContract):
    @pytest.fixture
    def book(self, place):
        return place[0]

    @pytest.fixture
    def backend(self, book):
        return book.backend

    @pytest.fixture
    def ids(self, place):
        return place[1]

    @pytest.fixture
    def threads(self, ids):
        return [testing.ThreadSample(ids[name], parents) for name, parents in SHAPES.items()]

    @pytest.fixture(params=SHAPES)
    def named(self, request, book, ids):
        return request.param, book.history(ids[request.param])

    def test_every_checkpoint_is_there_under_its_parent(self, named):
        name, history = named
        parents = [None if parent < 0 else parent for parent in history.tree.parents]
        assert (parents, history.complete) == (SHAPES[name], True)
        assert [cp.step for cp in history[:3]] == [-1, 0, 1]
        assert history[0].source == "input"
        assert all(cp.created_at for cp in history)

    def test_what_made_a_checkpoint_is_told(self, book, ids):
        for name, titles in TITLES.items():
            assert [cp.title for cp in book.history(ids[name])] == titles

    def test_spent_tokens_are_those_worked_out_by_hand(self, named):
        name, history = named
        found = {row.branch: (row.shared_tokens, row.own_tokens) for row in history.tokens_df().itertuples()}
        assert found == TOKENS[name]

    def test_status_is_right_or_unknown(self, named):
        name, history = named
        for tip, status in zip(history.tips, STATUS[name], strict=True):
            assert tip.status in (status, "unknown")
            assert (tip.next is None) == (tip.status == "unknown")

    def test_what_runs_next_is_right_or_unknown(self, book, ids):
        for cp in book.history(ids["time travel"]):
            after = {"input": "__start__", "__start__": "generate_topic", "write_joke": None}.get(
                cp.title, "write_joke"
            )
            assert cp.next in (None, (after,) if after else ())

    def test_the_question_that_a_thread_waits_with(self, book, ids):
        (question,) = book.history(ids["approval"]).tips[0].interrupts
        assert question["value"] == {"question": "Publish this?", "text": "the study"}

    def test_the_error_that_ended_a_run(self, book, ids):
        error = book.history(ids["trouble"]).checkpoints_df().error.dropna()
        assert error.tolist() == ["ZeroDivisionError('float division by zero')"]

    def test_messages_are_the_dicts_that_a_server_gives(self, book, ids):
        asked, called, saved, done = book.history(ids["branches"])[4].values["messages"]
        assert (asked["type"], asked["content"], asked["id"]) == ("human", "Hi, my name is Ada", "message-1")
        assert called["tool_calls"] == [
            {"name": "remember", "args": {"fact": "my name is Ada"}, "id": "call_1", "type": "tool_call"}
        ]
        assert called["usage_metadata"] == {"input_tokens": 5, "output_tokens": 4, "total_tokens": 9}
        assert (saved["type"], saved["tool_call_id"], saved["status"]) == ("tool", "call_1", "success")
        assert set(done) == {
            "content", "additional_kwargs", "response_metadata", "type", "name", "id", "tool_calls",
            "invalid_tool_calls", "usage_metadata",
        }  # fmt: skip

    def test_equal_messages_are_one_object(self, book, ids):
        states = book.history(ids["branches"]).facts.states
        first = {id(state["values"]["messages"][0]) for state in states[1:]}
        assert len(first) == 1

    def test_every_frame_has_the_promised_dtypes(self, named):
        _, history = named
        for name in ("checkpoints", "messages", "tasks", "branches", "tokens"):
            df = getattr(history, f"{name}_df")()
            assert df.dtypes.to_dict() == frames.frame([], getattr(frames, name.upper())).dtypes.to_dict()

    def test_heads_are_the_tree_of_the_history(self, book, named):
        _, history = named
        assert book.tree(history.thread_id).heads == history.tree.heads

    def test_threads_are_listed(self, book, ids):
        df = book.threads()
        assert set(ids.values()) <= set(df.thread_id)
        assert df.created_at.notna().all()
        assert len(book.threads(limit=2)) == 2
        assert book.threads(ids=[ids["memory"]]).thread_id.tolist() == [ids["memory"]]

    def test_reading_again_gives_the_same(self, book, named):
        _, history = named
        assert history.refreshed().states == book.history(history.thread_id).states == history.states

    @pytest.mark.parametrize(
        "thread_id", ["0b5cf5cc-7d5b-4b3a-a2d0-2f6d4b1f0b7e", "'; drop table checkpoints; --", "%", "a\0b", "é" * 99]
    )
    def test_threads_that_are_not_there(self, book, thread_id):
        with pytest.raises(fb.ForkbookError) as caught:
            book.history(thread_id)
        assert isinstance(caught.value, fb.ThreadNotFound | fb.InvalidInput)

    def test_a_checkpoint_that_is_not_there(self, book, ids):
        assert book.backend.state(ids["memory"], "1f000000-0000-6000-8000-000000000000") is None

    def test_acts_work_or_are_refused_by_name(self, book, ids):
        before_joke = book.history(ids["time travel"])[2]
        if Capability.RUN in book.backend.capabilities:
            act = before_joke.fork({"topic": "dogs"}, in_copy=True)
            assert "dogs" in act.checkpoint.values["joke"]
            assert act.history.branches == ["A", "B", "C"]
            assert act.checkpoint.metadata["user_id"] == "123"
        else:
            copy, fork = lambda: book.copy(before_joke.thread_id), lambda: before_joke.fork({"topic": "x"})
            for deed in (before_joke.resume, copy, fork):
                with pytest.raises(fb.Unsupported, match=r"cannot .*fb\.connect\("):
                    deed()
        assert len(book.history(before_joke.thread_id)) == 6

    def test_copies_are_proven(self, book, ids):
        if Capability.WRITE in book.backend.capabilities:
            report = book.copy(ids["branches"])
            assert report
            assert report.compared == 25

    def test_the_picture_and_the_widget(self, named):
        _, history = named
        assert len(history.figure().data) > 2
        explorer = history.explore()
        assert explorer.get_state()["first_page"]["id"] == explorer.selected.id
        assert explorer.selected == history[-1] or len(history.branches) > 1
