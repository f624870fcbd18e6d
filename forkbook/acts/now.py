"""Checkpoints as they are now, as acts read them."""

from __future__ import annotations

from ..backends.contract import Backend
from ..model.secrets import hide_in_metadata
from ..model.states import State


def state_now(backend: Backend, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
    """A checkpoint's state, or the newest's of a namespace, whose metadata show no secret; None if there is none."""
    state = backend.state(thread_id, checkpoint_id, ns=ns)
    if state is not None:
        hide_in_metadata([state])
    return state
