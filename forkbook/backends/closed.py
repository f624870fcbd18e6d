"""What a closed book has in the place of its backend: one error for whatever is asked."""

from typing import Any

from ..errors import BookClosed
from .capabilities import Capability
from .contract import Backend


class ClosedBackend(Backend):
    """A place that was let go of; it still says what and where it was.

    Args:
        was: The backend that was closed.
    """

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, was: Backend) -> None:
        self.kind, self.address, self.assistant = was.kind, was.address, was.assistant
        self.takes_context_beside_configurable, self.awaits = was.takes_context_beside_configurable, was.awaits
        self.header_names = was.header_names

    def refuse(self, *asked: Any, **more: Any) -> Any:
        """Refuse whatever is asked.

        Raises:
            BookClosed: Always.
        """
        raise BookClosed(
            f"this book on {self.kind} {self.address} is closed: fb.connect(…) opens the place again; histories that "
            "were read before keep what they have"
        )

    @property
    def file(self) -> Any:
        return self.refuse()

    @property
    def lives_in(self) -> Any:
        return self.refuse()

    def close(self) -> None:
        """Nothing is open."""

    threads = ids = thread = pages = state = states = namespaces = heads = n_checkpoints = memory = pulse = refuse
    why_unread = assistants = graph = subgraph = run_settings = as_sent = as_edit = as_shown = refuse
    scratches = update = run = cancel = copy = must_hold_copies = create = plant = tag = delete = require = refuse
