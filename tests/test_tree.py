import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import tree_of

from forkbook.errors import ProtocolError
from forkbook.tree import Head, Tree, branch_label

parents = st.lists(st.integers(0, 10**6), max_size=60).map(
    lambda picks: [None if n == 0 or pick % 11 == 0 else pick % n for n, pick in enumerate(picks)]
)


def test_oldest_child_continues_its_parents_branch_and_the_others_start_new_ones():
    #  0 ── 1 ── 2          A
    #       ├─── 3 ── 5     B
    #       │    └─── 6     D
    #       └─── 4          C
    tree = tree_of([None, 0, 1, 1, 1, 3, 3])
    assert [tree.label(p) for p in range(7)] == ["A", "A", "A", "B", "C", "B", "D"]
    assert tree.fork_points == [1, 3]
    assert tree.tips == [2, 4, 5, 6]
    assert tree.tips_by_branch == [2, 5, 4, 6]
    assert tree.lineage(6) == [0, 1, 3, 6]
    assert tree.common_ancestor(6, 2) == 1
    assert tree.tips_below == [4, 4, 1, 2, 1, 1, 1]


def test_every_root_starts_a_branch_and_has_no_common_ancestor_with_another():
    tree = tree_of([None, 0, None, 2])
    assert [tree.label(p) for p in range(4)] == ["A", "A", "B", "B"]
    assert tree.common_ancestor(1, 3) is None


def test_a_parent_that_is_not_there_makes_a_dangling_root():
    tree = Tree([Head("2", "1"), Head("3", "2")])
    assert (tree.roots, tree.dangling) == ([0], [0])


def test_no_checkpoints_at_all():
    tree = Tree([])
    assert (len(tree), tree.tips, tree.roots, tree.labels) == (0, [], [], [])


def test_labels_go_on_after_z():
    assert [branch_label(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_parent_comes_first_where_clocks_disagreed():
    tree = Tree([Head("1", "5"), Head("2", "1"), Head("5", None), Head("3", None)])
    assert [head.id for head in tree.heads] == ["3", "5", "1", "2"]


def test_what_is_no_tree_is_refused_by_name():
    with pytest.raises(ProtocolError, match="2 is its own ancestor"):
        Tree([Head("1", None), Head("2", "3"), Head("3", "2")])
    with pytest.raises(ProtocolError, match="1 occurs twice"):
        Tree([Head("1", None), Head("1", None)])


@given(parents)
def test_branches_partition_the_tree_and_end_in_tips(parents):
    tree = tree_of(parents)
    assert sorted(tree.tips) == sorted(tree.tips_by_branch)
    for number, (start, end) in enumerate(zip(tree.starts, tree.tips_by_branch, strict=True)):
        path = [p for p in tree.lineage(end) if p >= start]
        assert [p for p in range(len(tree)) if tree.branches[p] == number] == path


@given(parents, st.data())
def test_labels_stay_when_checkpoints_are_added(parents, data):
    cut = data.draw(st.integers(0, len(parents)))
    before, after = tree_of(parents[:cut]), tree_of(parents)
    assert [before.label(p) for p in range(cut)] == [after.label(p) for p in range(cut)]


@given(parents, st.data())
def test_common_ancestor_is_the_last_that_both_lineages_share(parents, data):
    tree = tree_of(parents)
    if len(tree):
        a, b = (data.draw(st.integers(0, len(tree) - 1)) for _ in "ab")
        both = set(tree.lineage(a)) & set(tree.lineage(b))
        assert tree.common_ancestor(a, b) == max(both, default=None)
