"""Lanes: no two lines of the picture ever cross, and lanes are used again."""

import subprocess
import sys
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws

from forkbook.model.tree import Head, Tree
from forkbook.plot.tree.lanes import lanes

DANGLING = -2


def tree_of(parents: list[int]) -> Tree:
    """A tree from each position's parent; -1 is a root, -2 a root whose parent is missing."""
    names = {-1: None, DANGLING: "f" * 8}
    return Tree([Head(f"{i:08x}", names.get(parent, f"{parent:08x}")) for i, parent in enumerate(parents)])


@st.composite
def parent_lists(draw: st.DrawFn) -> list[int]:
    """Histories: many go on from the newest, many fork anywhere or at one point again and again, some are new roots."""
    parents: list[int] = []
    for position in range(draw(st.integers(1, 45))):
        anywhere = st.integers(0, position - 1) if position else st.just(-1)
        newest = st.just(position - 1)
        favourite = st.just(min(3, position - 1))
        rare = st.sampled_from([-1, DANGLING])
        parents.append(draw(st.one_of(newest, anywhere, anywhere, newest, favourite, anywhere | rare)))
    return parents


@st.composite
def nested_trees(draw: st.DrawFn) -> Tree:
    """Histories with subgraphs: each checkpoint goes on in its namespace, forks there, or begins a subgraph's."""
    heads: list[Head] = []
    for position in range(draw(st.integers(1, 45))):
        at = draw(st.integers(0, position - 1) | st.just(position - 1)) if position else -1
        kind = draw(st.sampled_from(["on", "on", "on", "inside", "root"])) if heads else "root"
        if kind == "on":
            heads.append(Head(f"{position:08x}", f"{at:08x}", ns=heads[at].ns, inside=heads[at].inside))
        elif kind == "inside":
            ns = f"{heads[at].ns}|n:{draw(st.sampled_from([at, 'memory']))}"
            heads.append(Head(f"{position:08x}", None, ns=ns, inside=f"{at:08x}"))
        else:
            heads.append(Head(f"{position:08x}", None))
    return Tree(heads)


def verticals(tree: Tree, columns: list[int]) -> list[tuple[int, int, int, int]]:
    """For each branch: its lane, the first and the last row it fills, and the row it forks from (-1: none)."""
    forks = [tree.parents[start] if tree.parents[start] >= 0 else tree.inside[start] for start in tree.starts]
    firsts = [start if fork < 0 else fork for start, fork in zip(tree.starts, forks, strict=True)]
    return list(zip(columns, firsts, tree.tips_by_branch, forks, strict=True))


def crossings(tree: Tree, columns: list[int]) -> list[str]:
    """Every place where two lines share a point that is not their common fork point's row."""
    found = []
    lines = verticals(tree, columns)
    for (lane, first, last, _), (other, begin, end, _) in combinations(lines, 2):
        if lane == other and first <= end and begin <= last:
            found.append(f"two branches in lane {lane} between rows {max(first, begin)} and {min(last, end)}")
    for lane, _, _, fork in lines:
        if fork < 0:
            continue
        start = columns[tree.branches[fork]]
        if start >= lane:
            found.append(f"a branch in lane {lane} is not right of its parent in lane {start}")
        for other, begin, end, origin in lines:
            if start < other < lane and begin <= fork <= end and origin != fork:
                found.append(f"the line from row {fork} to lane {lane} crosses lane {other}")
    return found


@pytest.mark.long
@laws(600)
@given(parent_lists())
def test_no_two_lines_cross(parents: list[int]) -> None:
    tree = tree_of(parents)
    assert crossings(tree, lanes(tree)) == []


@pytest.mark.long
@laws(600)
@given(nested_trees())
def test_no_two_lines_cross_where_subgraphs_stand_inside(tree: Tree) -> None:
    assert crossings(tree, lanes(tree)) == []


def test_a_subgraph_stands_beside_its_checkpoint_and_later_branches_further_right() -> None:
    heads = [Head("0", None), Head("1", "0"), Head("2", None, ns="a:1", inside="1"), Head("3", "2", ns="a:1")]
    tree = Tree([*heads, Head("4", "1"), Head("5", "1")])
    assert [lanes(tree)[tree.branches[position]] for position in range(6)] == [0, 0, 1, 1, 0, 2]


@pytest.mark.long
@laws(300)
@given(parent_lists())
def test_every_lane_is_as_far_left_as_its_neighbours_allow(parents: list[int]) -> None:
    tree = tree_of(parents)
    columns = lanes(tree)
    lines = verticals(tree, columns)
    for lane, first, last, fork in lines:
        if fork < 0 or lane == columns[tree.branches[fork]] + 1:
            continue
        assert any(other == lane - 1 and begin <= last and first <= end for other, begin, end, _ in lines)


def test_the_check_sees_a_crossing() -> None:
    tree = tree_of([-1, 0, 1, 1, 0])
    assert lanes(tree) == [0, 1, 2]
    assert crossings(tree, [0, 2, 1])
    assert crossings(tree, [0, 1, 1])


def test_a_line_is_one_lane_and_nothing_is_none() -> None:
    assert lanes(tree_of([])) == []
    assert lanes(tree_of([-1, 0, 1, 2])) == [0]


def test_short_branches_share_a_lane() -> None:
    parents = [-1]
    trunk = 0
    for _ in range(20):
        onwards = len(parents)
        parents += [trunk, trunk, onwards]
        trunk = onwards + 2
    assert lanes(tree_of(parents)) == [0] + [1] * 20


def test_branches_of_one_fork_point_stand_in_the_order_of_their_labels() -> None:
    assert lanes(tree_of([-1, 0, 0, 0, 0])) == [0, 1, 2, 3]


def test_roots_stand_side_by_side_only_while_both_run() -> None:
    assert lanes(tree_of([-1, 0, DANGLING, 2, -1])) == [0, 0, 0]
    assert lanes(tree_of([-1, -1, 0, 1])) == [0, 1]
    assert lanes(tree_of([-1, 0, 0, -1, 0])) == [0, 1, 3, 2]


@pytest.mark.long
def test_fifty_thousand_nested_branches() -> None:
    parents = [-1]
    for depth in range(50_000):
        parents += [2 * depth, 2 * depth]
    tree = tree_of(parents)
    assert lanes(tree) == list(range(50_001))


@pytest.mark.long
def test_fifty_thousand_forks_at_one_checkpoint() -> None:
    tree = tree_of([-1] + [0] * 50_000)
    assert lanes(tree) == list(range(50_000))


@pytest.mark.outside
def test_layout_and_text_load_no_drawing_library() -> None:
    code = (
        "import sys, forkbook.plot.tree.lanes, forkbook.plot.tree.plain_text, forkbook.plot.tree.figure;"
        "print([m for m in ('plotly', 'pandas', 'networkx', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
