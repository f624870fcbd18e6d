"""Two and more checkpoints side by side; the demo's numbers are worked out in forkbook/demo/seed.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws
from shapes import ai, facts_of, human, state

import forkbook as fb
from forkbook.compare.many import Overview
from forkbook.compare.side import Side
from forkbook.compare.two import compare
from forkbook.frames import tokens_rows


@pytest.fixture
def branches(book, demo_threads):
    return book[demo_threads["branches"]]


def test_where_two_branches_parted_and_what_each_spent(branches):
    found = branches.compare("A", "C")
    assert (found.shared_tokens, found.own_a, found.own_b) == (21, 20 + 23 + 41, 18 + 21 + 42)
    assert found.ancestor == branches[6].id
    assert (found.first_a, found.first_b) == (branches[7].id, branches[13].id)
    tokens = found.tokens_df().set_index("side")
    assert tokens.input_tokens.to_dict() == {"shared": 5 + 10, "a": 17 + 21 + 27, "b": 15 + 19 + 25}
    assert tokens.n_checkpoints.to_dict() == {"shared": 7, "a": 6, "b": 7}
    assert (tokens.seconds > 0).all()


def test_which_tasks_ran_on_each_side(branches):
    ran = branches.compare("A", "B").tasks_df()
    names = ran.groupby("side", observed=True).name.agg(list)
    assert names["a"] == ["chat", "tools", "chat", "__start__", "chat"]
    assert names["b"] == ["chat", "tools", "chat", "__start__", "chat", "tools", "chat"]
    assert ran.finished.all()


def test_a_failed_task_is_among_those_that_ran(book, demo_threads):
    trouble = book[demo_threads["trouble"]]
    ran = trouble.compare(trouble[0], "A").tasks_df().iloc[-1]
    assert (ran["name"], bool(ran.finished)) == ("tools", False)
    assert "ZeroDivisionError" in ran.error


def test_the_states_differ_by_what_was_edited(book, demo_threads):
    found = book[demo_threads["time travel"]].compare("A", "B")
    kinds = {(change.path[0], change.kind) for change in found.diff}
    assert {("topic", "changed"), ("joke", "changed")} <= kinds


def test_a_checkpoint_and_its_ancestor_have_nothing_apart_on_one_side(branches):
    found = branches.compare(branches[6], "A")
    assert (found.own_a, found.first_a, found.first_b) == (0, None, branches[7].id)
    assert found.shared_tokens == 21


def test_roots_have_nothing_in_common():
    facts = facts_of(state("1", source="input"), state("2", source="input"))
    found = compare(Side(facts, 0), Side(facts, 1))
    assert (found.ancestor, found.parted_at, found.shared_tokens, found.method) == (None, "", 0, "none")
    assert "different roots" in repr(found)


def test_a_branch_of_a_copy_parts_where_it_did_in_the_original(book, branches):
    copied = book[book.copy(branches.thread_id).new_thread_id]
    across = branches.compare("A", copied.at(branch="C"))
    within = branches.compare("A", "C")
    assert (across.ancestor, across.shared_tokens, across.own_a, across.own_b) == (
        within.ancestor, within.shared_tokens, within.own_a, within.own_b,
    )  # fmt: skip
    assert across.labels == (f"A of {branches.thread_id[-6:]}", f"C of {copied.thread_id[-6:]}")


def test_many_branches_have_a_row_each(branches):
    found = fb.compare(branches.tips)
    df = found.df().set_index("label")
    assert df.shared_tokens.to_dict() == {"A": 21, "B": 60, "C": 60}
    assert df.own_tokens.to_dict() == {"A": 84, "B": 61, "C": 42}
    assert (df.shared_tokens + df.own_tokens == df.total_tokens).all()
    assert found.total_tokens == 247
    assert df.parted_at_id["C"] == branches[16].id
    assert df.parted_at["C"] == f"{branches[16].title} {branches[16].short_id}"
    assert df.parted_at["C"] in found._repr_html_()
    assert df.n_since["C"] == len(branches.tips[2].lineage) - len(branches[16].lineage)
    assert df.text["B"] == "Done: 2.5"
    assert found.pair("A", "C").own_b == 81


def test_a_history_is_compared_by_its_tips(branches):
    assert fb.compare(branches).df().equals(fb.compare(branches.tips).df())


def test_shared_is_what_the_chosen_ones_share(branches):
    df = fb.compare([branches.at(branch="A"), branches.at(branch="C")]).df().set_index("label")
    assert df.shared_tokens.to_dict() == {"A": 21, "C": 21}
    assert df.own_tokens.to_dict() == {"A": 84, "C": 81}


def test_prices_of_a_path(branches):
    priced = fb.compare(branches.tips).df(prices={"sample-model": {"input": 1_000_000, "output": 2_000_000}})
    assert priced.cost.tolist() == [80 + 2 * 25, 105 + 2 * 16, 74 + 2 * 28]
    assert (priced.shared_cost + priced.own_cost == priced.cost).all()
    assert priced.own_cost.tolist() == [65 + 2 * 19, 56 + 2 * 5, 25 + 2 * 17]
    assert "cost" not in fb.compare(branches.tips).df()


def test_prices_of_what_two_have_in_common_and_apart(branches):
    found = branches.compare("A", "C")
    priced = found.tokens_df(prices={"sample-model": {"input": 1, "output": 1}})
    assert (priced.cost * 1e6).tolist() == pytest.approx(priced.total_tokens.tolist())
    assert "cost" not in found.tokens_df()


def test_what_subgraphs_spent_is_on_the_paths_that_their_tasks_led_to():
    """1: h ─┬─ 3: h                    A
    ├┄ 2: h m (10+5)        in 1's task, which keeps m to itself
    └─ 4: h edit ─┬─ 6: h            B
                  └┄ 5: h n (20+4)    in 4's task"""
    h = human("h")

    def said(id_, *usage):
        return ai(id_, usage=usage, response_metadata={"model": "x"})

    def within(id_, host, *messages):
        inner = state(id_, values={"messages": [h, *messages]})
        inner["checkpoint"]["checkpoint_ns"] = f"review:{host}"
        inner["metadata"]["parents"] = {"": host}
        return inner

    facts = facts_of(
        state("1", values={"messages": [h]}),
        within("2", "1", said("m", 10, 5)),
        state("3", "1", {"messages": [h]}),
        state("4", "1", {"messages": [h]}, source="update"),
        within("5", "4", said("n", 20, 4)),
        state("6", "4", {"messages": [h]}),
    )
    found = compare(Side(facts, 2), Side(facts, 5))
    assert (found.shared_tokens, found.own_a, found.own_b, found.method) == (0, 15, 24, "reported")
    every = Overview({"A": Side(facts, 2), "B": Side(facts, 5)})
    df = every.df(prices={"x": {"input": 1_000_000, "output": 1_000_000}})
    assert df[["own_tokens", "total_tokens", "cost"]].to_numpy().tolist() == [[15, 15, 15.0], [24, 24, 24.0]]
    assert df.total_tokens.tolist() == [row["total_tokens"] for row in tokens_rows(facts)]
    assert every.total_tokens == 39
    assert every.figure().data


def test_a_message_that_one_side_edited_is_paid_once():
    h, m = human("h"), ai("m", "hello", (10, 5))
    facts = facts_of(
        state("1", values={"messages": [h, m]}),
        state("2", "1", {"messages": [h, m, human("i")]}),
        state("3", "1", {"messages": [h, ai("m", "edited", (10, 5))]}, source="update"),
        state("4", "3", {"messages": [h, ai("m", "edited", (10, 5)), human("j")]}),
    )
    df = compare(Side(facts, 1), Side(facts, 2)).messages_df()
    paid = df[df.message_id == "m"].set_index("side")
    assert paid.total_tokens.fillna(0).to_dict() == {"a": 15, "b": 0}
    assert paid.method.to_dict() == {"a": "reported", "b": "none"}
    assert compare(Side(facts, 2), Side(facts, 3)).messages_df().total_tokens.sum() == 15, "both hold the edited one"


def test_names_tell_threads_and_checkpoints_apart(book, branches, demo_threads):
    other = book[demo_threads["memory"]]
    found = fb.compare([branches.tips[0], other.tips[0], branches[3], branches[3]])
    end = branches.thread_id[-6:]
    short = branches[3].short_id
    assert list(found.sides) == [
        f"A of {end}",
        f"A of {other.thread_id[-6:]}",
        f"A of {end} {short}",
        f"A of {end} (2)",
    ]
    assert list(fb.compare({"first": branches.tips[0], "second": other.tips[0]}).sides) == ["first", "second"]


@pytest.mark.parametrize(
    ("given", "said"),
    [([], "at least one"), (["A"], r"takes checkpoints.*history\.pick\('A'\)"), (7, "takes checkpoints")],
    ids=["none", "label", "number"],
)
def test_what_is_no_checkpoint_is_refused(given, said):
    with pytest.raises(fb.InvalidInput, match=said):
        fb.compare(given)


def test_html_escapes_what_people_wrote():
    evil = "<script>alert(1)</script>"
    facts = facts_of(
        state("1", source="input"),
        state("2", "1", {"messages": [human(evil, evil)], evil: evil}),
        state("3", "1", {"messages": [ai(evil, evil)], "x": evil}, tasks=[{"name": evil, "error": evil}]),
    )
    sides = (Side(facts, 1), Side(facts, 2))
    shown = compare(*sides)._repr_html_() + Overview(dict(zip((evil, "b"), sides, strict=True)))._repr_html_()
    assert evil not in shown
    assert "&lt;script&gt;" in shown


@st.composite
def trees(draw):
    """States of a random tree whose checkpoints hold their parent's messages and some of their own."""
    made = []
    for n in range(draw(st.integers(1, 9))):
        parent = draw(st.none() | st.integers(0, n - 1)) if n else None
        messages = list(made[parent]["values"]["messages"]) if parent is not None else []
        for k in range(draw(st.integers(0, 2))):
            usage = draw(st.none() | st.tuples(st.integers(0, 99), st.integers(0, 99)))
            messages.append(ai(f"m{draw(st.integers(0, 5))}", usage=usage) if k else human(f"h{n}"))
        source = draw(st.sampled_from(["loop", "update", "fork", "input"]))
        of = None if parent is None else f"{parent:04x}"
        made.append(state(f"{n:04x}", of, {"messages": messages}, source=source, tasks=[{"name": "node"}]))
    return facts_of(*made)


@pytest.mark.long
@laws(150)
@given(trees(), st.data())
def test_a_comparison_mirrors(facts, data):
    a, b = (Side(facts, data.draw(st.integers(0, len(facts.tree) - 1))) for _ in range(2))
    one, other = compare(a, b), compare(b, a)
    assert (one.ancestor, one.parted_at, one.method) == (other.ancestor, other.parted_at, other.method)
    assert (one.shared_tokens, one.own_a, one.own_b) == (other.shared_tokens, other.own_b, other.own_a)
    assert one.seconds == other.seconds[::-1]
    assert bool(one.diff) == bool(other.diff)
    said, paid = (one.messages_df(), other.messages_df()), ("message_id", "total_tokens")
    assert mirrored(said[0], *paid) == plain(said[1], *paid)
    ran, how = (one.tasks_df(), other.tasks_df()), ("checkpoint_id", "finished")
    assert mirrored(ran[0], *how) == plain(ran[1], *how)


def plain(df, *columns):
    return sorted(map(str, df[["side", *columns]].itertuples(index=False, name=None)))


def mirrored(df, *columns):
    return plain(df.assign(side=df.side.astype("object").replace({"a": "b", "b": "a"})), *columns)


@pytest.mark.long
@laws(100)
@given(trees())
def test_an_overview_of_all_tips_counts_each_checkpoint_once(facts):
    found = Overview({str(tip): Side(facts, tip) for tip in facts.tree.tips})
    df = found.df()
    assert (df.shared_tokens + df.own_tokens == df.total_tokens).all()
    assert found.total_tokens == facts.ledger.totals(range(len(facts.tree))).total
