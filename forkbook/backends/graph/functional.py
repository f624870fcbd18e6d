"""Edits of a functional graph in this process."""

from collections.abc import Mapping
from typing import Any

from langgraph.func import entrypoint

from ...model.reserved import END, PREVIOUS


def with_memory(values: Any, held: Mapping[str, Any]) -> Any:
    """An edit of what a functional graph returned, so that what it saved apart from it (`entrypoint.final`) stays.

    Args:
        values: The whole of what it is to have returned.
        held: What the checkpoint's channels hold.
    """
    if PREVIOUS not in held or held[PREVIOUS] == held.get(END):
        return values
    return entrypoint.final(value=values, save=held[PREVIOUS])
