"""What two sequences have in common: the items of lists, messages by id, and the words of texts. Pure."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from ..model.meaning import meaning, same
from ..model.messages import role

LARGEST = 400_000_000  # items of one side times items of the other; 50 MB
STRETCH = 32  # items
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # written without spaces: each is a word
WORD = rf"[{IDEOGRAPHS}]|[^\W{IDEOGRAPHS}]+|\s+|[^\w\s]"  # compiled when it is first used: it is slow


class Run(NamedTuple):
    """Neighbours that both sequences have: `length` from position `a` of the one and `b` of the other."""

    a: int
    b: int
    length: int


class Pairs(NamedTuple):
    """Which items of two lists belong together, as positions in both: in the same order, and moved messages."""

    kept: list[tuple[int, int]]
    moved: list[tuple[int, int]]

    def mirrored(self) -> "Pairs":
        return Pairs(*([(j, i) for i, j in pairs] for pairs in self))


def pairs(a: list[Any], b: list[Any]) -> Pairs:
    """Which items of two lists belong together; the mirror image if the lists are swapped.

    Messages do by id. Others do where they are equal, else at the same place of a gap between such pairs.

    Args:
        a: A list.
        b: Another; their first items do not belong together.
    """
    if not a or not b:
        return Pairs([], [])
    if repr(a[0]) > repr(b[0]):
        return _pairs(b, a).mirrored()
    return _pairs(a, b)


def together(a: Any, b: Any) -> bool:
    """Whether two list items are the same one: by the message's id, or because they are equal."""
    known = message_id(a)
    return (known is not None and known == message_id(b)) or same(a, b)


def message_id(item: Any) -> str | None:
    """The id of what may be a message; None if it is none, or has no id."""
    known = item.get("id") if isinstance(item, dict) and role(item) else None
    return known if isinstance(known, str) and known else None


def runs(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[Run]:
    """The runs of a longest common subsequence, in order.

    Where the parts that differ are too long for that (`LARGEST`), items that each side has once, else stretches of
    them, divide the parts first: what comes back is common to both still, yet may not be the longest.
    """
    numbers: dict[Hashable, int] = {}
    in_a, in_b = ([numbers.setdefault(item, len(numbers)) for item in side] for side in (a, b))
    found: list[Run] = []
    for run in _runs(in_a, in_b):
        if found and (run.a, run.b) == (found[-1].a + found[-1].length, found[-1].b + found[-1].length):
            found[-1] = Run(found[-1].a, found[-1].b, found[-1].length + run.length)
        else:
            found.append(run)
    return found


def ends(a: Sequence[Any], b: Sequence[Any], match: Callable[[Any, Any], bool]) -> tuple[int, int]:
    """How many items match at the beginning, and how many of the others at the end."""
    most = min(len(a), len(b))
    start = 0
    while start < most and (a[start] is b[start] or match(a[start], b[start])):
        start += 1
    end = 0
    while end < most - start and (a[-1 - end] is b[-1 - end] or match(a[-1 - end], b[-1 - end])):
        end += 1
    return start, end


def words(old: str, new: str) -> list[tuple[str, str]]:
    """A text's change, word by word.

    Returns:
        `(op, text)`: `equal` and `delete` parts make the old text, `equal` and `insert` parts the new one; a `delete`
        stands before the `insert` that takes its place. Space between two changes counts as changed. In huge texts
        fewer words may be found equal; see `runs`.

    Example:
        >>> from forkbook.compare.align import words
        >>> words("a cat", "a dog")
        [('equal', 'a '), ('delete', 'cat'), ('insert', 'dog')]
    """
    a, b = re.findall(WORD, old), re.findall(WORD, new)
    parts: list[tuple[str, str]] = []
    deleted = inserted = ""
    at_a = at_b = 0
    for run in [*runs(a, b), Run(len(a), len(b), 0)]:
        deleted += "".join(a[at_a : run.a])
        inserted += "".join(b[at_b : run.b])
        at_a, at_b = run.a + run.length, run.b + run.length
        common = "".join(a[run.a : at_a])
        if common.isspace() and (deleted or inserted) and (at_a < len(a) or at_b < len(b)):
            deleted, inserted = deleted + common, inserted + common
            continue
        parts += [part for part in (("delete", deleted), ("insert", inserted), ("equal", common)) if part[1]]
        deleted = inserted = ""
    return parts


def _pairs(a: list[Any], b: list[Any]) -> Pairs:
    tokens_a, tokens_b = _tokens(a), _tokens(b)
    common = set(tokens_a).intersection(tokens_b)
    kept: list[tuple[int, int]] = []
    at_a = at_b = 0
    for run in [*runs(tokens_a, tokens_b), Run(len(a), len(b), 0)]:
        gap_a = [i for i in range(at_a, run.a) if not _elsewhere(tokens_a[i], common)]
        gap_b = [j for j in range(at_b, run.b) if not _elsewhere(tokens_b[j], common)]
        kept += [(i, j) for i, j in zip(gap_a, gap_b, strict=False) if _comparable(a[i], b[j])]
        kept += [(run.a + n, run.b + n) for n in range(run.length)]
        at_a, at_b = run.a + run.length, run.b + run.length
    known = {i for i, _ in kept}
    place = {token: i for i, token in enumerate(tokens_a) if i not in known and _elsewhere(token, common)}
    here = {j for _, j in kept}
    moved = [(place[token], j) for j, token in enumerate(tokens_b) if j not in here and token in place]
    return Pairs(kept, moved)


class _Id(NamedTuple):
    """What a message is known by: its id, and how many messages before it have the same."""

    id: str
    occurrence: int


def _tokens(items: Sequence[Any]) -> list[Any]:
    """What list items are matched by: messages by id, all others by what they mean."""
    seen: Counter[str] = Counter()
    tokens: list[Any] = []
    for item in items:
        if (known := message_id(item)) is None:
            tokens.append(meaning(item))
        else:
            tokens.append(_Id(known, seen[known]))
            seen[known] += 1
    return tokens


def _elsewhere(token: Any, common: set[Any]) -> bool:
    return isinstance(token, _Id) and token in common


def _comparable(a: Any, b: Any) -> bool:
    """Whether two items at the same place may be one that changed: not two messages of other ids or roles."""
    one, other = (role(item) if isinstance(item, dict) else None for item in (a, b))
    return one == other and not (message_id(a) and message_id(b))


def _runs(a: list[int], b: list[int], at_a: int = 0, at_b: int = 0) -> Iterator[Run]:
    start, end = ends(a, b, int.__eq__)
    if start:
        yield Run(at_a, at_b, start)
    stop_a, stop_b = len(a) - end, len(b) - end
    yield from _between(a[start:stop_a], b[start:stop_b], at_a + start, at_b + start)
    if end:
        yield Run(at_a + stop_a, at_b + stop_b, end)


def _between(a: list[int], b: list[int], at_a: int, at_b: int) -> Iterator[Run]:
    if not a or not b:
        return
    if len(a) * len(b) <= LARGEST:
        from rapidfuzz.distance import LCSseq

        for step in LCSseq.opcodes(a, b):
            if step.tag == "equal":
                yield Run(at_a + step.src_start, at_b + step.dest_start, step.src_end - step.src_start)
        return
    anchors = _anchors(a, b) or _anchors(_stretches(a), _stretches(b))
    here_a = here_b = 0
    for there_a, there_b in [*anchors, (len(a), len(b))] if anchors else ():
        yield from _runs(a[here_a:there_a], b[here_b:there_b], at_a + here_a, at_b + here_b)
        if there_a < len(a):
            yield Run(at_a + there_a, at_b + there_b, 1)
        here_a, here_b = there_a + 1, there_b + 1


def _stretches(items: list[int]) -> list[tuple[int, ...]]:
    """Each item with those behind it; where nothing is there once, a stretch of many still may be."""
    return [tuple(items[start : start + STRETCH]) for start in range(len(items) - STRETCH + 1)]


def _anchors(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Positions of the items that each side has once, as many as keep their order (patience sorting)."""
    counts_a, counts_b = Counter(a), Counter(b)
    place_b = {item: place for place, item in enumerate(b) if counts_b[item] == counts_a[item] == 1}
    piles: list[int] = []
    tops: list[tuple[int, int]] = []
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for place, item in enumerate(a):
        if (other := place_b.get(item)) is None:
            continue
        pile = bisect_left(piles, other)
        piles[pile : pile + 1] = [other]
        tops[pile : pile + 1] = [(place, other)]
        before[place, other] = tops[pile - 1] if pile else None
    chain, last = [], tops[-1] if tops else None
    while last:
        chain.append(last)
        last = before[last]
    return chain[::-1]
