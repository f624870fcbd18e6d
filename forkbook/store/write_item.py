"""A write to the shared memory: shown first, done when it is confirmed, read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..aio import in_thread
from ..backends.store import Item, Memory, Namespace, text_of
from ..errors import ActFailed, Refused
from ..model.meaning import line, same
from ..model.text import short, shown, visible


@dataclass(frozen=True, slots=True, repr=False)
class Write:
    """An item that is to be written or deleted: nothing happens until `confirm()`.

    Attributes:
        namespace: Where.
        key: Its name.
        old: The item as it is; None: there is none.
        value: Its new value; None: it is to be deleted.
        memory: The place.
        done: Whether it was done.
    """

    namespace: Namespace
    key: str
    old: Item | None
    value: dict[str, Any] | None
    memory: Memory
    done: bool = False

    def confirm(self) -> Write:
        """Do it, and read it back.

        Raises:
            Refused: It is done already, or the item is not any more what was shown; nothing was written.
            ActFailed: What is there now is something else than what was written.
        """
        where = f"item {self.key!r} of {text_of(self.namespace)}"
        if self.done:
            raise Refused(f"{where} is written already")
        now = self.memory.item(self.namespace, self.key)
        if now != self.old:
            if same(now and now.value, self.value):
                raise Refused(f"{where} is so already: you confirmed this before, or another writer wrote the same")
            raise Refused(f"{where} was written by another writer since you looked; look again")
        if self.value is None:
            self.memory.delete(self.namespace, self.key)
        else:
            self.memory.put(self.namespace, self.key, self.value)
        found = self.memory.item(self.namespace, self.key)
        if not same(found and found.value, self.value):
            raise ActFailed(f"{where} was written, but it is now {short(found and found.value)}")
        return Write(self.namespace, self.key, self.old, self.value, self.memory, done=True)

    async def aconfirm(self) -> Write:
        """`confirm` for async code."""
        return await in_thread(self.confirm)

    @shown
    def __repr__(self) -> str:
        sides = [
            line(self.old.value) if self.old else "(nothing)",
            "(deleted)" if self.value is None else line(self.value),
        ]
        what = f"{text_of(self.namespace)} · {self.key}: {' → '.join(sides)}"
        return f"{visible(what)}\n  " + ("written" if self.done else "nothing is written until .confirm()")
