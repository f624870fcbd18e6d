import pandas as pd
import pytest
from shapes import ai, facts_of, human, state

from forkbook import frames

FRAMES = {
    name: (getattr(frames, f"{name}_rows"), getattr(frames, name.upper()))
    for name in ("checkpoints", "messages", "tasks", "branches", "tokens")
}
PROMISED = {
    "checkpoints": "thread_id, checkpoint_ns, checkpoint_id, parent_id, step, source, created_at, run_id, next, "
    "branch, is_tip, is_fork_point, interrupted, error, n_messages, context_tokens, spent_tokens, method, seconds",
    "messages": "thread_id, checkpoint_ns, checkpoint_id, message_id, created_at, role, name, model, text, "
    "tool_calls, branches, input_tokens, output_tokens, total_tokens, method",
    "tasks": "thread_id, checkpoint_ns, checkpoint_id, task_id, name, path, error, interrupts, writes",
    "branches": "thread_id, checkpoint_ns, branch, tip_id, fork_point_id, n_checkpoints, n_own, status, started_at, "
    "ended_at",
    "tokens": "thread_id, checkpoint_ns, branch, tip_id, shared_tokens, own_tokens, total_tokens, input_tokens, "
    "output_tokens, reported_tokens, estimated_tokens, method, context_tokens, context_method",
}


def build(name, facts):
    rows, columns = FRAMES[name]
    return frames.frame(list(rows(facts)), columns)


@pytest.fixture
def facts():
    #  1 input ── 2 ── 3 (removes h) ── 5
    #             └─── 4 (edits m)
    h, m = human("h", "<b>hi</b>"), ai("m", usage=(3, 2), tool_calls=[{"name": "f", "args": {}, "id": "c"}])
    return facts_of(
        state("1", values={"messages": []}, source="input", step=-1, next=["flow"], tasks=[{"name": "flow"}]),
        state("2", "1", {"messages": [h, m]}, next=["n"], tasks=[{"name": "n", "result": {"messages": []}}]),
        state("3", "2", {"messages": [m]}, step=1, next=["n"], tasks=[{"name": "n", "result": {}}]),
        state("4", "2", {"messages": [h, ai("m", "edited", (3, 2))]}, step=1, source="update"),
        state("5", "3", {"messages": [m]}, step=2),
    )


@pytest.mark.parametrize("name", FRAMES)
def test_every_promised_column_is_there(name, facts):
    assert set(PROMISED[name].split(", ")) <= set(build(name, facts).columns)


@pytest.mark.parametrize("name", FRAMES)
def test_an_empty_history_has_the_same_columns_and_dtypes(name, facts):
    full, empty = build(name, facts), build(name, facts_of())
    assert len(empty) == 0 < len(full)
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_times_are_utc_and_counts_nullable(facts):
    df = build("checkpoints", facts)
    assert str(df.created_at.dtype) == "datetime64[us, UTC]"
    assert df.created_at[1] == pd.Timestamp("2026-01-01T00:00:02Z")
    assert df.spent_tokens.isna().tolist() == [True, False, True, True, True]
    assert df.spent_tokens.sum() == 5
    assert df.source.cat.categories.tolist() == ["input", "loop", "update", "fork"]


def test_a_source_that_is_new_to_us_is_kept(facts):
    df = build("checkpoints", facts_of(state("1", source="dream")))
    assert df.source.tolist() == ["dream"]


def test_an_unknown_next_is_not_an_empty_one():
    df = build("checkpoints", facts_of(state("1", next=None), state("2", "1", next=[])))
    assert df.next.tolist() == [None, []]


def test_message_versions_know_where_they_are_new_and_who_holds_them(facts):
    df = build("messages", facts)
    rows = df[["checkpoint_id", "message_id", "branches", "total_tokens"]].astype(object).where(df.notna(), None)
    assert rows.to_numpy().tolist() == [
        ["2", "h", ["A", "B"], None],
        ["2", "m", ["A"], 5],
        ["4", "m", ["B"], None],
    ]
    assert df.total_tokens.sum() == build("checkpoints", facts).spent_tokens.sum()
    assert df.text[0] == "<b>hi</b>"
    assert df.tool_calls[1] == [{"name": "f", "args": {}, "id": "c"}]
    assert df.created_at.tolist() == [pd.Timestamp(f"2026-01-01T00:00:0{n}Z") for n in (2, 2, 4)]


def test_a_message_version_names_its_model():
    m = ai("m", response_metadata={"model": "llama3.1", "prompt_eval_count": 3, "eval_count": 4})
    df = build("messages", facts_of(state("1", values={"messages": [human("h"), m]})))
    assert df.model.isna().tolist() == [True, False]
    assert (df.model[1], df.total_tokens[1], df.method[1]) == ("llama3.1", 7, "reported")


def test_branches_and_tokens_by_hand(facts):
    branches, tokens = build("branches", facts), build("tokens", facts)
    assert branches[["branch", "tip_id", "n_checkpoints", "n_own"]].to_numpy().tolist() == [
        ["A", "5", 4, 4],
        ["B", "4", 3, 1],
    ]
    assert branches.fork_point_id.isna().tolist() == [True, False]
    assert branches.fork_point_id[1] == "2"
    columns = [f"{name}_tokens" for name in ("shared", "own", "total", "reported", "estimated")]
    assert tokens[columns].to_numpy().tolist() == [[5, 0, 5, 5, 0]] * 2


def test_ids_join_the_frames(facts):
    merged = build("messages", facts).merge(
        build("checkpoints", facts), on=["thread_id", "checkpoint_ns", "checkpoint_id"]
    )
    assert len(merged) == 3
