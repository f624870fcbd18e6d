"""Errors on the copy where an edit is tried, worded for the checkpoint that the user knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..backends.contract import Backend
from ..errors import AccessDenied, ActFailed, ForkbookError, InvalidInput, NotFound, ServerFault, SourceError
from ..model.states import State, namespace
from .now import state_now

AMBIGUOUS = "specify as_node"  # LangGraph's own words where it cannot tell which node an edit comes from


@contextmanager
def about_the_checkpoint(
    backend: Backend, thread_id: str, state: State, copied: str = "a scratch copy"
) -> Iterator[None]:
    """Turn faults of a copy into faults of the checkpoint: nothing was written to its thread, so none leaves that open.

    Args:
        backend: Where it is.
        thread_id: The thread that was copied.
        state: The checkpoint's state there.
        copied: What the edit was tried on.
    """
    try:
        yield
    except NotFound as error:
        if error.thread_id == thread_id:
            raise
        raise ActFailed(
            f"{copied} of thread {thread_id} was deleted while the edit was tried on it; nothing was written to the "
            "thread: try again",
            thread_id=thread_id,
        ) from error
    except AccessDenied:
        raise
    except (SourceError, InvalidInput) as error:
        raise _as_error(backend, thread_id, state, copied, error) from error


def _as_error(backend: Backend, thread_id: str, state: State, copied: str, error: ForkbookError) -> ForkbookError:
    checkpoint_id, said = state["checkpoint"]["checkpoint_id"], str(error.details.get("said") or error).rstrip(".")
    refused = isinstance(error, ServerFault | InvalidInput)
    deed = "cannot take this edit" if refused else "could not be tried with this edit"
    could = _candidates(backend, thread_id, state) if AMBIGUOUS in said else ()
    instead = f": give as_node, which is one of {', '.join(could)}" if could else ""
    return (InvalidInput if refused else type(error))(
        f"checkpoint {checkpoint_id} of thread {thread_id} {deed}: {said}{instead}; it was tried on {copied}, nothing "
        "was written to the thread",
        thread_id=thread_id,
        checkpoint_id=checkpoint_id,
        candidates=could or error.candidates,
        **error.details,
    )


def _candidates(backend: Backend, thread_id: str, state: State) -> tuple[str, ...]:
    """The nodes that ran last, side by side."""
    above = (state["parent_checkpoint"] or {}).get("checkpoint_id")
    before = state_now(backend, thread_id, above, ns=namespace(state)) if above else None
    return tuple(dict.fromkeys(str(task["name"]) for task in (before and before["tasks"]) or ()))
