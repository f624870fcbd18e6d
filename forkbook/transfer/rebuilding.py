"""Threads on an Agent Server, rebuilt by supersteps: the trunk in one request, then every fork."""

from collections.abc import Mapping
from typing import Any

from ..backends.base import Backend
from .originals import Original
from .writing import Writer


class Rebuilder(Writer):
    """Writes threads to an Agent Server; checkpoints get new ids."""

    def __init__(self, backend: Backend, graph_id: str | None = None) -> None:
        super().__init__(backend)
        self._graph_id = graph_id

    def write(self, original: Original, thread_id: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        raise NotImplementedError
