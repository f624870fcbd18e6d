"""Search in a thread. Pure."""

from typing import Any

from .document import Document


def find(document: Document, **wanted: Any) -> dict[str, Any]:
    """Checkpoints that fit."""
    return {"positions": [], "more": False}
