"""Which messages each state holds, and what it costs to tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws
from shapes import ai, facts_of, human, state

import forkbook.model.messages
from forkbook.model.holdings import holdings
from forkbook.model.messages import messages_in

POOL = [human("h", "one"), ai("m", "two"), {**ai("m", "two"), "content": "other"}, {**ai("", "two"), "id": None}]
DEEDS = st.sampled_from(["append", "append to both", "drop the first", "nothing", "list", "nested", "fork"])


def line_of(deeds):
    """States that come one from the other by these deeds, sharing what did not change; a fork leaves the one before."""
    values, states, parent = {"messages": [], "notes": {"a": [], "b": []}, "todos": []}, [], None
    for n, (deed, place) in enumerate(deeds):
        above, message = parent, POOL[place]
        values = dict(states[int(above)]["values"]) if above is not None else values
        notes, held = values["notes"], values["messages"]
        if deed in ("append", "append to both"):
            values["messages"] = [*held, message]
        if deed == "append to both":
            values["notes"] = {**notes, "a": [*notes["a"], message]}
        if deed == "drop the first":
            values["messages"] = held[1:]
        if deed == "list":
            values["todos"] = [f"todo {n}"] if place else [{"say": message}]
        if deed == "nested":
            values["notes"] = {"a": notes["a"], "b": [*notes["b"], {"inside": [message, message]}]}
        states.append(state(f"{n:08d}", above, values, step=n))
        parent = above if deed == "fork" and above else f"{n:08d}"
    return states


@pytest.mark.long
@given(st.lists(st.tuples(DEEDS, st.integers(0, len(POOL) - 1)), min_size=1, max_size=12))
@laws(200)
def test_holdings_are_what_each_state_says_by_itself(deeds):
    facts = facts_of(*line_of(deeds))
    for position, (here, found) in enumerate(zip(facts.states, facts.holdings, strict=True)):
        held, parent = dict(messages_in(here["values"])), facts.tree.parents[position]
        before = dict(messages_in(facts.states[parent]["values"])) if parent >= 0 else {}
        assert found.n_held == len(held)
        assert {key for key in before if key not in found.gone} | found.fresh.keys() == held.keys()
        assert all(held[key] == message for key, message in found.fresh.items())


def test_messages_without_ids_are_compared_once_however_many_are_alike(monkeypatch):
    calls, canonical = [], forkbook.model.messages.canonical
    monkeypatch.setattr(forkbook.model.messages, "canonical", lambda value: calls.append(value) or canonical(value))
    said = {**ai("", "done"), "id": None}
    states, held = [], []
    for n in range(60):
        held = [*held, said]
        states.append(state(f"{n:08d}", f"{n - 1:08d}" if n else None, {"messages": held, "todos": [str(n)]}, step=n))
    facts = facts_of(*states)
    assert [found.n_held for found in holdings(facts.tree, [s["values"] for s in states])] == list(range(1, 61))
    assert len(calls) <= 2 * len(states)
