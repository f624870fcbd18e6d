"""What the tests of the suite share: how they read a thread."""

import pytest

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..model.states import State, namespace
from .samples import ThreadSample


def read(backend: Backend, thread_id: str, ns: str = "") -> list[State]:
    return [state for page in backend.pages(thread_id, ns=ns) for state in page]


def whole(backend: Backend, sample: ThreadSample) -> list[State]:
    """Every state of a thread; where the place keeps no list of namespaces, of those that the sample names."""
    names = backend.namespaces(sample.thread_id)
    inner = {namespace(state) for state in sample.states} - {""} if names is None else names
    return [state for ns in ("", *sorted(inner)) for state in read(backend, sample.thread_id, ns)]


def needs(backend: Backend, *capabilities: Capability) -> None:
    """Skip a test of what a place is not made for."""
    if not backend.capabilities >= set(capabilities):
        pytest.skip(f"{backend.kind} has no {' and '.join(capability.value for capability in capabilities)}")
