"""Whether two JSON values are equal, and where two histories with the same ids differ. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ..model.redaction import states_without_secrets
from ..model.states import State, is_placeholder, key_of
from ..model.text import short, shown

MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two histories disagree.

    Attributes:
        checkpoint_id: The checkpoint, of the original where it has it.
        field: The path of the field in its state, as in `values.messages[3].content`; "" for the whole checkpoint.
        original: What the original has.
        copied: What the copy has.
    """

    checkpoint_id: str
    field: str
    original: Any
    copied: Any

    @shown
    def __str__(self) -> str:
        names = [f"checkpoint {self.checkpoint_id[-6:]}" if self.checkpoint_id else "the thread's", self.field]
        where = (", " if self.checkpoint_id else " ").join(name for name in names if name)
        return f"{where}: {short(self.original)} became {short(self.copied)}"


def unequal(a: Any, b: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Paths and both values wherever two JSON values differ; 1, 1.0 and true are different, NaN is itself."""
    if a is b:
        return
    if is_placeholder(a) != is_placeholder(b):
        yield path, in_words(a), in_words(b)
    elif isinstance(a, dict) and isinstance(b, dict):
        for key in a.keys() | b.keys():
            yield from unequal(a.get(key, MISSING), b.get(key, MISSING), f"{path}.{key}" if path else str(key))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (item, other) in enumerate(zip(a, b, strict=True)):
            if not _same_json(item, other):
                yield from unequal(item, other, f"{path}[{index}]")
    elif type(a) is not type(b) or (a != b and (a == a or b == b)):
        yield path, in_words(a), in_words(b)


def in_words(value: Any) -> Any:
    """A value as a difference shows it: in words where there is none, or where it is not known."""
    if is_placeholder(value):
        return f"not known ({value.get('reason')})"
    return "nothing" if value is MISSING else value


def _same_json(a: Any, b: Any) -> bool:
    """Whether two values surely are the same JSON; a quick look that spares a close one."""
    if a is b:
        return True
    try:
        text = orjson.dumps(a)
        return text == orjson.dumps(b) and (b"null" not in text or bool(a == b))  # NaN is written as null
    except TypeError:
        return False


def differences(
    originals: Sequence[State], copies: Sequence[State], thread_id: str, copy_id: str
) -> Iterator[Difference]:
    """Every field in which two histories differ, thread ids aside; checkpoints are matched by id.

    How a value was come by is no difference, nor are secrets in metadata, which may have been left out.
    """
    both = map(states_without_secrets, (originals, copies))
    old, new = ({key_of(state): state | {"rebuilt": None} for state in states} for states in both)
    for key in sorted(old.keys() | new.keys()):
        checkpoint_id = key[1]
        if key not in new:
            yield Difference(checkpoint_id, "", "present", "missing")
        elif key not in old:
            yield Difference(checkpoint_id, "", "missing", "present")
        else:
            for field, a, b in unequal(old[key], new[key]):
                own_id = (
                    field.endswith("thread_id") and not field.startswith("values") and (a, b) == (thread_id, copy_id)
                )
                if not own_id:
                    yield Difference(checkpoint_id, field, a, b)
