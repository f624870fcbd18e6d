"""The tree as text: one row per checkpoint, nothing cut silently, nothing foreign commands the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws
from rich.cells import cell_len

from forkbook.errors import InvalidInput
from forkbook.model.tree import Head, Tree
from forkbook.plot.tree.plain_text import line_text, text_tree, tree_lines


def tree_of(parents: list[int]) -> Tree:
    """A tree from each position's parent; -1 is a root. The short id is the position in hex digits."""
    names = [f"1f0a{i:04x}-{i:06x}" for i in range(len(parents))]
    steps: list[int] = []
    for parent in parents:
        steps.append(-1 if parent < 0 else steps[parent] + 1)
    heads = zip(names, parents, steps, strict=True)
    return Tree([Head(name, None if parent < 0 else names[parent], step) for name, parent, step in heads])


def rows(text: str) -> list[str]:
    return [line for line in text.split("\n") if "…" not in line]


def test_a_fork_within_a_fork() -> None:
    tree = tree_of([-1, 0, 1, 1, 0, 4, 4])
    titles = ["input", "topic", "joke", "edit", "edit", "joke", "replay"]
    assert text_tree(tree, titles, ["", "", "✗", "", "", "", "?"]).split("\n") == [
        "◆───╮      000000  step -1  input",
        "◆─╮ │      000001  step 0   topic",
        "■ │ │   ✗  000002  step 1   joke    tip A",
        "  ■ │      000003  step 1   edit    tip B",
        "    ◆─╮    000004  step 0   edit",
        "    ■ │    000005  step 1   joke    tip C",
        "      ■ ?  000006  step 1   replay  tip D",
    ]


def test_several_branches_leave_one_fork_point() -> None:
    assert text_tree(tree_of([-1, 0, 0, 0]), ["a", "b", "c", "d"]).split("\n")[0].startswith("◆─┬─╮")


def test_nothing_and_unknown_steps() -> None:
    assert text_tree(tree_of([]), []) == "no checkpoints"
    assert text_tree(Tree([Head("1f0a-4423f7", None)]), ["input"]) == "■  4423f7  step ?  input  tip A"


def test_what_is_not_shown_is_counted() -> None:
    tree = tree_of([-1, *range(1_999)])
    lines = text_tree(tree, ["joke"] * 2_000).split("\n")
    assert len(lines) == 41
    assert [line for line in lines if "…" in line] == ["┊  … 1,960 checkpoints not shown …"]
    assert [line.split()[1] for line in lines[:3]] == ["000000", "000001", "000002"]
    assert lines[-1].split()[1] == f"{1_999:06x}"


def test_all_rows_on_request() -> None:
    tree = tree_of([-1, *range(99)])
    assert len(rows(text_tree(tree, ["x"] * 100, limit=None))) == 100


def test_foreign_titles_stay_on_their_line() -> None:
    title = "one\ntwo\x1b[2J\x00\u202e<b>\ud800"
    text = text_tree(tree_of([-1]), [title], ["\n"])
    assert "\n" not in text
    assert "\x1b" not in text
    assert "one⏎two␛[2J␀\\u202e<b>\\ud800" in text
    text.encode()


@pytest.mark.parametrize("title", ["x" * 5_000, "日本語" * 500, "👩‍👩‍👧" * 200])
def test_long_titles_end_in_an_ellipsis_and_keep_the_tip(title: str) -> None:
    line = text_tree(tree_of([-1]), [title])
    assert cell_len(line) <= 100
    assert line.endswith("tip A")
    assert "…" in line


def test_more_lanes_than_fit_are_said() -> None:
    text = text_tree(tree_of([-1] + [0] * 100), ["joke"] * 101)
    assert max(map(cell_len, text.split("\n"))) <= 100
    assert text.endswith("lanes …")


@pytest.mark.parametrize(
    ("titles", "marks", "limit"), [(["a"], None, 40), (["a", "b"], [""], 40), (["a", "b"], None, 0)]
)
def test_what_cannot_be_right_is_refused(titles: list[str], marks: list[str] | None, limit: int) -> None:
    with pytest.raises(InvalidInput):
        text_tree(tree_of([-1, 0]), titles, marks, limit)


@pytest.mark.long
@laws(200)
@given(st.lists(st.floats(-0.1, 0.999), min_size=1, max_size=60), st.integers(1, 70), st.text(max_size=200))
def test_every_shown_checkpoint_has_one_row(places: list[float], limit: int, title: str) -> None:
    tree = tree_of([-1 if place < 0 else int(place * i) if i else -1 for i, place in enumerate(places)])
    lines = text_tree(tree, [title] * len(tree), limit=limit).split("\n")
    marked = [line for line in lines if any(marker in line.split("step")[0] for marker in "●◆■")]
    assert len(marked) == min(limit, len(tree))
    assert all(cell_len(line) <= 100 for line in lines)


def test_the_parts_of_a_line_say_what_they_are() -> None:
    first, second, third = tree_lines(tree_of([-1, 0, 0]), ["input", "joke", "edit"], ["", "✗", ""])
    assert [(part.role, part.text) for part in second if part.role != "space"] == [
        ("graph", "■ │"),
        ("sign", " ✗"),
        ("id", "000001"),
        ("step", "step 0 "),
        ("title", "joke "),
        ("tip", "tip A"),
    ]
    assert [line[0].role for line in (first, third)] == ["graph", "graph"]
    assert all(cell_len(line_text(line)) <= 40 for line in tree_lines(tree_of([-1, 0, 0]), ["x" * 99] * 3, width=40))
