"""The tree as text, one row per checkpoint, oldest first: for terminals and plain reprs. Pure.

A line is a list of parts, each with its role, so that a terminal can give each role a colour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from ...errors import InvalidInput
from ...model.text import visible
from ...model.tree import Tree
from .labels import end_of, ends
from .lanes import fork_rows, lanes

WIDTH = 100
OLDEST_ROWS = 3
MOST_LANES = 40
WIDE_LANES = 16
LEAST_TITLE = 8

CHECKPOINT, FORK_POINT, TIP = "●", "◆", "■"
PASSING, SKIPPING, SIDEWAYS, BRANCHING, TURNING = "│", "┊", "─", "┬", "╮"
MARKERS = frozenset((CHECKPOINT, FORK_POINT, TIP))


Role = Literal["graph", "sign", "id", "step", "title", "tip", "note", "space"]


class Part(NamedTuple):
    """A piece of a line, and what it is."""

    role: Role
    text: str


Line = Sequence[Part]
SPACE = Part("space", "  ")


def text_tree(tree: Tree, titles: Sequence[str], marks: Sequence[str] | None = None, limit: int | None = 40) -> str:
    """Draw the tree with box characters; see `tree_lines`.

    Returns:
        Lines of at most 100 terminal columns, joined by newlines.

    Example:
        >>> from forkbook.plot.tree.plain_text import text_tree
        >>> print(text_tree(history.tree, ["a title"] * len(history)).splitlines()[2])
        ◆─╮  ...  step 1   a title
    """
    return "\n".join(map(line_text, tree_lines(tree, titles, marks, limit)))


def line_text(line: Line) -> str:
    """A line as plain text."""
    return "".join(part.text for part in line)


def tree_lines(
    tree: Tree,
    titles: Sequence[str],
    marks: Sequence[str] | None = None,
    limit: int | None = 40,
    width: int = WIDTH,
) -> list[Line]:
    """Draw the tree with box characters, as lines whose parts have roles.

        ◆─╮  a3f09c  step 0  generate_topic
        ■ │  4423f7  step 1  write_joke  tip A
          ■  90be11  step 1  edit        tip B

    Args:
        tree: The tree, with n checkpoints.
        titles: n texts: what made each checkpoint. They may be foreign, of any length.
        marks: n short texts that call for attention (such as "!" or "✗"), "" for none.
        limit: The most checkpoints to draw, in rows; None draws all. A line says how many are not shown.
        width: The terminal columns that a line may have, as far as titles can be cut to fit.

    Returns:
        One line per checkpoint, and one for those that are left out. `●` is a checkpoint, `◆` a fork point, `■` a tip.

    Raises:
        InvalidInput: titles or marks are not one per checkpoint, or the limit is below 1.
    """
    marks = [""] * len(tree) if marks is None else marks
    _check(tree, titles, marks, limit)
    if not len(tree):
        return [[Part("note", "no checkpoints")]]
    shown, hidden = _shown(len(tree), limit)
    graph = _graph(tree, shown, hidden)
    lines = _lines(tree, shown, graph.rows, titles, marks, width)
    if hidden:
        note = Part("note", f"… {len(hidden):,} {_checkpoints(len(hidden))} not shown …")
        gap = [Part("graph", graph.gap), SPACE, note]
        lines.insert(next((i for i, row in enumerate(shown) if row >= hidden.start), len(shown)), gap)
    if graph.folded:
        lines.append([Part("note", f"… the last column stands for {graph.folded:,} lanes …")])
    return lines


def _check(tree: Tree, titles: Sequence[str], marks: Sequence[str], limit: int | None) -> None:
    for name, texts in (("titles", titles), ("marks", marks)):
        if len(texts) != len(tree):
            raise InvalidInput(f"{len(texts):,} {name} for {len(tree):,} checkpoints: one for each is needed")
    if limit is not None and limit < 1:
        raise InvalidInput(f"limit={limit}: at least one row, or None for all")


def _checkpoints(number: int) -> str:
    return "checkpoint" if number == 1 else "checkpoints"


def _shown(size: int, limit: int | None) -> tuple[list[int], range]:
    """The rows to draw, and those between the oldest few and the newest that are not."""
    if limit is None or size <= limit:
        return list(range(size)), range(0)
    oldest = min(OLDEST_ROWS, limit // 4)
    hidden = range(oldest, size - limit + oldest)
    return [*range(oldest), *range(hidden.stop, size)], hidden


@dataclass(frozen=True, slots=True)
class _Graph:
    """The left part of each line, all of one width; that of the gap; and how many lanes share the last column."""

    rows: list[str]
    gap: str
    folded: int


def _graph(tree: Tree, shown: list[int], hidden: range) -> _Graph:
    """Draw the lanes that occur in the shown rows, pushed together."""
    cells, gap = _paint(tree, shown, hidden)
    used = sorted({lane for row in cells for lane in row})
    columns = {lane: min(rank, MOST_LANES - 1) for rank, lane in enumerate(used)}
    width = min(len(used), MOST_LANES)
    pitch = 2 if width <= WIDE_LANES else 1
    folded = len(used) - width + 1 if len(used) > width else 0
    rows = [_draw(row, columns, width, pitch) for row in cells]
    return _Graph(rows, _draw(dict.fromkeys(gap, SKIPPING), columns, width, pitch), folded)


def _paint(tree: Tree, shown: list[int], hidden: range) -> tuple[list[dict[int, str]], set[int]]:
    """What each shown row has in which lane, and the lanes that go into the hidden rows or come out."""
    lane_of, forks = lanes(tree), fork_rows(tree)
    index = {row: i for i, row in enumerate(shown)}
    cells: list[dict[int, str]] = [{} for _ in shown]
    gap = set()
    leaving: dict[int, int] = {}
    for branch, (fork, end) in enumerate(zip(forks, tree.tips_by_branch, strict=True)):
        lane = lane_of[branch]
        leaving[fork] = max(lane, leaving.get(fork, lane))
        first = tree.starts[branch] if fork < 0 else fork + 1
        above, below = range(first, min(end + 1, hidden.start)), range(max(first, hidden.stop), end + 1)
        for row in (*above, *below):
            cells[index[row]][lane] = _marker(tree, row) if tree.branches[row] == branch else PASSING
        begin = first if fork < 0 else fork
        if hidden and (begin < hidden.start <= end or begin < hidden.stop <= end):
            gap.add(lane)
        if fork in index:
            cells[index[fork]][lane] = BRANCHING
    for row, drawn in zip(shown, cells, strict=True):
        if row in leaving:
            drawn[leaving[row]] = TURNING
    return cells, gap


def _marker(tree: Tree, row: int) -> str:
    children = len(tree.children[row])
    return FORK_POINT if children > 1 else CHECKPOINT if children else TIP


def _draw(row: dict[int, str], columns: dict[int, int], width: int, pitch: int) -> str:
    """One line of the graph; a marker outdoes whatever shares its column."""
    line = [" "] * (width * pitch - pitch + 1)
    for lane, character in sorted(row.items()):
        if line[columns[lane] * pitch] not in MARKERS:
            line[columns[lane] * pitch] = character
    corners = [columns[lane] * pitch for lane, character in row.items() if character == TURNING]
    marker = next((column for column, character in enumerate(line) if character in MARKERS), 0)
    for column in range(marker, max(corners, default=0)):
        line[column] = SIDEWAYS if line[column] == " " else line[column]
    return "".join(line)


def _lines(
    tree: Tree, shown: list[int], graph: list[str], titles: Sequence[str], marks: Sequence[str], width: int
) -> list[Line]:
    """The graph's rows with what is to be read beside them, in columns."""
    signs = _padded([f" {visible(marks[row])}" if marks[row] else "" for row in shown])
    ids = [visible(tree.heads[row].id)[-6:] for row in shown]
    steps = _padded([_step(tree, row) for row in shown])
    tips = [f"{end_of(tree, row)} {tree.label(row)}" if ends(tree, row) else "" for row in shown]
    lefts = [
        _spaced([[Part("graph", left), Part("sign", sign)], [Part("id", id_)], [Part("step", step)]])
        for left, sign, id_, step in zip(graph, signs, ids, steps, strict=True)
    ]
    labels = max(map(len, tips))
    room = max(width - cell_len(line_text(lefts[0])) - 2 - labels - 2 * bool(labels), LEAST_TITLE)
    names = _padded([_fit(visible(titles[row]), room) for row in shown])
    return [
        _stripped(_spaced([left, [Part("title", name)], [Part("tip", tip)]], keep=2))
        for left, name, tip in zip(lefts, names, tips, strict=True)
    ]


def _spaced(columns: Iterable[Sequence[Part]], keep: int = 0) -> list[Part]:
    """Columns with space between them; those without text leave none, but for the first `keep`."""
    line: list[Part] = []
    for number, column in enumerate(columns):
        if number < keep or any(part.text for part in column):
            line += [SPACE, *column] if number else column
    return line


def _stripped(line: list[Part]) -> Line:
    """A line without the space at its end, and without empty parts."""
    while line and not (text := line[-1].text.rstrip()):
        line = line[:-1]
    return [part for part in [*line[:-1], line[-1]._replace(text=text)] if part.text]


def _step(tree: Tree, row: int) -> str:
    step = tree.heads[row].step
    return "step ?" if step is None else f"step {step}"


def _fit(text: str, width: int) -> str:
    """The text in at most so many terminal columns, with an ellipsis where it is cut."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _padded(texts: list[str]) -> list[str]:
    width = max(map(cell_len, texts))
    return [text + " " * (width - cell_len(text)) for text in texts]
