"""No number for what is not known: threads of which a part cannot be read, beside the same threads whole."""

import operator
from dataclasses import replace
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from laws import laws
from seeding import compiled, seed
from shapes import ai, facts_of, human, state
from typing_extensions import TypedDict

import forkbook as fb
from forkbook.backends.values.plain import not_stored, opaque
from forkbook.compare.many import compare
from forkbook.face.page import page
from forkbook.face.views import VIEWS
from forkbook.facts import Facts
from forkbook.frames import CHECKPOINTS, checkpoints_rows, frame, messages_rows, tokens_rows
from forkbook.history import History
from forkbook.model.tree import Tree
from forkbook.tokens.counting import Counter

WORDS = Counter("approximate", lambda message: len(str(message["content"]).split()))
PRICES = {None: {"input": 1.0, "output": 2.0}}
SECRET = {"__type__": "opaque", "reason": "a secret", "size": 3, "class": "pydantic.types.SecretStr"}
GONE = not_stored("a DeltaChannel")


class Kept(TypedDict, total=False):
    messages: Annotated[list[Any], operator.add]
    notes: Annotated[list[Any], operator.add]


def said(id_, read, written):
    usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    return AIMessage(f"answer {id_}", id=id_, usage_metadata=usage)


def with_subgraph():
    """A thread whose node is a subgraph that thinks and says, and a replay of it."""
    inner = StateGraph(Kept)
    inner.add_sequence([
        ("think", lambda state: {"messages": [said("thought", 5, 2)]}),
        ("say", lambda state: {"messages": [said("said", 10, 5)], "notes": ["done"]}),
    ])  # fmt: skip
    outer = StateGraph(Kept).add_node("talk", inner.add_edge(START, "think").compile()).add_edge(START, "talk")
    graph = outer.add_node("end", lambda state: {"messages": [said("end", 9, 1)]}).add_edge("talk", "end")
    book = fb.connect(graph.compile(checkpointer=InMemorySaver()))
    book.backend._graph.invoke({"messages": [], "notes": []}, {"configurable": {"thread_id": "t"}})
    book["t"][1].resume()
    return book.history("t", subgraphs=True)


@pytest.fixture(scope="module")
def threads():
    """The threads of the contract suite, one with subgraphs, and one made by hand in which messages come and go."""
    graph = compiled(InMemorySaver())
    ids, book = seed(graph), fb.connect(graph)
    h, m, n = human("h"), ai("m", "one two", usage=(10, 5)), ai("n", "three four five")
    by_hand = facts_of(
        state("1", values={"messages": [], "notes": [h]}),
        state("2", "1", {"messages": [h, m], "notes": [h]}, step=1),
        state("3", "2", {"messages": [h, m, n], "notes": []}, step=2),
        state("4", "2", {"messages": [m, ai("o", "six", (20, 1))], "notes": [n]}, step=2),
        state("5", "4", {"messages": [m, ai("o", "six", (20, 1)), human("q")], "notes": []}, source="update", step=3),
        state("6", "5", {"messages": [ai("p", "seven", (7, 7))], "notes": []}, step=4),
    )
    found = [book[id_].facts for id_ in ids.values()] + [with_subgraph().facts, by_hand]
    return [replace(facts, counter=WORDS) for facts in found]


def hidden(values, picks):
    """Values of which some channels cannot be read: not at all, in one of their items, or the whole state."""
    if 0 in picks:
        return opaque("encrypted", 9)
    result = dict(values) if isinstance(values, dict) else values
    for number, name in enumerate(values if isinstance(values, dict) else (), 1):
        if number in picks:
            result[name] = GONE
        elif -number in picks and isinstance(values[name], list) and values[name]:
            result[name] = [*values[name][:-1], opaque("damaged", 1)]
    return result


PICKS = st.one_of(st.just(frozenset()), st.frozensets(st.integers(-3, 3), max_size=3))


@pytest.mark.long
@laws(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_frame_shows_a_number_for_what_is_not_known(threads, data):
    whole = threads[data.draw(st.integers(0, len(threads) - 1))]
    kept = data.draw(st.integers(0, 2))
    states = [
        {**state, "values": hidden(state["values"], data.draw(PICKS))}
        for position, state in enumerate(whole.states)
        if position >= kept or whole.tree.heads[position].ns
    ]
    part = Facts(whole.thread_id, Tree([whole.tree.heads[whole.tree.index[id_of(s)]] for s in states]), (), WORDS)
    by_id = {id_of(s): s for s in states}
    part = replace(part, states=[by_id[head.id] for head in part.tree.heads])
    check(checkpoints_rows, whole, part, ("checkpoint_id",), "spent_tokens")
    check(tokens_rows, whole, part, ("tip_id",), "total_tokens", but=("shared", "own") if kept else ())
    check_messages(whole, part)
    total = part.ledger.total
    assert total.total in (None, whole.ledger.total.total)
    assert total.known.total <= whole.ledger.total.total


def id_of(state):
    return state["checkpoint"]["checkpoint_id"]


NUMBERS = (
    "n_messages", "context_tokens", "spent_tokens", "shared_tokens", "own_tokens", "total_tokens", "input_tokens",
    "output_tokens", "reported_tokens", "estimated_tokens", "cache_read_tokens", "cache_creation_tokens",
    "reasoning_tokens", "unknown_blocks", "cost", "unpriced_tokens", "shared_cost", "own_cost",
)  # fmt: skip


def check(rows_of, whole, part, key, total, but=()):
    """Every number that the part shows is that of the whole; what is known is no more than the truth."""
    truth = {tuple(row[name] for name in key): row for row in rows_of(whole, PRICES)}
    for row in rows_of(part, PRICES):
        true = truth[tuple(row[name] for name in key)]
        for name in NUMBERS:
            if row.get(name) is not None and not name.startswith(but or ("?",)):
                assert row[name] == pytest.approx(true[name]), (name, row, true)
        assert (row.get("known_tokens") or 0) <= (true[total] or 0)
        if row["method"] != "unknown":
            assert row[total] == true[total]


def check_messages(whole, part):
    truth = {(r["checkpoint_id"], r["message_id"], r["text"]): r for r in messages_rows(whole)}
    for row in messages_rows(part):
        true = truth.get((row["checkpoint_id"], row["message_id"], row["text"]), {})
        if row.get("total_tokens") is not None:
            assert row["total_tokens"] == true["total_tokens"]
        elif true.get("total_tokens") is not None:
            assert row["method"] == "unknown"


def facts_with(*values, **more):
    states = [state(f"{n}", f"{n - 1}" if n > 1 else None, each, **more) for n, each in enumerate(values, 1)]
    return replace(facts_of(*states), counter=WORDS)


H, M, N = human("h", "one"), ai("m", "two three", (10, 5)), ai("n", "four", (20, 2))


def test_what_hides_in_a_state_makes_its_numbers_unknown_and_those_of_the_next_one():
    facts = facts_with({"messages": [H]}, {"messages": GONE}, {"messages": [H, M]}, {"messages": [H, M, N]})
    rows = list(checkpoints_rows(facts))
    assert [row["n_messages"] for row in rows] == [1, None, 2, 3]
    assert [row["context_tokens"] for row in rows] == [1, None, 3, 4]
    assert [row["spent_tokens"] for row in rows] == [None, None, None, 22]
    assert [row["method"] for row in rows] == ["none", "unknown", "unknown", "reported"]
    assert [row["known_tokens"] for row in rows] == [None, 0, 0, 22]
    assert [row["unknown_channels"] for row in rows] == [[], ["messages"], [], []]
    (path,) = tokens_rows(facts, PRICES)
    assert [path[name] for name in ("total_tokens", "own_tokens", "reported_tokens", "cost", "known_tokens")] == [
        None, None, None, None, 22,
    ]  # fmt: skip
    assert [row["text"] for row in messages_rows(facts)] == ["one", "two three", "four"]


def test_one_item_that_cannot_be_read_leaves_what_is_new_beside_it_known():
    facts = facts_with({"messages": [H]}, {"messages": [H, M, opaque("damaged", 3)]})
    rows = list(checkpoints_rows(facts))
    assert [(row["n_messages"], row["spent_tokens"], row["known_tokens"]) for row in rows] == [
        (1, None, None),
        (None, None, 15),
    ]


def test_a_secret_holds_no_message():
    facts = facts_with({"messages": [H], "key": SECRET}, {"messages": [H, M], "key": SECRET})
    assert [row["spent_tokens"] for row in checkpoints_rows(facts)] == [None, 15]


def test_a_message_of_which_a_part_cannot_be_read():
    unread = {**ai("m", "two", (10, 5)), "content": opaque("damaged", 3)}
    facts = facts_with({"messages": [H]}, {"messages": [H, unread]}, {"messages": [H, unread, ai("n", "no report")]})
    rows = list(checkpoints_rows(facts))
    assert [row["n_messages"] for row in rows] == [1, 2, 3]
    assert [row["context_tokens"] for row in rows] == [1, None, None]
    assert [row["spent_tokens"] for row in rows] == [None, 15, None]
    assert rows[2]["method"] == "unknown"
    hidden_report = {**ai("m"), "response_metadata": {"token_usage": opaque("damaged", 3)}}
    facts = facts_with({"messages": [H]}, {"messages": [H, hidden_report]})
    assert [row["method"] for row in checkpoints_rows(facts)] == ["none", "unknown"]


@pytest.mark.parametrize(("step", "source", "total"), [(4, "loop", None), (4, "input", None), (0, "update", 15)])
def test_what_was_spent_before_a_root_whose_parent_is_gone_is_unknown(step, source, total):
    """A checkpoint that nobody pruned, but whose parent never was, begins at step 0 or before."""
    facts = facts_of(
        state("2", "1", {"messages": [H]}, step=step, source=source),
        state("3", "2", {"messages": [H, M]}, step=step + 1),
    )
    assert facts.ledger.total.total == total
    assert facts.ledger.total.known.total == 15
    assert [row["spent_tokens"] for row in checkpoints_rows(facts)] == [None, 15]
    assert [row["total_tokens"] for row in tokens_rows(facts)] == [total]


def test_of_a_first_kept_root_without_a_parent_only_the_reports_are_known():
    """A checkpointer that prunes may forget the parent, and `durability="exit"` never keeps it."""
    facts = facts_of(
        state("2", values={"messages": [H, M, ai("n", "no report")]}, step=4),
        state("3", "2", {"messages": [H, M, ai("n", "no report"), ai("o", "four", (20, 2))]}, step=5),
    )
    assert [(row["spent_tokens"], row["known_tokens"]) for row in checkpoints_rows(facts)] == [(None, 15), (22, 22)]
    assert (facts.ledger.total.total, facts.ledger.total.known.total) == (None, 37)


def test_inputs_edits_and_replays_spend_nothing_whatever_is_hidden():
    for source in ("input", "update", "fork"):
        facts = facts_of(
            state("1", values={"messages": [H]}), state("2", "1", {"messages": GONE}, source=source, step=1)
        )
        assert [row["method"] for row in checkpoints_rows(facts)] == ["none", "none"]


@pytest.fixture
def history():
    facts = facts_with({"messages": [H]}, {"messages": [H, M]}, {"messages": GONE}, {"messages": [H, M, N]})
    book = fb.connect(StateGraph(MessagesState).add_node("n", lambda s: s).add_edge(START, "n").compile(
        checkpointer=InMemorySaver()
    ))  # fmt: skip
    states = {id_of(each): each for each in facts.states}
    return History(book, "t", states, counter=WORDS)


def test_summary_picture_and_report_say_what_is_not_known(history, tmp_path):
    assert "not known at 1 checkpoint: messages" in history.summary()
    boxes = str(history.figure().to_dict())
    assert "spent tokens: unknown" in boxes
    assert "not known: messages (a DeltaChannel)" in boxes
    assert "at least 15" in str(history.tokens_figure().to_dict())
    assert "context unknown" in str(history.context_figure().to_dict())
    assert "spent tokens unknown" in str(history.figure(color="tokens").to_dict())
    report = history.report(tmp_path / "report.html").read_text()
    assert "at least 15" in report
    assert history.graph.nodes["3"]["n_messages"] is history.graph.nodes["3"]["spent_tokens"] is None


def test_the_threads_total_is_an_int_or_none_with_the_least_beside_it(history):
    assert (history.total_tokens, history.known_tokens) == (None, 15)
    assert "history.total_tokens" in history.tokens_df().attrs["total_tokens"]


def test_comparisons_say_what_is_not_known(history):
    compared = history.compare(2, 3)
    assert (compared.shared_tokens, compared.own_b) == (None, None)
    assert "shared at least 15 tokens · own 0 / unknown" in repr(compared)
    assert "not known: messages of a" in repr(compared)
    assert "at least 0 messages in both" in compared._repr_html_()
    assert compared.tokens_df().total_tokens.isna().tolist() == [True, False, True]
    overview = compare([history[1], history[3]])
    assert (overview.total_tokens, overview.totals.known.total) == (None, 15)
    assert "at least 15 tokens" in repr(overview)
    assert overview.df().total_tokens.astype(object).where(lambda s: s.notna(), None).tolist() == [15, None]


def test_the_inspector_says_what_is_not_known(history):
    shown = page(history.facts, 2, {})
    assert (shown["messages"], [block["unknown"] for block in shown["blocks"]]) == (None, ["a DeltaChannel"])
    before, last = (str(VIEWS["Tokens"](history.facts, position)) for position in (2, 3))
    assert "unknown tokens spent here" in last
    assert "unknown tokens of context" in before
    assert "at least 15" in before


def test_frames_of_unknown_states_have_the_same_dtypes(history):
    assert history.checkpoints_df().dtypes.to_dict() == frame([], CHECKPOINTS).dtypes.to_dict()
