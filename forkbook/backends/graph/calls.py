"""How the methods of graphs and checkpointers are called: the sync ones, or their async twins on their loop."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver

from ...aio import wait

NO_THREAD = "00000000-0000-0000-0000-000000000000"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls methods of graphs and checkpointers: the sync ones, or their async twins on the loop they belong to.

    Attributes:
        awaits: Whether the async twins are to be called.
        loop: The loop that the objects belong to.
    """

    awaits: bool
    loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, owner: Any, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """What the method returns."""
        if not self.awaits:
            return getattr(owner, method)(*args, **kwargs)

        async def called() -> Any:
            return await getattr(owner, f"a{method}")(*args, **kwargs)

        return wait(called, self.loop)

    def each(self, take: Callable[[Any], T], owner: Any, method: str, /, *args: Any, **kwargs: Any) -> list[T]:
        """What `take` makes of each thing that the method yields."""
        if not self.awaits:
            return [take(item) for item in getattr(owner, method)(*args, **kwargs)]

        async def called() -> list[T]:
            return [take(item) async for item in getattr(owner, f"a{method}")(*args, **kwargs)]

        return wait(called, self.loop)

    def stream(self, owner: Any, method: str, /, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """What the method yields, as it comes, in the thread that asks; closing this ends it."""
        if not self.awaits:
            yield from getattr(owner, method)(*args, **kwargs)
            return
        items, end = getattr(owner, f"a{method}")(*args, **kwargs), object()

        async def following() -> Any:
            return await anext(items, end)

        try:
            while (item := wait(following, self.loop)) is not end:
                yield item
        finally:
            wait(items.aclose, self.loop)


def caller_of(saver: Any) -> Caller:
    """How to call a checkpointer, and a graph on it: an async one has a loop, or has async methods only."""
    loop = getattr(saver, "loop", None)
    return Caller(isinstance(loop, asyncio.AbstractEventLoop) or _only_async(saver), loop)


def _only_async(saver: Any) -> bool:
    """Whether a checkpointer has no sync methods; one of another maker may have some that only refuse."""
    if type(saver).get_tuple is BaseCheckpointSaver.get_tuple:
        return True
    if type(saver).get_tuple.__module__.startswith("langgraph."):
        return False
    with suppress(Exception):
        try:
            saver.get_tuple({"configurable": {"thread_id": NO_THREAD, "checkpoint_ns": ""}})
        except NotImplementedError:
            return True
    return False


def awaits(graph: Any) -> bool:
    """Whether a part of the graph's own code is async only, so that it can only be awaited."""
    parts = [node.bound for node in graph.nodes.values()]
    branches = getattr(getattr(graph, "builder", None), "branches", {}).values()
    parts += [branch.path for those in branches for branch in those.values()]
    return any(_awaits(part) for part in parts)


def _awaits(part: Any) -> bool:
    if hasattr(part, "nodes") and hasattr(part, "checkpointer"):
        return awaits(part)
    if steps := getattr(part, "steps", None):
        return any(_awaits(step) for step in steps)
    return getattr(part, "func", None) is None and getattr(part, "afunc", None) is not None
