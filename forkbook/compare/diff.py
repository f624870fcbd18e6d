"""Two states' values -> what changed between them, messages by their ids. Pure.

Our own: deepdiff and jsondiff need seconds for 1 MB, dictdiffer pairs list items by place, none knows a message's id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..columns import OBJECT, TEXT, Columns, Row
from ..errors import InvalidInput
from ..frames import frame
from ..model.meaning import TYPE, as_json, named, same
from ..model.messages import role
from ..model.text import short, shown
from . import align as alignment
from .align import message_id
from .change import Change, Path, path_text
from .show_changes import html_of, text_of

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("added", "removed", "changed", "moved")
COLUMNS: Columns = {"path": TEXT, "kind": KINDS, "message_id": TEXT, "old": OBJECT, "new": OBJECT}
OPEN = ("tuple", "deque", "dict")  # plain forms that are compared item by item, the others as one value


@dataclass(frozen=True, repr=False)
class Diff:
    """What changed from one state to another; false where nothing did.

    Attributes:
        changes: The changes: channels in the old state's order, then new ones; list items by position.
    """

    changes: tuple[Change, ...]
    _operations: tuple["Operation", ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def df(self) -> "pd.DataFrame":
        """One row per change.

        Returns:
            Columns `path` (string, as in `messages[3].content`), `kind` (category), `message_id` (string), `old` and
            `new` (the values themselves).
        """
        rows: list[Row] = [
            {"path": path_text(c.path), "kind": c.kind, "message_id": c.message_id, "old": c.old, "new": c.new}
            for c in self.changes
        ]
        return frame(rows, COLUMNS)

    def patch(self) -> list[dict[str, Any]]:
        """The change as a JSON Patch (RFC 6902): applied to the old state as JSON, it gives the new one.

        What means the same in both (1 and 1.0, one instant in two spellings) stays as the old state has it.
        """
        return [operation.as_json() for operation in self._operations]

    @shown
    def text(self, limit: int = 100) -> str:
        """One line per change, as a terminal shows it; after so many, how many more there are."""
        return text_of(self.changes, _checked(limit))

    def html(self, limit: int = 100) -> str:
        """The changes as HTML, words marked that came and went; after so many changes, how many more there are."""
        return html_of(self.changes, _checked(limit))

    @shown
    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


def _checked(limit: Any) -> int:
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise InvalidInput(f"limit is {short(limit)}: give a number of changes, 0 or more")
    return limit


def diff(a: Any, b: Any) -> Diff:
    """What changed from one state's values to another's.

    Messages are the same where their ids are; those without an id, and other list items, where they are equal, then
    where they stand at the same place between the same neighbours. `model.meaning` says when two values are equal.

    Args:
        a: The old values.
        b: The new values.

    Example:
        >>> from forkbook.compare.diff import diff
        >>> diff({"topic": "cats"}, {"topic": "chickens"})
        topic: "cats" → "chickens"
    """
    walk = _Walk([], [])
    walk.values(a, b, _Place())
    return Diff(tuple(walk.changes), tuple(walk.operations))


class Operation(NamedTuple):
    """One step of a patch; `source` is where a move comes from."""

    op: str
    path: Path
    value: Any = None
    source: Path = ()

    def as_json(self) -> dict[str, Any]:
        """The step in RFC 6902's words."""
        step = {"op": self.op, "path": _pointer(self.path)}
        if self.op == "move":
            step["from"] = _pointer(self.source)
        return step if self.op in ("move", "remove") else step | {"value": as_json(self.value)}


class _Place(NamedTuple):
    """Where a value is in both states, and in which message."""

    old: Path = ()
    new: Path = ()
    message: Mapping[str, Any] | None = None
    depth: int = 0

    def step(self, old: str | int, new: str | int) -> "_Place":
        return self._replace(old=(*self.old, old), new=(*self.new, new))

    def inside(self, value: Any) -> "_Place":
        """This place, in the message that the value is, if it is one."""
        return self._replace(message=value, depth=len(self.new)) if isinstance(value, dict) and role(value) else self


@dataclass(frozen=True, slots=True)
class _Walk:
    """Collects changes and the operations that make them: items to their places first, then their insides."""

    changes: list[Change]
    operations: list[Operation]

    def values(self, a: Any, b: Any, at: _Place) -> None:
        if a is b:
            return
        if isinstance(a, dict) and isinstance(b, dict) and _open(a, b):
            self.fields(named(a), named(b), at.inside(a).inside(b))
        elif isinstance(a, list) and isinstance(b, list):
            self.items(a, b, at)
        elif not same(a, b):
            self.note("changed", at, a, b)
            self.operations.append(Operation("replace", at.new, b))

    def fields(self, a: Mapping[str, Any], b: Mapping[str, Any], at: _Place) -> None:
        for key, value in a.items():
            if key in b:
                if value is not b[key]:
                    self.values(value, b[key], at.step(key, key))
            else:
                self.note("removed", at.step(key, key), value, None)
                self.operations.append(Operation("remove", (*at.new, key)))
        for key, value in b.items():
            if key not in a:
                self.note("added", at.step(key, key), None, value)
                self.operations.append(Operation("add", (*at.new, key), value))

    def items(self, a: list[Any], b: list[Any], at: _Place) -> None:
        start, end = alignment.ends(a, b, alignment.together)
        old, new = range(start, len(a) - end), range(start, len(b) - end)
        pairs = alignment.pairs(a[start : old.stop], b[start : new.stop])
        kept, moved = ({start + j: start + i for i, j in found} for found in pairs)
        self.rearrange(old, new, kept, moved, b, at.new)

        for position in range(start):
            self.item(a, b, position, position, at)
        left = {*kept.values(), *moved.values()}
        for position, side in sorted([(i, 0) for i in old if i not in left] + [(j, 1) for j in new]):
            here = at.step(position, position)
            if side == 0:
                self.note("removed", here, a[position], None)
            elif position in kept:
                self.item(a, b, kept[position], position, at)
            elif position in moved:
                self.note("moved", at.step(moved[position], position), a[moved[position]], b[position])
                self.item(a, b, moved[position], position, at)
            else:
                self.note("added", here, None, b[position])
        for back in range(end, 0, -1):
            self.item(a, b, len(a) - back, len(b) - back, at)

    def item(self, a: list[Any], b: list[Any], old: int, new: int, at: _Place) -> None:
        if not same(a[old], b[new]):
            self.values(a[old], b[new], at.step(old, new))

    def rearrange(
        self, old: range, new: range, kept: dict[int, int], moved: dict[int, int], b: list[Any], path: Path
    ) -> None:
        """The operations that bring a list's items to their places: away with what goes, then move, then add."""
        order = sorted([*kept.values(), *moved.values()])
        stays = set(order)
        self.operations.extend(Operation("remove", (*path, i)) for i in reversed(old) if i not in stays)
        before = -1
        for j in sorted([*kept, *moved]) if moved else ():
            if j in moved:
                here = order.index(moved[j])
                order.pop(here)
                there = order.index(before) + 1 if before >= 0 else 0
                order.insert(there, moved[j])
                if here != there:
                    source, target = (*path, old.start + here), (*path, old.start + there)
                    self.operations.append(Operation("move", target, source=source))
            before = moved[j] if j in moved else kept[j]
        self.operations.extend(Operation("add", (*path, j), b[j]) for j in new if j not in kept and j not in moved)

    def note(self, kind: str, at: _Place, old: Any, new: Any) -> None:
        if kind != "changed":
            at = at.inside(old if kind == "removed" else new)
        path, source = (at.old if kind == "removed" else at.new), (at.old if kind == "moved" else None)
        message = at.message
        named_by = (message_id(message), role(message)) if message is not None else (None, None)
        self.changes.append(Change(path, kind, old, new, *named_by, at.depth, source))


def _open(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two dicts are compared field by field."""
    if TYPE not in a and TYPE not in b:
        return True
    return a.get(TYPE) == b.get(TYPE) and a.get(TYPE) in OPEN and not same(a, b)


def _pointer(path: Path) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
