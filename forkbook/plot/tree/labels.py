"""What the figure says in words: labels beside the rows, and the box that opens over a checkpoint. Pure.

Everything that comes back is escaped.
"""

import textwrap
from dataclasses import dataclass

from ...model.text import cut, escape, visible
from ...model.tree import TIP_WORD, Tree, path_of
from ...tokens import amount

LABEL_LENGTH = 30
LINE_LENGTH = 60
DETAIL_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Mark:
    """What the picture says of one checkpoint.

    Attributes:
        title: What made it: node names, "input", "edit", "replay".
        status: Of a tip `finished`, `waiting`, `pending`, `error` or `unknown`; above the tips `interrupted`, `error`
            or "".
        next: The nodes that would run next; empty: none, it is finished. None: unknown.
        created_at: When it was made, as the backend gave it.
        detail: Error text or the interrupt's question, of any length.
        tokens: Spent tokens. None: no AI message here, or unknown.
        inside: How many checkpoints of subgraphs are folded into this one.
        at_least: Where the spent tokens are unknown the least that they can be; None: they are known.
        hidden: The channels of its state that are not known, and why.
        run_id: The run that wrote it; None: none did, or unknown.
    """

    title: str
    status: str
    next: tuple[str, ...] | None
    created_at: str | None
    detail: str
    tokens: int | None
    inside: int = 0
    at_least: int | None = None
    hidden: str = ""
    run_id: str | None = None


def row_label(tree: Tree, mark: Mark, position: int, with_tokens: bool) -> str:
    """The label right of the lanes: title, then tip, status and tokens where there are any.

    Args:
        tree: The tree.
        mark: The checkpoint's mark.
        position: The checkpoint's position.
        with_tokens: Whether to show the spent tokens.

    Returns:
        One escaped line with plotly markup; a title over 30 characters ends in "…".
    """
    parts = [escape(cut(visible(mark.title), LABEL_LENGTH))]
    if ends(tree, position):
        parts.append(f"<b>{end_of(tree, position)} {tree.label(position)}</b>")
    if mark.inside:
        parts.append(f"▸ {mark.inside:,} inside")
    if mark.status in ("waiting", "interrupted", "pending"):
        parts.append(mark.status)
    if mark.status == "error":
        parts.append("failed")
    if with_tokens and mark.at_least is not None:
        parts.append(f"tokens {amount(None, mark.at_least)}")
    elif with_tokens and mark.tokens is not None:
        parts.append(_tokens(mark.tokens))
    return " · ".join(parts)


def hover_text(tree: Tree, mark: Mark, position: int) -> str:
    """The box that opens over a checkpoint.

    Args:
        tree: The tree.
        mark: The checkpoint's mark.
        position: The checkpoint's position.

    Returns:
        Escaped lines joined by `<br>`: id, step, source, branch; title; status and next; tokens and time; detail. A
        detail over 300 characters is cut, and says how long it is.
    """
    head = tree.heads[position]
    step = "step ?" if head.step is None else f"step {head.step}"
    place = f"branch {tree.label(position)}"
    if head.ns:
        place = f"{escape(cut(visible(' › '.join(path_of(head.ns))), 2 * LINE_LENGTH))}, {place}"
    lines = [
        f"<b>{escape(head.id[-6:])}</b> · {step} · {escape(cut(head.source or 'source ?', 20))} · {place}",
        *_wrapped(cut(visible(mark.title), 2 * LINE_LENGTH)),
        " · ".join(part for part in (_state(tree, mark, position), _next(mark)) if part),
        " · ".join(part for part in (_spent(mark), escape(cut(mark.created_at or "", 40))) if part),
        *_wrapped(_detail(mark.detail)),
        *_wrapped(_detail(f"not known: {mark.hidden}" if mark.hidden else "")),
    ]
    return "<br>".join(line for line in lines if line)


def ends(tree: Tree, position: int) -> bool:
    """Whether a checkpoint ends a branch that needs a letter: in a subgraph of one branch there is none."""
    ns = tree.heads[position].ns
    return not tree.children[position] and (not ns or len(tree.numbers[ns]) > 1)


def end_of(tree: Tree, position: int) -> str:
    """What the end of a branch is called: a tip in the root graph."""
    return "end" if tree.heads[position].ns else TIP_WORD


def _tokens(number: int) -> str:
    return f"{number:,} {'token' if number == 1 else 'tokens'}"


def _spent(mark: Mark) -> str:
    if mark.at_least is not None:
        return f"spent tokens: {amount(None, mark.at_least)}"
    return "" if mark.tokens is None else f"{_tokens(mark.tokens)} spent"


def _state(tree: Tree, mark: Mark, position: int) -> str:
    children = len(tree.children[position])
    kind = end_of(tree, position) if not children else f"fork point of {children}" if children > 1 else ""
    status = "failed" if mark.status == "error" else escape(cut(mark.status, 20))
    if status == "unknown":
        status = "status unknown"
    return ", ".join(part for part in (kind, status) if part)


def _next(mark: Mark) -> str:
    if mark.next is None:
        return "next unknown"
    return f"next: {escape(cut(', '.join(mark.next), LINE_LENGTH))}" if mark.next else ""


def _detail(text: str) -> str:
    seen = visible(text.strip())
    if len(seen) <= DETAIL_LENGTH:
        return seen
    return f"{cut(seen, DETAIL_LENGTH)} ({DETAIL_LENGTH} of {len(seen):,} characters)"


def _wrapped(text: str) -> list[str]:
    return [escape(line) for line in textwrap.wrap(text, LINE_LENGTH)]
