"""The figure: every checkpoint can be found and picked, nothing foreign commands, and it says what it leaves out."""

from collections import Counter
from itertools import combinations, pairwise
from math import dist
from typing import Any

import pytest

from forkbook.errors import InvalidInput
from forkbook.model.text import cut, escape, visible
from forkbook.model.tree import Head, Tree
from forkbook.plot.tree.colours import BRANCHES, FAILED, INK, MODES, PICKED, SOURCES, WAITING, ink_on, token_color
from forkbook.plot.tree.figure import Mark, figure, ring
from forkbook.plot.tree.lanes import lanes

EVIL = '<script>alert(1)</script><b>x</b><a href="javascript:alert(1)">y</a>\x00\n\u202e$\\alpha$&lt;'
NESTED = [-1, 0, 1, 2, 1, 4, 5, 4, 7, 2, 9, 7]


def tree_of(parents: list[int], sources: list[str] | None = None) -> Tree:
    names = [f"1f0a{i:04x}-{i:06x}" for i in range(len(parents))]
    kinds = sources or ["input" if parent < 0 else "loop" for parent in parents]
    found = enumerate(zip(names, parents, kinds, strict=True))
    return Tree([Head(name, None if parent < 0 else names[parent], i, kind) for i, (name, parent, kind) in found])


def mark(**known: Any) -> Mark:
    plain = {"title": "write_joke", "status": "", "next": ("joke",), "created_at": None, "detail": "", "tokens": None}
    return Mark(**plain | known)


def marks_of(tree: Tree, **known: Any) -> list[Mark]:
    return [mark(**known) for _ in tree.heads]


def points(fig: Any) -> list[Any]:
    """The traces that hold the checkpoints' markers."""
    return [trace for trace in fig.data if trace.mode == "markers" and trace.customdata is not None]


def named(fig: Any, name: str) -> Any:
    """The trace of a name that draws something."""
    return next(trace for trace in fig.data if trace.name == name and trace.x and trace.x[0] is not None)


def legend(fig: Any) -> list[str]:
    return [trace.name for trace in fig.data if trace.showlegend]


@pytest.mark.long
@pytest.mark.parametrize("color", MODES)
@pytest.mark.parametrize("size", [1, 12, 2_000, 6_000])
def test_every_checkpoint_is_one_marker_that_knows_its_position(color: str, size: int) -> None:
    tree = tree_of((NESTED + list(range(11, size - 1)))[:size])
    marks = [mark(tokens=i if i % 3 else None) for i in range(size)]
    fig = figure(tree, marks, color=color)
    columns = lanes(tree)
    found = [point for trace in points(fig) for point in zip(trace.customdata, trace.x, trace.y, strict=True)]
    assert sorted(position for position, _, _ in found) == list(range(size))
    assert all((x, y) == (columns[tree.branches[position]], position) for position, x, y in found)


def test_runs_have_colours_and_what_no_run_wrote_is_grey() -> None:
    tree = tree_of([-1, 0, 1, 2])
    marks = [mark(run_id=run_id) for run_id in ("run-1-long", "run-1-long", None, "run-2")]
    groups = {trace.name: list(trace.customdata) for trace in points(figure(tree, marks, color="run"))}
    assert groups == {"run 1-long": [0, 1], "run run-2": [3], "no run, or unknown": [2]}


def test_of_many_runs_the_picture_says_that_colours_repeat() -> None:
    tree = tree_of(list(range(-1, 8)))
    marks = [mark(run_id=f"run-{n}") for n in range(9)]
    assert f"colours repeat after {len(BRANCHES)} runs" in figure(tree, marks, color="run").to_json()


def test_symbols_tell_fork_points_and_tips() -> None:
    tree = tree_of(NESTED)
    symbols = {
        position: trace.marker.symbol for trace in points(figure(tree, marks_of(tree))) for position in trace.customdata
    }
    assert [position for position, symbol in symbols.items() if symbol == "diamond"] == tree.fork_points
    assert sorted(position for position, symbol in symbols.items() if symbol == "square") == tree.tips


def test_the_legend_explains_what_occurs_and_only_that() -> None:
    tree = tree_of([-1, 0, 0], ["input", "update", "fork"])
    marks = [mark(), mark(status="waiting"), mark(status="error")]
    assert legend(figure(tree, marks)) == ["input", "edit", "replay", "fork point", "tip", "waiting", "failed"]
    line = tree_of([-1, 0])
    assert legend(figure(line, marks_of(line))) == ["input", "node ran", "tip"]


def test_unknown_sources_share_one_entry() -> None:
    tree = tree_of([-1, 0], [EVIL, "other"])
    assert legend(figure(tree, marks_of(tree))) == ["source unknown", "tip"]


def test_waiting_and_failed_show_as_mark_and_as_word() -> None:
    tree = tree_of([-1, 0, 0, 0])
    marks = [mark(status="interrupted"), mark(status="waiting"), mark(status="error"), mark(status="pending")]
    fig = figure(tree, marks)
    assert named(fig, "interrupted").y == (0,)
    assert named(fig, "waiting").y == (1,)
    assert named(fig, "failed").y == (2,)
    texts = named(fig, "labels").text
    assert [word in text for word, text in zip(["interrupted", "waiting", "failed", "pending"], texts, strict=True)]
    assert texts[2] == "write_joke · <b>tip B</b> · failed"


def test_letters_stand_on_the_tips() -> None:
    tree = tree_of(NESTED)
    letters = named(figure(tree, marks_of(tree)), "branch letters")
    assert dict(zip(letters.y, letters.text, strict=True)) == {3: "A", 6: "B", 8: "C", 10: "D", 11: "E"}


def test_foreign_text_is_only_text_everywhere() -> None:
    tree = Tree([Head("1f0a-<b>\x00x", None, None, "<i>"), Head("1f0b", "1f0a-<b>\x00x", 1, EVIL)])
    marks = [mark(title=EVIL, status=EVIL, next=(EVIL,), created_at=EVIL, detail=EVIL) for _ in tree.heads]
    json = figure(tree, marks, title=EVIL).to_json()
    for harmful in ("<script", "<a ", "<i>", "\\u003cscript", "\\u0000", "\\u202e\\", "$", "\u202e", "<b>x"):
        assert harmful not in json
    assert "&lt;script&gt;" in json


@pytest.mark.parametrize("name", ["title", "detail"])
def test_long_text_is_cut_and_says_so(name: str) -> None:
    tree = tree_of([-1])
    fig = figure(tree, marks_of(tree, **{name: "word & " * 10_000}))
    hover = points(fig)[0].hovertext[0]
    assert "…" in hover
    assert len(hover) < 700
    if name == "detail":
        assert "(300 of 69,999 characters)" in hover


def test_hover_tells_what_is_known() -> None:
    tree = tree_of([-1, 0, 0])
    marks = marks_of(tree, tokens=1_234, created_at="2026-01-02T03:04:05", detail="Approve?")
    fig = figure(tree, marks)
    texts = {p: text for trace in points(fig) for p, text in zip(trace.customdata, trace.hovertext, strict=True)}
    assert texts[0] == (
        "<b>000000</b> · step 0 · input · branch A<br>write_joke<br>fork point of 2 · next: joke<br>"
        "1,234 tokens spent · 2026-01-02T03:04:05<br>Approve?"
    )
    unknown = figure(Tree([Head("a", None)]), [mark(next=None, status="unknown")])
    assert "next unknown" in points(unknown)[0].hovertext[0]
    assert "step ?" in points(unknown)[0].hovertext[0]


def test_up_to_eighty_rows_all_have_a_label_that_can_be_clicked() -> None:
    tree = tree_of([-1, *range(79)])
    labels = named(figure(tree, marks_of(tree)), "labels")
    assert labels.customdata == tuple(range(80))
    assert len(set(labels.x)) == 1
    assert labels.x[0] > max(lanes(tree))


def test_of_more_rows_the_important_ones_that_fit_have_one() -> None:
    parents = [-1]
    for i in range(1, 2_000):
        parents.append(i - 2 if i % 5 == 0 else i - 1)
    tree = tree_of(parents)
    marks = [mark(status="error" if i in (700, 701) else "") for i in range(2_000)]
    fig = figure(tree, marks)
    rows = list(named(fig, "labels").customdata)
    assert 30 < len(rows) < 80
    assert 701 in rows
    assert 700 not in rows
    pixels = (fig.layout.height - 100) / len(tree)
    assert min(b - a for a, b in pairwise(rows)) * pixels >= 10
    assert all(row in {*tree.tips, *tree.fork_points, 701} for row in rows)
    assert f"{len(rows)} of 2,000 rows have a label here" in fig.layout.annotations[-1].text


def test_height_grows_with_the_rows_and_stops() -> None:
    def height(size: int) -> int:
        tree = tree_of([-1, *range(size - 1)])
        return figure(tree, marks_of(tree)).layout.height

    assert height(20) - height(10) == 240
    assert height(3) >= 120
    assert height(100) == height(2_000) <= 980


def test_all_rows_are_in_view_with_time_downwards() -> None:
    tree = tree_of([-1, *range(1_999)])
    bottom, top = figure(tree, marks_of(tree)).layout.yaxis.range
    assert bottom > 1_999
    assert top < 0


def test_edges_are_one_trace_that_follows_each_branch() -> None:
    tree = tree_of([-1, 0, 0])
    edges = figure(tree, marks_of(tree)).data[0]
    assert edges.name == "edges"
    assert edges.x[:3] == (0, 0, None)
    assert edges.y[:2] == (0, 1)
    assert (edges.x[3], edges.y[3]) == (0, 0)
    assert (edges.x[-2], edges.y[-2]) == (1, 2)


def test_the_ring_is_the_last_trace_and_moves() -> None:
    tree = tree_of(NESTED)
    fig = figure(tree, marks_of(tree), selected=7)
    assert fig.data[-1].name == "picked"
    assert (fig.data[-1].x[0], fig.data[-1].y[0]) == ring(tree, lanes(tree), 7)
    assert len(figure(tree, marks_of(tree)).data) == len(fig.data)
    assert figure(tree, marks_of(tree)).data[-1].x == ()


def test_a_widget_can_move_the_ring() -> None:
    import plotly.graph_objects as go

    tree = tree_of(NESTED)
    widget = go.FigureWidget(figure(tree, marks_of(tree)))
    x, y = ring(tree, lanes(tree), 11)
    widget.data[-1].update(x=[x], y=[y])
    assert (widget.data[-1].x, widget.data[-1].y) == ((x,), (y,))


def test_no_button_sends_the_thread_to_a_cloud() -> None:
    tree = tree_of([-1])
    assert "sendChartToCloud" in figure(tree, marks_of(tree)).layout.modebar.remove


def test_an_empty_history_says_so() -> None:
    fig = figure(tree_of([]), [], title="thread <b>")
    assert [note.text for note in fig.layout.annotations] == ["no checkpoints"]
    assert fig.data[-1].name == "picked"
    assert "thread &lt;b&gt;" in fig.to_json().replace("\\u003c", "<")


def test_branch_colours_repeat_and_say_so() -> None:
    few, many = tree_of([-1] + [0] * 3), tree_of([-1] + [0] * 20)
    assert legend(figure(few, marks_of(few), color="branch"))[:3] == ["branch A", "branch B", "branch C"]
    fig = figure(many, marks_of(many), color="branch")
    assert "branch A" not in legend(fig)
    assert f"repeat after {len(BRANCHES)} branches" in fig.layout.annotations[-1].text


def test_tokens_have_a_scale_and_checkpoints_without_any_are_apart() -> None:
    tree = tree_of([-1, 0, 1])
    fig = figure(tree, [mark(), mark(tokens=0), mark(tokens=53)], color="tokens")
    assert fig.layout.coloraxis.cmax == 53
    assert legend(fig)[0] == "no AI message"
    assert named(fig, "labels").text[2] == "write_joke · <b>tip A</b> · 53 tokens"


@pytest.mark.parametrize(
    "wrong", [{"color": "mood"}, {"selected": 3}, {"selected": -1}, {"marks": []}], ids=lambda wrong: next(iter(wrong))
)
def test_what_cannot_be_right_is_refused(wrong: dict[str, Any]) -> None:
    tree = tree_of([-1, 0, 1])
    arguments = {"marks": marks_of(tree)} | wrong
    with pytest.raises(InvalidInput):
        figure(tree, **arguments)
    with pytest.raises(InvalidInput):
        ring(tree, lanes(tree), -1)


def test_the_choices_of_colour_are_named() -> None:
    with pytest.raises(InvalidInput, match="'source', 'branch', 'run', 'tokens'"):
        figure(tree_of([-1]), [mark()], color="mood")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
        ("a\nb\r\nc\td\x00\x7f\x85", "a⏎b⏎c␉d␀␡\\u0085"),
        ("\u202e\u2066\ud800\u2028\U000e0041", "\\u202e\\u2066\\ud800\\u2028\\U000e0041"),
        ("$x$ \"q\" 'z'", "&#36;x&#36; &#34;q&#34; &#39;z&#39;"),
        ("日本 👩‍👧 é ß", "日本 👩‍👧 é ß"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_cut_counts_its_ellipsis() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert visible("plain") == "plain"


def linear(color: str) -> list[float]:
    """A #rrggbb colour's light: linear red, green and blue from 0 to 1."""
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def times(matrix: list[list[float]], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(light: list[float]) -> list[float]:
    """CIE L*a*b* of linear light."""
    to_xyz = [[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in times(to_xyz, light))
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


VISION: dict = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("colors", [(*SOURCES.values(), INK), BRANCHES], ids=["sources", "branches"])
def test_colours_are_told_apart_by_everyone(vision: str, colors: tuple[str, ...]) -> None:
    seen = [[min(max(part, 0), 1) for part in times(VISION[vision], linear(color))] for color in colors]
    assert min(dist(lab(a), lab(b)) for a, b in combinations(seen, 2)) > 15


@pytest.mark.parametrize("color", [*SOURCES.values(), *BRANCHES, INK, WAITING, FAILED, PICKED])
def test_colours_stand_out_on_white_and_on_black(color: str) -> None:
    def light(color: str) -> float:
        return times([[0.2126, 0.7152, 0.0722]], linear(color))[0]

    assert 1.05 / (light(color) + 0.05) >= 2.95
    assert (light(color) + 0.05) / (light("#111111") + 0.05) >= 2.95


def test_letters_stand_out_on_their_marker() -> None:
    assert ink_on("#ffffff") == "#111111"
    assert ink_on(token_color(0)) == "#ffffff"
    assert ink_on(token_color(1)) == "#111111"


def test_markers_are_groupwise_uniform() -> None:
    tree = tree_of(NESTED)
    fig = figure(tree, marks_of(tree))
    shapes = Counter((trace.marker.symbol, trace.marker.color) for trace in points(fig))
    assert max(shapes.values()) == 1
