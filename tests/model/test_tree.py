import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import parents, tree_of

from forkbook.errors import ProtocolError
from forkbook.model.tree import Head, Tree, branch_label


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
    with pytest.raises(ProtocolError, match="'2' is its own ancestor: its parents lead to '3', '2', so"):
        Tree([Head("1", None), Head("2", "3"), Head("3", "2"), Head("4", "2")])
    with pytest.raises(ProtocolError, match="'2' is its own ancestor: its parents lead to '2', so"):
        Tree([Head("1", None), Head("2", "2")])
    with pytest.raises(ProtocolError, match="1 occurs twice"):
        Tree([Head("1", None), Head("1", None)])


def test_an_empty_id_is_an_id_as_any_other_and_a_root_is_no_child_of_it():
    tree = Tree([Head("", "1"), Head("1", None), Head("2", "1")])
    assert [head.id for head in tree.heads] == ["1", "", "2"]
    assert tree.parents == [-1, 0, 0]
    with pytest.raises(ProtocolError, match="'' is its own ancestor"):
        Tree([Head("", "")])


@given(st.lists(st.tuples(st.sampled_from(["", "1", "2", "3", "4"]), st.sampled_from([None, "", "1", "2", "3", "4"]))))
def test_any_parents_at_all_make_a_tree_or_are_refused(pairs):
    try:
        tree = Tree([Head(id_, parent) for id_, parent in pairs])
    except ProtocolError:
        return
    assert all(parent < position for position, parent in enumerate(tree.parents))


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


def inner(id_, parent=None, ns="a:1", inside=None):
    return Head(id_, parent, ns=ns, inside=inside)


def test_subgraphs_stand_inside_and_leave_the_labels_of_the_root_graph_alone():
    root = [Head("1", None), Head("2", "1"), Head("6", "1")]
    nested = [inner("3", inside="2"), inner("4", "3", inside="2"), inner("5", "3", inside="2")]
    deep = [inner("45", ns="a:1|b:2", inside="4")]
    tree = Tree([*root, *nested, *deep])
    assert [head.id for head in tree.heads] == ["1", "2", "3", "4", "45", "5", "6"]
    assert tree.inside == [-1, -1, 1, 1, 3, 1, -1]
    assert tree.outwards(4) == [3, 1]
    assert tree.nested == {1: [2, 3, 5], 3: [4]}
    assert [tree.label(p) for p in range(7)] == ["A", "A", "A", "A", "A", "B", "B"]
    assert tree.outer == 2
    assert tree.numbers == {"": {"A": 0, "B": 1}, "a:1": {"A": 2, "B": 4}, "a:1|b:2": {"A": 3}}
    assert [tree.tips_by_branch[n] for n in range(5)] == [1, 6, 3, 4, 5]


def test_a_host_that_is_missing_or_further_in_is_none():
    tree = Tree([Head("1", None), inner("2", inside="9"), inner("3", ns="a", inside="2"), Head("4", "2")])
    assert tree.inside == [-1, -1, -1, -1]
    assert tree.parents == [-1, -1, -1, -1]


def test_a_host_comes_first_where_clocks_disagreed():
    tree = Tree([Head("1", None), Head("5", "1"), inner("2", inside="5"), inner("3", "2", inside="5")])
    assert [head.id for head in tree.heads] == ["1", "5", "2", "3"]


@given(parents, st.data())
def test_labels_stay_when_subgraphs_are_read(parents, data):
    tree = tree_of(parents)
    hosts = data.draw(st.lists(st.integers(0, max(len(tree) - 1, 0)), max_size=20)) if len(tree) else []
    nested = [inner(f"{host:08x}-{n}", ns=f"a:{host}", inside=f"{host:08x}") for n, host in enumerate(hosts)]
    both = Tree([*tree.heads, *nested])
    assert [both.label(both.index[head.id]) for head in tree.heads] == [tree.label(p) for p in range(len(tree))]
    assert [both.heads[p].id for p in both.tips_by_branch[: both.outer]] == [
        tree.heads[p].id for p in tree.tips_by_branch
    ]
