"""Numbers worked out by hand; the definitions are in forkbook/tokens.py."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import ai, facts_of, human, state, tree_of
from test_tree import parents

from forkbook.counting import Counter, approximate, default_counter
from forkbook.messages import messages_in
from forkbook.tokens import Totals, ancestry, ledger

WORDS = Counter("words", lambda message: len(message["content"].split()))


def accounts(*states):
    facts = facts_of(*states)
    return ledger(facts.tree, [s["values"] for s in facts.states], WORDS)


def spent(book, position):
    return [spend.total for spend in book.spends([position])]


def test_a_message_spends_once_where_it_is_new():
    m, n = ai("m", usage=(10, 5)), ai("n", usage=(20, 7))
    book = accounts(
        state("1", values={"messages": [human("h")]}),
        state("2", "1", {"messages": [human("h"), m]}),
        state("3", "2", {"messages": [human("h"), m, n]}),
    )
    assert [spent(book, p) for p in range(3)] == [[], [15], [27]]
    assert book.context == [1, 2, 3]


def test_a_fork_checkpoint_spends_nothing_but_what_runs_after_it_does():
    m = ai("m", usage=(10, 5))
    book = accounts(
        state("1", values={"messages": []}),
        state("2", "1", {"messages": [m]}),
        state("3", "1", {"messages": [m]}, source="fork"),  # __copy__: a sibling with the same values
        state("4", "3", {"messages": [m, ai("n", usage=(16, 4))]}),
    )
    assert [spent(book, p) for p in range(4)] == [[], [15], [], [20]]


def test_a_message_that_a_person_edited_keeps_its_usage_and_spends_nothing():
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    book = accounts(
        state("1", values={"messages": [ai("m", "hello", (10, 5))]}),
        state("2", "1", {"messages": [ai("m", "goodbye", (10, 5))]}, source="update"),
        state("3", "1", {"messages": [
            ai("m", "moved", additional_kwargs={"usage_metadata": usage})
        ]}, source="update"),
    )  # fmt: skip
    assert [spent(book, p) for p in range(3)] == [[15], [], []]


def test_a_message_regenerated_under_the_same_id_spends_again():
    book = accounts(
        state("1", values={"messages": [ai("m", "hello", (10, 5))]}),
        state("2", "1", {"messages": [ai("m", "hello again", (10, 6))]}),
    )
    assert [spent(book, p) for p in range(2)] == [[15], [16]]


def test_a_message_that_was_removed_and_came_back_spends_once():
    m = ai("m", usage=(10, 5))
    book = accounts(
        state("1", values={"messages": [m]}), state("2", "1", {"messages": []}), state("3", "2", {"messages": [m]})
    )
    assert [spent(book, p) for p in range(3)] == [[15], [], []]
    assert book.changes[("id", "m")] == [0, 1, 2]


def test_siblings_each_spend_what_they_both_wrote():
    m = ai("m", usage=(10, 5))
    book = accounts(
        state("1", values={"messages": []}), state("2", "1", {"messages": [m]}), state("3", "1", {"messages": [m]})
    )
    assert [spent(book, p) for p in range(3)] == [[], [15], [15]]


def test_without_a_report_it_is_the_parents_context_and_the_message():
    book = accounts(
        state("1", values={"messages": [human("h", "one two three")]}),
        state("2", "1", {"messages": [human("h", "one two three"), ai("m", "four five")]}),
        state("3", "2", {"messages": [human("h", "one two three"), ai("m", "four five"), ai("n", "six", (9, 1))]}),
    )
    (estimate,) = book.spends([1])
    assert (estimate.input, estimate.output, estimate.reported) == (3, 2, False)
    assert book.method(book.totals([1])) == "words"
    assert book.method(book.totals([1, 2])) == "mixed"
    assert book.method(book.totals([2])) == "reported"
    assert book.method(Totals()) == "none"


def test_shared_and_own_of_nested_branches():
    #  1(10) ── 2(20) ── 3(30)   A
    #           └─────── 4(40) ── 5(50)   B
    #                    └─────── 6(60)   C
    def cost(n):
        return ai(f"m{n}", usage=(n * 10 - 1, 1))

    def upto(*numbers):
        return {"messages": [cost(n) for n in numbers]}

    book = accounts(
        state("1", values=upto(1)), state("2", "1", upto(1, 2)), state("3", "2", upto(1, 2, 3)),
        state("4", "2", upto(1, 2, 4)), state("5", "4", upto(1, 2, 4, 5)), state("6", "4", upto(1, 2, 4, 6)),
    )  # fmt: skip
    whole, shared = book.paths
    split = [(shared[tip].total, whole[tip].total - shared[tip].total) for tip in book.tree.tips_by_branch]
    assert split == [(30, 30), (70, 50), (70, 60)]
    assert book.totals(range(6)).total == 210


def test_messages_count_in_any_channel_but_one_id_once():
    m = ai("m", "one two")
    book = accounts(
        state("1", values={"messages": [m], "archive": [m], "last": human("h", "three"), "n": [1, {"a": 2}]})
    )
    assert book.context == [3]
    assert book.n_messages == [2]


def test_messages_without_ids_spend_once_though_their_place_changes():
    q, a, r, b = human(None, "q1"), ai(None, "a1", (10, 5)), human(None, "q2"), ai(None, "a2", (10, 6))
    book = accounts(
        state("1", values={"messages": [q, a]}),
        state("2", "1", {"messages": [a, r]}),
        state("3", "2", {"messages": [r, b]}),
    )
    assert [spent(book, p) for p in range(3)] == [[15], [], [16]]


def test_other_messages_under_the_same_id_are_kept_apart():
    book = accounts(state("1", values={"m": [ai("x", "one", (10, 5))], "n": [ai("x", "two three", (100, 50))]}))
    assert (book.n_messages, book.context, sorted(spent(book, 0))) == ([2], [3], [15, 150])


@pytest.mark.parametrize("usage", [{"input_tokens": "many"}, [1], {"input_tokens": 10**19, "output_tokens": 1}, {}])
def test_a_report_that_is_none_is_estimated(usage):
    book = accounts(state("1", values={"messages": [ai("m", "one two", usage_metadata=usage)]}))
    assert [(s.total, s.reported) for s in book.spends([0])] == [(2, False)]


def test_langchains_approximation_on_its_own_messages():
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
    from langchain_core.messages.utils import count_tokens_approximately

    call = {"name": "f", "args": {"x": 1}, "id": "c1", "type": "tool_call"}
    for message in (
        HumanMessage("Hello there, how are you?", name="bob"),
        AIMessage("fine", tool_calls=[call]),
        ToolMessage("42", tool_call_id="c1"),
        HumanMessage([{"type": "text", "text": "blocks"}]),
    ):
        assert approximate(message.model_dump()) == count_tokens_approximately([message]), message


def test_the_tokenizer_counts_o200k_tokens_of_text_and_calls():
    counter = default_counter()
    assert counter.name == "tokenizer:o200k"
    assert counter.count(human("h", "hello world")) == 2
    assert counter.count(ai("m", "", tool_calls=[{"name": "add", "args": {"a": 1}}])) == counter.count(
        human("h", 'add{"a":1}')
    )
    assert math.isclose(counter.count(human("h", "word " * 40_000)), 40_000, rel_tol=0.001)


@given(parents, st.lists(st.integers(0, 5), min_size=60, max_size=60))
def test_shared_and_own_add_up_and_the_tree_counts_each_checkpoint_once(parents, costs):
    tree, values = tree_of(parents), []
    for n, parent in enumerate(tree.parents):
        before = values[parent]["messages"] if parent >= 0 else []
        values.append({"messages": [*before, ai(f"m{n}", usage=(costs[n], 1))]})
    book = ledger(tree, values, WORDS)
    assert book.totals(range(len(tree))).total == sum(costs[n] + 1 for n in range(len(tree)))
    whole, shared = book.paths
    for tip in tree.tips:
        path = tree.lineage(tip)
        others = {n for other in tree.tips if other != tip for n in tree.lineage(other)}
        assert whole[tip] == book.totals(path)
        assert shared[tip] == book.totals([n for n in path if n in others])


@given(parents)
def test_ancestry_is_what_the_lineage_says(parents):
    tree = tree_of(parents)
    above = ancestry(tree)
    for below in range(len(tree)):
        lineage = set(tree.lineage(below))
        assert [p for p in range(len(tree)) if above(p, below)] == sorted(lineage)


EDITS = st.lists(
    st.tuples(st.sampled_from(["append", "drop", "edit", "twice", "other", "clear"]), st.integers(0, 9)), max_size=3
)


@given(parents, st.lists(EDITS, min_size=60, max_size=60))
def test_the_quick_way_finds_what_a_close_look_finds(parents, edits):
    """States that share their messages are only compared where they differ; here every state is looked at whole."""
    tree, values = tree_of(parents), []
    for n, parent in enumerate(tree.parents):
        state = {k: list(v) for k, v in values[parent].items()} if parent >= 0 else {"messages": [], "other": []}
        messages = state["messages"]
        for kind, pick in edits[n]:
            if kind == "append":
                messages.append(ai(f"m{n}" if pick else None, f"new {n}", usage=(pick, 1) if pick % 2 else None))
            elif kind == "drop" and messages:
                messages.pop(pick % len(messages))
            elif kind == "edit" and messages:
                messages[pick % len(messages)] = {**messages[pick % len(messages)], "content": f"edited {n}"}
            elif kind == "twice" and messages:
                messages.append(messages[pick % len(messages)])
            elif kind == "other" and messages:
                state["other"].append(messages[pick % len(messages)])
            elif kind == "clear":
                del state["other"]
                state["other"] = []
        values.append(state)
    book = ledger(tree, values, WORDS)
    for n, parent in enumerate(tree.parents):
        now = dict(messages_in(values[n]))
        before = dict(messages_in(values[parent])) if parent >= 0 else {}
        assert book.n_messages[n] == len(now)
        assert book.context[n] == sum(map(WORDS.count, now.values()))
        assert {item.key: item.message for item in book.new[n]} == {
            key: message for key, message in now.items() if before.get(key) != message
        }
        for item in book.new[n]:
            if item.spend and not item.spend.reported:
                assert item.spend.input == sum(map(WORDS.count, before.values()))
