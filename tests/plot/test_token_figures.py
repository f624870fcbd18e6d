"""Token bars and context growth: their numbers are the frames', and nobody has to guess what a bar or line is."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import ai, facts_of, human, state

from forkbook.errors import ForkbookError
from forkbook.frames import branches_rows, tokens_rows
from forkbook.plot.context import Line, branch_lines, context_figure, context_growth
from forkbook.plot.tokens import Bar, token_bars, tokens_figure
from forkbook.plot.tree.colours import BRANCHES, branch_colors

EVIL = '<script>alert(1)</script><b>x</b><a href="javascript:alert(1)">y</a>\x00\n\u202e$\\alpha$&lt;'
PARTS = ("shared, reported", "shared, estimated", "own, reported", "own, estimated")


def facts_with(parents, usages=()):
    """A history whose n-th checkpoint adds to its parent's one AI message, with the n-th usage (None: no report)."""
    held, states = {}, []
    for n, parent in enumerate(parents):
        usage = usages[n % len(usages)] if usages else (n, 2)
        held[n] = [*(held[parent] if parent is not None else [human("h")]), ai(f"m{n}", "word " * (n % 7 + 1), usage)]
        above = None if parent is None else f"{parent:08x}"
        states.append(state(f"{n:08x}", above, {"messages": held[n]}, step=n if above else 0, second=n % 3600))
    return facts_of(*states)


def comb(branches, length=1):
    """So many branches: a trunk, and a tooth of some checkpoints at each of its checkpoints but the last."""
    parents, last = [None], 0
    for _ in range(branches - 1):
        parents.append(last)
        trunk = len(parents) - 1
        for above in [last, *range(trunk + 1, trunk + length)]:
            parents.append(above)
        last = trunk
    return parents


def parts(figure):
    """The bars' four parts, each a number a row."""
    found = {trace.name: [x or 0 for x in trace.x] for trace in figure.data if trace.name in PARTS}
    rows = len(named(figure, "totals").x)
    return [found.get(name, [0] * rows) for name in PARTS]


def legend(figure):
    return [trace.name for trace in figure.data if trace.showlegend]


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def drawn(figure):
    return [trace for trace in figure.data if trace.mode in ("lines", "lines+markers")]


def test_the_bars_of_the_demo_have_the_numbers_worked_out_by_hand(book, demo_threads):
    branches = book[demo_threads["branches"]].tokens_figure()
    shared, _, own, _ = parts(branches)
    assert (shared, own) == ([21, 60, 60], [84, 61, 42])
    assert list(named(branches, "totals").text) == ["21 + 84 = 105", "60 + 61 = 121", "60 + 42 = 102"]
    assert "the whole thread spent 247 tokens" in branches.layout.annotations[0].text
    assert branches.layout.xaxis.title.text == "tokens, reported by the model"
    joke = book[demo_threads["time travel"]].tokens_figure()
    assert list(named(joke, "totals").text) == ["21", "18"]
    assert not joke.layout.annotations


def test_lines_of_the_demo_end_at_the_context_of_the_frame(book, demo_threads):
    history = book[demo_threads["branches"]]
    lines = drawn(history.context_figure())
    assert [line.name for line in lines] == ["A", "B", "C"]
    assert [line.y[-1] for line in lines] == list(history.tokens_df()["context_tokens"])
    assert [line.x[-1] for line in lines] == list(history.branches_df()["n_checkpoints"])
    assert f"<br>{history.at(branch='B').short_id} · chat<br>" in lines[1].hovertext[-1]


def test_any_branches_are_drawn_in_the_order_they_were_named(book, demo_threads):
    history = book[demo_threads["branches"]]
    tip = history.at(branch="A")
    for chosen in (["C", tip], ["C", tip.id, "C"]):
        bars = history.tokens_figure(chosen)
        assert list(named(bars, "totals").x) == [102, 105]
        assert named(bars, "own, reported").marker.color == (BRANCHES[2], BRANCHES[0])
        c, a = drawn(history.context_figure(chosen))
        assert (c.x[0], a.x[0]) == (1, 7)
    assert list(named(history.tokens_figure("B"), "totals").x) == [121]
    middle = history.tokens_figure([history[8]])
    assert middle.layout.yaxis.ticktext == (f"<b>A {history[8].short_id}</b>",)
    with pytest.raises(ForkbookError, match="no branch 'Z'"):
        history.tokens_figure(["Z"])


parents = st.lists(st.integers(0, 10_000), max_size=40).map(
    lambda picks: [None, *(pick % (n + 1) if pick % 11 else None for n, pick in enumerate(picks))]
)
usages = st.lists(st.none() | st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=5)


@pytest.mark.long
@given(parents, usages)
@settings(max_examples=50, deadline=None)
def test_bars_add_up_to_what_the_frame_says(parents, usages):
    facts = facts_with(parents, usages)
    found = parts(tokens_figure(facts, facts.tree.tips_by_branch, ""))
    for row, expected in enumerate(tokens_rows(facts)):
        shared_reported, shared_estimated, own_reported, own_estimated = (part[row] for part in found)
        assert shared_reported + shared_estimated == expected["shared_tokens"]
        assert own_reported + own_estimated == expected["own_tokens"]
        assert shared_reported + own_reported == expected["reported_tokens"]
        assert sum(part[row] for part in found) == expected["total_tokens"]


@given(parents)
@settings(max_examples=50, deadline=None)
def test_a_line_leads_from_where_it_was_forked_to_its_tip(parents):
    facts = facts_with(parents)
    tree = facts.tree
    lines = branch_lines(facts, tree.tips_by_branch)
    for line, row, branch in zip(lines, tokens_rows(facts), branches_rows(facts), strict=True):
        fork = branch["fork_point_id"]
        assert (line.x[-1], line.y[-1]) == (branch["n_checkpoints"], row["context_tokens"])
        assert line.x[0] == branch["n_checkpoints"] - branch["n_own"] + (0 if fork else 1)
        assert line.y[0] == facts.ledger.context[tree.index[fork] if fork else tree.starts[line.number]]
        assert all(b - a == 1 for a, b in pairwise(line.x))


def test_estimates_are_striped_and_the_axis_says_how_they_were_made():
    figure = token_bars([Bar("A", 1, 2, 3, 4), Bar("B", own_reported=5)], method="tokenizer:o200k")
    striped = {trace.name: trace.marker.pattern.shape for trace in figure.data if trace.name in PARTS}
    assert striped == {name: "/" if "estimated" in name else None for name in PARTS}
    assert figure.layout.xaxis.title.text == "tokens, reported by the model; striped: estimated by tokenizer:o200k"
    assert legend(figure) == ["shared with other branches", "own, in the branch's colour", "estimated"]
    assert named(figure, "own, reported").hovertext[0] == (
        "<b>A</b> · 10 tokens spent<br>shared 3 (2 estimated)<br>own 7 (4 estimated)"
    )


@pytest.mark.parametrize(
    ("bar", "axis", "key"),
    [
        (Bar("A", own_reported=1), "tokens, reported by the model", ["own"]),
        (Bar("A", own_estimated=1), "tokens, estimated by words", ["own", "estimated"]),
        (Bar("A"), "tokens", []),
    ],
    ids=["reported", "estimated", "none"],
)
def test_one_bar_explains_only_what_occurs(bar, axis, key):
    figure = token_bars([bar], method="words")
    assert (figure.layout.xaxis.title.text, legend(figure)) == (axis, key)


def test_numbers_have_separators():
    assert named(token_bars([Bar("A", 1_234_567, 0, 1)]), "totals").text[0] == "1,234,567 + 1 = 1,234,568"
    line = drawn(context_growth([Line("A", [1], [12_345], ["x"])]))[0]
    assert "12,345 tokens of context" in line.hovertext[0]


def test_foreign_text_is_only_text_everywhere():
    bars = token_bars([Bar(EVIL, 1, 2, 3, 4, detail=EVIL)], method=EVIL, title=EVIL, notes=[EVIL])
    line = Line(EVIL, [1, 2], [3, 4], [EVIL, EVIL])
    growth = context_growth([line] * 8, method=EVIL, title=EVIL, notes=[EVIL])
    for figure in (bars, growth):
        json = figure.to_json()
        for harmful in ("<script", "<a ", "\\u003cscript", "\\u003ca ", "\\u0000", "\\u202e\\", "$", "\u202e", "<b>x"):
            assert harmful not in json
        assert "&lt;script&gt;" in json


@pytest.mark.parametrize("count", [1, 2, 6, 40])
def test_each_bar_has_a_name_with_room_for_it(count):
    facts = facts_with(comb(count))
    figure = tokens_figure(facts, facts.tree.tips_by_branch, "")
    axis = figure.layout.yaxis
    assert len(axis.ticktext) == count
    pixels = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    assert min(b - a for a, b in pairwise([*axis.tickvals, count])) * pixels / count >= 20


@pytest.mark.long
def test_of_500_bars_those_have_a_name_that_do_not_overlap():
    facts = facts_with(comb(500), [(5, 3), None])
    figure = tokens_figure(facts, facts.tree.tips_by_branch, "")
    rows = figure.layout.yaxis.tickvals
    assert 1 <= len(rows) < 100
    assert all(b - a >= 11 * 500 / 880 for a, b in pairwise(rows))
    assert f"{len(rows)} of 500 bars have a label here" in figure.layout.annotations[0].text
    assert figure.layout.height < 1_100


def test_two_bars_of_one_name_stay_apart():
    figure = token_bars([Bar("A", own_reported=1), Bar("A", own_reported=2)])
    assert (figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext) == ((0, 1), ("<b>A</b>", "<b>A</b>"))
    assert list(named(figure, "own, reported").y) == [0, 1]


@pytest.mark.parametrize("count", [1, 6])
def test_a_few_lines_have_each_a_colour_and_a_name(count):
    facts = facts_with(comb(count, 3))
    figure = context_figure(facts, facts.tree.tips_by_branch, "")
    lines = drawn(figure)
    assert [(line.name, line.line.color) for line in lines] == list(zip(facts.tree.labels, BRANCHES, strict=False))
    assert legend(figure) == [*facts.tree.labels, *(["fork point"] if count > 1 else [])]


@pytest.mark.parametrize("count", [7, 40, 500])
def test_of_many_lines_three_have_a_colour_and_the_others_are_one_trace(count):
    facts = facts_with(comb(count, 3))
    figure = context_figure(facts, facts.tree.tips_by_branch, "")
    others, *lines = drawn(figure)
    assert (len(lines), others.name) == (3, "other branches")
    largest = sorted((row["context_tokens"] for row in tokens_rows(facts)), reverse=True)[:3]
    assert sorted((line.y[-1] for line in lines), reverse=True) == largest
    assert "in colour: the 3 branches with the largest context" in figure.layout.annotations[0].text
    tips = [trace for trace in figure.data if trace.name == "tip"]
    assert sum(len(trace.x) for trace in tips) == count
    assert legend(figure) == ["other branches", *(line.name for line in lines), "fork point"]


def test_a_line_may_be_highlighted():
    facts = facts_with(comb(9))
    figure = context_growth(branch_lines(facts, facts.tree.tips_by_branch), highlight=[4])
    assert [line.name for line in drawn(figure)] == ["other branches", "E"]


def test_labels_of_tips_do_not_overlap():
    lines = [Line(str(i), [1, 2], [0, 1_000 + i % 3], ["", ""]) for i in range(8)]
    figure = context_growth(lines)
    texts = [text for trace in figure.data if trace.name == "tip" for text in trace.text if text]
    assert texts == ["2 · 1,002"]
    assert "1 of 8 tips have a label here" in figure.layout.annotations[0].text


def test_colours_are_the_trees_or_none():
    assert branch_colors([2, 0]) == [BRANCHES[2], BRANCHES[0]]
    assert branch_colors([0, 6]) is None
    assert len(set(named(token_bars([Bar("x", own_reported=1)] * 7), "own, reported").marker.color)) == 1


@pytest.mark.parametrize("draw", [tokens_figure, context_figure])
def test_an_empty_history_says_so(draw):
    figure = draw(facts_of(), [], "thread <b>")
    assert [note.text for note in figure.layout.annotations] == ["no checkpoints"]
    assert "thread &lt;b&gt;" in figure.to_json().replace("\\u003c", "<")


@pytest.mark.parametrize("draw", [tokens_figure, context_figure])
def test_figures_show_on_any_page_and_are_the_same_every_time(draw):
    facts = facts_with(comb(12, 3), [(5, 3), None])
    figure, again = (draw(facts, facts.tree.tips_by_branch, "t") for _ in range(2))
    assert figure.to_json() == again.to_json()
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert "sendChartToCloud" in figure.layout.modebar.remove


@pytest.mark.long
def test_thousands_of_checkpoints_are_all_on_a_line_in_few_traces():
    facts = facts_with(comb(500, 3))
    figure = context_figure(facts, facts.tree.tips_by_branch, "")
    points = [y for line in drawn(figure) for y in line.y if y is not None]
    assert len(points) == len(facts.tree) + 499  # each fork point once more
    assert len(figure.data) <= 10
