"""The tree of a thread as an SVG picture, for where no program runs: one text without script, font and link. Pure.

It shows what the page shows, in the same order, lanes, shapes and colours, folded to about 60 rows.
"""

import base64
from collections.abc import Mapping, Sequence

from ..facts import Facts
from ..model.label import Label
from ..model.text import escape, escape_lines
from . import codes
from .document import Document
from .labels import label
from .order import Fold, fold
from .still_rows import StillRow, still_rows
from .svg_lanes import Lanes, first, mark
from .svg_style import SIZE, SMALL, STYLE, TINY
from .text_width import fitted, width_of

WIDTH, ROW, MARGIN, TOP, BOTTOM = 900, 24, 14, 38, 10  # px
GREY_SHOWN, TEXT_LEAST, SPACE = 380, 240, 12  # px: of what stands right, a text has at least, between the two
LEGEND = (
    (codes.START, 0, "start"),
    (codes.LOOP, 0, "step"),
    (codes.EDIT, 0, "edit"),
    (codes.REPLAY, 0, "replay"),
    (codes.LOOP, codes.TIP, "end of a branch"),
    (codes.LOOP, codes.FAILED, "failed"),
    (codes.LOOP, codes.WAITS, "waits for an answer"),
    (codes.UNCLEAR, 0, "not wholly known"),
)
NO_LABELS: Mapping[str, Label] = {}


def svg(facts: Facts, labels: Mapping[str, Label] = NO_LABELS, selected: int = -1) -> str:
    """Draw the tree of a thread.

    Args:
        facts: The thread.
        labels: What people wrote on checkpoints, by their ids.
        selected: The position of the checkpoint that is marked as chosen; -1: none.

    Returns:
        An SVG document, 900 px wide and 24 px a row, readable on light and dark pages and in black and white. Foreign
        text is escaped, and cut where it has no room.

    Example:
        >>> from forkbook.face.svg import svg
        >>> svg(history.facts)[:5]
        '<svg '
    """
    document = Document(facts, {id_ for id_, given in labels.items() if given.star})
    flags, keep = document.all_flags, {selected} - {-1}
    folded = fold(document.order, document.kinds, flags, keep)
    rows = still_rows(folded, flags, keep)
    lanes, inside = Lanes(document.order, folded, rows, TOP + ROW / 2, ROW), folded.inside
    lines = [_line(document, labels, lanes, number, inside.get(first(row))) for number, row in enumerate(rows)]
    bottom = TOP + ROW * len(rows)
    height = bottom + ROW + BOTTOM
    at = TOP + ROW * lanes.row_of.get(selected, 0)
    chosen = f'<rect class="c" x="4" y="{at}" width="{WIDTH - 8}" height="{ROW}"/>'
    body = [
        f'<rect class="g" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        f'<text class="t" x="{MARGIN}" y="24">{_shown(document.summary, WIDTH - 2 * MARGIN)}</text>',
        chosen if keep else "",
        *lanes.paths(),
        *lines,
        _legend(document, rows, bottom + ROW / 2),
    ]
    said = f"<title>{escape(document.summary)}</title><desc>{_description(document, rows)}</desc>"
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return f"{start}{said}<style>{STYLE}</style>{''.join(body)}</svg>"


def as_image(picture: str, alt: str) -> str:
    """An SVG document as an image in HTML, which no page mixes up with its own styles and ids.

    Args:
        picture: The document.
        alt: What it shows, for those who do not see it.
    """
    data = base64.b64encode(picture.encode()).decode()
    return f'<img alt="{escape(alt)}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'


def still_html(facts: Facts, labels: Mapping[str, Label] = NO_LABELS) -> str:
    """A thread in HTML that needs neither program nor network: its picture, and below it the tree as text to open."""
    from ..plot.tree.from_facts import text

    image = as_image(svg(facts, labels), facts.summary())
    return f"{image}<details><summary>as text</summary><pre>{escape_lines(text(facts))}</pre></details>"


def _line(document: Document, labels: Mapping[str, Label], lanes: Lanes, number: int, inside: Fold | None) -> str:
    """A row: its mark, what was said or changed, and in grey who did it."""
    row, x, y = lanes.rows[number], lanes.x(number), lanes.y(number)
    left = x + SPACE + 2
    if not isinstance(row, int):
        return f'<text class="s" x="{left:.1f}" y="{y + 4:.1f}">{_shown(row.text, WIDTH - MARGIN - left, SMALL)}</text>'
    flags, hue = document.all_flags[row], lanes.hues[row]
    text, grey, letter = label(document.facts, row)
    given = labels.get(document.facts.tree.heads[row].id, Label())
    parts = [mark(document.kinds[row], flags, hue, x, y)]
    if letter:
        width = max(18.0, width_of(letter, TINY) + 8)
        parts.append(f'<rect class="m{hue}" x="{left:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="18" rx="5"/>')
        parts.append(f'<text class="k" x="{left + width / 2:.1f}" y="{y + 4:.1f}">{escape(letter)}</text>')
        left += width + 6
    right = WIDTH - MARGIN
    grey = fitted(grey, max(0.0, min(GREY_SHOWN, right - left - TEXT_LEAST)), SMALL)
    room = right - left - (width_of(grey, SMALL) + SPACE if grey else 0)
    words = [("w", "★")] if given.star else []
    words += [("t w", fitted(given.label, room / 2))] if given.label else []
    tail = f"▸ {inside.text}" if inside else ""
    room -= sum(width_of(word) + 6 for _, word in words) + (width_of(tail, SMALL) + 6 if tail else 0)
    words.append(("b" if flags & codes.FAILED else "", fitted(text, max(0.0, room))))
    words += [("s", tail)] if tail else []
    spans = [f"<tspan{_class(kind)}{_apart(at)}>{escape(word)}</tspan>" for at, (kind, word) in enumerate(words)]
    parts.append(f'<text x="{left:.1f}" y="{y + 4.5:.1f}">{"".join(spans)}</text>')
    if grey:
        parts.append(f'<text class="s r" x="{right}" y="{y + 4:.1f}">{escape(grey)}</text>')
    return "".join(parts)


def _legend(document: Document, rows: Sequence[StillRow], y: float) -> str:
    """What the marks mean that occur."""
    if not rows:
        return f'<text class="s" x="{MARGIN}" y="{y:.1f}">no checkpoints</text>'
    looks = {mark(document.kinds[at], document.all_flags[at], 5, 0, 0) for at in rows if isinstance(at, int)}
    parts, x = [], MARGIN + 8.0
    for kind, flags, words in LEGEND:
        if mark(kind, flags, 5, 0, 0) in looks:
            parts.append(mark(kind, flags, 5, x, y))
            parts.append(f'<text class="n" x="{x + 11:.1f}" y="{y + 4:.1f}">{words}</text>')
            x += 11 + width_of(words, TINY) + 18
    return "".join(parts)


def _description(document: Document, rows: Sequence[StillRow]) -> str:
    """What the picture shows, for those who do not see it."""
    counts = [f"{document.counts[name]:,} {name}" for name in ("failed", "waiting", "edited", "starred")]
    return f"A tree of {document.counts['checkpoints']:,} checkpoints in {len(rows)} rows: {', '.join(counts)}."


def _shown(text: str, width: float, size: float = SIZE) -> str:
    return escape(fitted(text, width, size))


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _apart(number: int) -> str:
    return ' dx="6"' if number else ""
