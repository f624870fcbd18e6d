"""How keys, passwords and addresses are held so that nothing shows them, and how an address is shown. Pure.

IPython's `%xmode Verbose`, rich and error trackers print the locals of every frame, and attributes that a line of code
names: so a secret is in no variable and no attribute but as a `Secret`. Functions that reveal one raise nothing; they
give a message or None, and another function raises.
"""

import re
from collections.abc import Collection
from typing import Any, Self, TypeVar

from .secrets import MASK, is_secret_name
from .text import shown

SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*:/{1,3}", re.IGNORECASE)
ASSIGNED = re.compile(r"""([\w.-]+)(\s*=\s*)('(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|(?:\\.|[^\s&])+)""", re.DOTALL)
NO_PORT = re.compile(r"((?://|@|…|\A\s*[A-Za-z][\w+.-]*:)[^\s/?#@:\[\]]*):(?!\d{1,5}(?:[/?#,\s]|\Z))[^\s?#]+")


E = TypeVar("E", bound=BaseException)


class Secret:
    """A key, a password, or an address that may hold one: it shows nowhere, whoever prints, logs or pickles it."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    @classmethod
    def of(cls, value: Any) -> Any:
        """What was given as a secret, whatever its type; None and what is a secret already as they are."""
        return value if value is None or isinstance(value, Secret) else cls(value)

    def reveal(self) -> Any:
        """The text itself: pass it on at once, and keep it in no variable.

        Raises:
            ValueError: It did not come through a pickle.
        """
        if self._value is None:
            raise ValueError("a pickle holds neither keys nor addresses: connect again, fb.connect(…)")
        return self._value

    @shown
    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> tuple[type[Self], tuple[None]]:
        return type(self), (None,)


def alone(error: E) -> E:
    """An error without its frames and the errors before it: those of clients and drivers hold what was sent."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def without(text: str, secrets: Collection[Secret]) -> str:
    """A text with an ellipsis in the place of each secret."""
    for secret in secrets:
        text = _without_one(text, secret.reveal())
    return text


def _without_one(text: str, secret: str) -> str:
    text = text.replace(secret, "…")
    for length in range(len(secret) - 1, 3, -1):
        text = text.replace(f"{secret[:length]}…", "…")
    return text


def masked_address(text: str) -> str:
    """An address as it may be shown: what may be a user or a password in it is `…`.

    Args:
        text: Anything that was typed where an address belongs: a URL, a connection string, a path.
    """
    text = ASSIGNED.sub(_unassigned, text)
    before, at, after = text.rpartition("@")
    if at:
        scheme = SCHEME.match(before)
        text = f"{scheme[0] if scheme else ''}…@{after}"
    return NO_PORT.sub(r"\1:…", text)


def _unassigned(found: re.Match[str]) -> str:
    name, sign, _ = found.groups()
    return f"{name}{sign}…" if "pass" in name.lower() or is_secret_name(name) else found[0]
