"""Marks on a tree are found as the definition of kinship says, on trees with subgraphs; siblings cost each the same."""

import sys
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws

from forkbook.model.tree import Head, Tree
from forkbook.tokens import ancestry, ledger
from forkbook.tokens.kinship import Kinship, Marks

NAMESPACES = ("", "a:1", "a:2", "a", "a:1|b:1", "a|b:1")


@st.composite
def nested_trees(draw):
    """Trees of several namespaces, each checkpoint within any earlier one that is further out."""
    heads = []
    for number in range(draw(st.integers(1, 24))):
        ns = draw(st.sampled_from(NAMESPACES if heads else NAMESPACES[:1]))
        above = [head.id for head in heads if head.ns == ns]
        around = [head.id for head in heads if len(head.ns) < len(ns)]
        parent, inside = (draw(st.sampled_from([None, *ids])) for ids in (above, around))
        heads.append(Head(f"{number:04x}", parent, number, "loop", ns=ns, inside=inside))
    return Tree(heads)


def related(tree):
    """Two tests by definition: whether a position's line has an earlier one, and whether it is akin to it."""
    covers, kin = ancestry(tree), Kinship(tree)

    def on_line(at, position):
        return covers(at, position) or any(covers(at, host) for host in kin.hosts_of(position))

    def from_task(at, position):
        parent = tree.parents[position]
        ends = [end for end in tree.nested.get(parent, []) if not inside(parent, tree.children[end])]
        return parent >= 0 and (parent in kin.hosts_of(at) or any(covers(at, end) for end in ends))

    def inside(host, children):
        return any(tree.inside[child] == host for child in children)

    def akin(at, position):
        return on_line(at, position) or from_task(at, position) or from_task(position, at)

    return on_line, akin


@pytest.mark.long
@laws(400)
@given(nested_trees(), st.data())
def test_marks_are_found_as_the_definition_says(tree, data):
    on_line, akin = related(tree)
    marks, marked = Marks(Kinship(tree)), []
    for position in range(len(tree)):
        for found, is_related in ((marks.on_line, on_line), (marks.akin, akin)):
            numbers = list(found(position))
            assert numbers == sorted(numbers, reverse=True)
            assert set(numbers) == {n for n, at in enumerate(marked) if is_related(at, position)}
        for _ in range(data.draw(st.integers(0, 2))):
            marks.add(position)
            marked.append(position)


def siblings(count, message):
    """A checkpoint and so many children of it that hold the same message."""
    heads = [Head("00000", None, 0, "loop"), *(Head(f"{n:05x}", "00000", 1, "loop") for n in range(1, count + 1))]
    return Tree(heads), [{"messages": []}, *({"messages": [dict(message)]} for _ in range(count))]


def calls(work):
    """How many calls of Python functions a piece of work makes."""
    made = 0

    def count(frame, event, argument):
        nonlocal made
        made += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("message", [{"id": "a"}, {}, {"usage_metadata": {"input_tokens": 5, "output_tokens": 2}}])
def test_siblings_that_say_the_same_spend_each_without_a_look_at_the_others(message):
    say = {"type": "ai", "content": "the same"} | message
    ledger(*siblings(2, say))  # what is loaded once
    few, many = (calls(partial(ledger, *siblings(count, say))) for count in (100, 400))
    assert many < 5 * few
    accounts = ledger(*siblings(100, say))
    assert [len([item for item in new if item.spend]) for new in accounts.new] == [0, *[1] * 100]
