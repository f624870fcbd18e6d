"""What an explorer says of the place that it shows: what can be done there, and why the rest cannot."""

from __future__ import annotations

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..errors import ForkbookError

NEEDS = {
    "write": (Capability.WRITE, "write an edit"),
    "run": (Capability.RUN, "run a graph"),
    "copy": (Capability.WRITE, "copy a thread"),
    "store": (Capability.STORE, "show a memory that threads share"),
}
ALWAYS = ("read", "export", "subgraphs")


def why_not(backend: Backend) -> dict[str, str]:
    """What cannot be done there, with the reason."""
    reasons = {}
    for name, (capability, deed) in NEEDS.items():
        try:
            backend.require(capability, deed)
        except ForkbookError as error:
            reasons[name] = str(error)
    return reasons


def can(backend: Backend) -> dict[str, bool]:
    """What can be done there."""
    reasons = why_not(backend)
    return dict.fromkeys(ALWAYS, True) | {name: name not in reasons for name in NEEDS}


def place_text(backend: Backend) -> str:
    """The place in words."""
    return f"{backend.kind} {backend.address}"
