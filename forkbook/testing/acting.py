"""What a backend that can do more than read promises, as tests: it does it, or it refuses."""

import uuid
from typing import Any

import pytest

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.records import Graph, RunOutcome, RunSettings
from ..errors import ThreadNotFound, Unsupported
from ..model.states import State, id_of
from ..model.tree import Tree
from .reading import needs, read
from .samples import ThreadSample

RUN_STATUSES = ("success", "error", "interrupted", "timeout")


class ActingTests:
    """Tests of what a backend can do beyond reading, on copies and new threads that they delete again."""

    @pytest.mark.parametrize("capability", Capability)
    def test_a_capability_is_there_or_refused(self, backend: Backend, capability: Capability) -> None:
        if capability in backend.capabilities:
            backend.require(capability, "be tested")
            return
        with pytest.raises(Unsupported) as caught:
            backend.require(capability, "be tested")
        assert caught.value.details["capability"] is capability
        assert all(place in str(caught.value) for place in capability.places)

    def test_what_it_cannot_do_is_refused(self, backend: Backend, threads: list[ThreadSample]) -> None:
        thread_id = threads[0].thread_id
        before = read(backend, thread_id)
        calls: dict[str, tuple[Any, ...]] = {
            "update": (thread_id, None, {}, None), "copy": (thread_id,), "tag": (thread_id, {}),
            "delete": (thread_id,), "create": (thread_id, "", {}, []), "plant": (thread_id, []),
            "run": (thread_id, None, RunSettings()), "run_settings": (thread_id, {}), "graph": ("agent",), "memory": (),
        }  # fmt: skip
        for capability in set(Capability) - backend.capabilities:
            for name in capability.methods:
                if capability is Capability.STORE or getattr(type(backend), name) is getattr(Backend, name):
                    with pytest.raises(Unsupported):
                        getattr(backend, name)(*calls[name])
        assert read(backend, thread_id) == before

    def test_copies_are_whole_and_can_be_deleted(self, backend: Backend, threads: list[ThreadSample]) -> None:
        needs(backend, Capability.WRITE)
        sample = threads[0]
        copied = backend.copy(sample.thread_id)
        try:
            backend.tag(copied, {"purpose": "test"})
            assert backend.thread(copied)["metadata"]["purpose"] == "test"
            tree = Tree(backend.heads(copied))
            assert [None if parent < 0 else parent for parent in tree.parents] == list(sample.parents)
        finally:
            backend.delete(copied)
        with pytest.raises(ThreadNotFound):
            backend.thread(copied)

    def test_a_thread_is_created(self, backend: Backend) -> None:
        needs(backend, Capability.CREATE, Capability.WRITE)
        thread_id = str(uuid.uuid4())
        backend.create(thread_id, "", {"purpose": "test"}, [])
        try:
            assert backend.thread(thread_id)["metadata"]["purpose"] == "test"
        finally:
            backend.delete(thread_id)

    def test_checkpoints_are_planted_under_their_ids(self, backend: Backend, threads: list[ThreadSample]) -> None:
        needs(backend, Capability.PLANT, Capability.WRITE)
        states, thread_id = read(backend, threads[0].thread_id), str(uuid.uuid4())
        backend.plant(thread_id, states, backend.classes)
        try:
            assert list(map(id_of, read(backend, thread_id))) == list(map(id_of, states))
        finally:
            backend.delete(thread_id)

    def test_a_run_goes_on_from_a_checkpoint(self, backend: Backend, threads: list[ThreadSample]) -> None:
        needs(backend, Capability.RUN, Capability.WRITE)
        sample, state = _to_run(backend, threads)
        at, before = id_of(state), read(backend, sample.thread_id)
        settings = backend.run_settings(sample.thread_id, state["metadata"] or {})
        copied = backend.copy(sample.thread_id)
        try:
            outcome = backend.run(copied, at, settings)
            assert isinstance(outcome, RunOutcome)
            assert outcome.status in RUN_STATUSES
            heads = {head.id: head for head in backend.heads(copied)}
            new = [head for id_, head in heads.items() if id_ not in map(id_of, before)]
            assert heads.keys() > set(map(id_of, before))
            assert any(head.parent_id == at for head in new)
        finally:
            backend.delete(copied)
        assert read(backend, sample.thread_id) == before

    def test_graphs_and_runs_are_known(self, backend: Backend, threads: list[ThreadSample]) -> None:
        if Capability.RUN in backend.capabilities:
            state = backend.state(threads[0].thread_id)
            assert state is not None
            assert isinstance(backend.run_settings(threads[0].thread_id, state["metadata"] or {}), RunSettings)
        if Capability.GRAPHS in backend.capabilities:
            assert all(isinstance(backend.graph(name), Graph) for name in backend.assistants())

    def test_the_shared_memory_is_read(self, backend: Backend) -> None:
        needs(backend, Capability.STORE)
        memory = backend.memory()
        items = memory.items((), None, 3)
        assert {item.namespace for item in items} <= set(memory.namespaces(()))
        assert [memory.item(item.namespace, item.key) for item in items] == items


def _to_run(backend: Backend, threads: list[ThreadSample]) -> tuple[ThreadSample, State]:
    """A checkpoint at which nodes are yet to run and no interrupt waits."""
    for sample in threads:
        for state in read(backend, sample.thread_id):
            if state["next"] and not state["interrupts"] and not any(task["interrupts"] for task in state["tasks"]):
                return sample, state
    pytest.skip("no thread has a checkpoint from which a run can go on")
