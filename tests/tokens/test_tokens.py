"""Numbers worked out by hand; the definitions are in forkbook/tokens.

In the drawings a checkpoint is its messages, with what it spends in brackets.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from shapes import ai, facts_of, human, parents, state, tree_of

import forkbook as fb
from forkbook.frames import checkpoints_rows, messages_rows, tokens_rows
from forkbook.model.messages import messages_in, role
from forkbook.model.tree import Head, Tree
from forkbook.tokens import Totals, ancestry, ledger
from forkbook.tokens.counting import Counter

WORDS = Counter("words", lambda message: len(message["content"].split()))


def answer(id_, text="hello", usage=None):
    return AIMessage(**{name: value for name, value in ai(id_, text, usage).items() if name != "type"})


class Talk:
    """A graph in this process whose model answers what it is told, one after the other; its numbers are in words."""

    def __init__(self, *answers):
        script = iter(answers)
        builder = StateGraph(MessagesState)
        builder.add_node("model", lambda state: {"messages": next(script)})
        builder.add_edge(START, "model")
        self.graph = builder.compile(checkpointer=InMemorySaver())
        self.book = fb.connect(self.graph, counter=lambda message: len(message["content"].split()))

    def ask(self, text, id_):
        self.graph.invoke({"messages": [HumanMessage(text, id=id_)]}, self.at())

    def at(self, checkpoint_id=None):
        at = {"checkpoint_id": checkpoint_id} if checkpoint_id else {}
        return {"configurable": {"thread_id": "t", "checkpoint_ns": "", **at}}

    @property
    def history(self):
        return self.book["t"]

    @property
    def spent(self):
        return column(self.history.checkpoints_df(), "spent_tokens")


def column(df, name):
    return df[name].astype(object).where(df[name].notna(), None).tolist()


def split(history):
    return history.tokens_df()[["shared_tokens", "own_tokens", "total_tokens"]].to_numpy().tolist()


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


def test_a_real_regeneration_under_the_same_id_spends_both_times():
    """input ── h1 ── h1 m (10+5) ── h1 m ── h1 m h2 ── h1 m' h2 (22+6)"""
    talk = Talk(answer("m", usage=(10, 5)), answer("m", "once more", (22, 6)))
    talk.ask("one two", "h1")
    talk.ask("three", "h2")
    assert talk.spent == [None, None, 15, None, None, 28]
    assert split(talk.history) == [[0, 43, 43]]
    assert talk.history.checkpoints_df().context_tokens.tolist() == [0, 2, 3, 3, 4, 5]


def test_a_real_edit_of_an_answer_spends_nothing_and_what_follows_does():
    """input ── h1 ── h1 m (10+5) ── h1 m' by hand ── h1 m' ── h1 m' h2 ── h1 m' h2 n (20+4)"""
    talk = Talk(answer("m", usage=(10, 5)), answer("n", usage=(20, 4)))
    talk.ask("one two", "h1")
    talk.graph.update_state(talk.at(), {"messages": [answer("m", "edited by hand", (10, 5))]}, as_node="model")
    talk.ask("three", "h2")
    assert talk.spent == [None, None, 15, None, None, None, 24]
    assert split(talk.history) == [[0, 39, 39]]


def test_a_real_copy_beside_a_checkpoint_spends_nothing():
    """input ── h1 ─┬─ h1 m (10+5)     A
    └─ h1 m __copy__   B"""
    talk = Talk(answer("m", usage=(10, 5)))
    talk.ask("one two", "h1")
    talk.graph.update_state(talk.at(talk.history.tips[0].id), None, as_node="__copy__")
    assert column(talk.history.checkpoints_df(), "source") == ["input", "loop", "loop", "fork"]
    assert talk.spent == [None, None, 15, None]
    assert split(talk.history) == [[0, 15, 15], [0, 0, 0]]


def test_a_real_replay_spends_again_but_not_in_its_fork_checkpoint():
    """input ── h1 ─┬─ h1 m (10+5)              A
    └─ h1 fork ── h1 m (10+5)   B"""
    talk = Talk(answer("m", usage=(10, 5)), answer("m", usage=(10, 5)))
    talk.ask("one two", "h1")
    talk.graph.invoke(None, talk.at(talk.history[1].id))
    assert column(talk.history.checkpoints_df(), "source") == ["input", "loop", "loop", "fork", "loop"]
    assert talk.spent == [None, None, 15, None, 15]
    assert split(talk.history) == [[0, 15, 15], [0, 15, 15]]


def test_a_real_branch_without_usage_is_estimated_apart_from_what_was_reported():
    """input ── h1 ─┬─ h1 m (10+5 reported)                                A
    └─ h1 fork ── h1 n (2 words read + 3 words written)    B"""
    talk = Talk(answer("m", usage=(10, 5)), answer("n", "three more words"))
    talk.ask("one two", "h1")
    talk.graph.invoke(None, talk.at(talk.history[1].id))
    df = talk.history.tokens_df()
    assert df[["input_tokens", "output_tokens", "reported_tokens", "estimated_tokens"]].to_numpy().tolist() == [
        [10, 5, 15, 0],
        [2, 3, 0, 5],
    ]
    assert df.method.tolist() == ["reported", "tokenizer:<lambda>"]
    assert talk.spent == [None, None, 15, None, 5]


def test_a_real_removal_leaves_what_was_spent_and_shortens_the_context():
    """input ── h1 ── h1 m (10+5) ── h1 m ── h1 m h2 ── h1 h2 n (7+3)"""
    talk = Talk(answer("m", usage=(10, 5)), [RemoveMessage("m"), answer("n", "two words", usage=(7, 3))])
    talk.ask("one two", "h1")
    talk.ask("three", "h2")
    assert talk.spent == [None, None, 15, None, None, 10]
    assert talk.history.checkpoints_df().context_tokens.tolist() == [0, 2, 3, 3, 4, 5]
    assert split(talk.history) == [[0, 25, 25]]


def test_two_real_roots_share_nothing():
    """input ── h1 ── h1 m (10+5)   A
    x (its parent does not exist) ── x n (8+2)   B"""
    talk = Talk(answer("m", usage=(10, 5)), answer("n", usage=(8, 2)))
    talk.ask("one two", "h1")
    nowhere = talk.at("1f1e566d-dcf2-601c-8000-81581c52e12a")
    talk.graph.update_state(nowhere, {"messages": [HumanMessage("new", id="x")]}, as_node="__start__")
    talk.graph.invoke(None, talk.at())
    assert len(talk.history.roots) == 2
    assert talk.spent == [None, None, 15, None, 10]
    assert split(talk.history) == [[0, 15, 15], [0, 10, 10]]


def test_a_real_subgraph_that_returns_its_parents_messages_spends_only_its_own():
    """input ── h1 ── h1 a (6+1) ── [review: h1 a m n] ── h1 a m n (10+5 + 20+4)"""
    inner = StateGraph(MessagesState)
    inner.add_node("work", lambda state: {"messages": [answer("m", usage=(10, 5)), answer("n", usage=(20, 4))]})
    inner.add_edge(START, "work")
    outer = StateGraph(MessagesState)
    outer.add_node("chat", lambda state: {"messages": answer("a", usage=(6, 1))})
    outer.add_node("review", inner.compile())
    outer.add_edge(START, "chat")
    outer.add_edge("chat", "review")
    graph = outer.compile(checkpointer=InMemorySaver())
    graph.invoke({"messages": [HumanMessage("one two", id="h1")]}, {"configurable": {"thread_id": "t"}})
    history = fb.connect(graph)["t"]
    assert column(history.checkpoints_df(), "spent_tokens") == [None, None, 7, 39]
    messages = history.messages_df()
    assert messages.message_id.tolist() == ["h1", "a", "m", "n"]
    assert column(messages, "total_tokens") == [None, 7, 15, 24]


def nested(*rows):
    """A tree of (id, parent, the id it is inside of, source, messages), and its values."""
    ns = {None: ""}
    for id_, _, started, *_ in rows:
        ns[id_] = f"{ns[started]}|review:{id_}"
    heads = [Head(id_, above, source=source, ns=ns[host], inside=host) for id_, above, host, source, _ in rows]
    return Tree(heads), [{"messages": row[4]} for row in rows]


def test_a_task_and_the_checkpoint_it_leads_to_spend_a_message_once():
    """1: h ─┬─ 5: h m ── 6: h m o (30+6)                  root graph
    ├┄ 2: h ── 3: h m (10+5) ── 4: h m n (20+4)          in 1's task; n stays there
    └─ 7: h fork ─┬─ 9: h m                       replay
                  └┄ 8: h m (10+5)                in 7's task"""
    h, m, n, o = human("h"), ai("m", usage=(10, 5)), ai("n", usage=(20, 4)), ai("o", usage=(30, 6))
    tree, values = nested(
        ("1", None, None, "loop", [h]),
        ("2", None, "1", "loop", [h]),
        ("3", "2", "1", "loop", [h, m]),
        ("4", "3", "1", "loop", [h, m, n]),
        ("5", "1", None, "loop", [h, m]),
        ("6", "5", None, "loop", [h, m, o]),
        ("7", "1", None, "fork", [h]),
        ("8", None, "7", "loop", [h, m]),
        ("9", "7", None, "loop", [h, m]),
    )
    book = ledger(tree, values, WORDS)
    assert [spent(book, p) for p in range(9)] == [[], [], [15], [24], [], [36], [], [15], []]
    assert book.totals(range(9)).total == 90
    without = ledger(Tree([replace(head, inside=None) for head in tree.heads]), values, WORDS)
    assert [spent(without, p) for p in range(9)] == [[], [], [15], [24], [15], [36], [], [15], [15]]


def test_what_a_task_spent_is_on_the_path_that_it_led_to():
    """1: h ─┬─ 3: h m ── 4: h m o (30+6)    A
    ├┄ 2: h m (10+5)              in 1's task
    └─ 5: h e                     B, an edit: the task is not on its path
          └┄ 6: n (20+4)          in 5's task, which waits"""
    h, m, n, o = human("h"), ai("m", usage=(10, 5)), ai("n", usage=(20, 4)), ai("o", usage=(30, 6))
    tree, values = nested(
        ("1", None, None, "loop", [h]),
        ("2", None, "1", "loop", [h, m]),
        ("3", "1", None, "loop", [h, m]),
        ("4", "3", None, "loop", [h, m, o]),
        ("5", "1", None, "update", [h, human("e")]),
        ("6", None, "5", "loop", [n]),
    )
    book = ledger(tree, values, WORDS)
    whole, shared = book.paths
    assert [spent(book, p) for p in range(6)] == [[], [15], [], [36], [], [24]]
    assert [whole[p].total for p in (0, 2, 3, 4)] == [0, 15, 51, 24]
    assert [shared[p].total for p in (3, 4)] == [0, 0]
    assert book.along([0, 4]) == [0, 4, 5]
    assert (whole[1].total, whole[5].total) == (15, 24)


def test_a_task_within_a_task_spends_once_for_both_levels():
    """1: h ─┬─ 5: h m                     root graph
    └┄ 2: h ─┬─ 4: h              in 1's task, which does not keep m
             └┄ 3: h m (10+5)     in 2's task"""
    h, m = human("h"), ai("m", usage=(10, 5))
    tree, values = nested(
        ("1", None, None, "loop", [h]),
        ("2", None, "1", "loop", [h]),
        ("3", None, "2", "loop", [h, m]),
        ("4", "2", "1", "loop", [h]),
        ("5", "1", None, "loop", [h, m]),
    )
    book = ledger(tree, values, WORDS)
    assert [spent(book, p) for p in range(5)] == [[], [], [15], [], []]


def test_a_tasks_message_spends_once_when_its_parents_checkpoint_comes_first():
    """1: h ─┬─ 2: h m (10+5)    root graph
    ├┄ 3: h m           in 1's task, its clock was late
    └─ 4: h m           an edit by hand with the task's message"""
    h, m = human("h"), ai("m", usage=(10, 5))
    tree, values = nested(
        ("1", None, None, "loop", [h]),
        ("2", "1", None, "loop", [h, m]),
        ("3", None, "1", "loop", [h, m]),
        ("4", "1", None, "update", [h, m]),
    )
    book = ledger(tree, values, WORDS)
    assert [spent(book, p) for p in range(4)] == [[], [15], [], []]


def test_two_tasks_side_by_side_each_spend_what_both_wrote():
    """1: h ─┬─ 4: h m           root graph
    ├┄ 2: h m (10+5)    in 1's one task
    └┄ 3: h m (10+5)    in 1's other task"""
    h, m = human("h"), ai("m", usage=(10, 5))
    tree, values = nested(
        ("1", None, None, "loop", [h]),
        ("2", None, "1", "loop", [h, m]),
        ("3", None, "1", "loop", [h, m]),
        ("4", "1", None, "loop", [h, m]),
    )
    book = ledger(tree, values, WORDS)
    assert [spent(book, p) for p in range(4)] == [[], [15], [15], []]


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
        state("2", "1", {"messages": [ai("m", "once more", (10, 6))]}),
        state("3", "2", {"messages": [ai("m", "once more, later", (22, 9))]}),
    )
    assert [spent(book, p) for p in range(3)] == [[15], [16], [31]]


def test_a_message_in_parts_under_one_id_spends_its_last_report():
    """1: m "He" (10+1) ─┬─ 2: m "Hello" (10+3) ── 3: m "Hello, you" (10+5)
    └─ 4: m "Help" (10+2)"""
    book = accounts(
        state("1", values={"messages": [ai("m", "He", (10, 1))]}),
        state("2", "1", {"messages": [ai("m", "Hello", (10, 3))]}),
        state("3", "2", {"messages": [ai("m", "Hello, you", (10, 5))]}),
        state("4", "1", {"messages": [ai("m", "Help", (10, 2))]}),
    )
    assert [spent(book, p) for p in range(4)] == [[11], [2], [2], [1]]
    whole, _ = book.paths
    assert (whole[2].input, whole[2].output, whole[2].total, whole[3].total) == (10, 5, 15, 12)


def test_a_part_without_a_report_is_no_call_of_its_own():
    book = accounts(
        state("1", values={"messages": [ai("m", "one")]}),
        state("2", "1", {"messages": [ai("m", "one two", (10, 5))]}),
        state("3", "2", {"messages": [ai("m", "one two three")]}),
    )
    assert [spent(book, p) for p in range(3)] == [[], [15], []]


def test_a_report_that_was_taken_off_a_message_counts_however_long_its_context_is():
    asked = human("h", "word " * 100)
    book = accounts(
        state("1", values={"messages": [asked, ai("m", "one", (10, 5))]}),
        state("2", "1", {"messages": [asked, ai("m", "one")]}),
        state("3", "2", {"messages": [asked, ai("m", "one two", (10, 7))]}),
    )
    assert [spent(book, p) for p in range(3)] == [[15], [], [2]]


def test_chunks_of_one_message_that_no_reducer_joined_spend_its_last_report():
    chunks = [
        ai("m", text, usage, type="AIMessageChunk") for text, usage in (("He", None), ("l", (10, 1)), ("lo", (10, 5)))
    ]
    book = accounts(
        state("1", values={"chunks": chunks[:2]}),
        state("2", "1", {"chunks": chunks}),
        state("3", "2", {"chunks": chunks, "messages": [ai("m", "Hello", (10, 5))]}),
    )
    assert [spent(book, p) for p in range(3)] == [[11], [4], []]


def test_what_an_input_brings_spends_nothing_wherever_it_is_taken_up():
    """1: input ── 2: h e (few-shot) ── 3: h e m (10+5) ── 4: input ── 5: all again, no ids ── 6: n (30+2)"""
    h, e, m = human("h"), ai("e", "a long example"), ai("m", usage=(10, 5))
    again = [human(None), ai(None, "a long example"), ai(None, usage=(10, 5)), human(None, "and now?")]
    book = facts_of(
        state("1", values={"messages": []}, source="input", next=["__start__"]),
        state("2", "1", {"messages": [h, e]}, next=["model"]),
        state("3", "2", {"messages": [h, e, m]}),
        state("4", "3", {"messages": [h, e, m]}, source="input", next=["__start__"]),
        state("5", "4", {"messages": again}, next=["model"]),
        state("6", "5", {"messages": [*again, ai("n", usage=(30, 2))]}),
    ).ledger
    assert [spent(book, p) for p in range(6)] == [[], [], [15], [], [], [32]]


def test_without_what_runs_next_the_step_after_an_input_takes_it_up():
    e = ai("e", "an example", (7, 7))
    for source, spends in (("input", []), ("loop", [14])):
        book = facts_of(
            state("1", values={"messages": []}, source=source, next=None),
            state("2", "1", {"messages": [human("h"), e]}, next=None),
        ).ledger
        assert spent(book, 1) == spends


def test_the_first_step_of_a_functional_graph_spends():
    book = facts_of(
        state("1", values=None, source="input", next=["flow"]), state("2", "1", [human("h"), ai("m", usage=(10, 5))])
    ).ledger
    assert spent(book, 1) == [15]


def test_an_edit_that_adds_an_answer_spends_nothing():
    book = facts_of(
        state("1", values={"messages": [human("h")]}),
        state("2", "1", {"messages": [human("h"), ai("m", usage=(10, 5))]}, source="update"),
        state("3", "2", {"messages": [human("h"), ai("m", usage=(10, 5)), ai("n", "by hand")]}, source="update"),
    ).ledger
    assert [spent(book, p) for p in range(3)] == [[], [], []]


def test_a_thread_that_was_rebuilt_from_supersteps_spends_as_the_original_did():
    """1: input ── 2: h (update) ── 3: h m (update, 10+5) ── 4: input ── 5: h m e (update) ── 6: n (update, 30+2)"""
    h, m, e, n = human("h"), ai("m", usage=(10, 5)), ai("e", "given"), ai("n", usage=(30, 2))
    book = facts_of(
        state("1", values={"messages": []}, source="input", next=["__start__"]),
        state("2", "1", {"messages": [h]}, source="update", next=["model"]),
        state("3", "2", {"messages": [h, m]}, source="update"),
        state("4", "3", {"messages": [h, m]}, source="input", next=["__start__"]),
        state("5", "4", {"messages": [h, m, e]}, source="update", next=["model"]),
        state("6", "5", {"messages": [h, m, e, n]}, source="update"),
    ).ledger
    assert [spent(book, p) for p in range(6)] == [[], [], [15], [], [], [32]]


def test_a_hand_off_note_spends_nothing():
    note = ai("back", "Transferring back to supervisor", response_metadata={"__is_handoff_back": True})
    book = accounts(state("1", values={"messages": [human("h")]}), state("2", "1", {"messages": [human("h"), note]}))
    assert spent(book, 1) == []
    assert book.totals([1]).is_nothing


def test_what_a_node_hands_to_its_subgraph_spends_where_the_node_returns_it():
    """1: h ─┬─ 4: h m (10+5) x           root graph; x was there only to show how
    ├┄ 2: nothing ── 3: m x       input of 1's task, made by its node"""
    h, m, x = human("h"), ai("m", usage=(10, 5)), ai("x", "an example", (3, 3))
    tree, values = nested(
        ("1", None, None, "loop", [h]),
        ("2", None, "1", "input", []),
        ("3", "2", "1", "loop", [m, x]),
        ("4", "1", None, "loop", [h, m]),
    )
    book = ledger(tree, values, WORDS)
    assert [spent(book, p) for p in range(4)] == [[], [], [], [15]]


NESTED = [
    {"agents": {"one": [human("h")], "two": [ai("m", usage=(10, 5))]}},
    {"turns": [[human("h"), ai("m", usage=(10, 5))]]},
    {"sub": {"inner": {"messages": [human("h"), ai("m", usage=(10, 5))]}, "n": 1}},
    [human("h"), ai("m", usage=(10, 5))],
    {"__root__": [human("h"), ai("m", usage=(10, 5))]},
    {"pair": {"__type__": "tuple", "value": [human("h"), ai("m", usage=(10, 5))]}},
]


@pytest.mark.parametrize(
    "values", NESTED, ids=lambda values: next(iter(values), "") if isinstance(values, dict) else "list"
)
def test_messages_are_found_wherever_a_state_has_them(values):
    book = accounts(state("1", values={}), state("2", "1", values), state("3", "2", values))
    assert (book.n_messages, [spent(book, p) for p in range(3)]) == ([0, 2, 2], [[], [15], []])


def test_a_message_that_comes_alone_is_a_state_of_its_own():
    m = ai("m", usage=(10, 5), additional_kwargs={})
    book = accounts(state("1", values=None), state("2", "1", m))
    assert (book.n_messages, spent(book, 1)) == ([0, 1], [15])


def test_nested_messages_that_are_added_one_by_one_are_counted_once():
    m, n = ai("m", usage=(10, 5)), ai("n", usage=(20, 4))
    first, second = {"a": [human("h"), m]}, {"a": [human("h")]}
    second = {"a": [*first["a"], n], "b": [m]}
    book = accounts(state("1", values={"agents": first}), state("2", "1", {"agents": second}))
    assert (book.n_messages, [spent(book, p) for p in range(2)]) == ([2, 3], [[15], [24]])


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
    """1(10) ── 2(20) ─┬─ 3(30)               A
    └─ 4(40) ─┬─ 5(50)     B
              └─ 6(60)     C"""

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


@pytest.mark.parametrize(
    ("metadata", "reported", "estimated"),
    [
        ({"model": "llama3.1", "eval_count": 71}, 71, 3),
        ({"model": "llama3.1", "prompt_eval_count": None, "eval_count": 71}, 71, 3),
        ({"model": "llama3.1", "prompt_eval_count": 32}, 32, 2),
        ({"token_usage": {"completion_tokens": 7}}, 7, 3),
        ({"model": "llama3.1"}, 0, 5),
        ({"eval_count": "many"}, 0, 5),
    ],
)
def test_of_half_a_report_the_other_half_is_estimated(metadata, reported, estimated):
    """Ollama does not count a prompt that it had in its cache."""
    question, answer = human("q", "what is it"), ai("m", "one two", response_metadata=metadata)
    book = accounts(
        state("1", values={"messages": [question]}),
        state("2", "1", {"messages": [question, answer]}, step=1),
    )
    sums = book.total
    assert (sums.total, sums.reported, sums.estimated) == (reported + estimated, reported, estimated)
    assert book.method(sums) == ("mixed" if reported else WORDS.name)


def test_details_of_the_cache_and_of_reasoning_are_null_where_nobody_reported_them():
    """1: m (100+50, of it 30 read from the cache, 20 reasoning) ── 2: n (8+2) ── 3: o (60+5, of it 40 to the cache)"""
    reports = (
        {"input_tokens": 100, "output_tokens": 50, "input_token_details": {"cache_read": 30, "audio": 1},
         "output_token_details": {"reasoning": 20}},
        {"input_tokens": 8, "output_tokens": 2, "input_token_details": {"cache_read": None}},
        {"input_tokens": 60, "output_tokens": 5, "output_token_details": {"flex_reasoning": 3},
         "input_token_details": {"cache_creation": 0, "ephemeral_5m_input_tokens": 15, "ephemeral_1h_input_tokens": 25}}
    )  # fmt: skip
    messages = [ai(f"m{n}", usage_metadata=report) for n, report in enumerate(reports)]
    facts = facts_of(
        state("1", values={"messages": messages[:1]}),
        state("2", "1", {"messages": messages[:2]}),
        state("3", "2", {"messages": messages}),
    )
    names = ("cache_read_tokens", "cache_creation_tokens", "reasoning_tokens")
    by_hand = [[30, None, 20], [None, None, None], [None, 40, 3]]
    for rows in (checkpoints_rows, messages_rows):
        assert [[row[name] for name in names] for row in rows(facts)] == by_hand
    assert [[row[name] for name in names] for row in tokens_rows(facts)] == [[30, 40, 23]]


ANSWERS = st.lists(
    st.tuples(
        st.integers(0, 6),  # which id: the same ones come up again on other branches
        st.sampled_from([None, (0, 0), (9, 1), (20, 5)]),  # reported or not
        st.integers(0, 3),  # words
    ),
    max_size=3,
)
SOURCES = st.sampled_from(["loop", "loop", "input", "update", "fork"])


@pytest.mark.long
@settings(deadline=None)
@given(parents, st.lists(ANSWERS, min_size=60, max_size=60), st.lists(SOURCES, min_size=60, max_size=60))
def test_every_sum_of_spent_tokens_agrees_with_a_close_look(parents, answers, sources):
    """shared + own = total; reported + estimated = total; frames add up; each checkpoint counts once."""
    ids = [f"{n:08x}" for n in range(len(parents))]
    states = []
    for n, parent in enumerate(parents):
        messages = {} if parent is None else {m["id"]: m for m in states[parent]["values"]["messages"]}
        for id_, usage, words in answers[n]:
            messages[f"m{id_}"] = ai(f"m{id_}", f"{n} " + "word " * words, usage)
        above = None if parent is None else ids[parent]
        after = ["__start__"] if sources[n] == "input" else []
        states.append(state(ids[n], above, {"messages": list(messages.values())}, source=sources[n], next=after))
    facts = replace(facts_of(*states), counter=WORDS)
    book = facts.ledger
    by_hand = [looked_at_closely(facts, n) for n in range(len(parents))]

    checkpoints, messages = list(checkpoints_rows(facts)), list(messages_rows(facts))
    assert [row["spent_tokens"] for row in checkpoints] == by_hand
    in_all = sum(filter(None, by_hand))
    assert in_all == sum(row.get("total_tokens") or 0 for row in messages) == book.totals(range(len(parents))).total
    for row, tip in zip(tokens_rows(facts), facts.tree.tips_by_branch, strict=True):
        path = facts.tree.lineage(tip)
        others = {n for other in facts.tree.tips if other != tip for n in facts.tree.lineage(other)}
        assert row["total_tokens"] == sum(by_hand[n] or 0 for n in path)
        assert row["shared_tokens"] == sum(by_hand[n] or 0 for n in path if n in others)
        assert row["shared_tokens"] + row["own_tokens"] == row["total_tokens"]
        assert row["reported_tokens"] + row["estimated_tokens"] == row["total_tokens"]


def looked_at_closely(facts, position):
    """What a checkpoint spent, straight from the definition: every ancestor's whole state is looked at."""
    *above, here = facts.tree.lineage(position)
    held = [facts.states[n]["values"]["messages"] for n in above]
    before, spent = held[-1] if held else [], []
    for message in facts.states[here]["values"]["messages"]:
        paid = any(
            m["id"] == message["id"] and m["usage_metadata"] == message["usage_metadata"] for ms in held for m in ms
        )
        if role(message) != "ai" or message in before or paid or not runs_a_graph(facts.tree, here):
            continue
        reported = message["usage_metadata"]
        read = sum(map(WORDS.count, before))
        spent.append(reported["total_tokens"] if reported else read + WORDS.count(message))
    return sum(spent) if spent else None


def runs_a_graph(tree, position):
    """Whether a step of the graph led to a checkpoint, and not a person, an input that is taken up, or a replay."""
    sources = [tree.heads[n].source for n in tree.lineage(position)]
    if sources[-2:-1] == ["input"] and sources[-1] != "fork":
        return False
    rebuilt = "input" in sources and "loop" not in sources
    return sources[-1] == "loop" or (sources[-1] == "update" and rebuilt)


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


@pytest.mark.long
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
