"""The await twins of methods: `arefresh` for `refresh`, as code on an event loop awaits it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import signature
from itertools import chain, repeat
from typing import Any, ParamSpec, TypeVar

from .aio import in_thread, on_this_loop

P = ParamSpec("P")
R = TypeVar("R")
LISTENERS = ("on_event", "on_checkpoint")


def twin(method: Callable[P, R], more: str = "") -> Callable[P, Coroutine[Any, Any, R]]:
    """The twin of a method: it runs the method in a worker thread, so the event loop goes on, and is awaited.

    Cancelling it ends the method's run. An `on_event` or `on_checkpoint` is called on the awaiting loop and may be
    async.

    Args:
        method: The method, as it stands in the class body.
        more: What else its docstring says.
    """
    name, names = method.__name__, tuple(signature(method).parameters)[1:]

    def called_back(name: str, value: Any) -> Any:
        return on_this_loop(value) if name in LISTENERS else value

    @wraps(method)
    async def awaited(self: Any, *args: Any, **kwargs: Any) -> Any:
        args = tuple(called_back(at, value) for at, value in zip(chain(names, repeat("")), args, strict=False))
        return await in_thread(
            getattr(self, name), *args, **{at: called_back(at, value) for at, value in kwargs.items()}
        )

    awaited.__name__ = f"a{name}"
    awaited.__qualname__ = method.__qualname__.replace(name, f"a{name}")
    awaited.__doc__ = f"`{name}` for async code: needs no nested event loop.{' ' if more else ''}{more}"
    return awaited  # type: ignore[return-value]
