"""What every backend promises, as tests that its author inherits."""

import copy
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
import pytest

from ..backends.capabilities import Capability
from ..backends.contract import Backend
from ..backends.records import Graph, RunSettings
from ..errors import InvalidInput, ThreadNotFound, Unsupported
from ..model.states import State, head_of, id_of, is_placeholder, key_of, namespace
from ..model.tree import Tree
from .samples import ThreadSample, sample_threads

STATE_KEYS = {
    "values", "next", "tasks", "metadata", "created_at", "checkpoint", "parent_checkpoint", "interrupts",
}  # fmt: skip
NO_CHECKPOINT = "1f000000-0000-6000-8000-000000000000"


class BackendContract:
    """What every backend promises; inherit it and give the fixture `backend`.

    A backend must refuse what it cannot do with `Unsupported`, which the methods of `Backend` do. What it can do is in
    `Backend.capabilities`; the tests do it, on copies and new threads that they delete again.
    """

    @pytest.fixture
    def backend(self) -> Backend:
        """The backend under test, on a place that holds `threads`."""
        raise NotImplementedError("a subclass of BackendContract gives the fixture `backend`")

    @pytest.fixture
    def threads(self) -> list[ThreadSample]:
        """The threads that the place holds, at least two; it may hold more."""
        return sample_threads()

    def test_it_says_what_and_where_it_is(self, backend: Backend) -> None:
        for text in (backend.kind, backend.address):
            assert isinstance(text, str)
            assert text
        assert all(isinstance(capability, Capability) for capability in backend.capabilities)

    # Threads

    def test_every_thread_is_listed_once(self, backend: Backend, threads: list[ThreadSample]) -> None:
        listed = [thread["thread_id"] for thread in backend.threads()]
        assert len(set(listed)) == len(listed)
        assert {sample.thread_id for sample in threads} <= set(listed) == set(backend.ids())

    def test_threads_are_listed_newest_first(self, backend: Backend, threads: list[ThreadSample]) -> None:
        times = [datetime.fromisoformat(time) for thread in backend.threads() if (time := thread["created_at"])]
        assert times == sorted(times, reverse=True)

    def test_a_record_has_id_times_and_metadata(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            record = backend.thread(sample.thread_id)
            assert record["thread_id"] == sample.thread_id
            assert {"created_at", "updated_at", "status"} <= record.keys()
            assert isinstance(record.get("metadata") or {}, Mapping)

    def test_threads_are_searched_by_id_and_limit(self, backend: Backend, threads: list[ThreadSample]) -> None:
        one, every = threads[0].thread_id, [thread["thread_id"] for thread in backend.threads()]
        assert [thread["thread_id"] for thread in backend.threads(ids=[one])] == [one]
        assert list(backend.threads(ids=[str(uuid.uuid4())])) == []
        assert [thread["thread_id"] for thread in backend.threads(limit=2)] == every[:2]

    def test_a_search_fits_or_is_refused(self, backend: Backend, threads: list[ThreadSample]) -> None:
        searches: list[dict[str, Any]] = [{"metadata": {"forkbook test": "no thread has this"}}, {"offset": 10**6}]
        for search in searches:
            try:
                assert list(backend.threads(**search)) == []
            except InvalidInput:
                continue  # a place that cannot search by this says so
        with pytest.raises(InvalidInput):
            list(backend.threads(no_such_word=1))

    @pytest.mark.parametrize("thread_id", ["0b5cf5cc-7d5b-4b3a-a2d0-2f6d4b1f0b7e", "'; --", "%", "a\0b", "é" * 99])
    def test_a_thread_that_is_not_there(self, backend: Backend, thread_id: str) -> None:
        with pytest.raises((ThreadNotFound, InvalidInput)):
            backend.thread(thread_id)
        assert thread_id not in backend.ids()

    # Checkpoints

    def test_checkpoints_have_their_parents(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            tree = Tree([head_of(state) for state in _read(backend, sample.thread_id)])
            assert [None if parent < 0 else parent for parent in tree.parents] == list(sample.parents)

    def test_states_are_those_that_were_written(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in (sample for sample in threads if sample.states):
            written = {key_of(state): state for state in sample.states}
            assert {key_of(state): state for state in _whole(backend, sample)} == written

    def test_a_state_is_plain_and_has_every_key(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for state in (state for sample in threads for state in _whole(backend, sample)):
            assert state.keys() >= STATE_KEYS
            assert isinstance(state["values"], dict | None)
            assert isinstance(state["metadata"], dict | None)
            assert isinstance(state["next"], list | None)
            assert isinstance(state["tasks"], list | None)
            assert orjson.loads(orjson.dumps(state, option=orjson.OPT_NON_STR_KEYS)) == state

    def test_what_is_not_known_says_why(self, backend: Backend, threads: list[ThreadSample]) -> None:
        states = [state for sample in threads for state in _whole(backend, sample)]
        assert all(isinstance(found.get("reason"), str) for found in _placeholders(states))

    def test_pages_are_newest_first_and_as_long_as_asked(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            everything = _read(backend, sample.thread_id)
            ids = [id_of(state) for state in everything]
            assert ids == sorted(ids, reverse=True)
            assert len(set(ids)) == len(ids) == len(sample.parents)
            for size in (1, 2, 1000):
                pages = list(backend.pages(sample.thread_id, page_size=size))
                assert max(map(len, pages)) <= size
                assert [state for page in pages for state in page] == everything

    def test_heads_agree_with_pages(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            heads = {head.id: head for head in backend.heads(sample.thread_id)}
            assert heads == {id_of(state): head_of(state) for state in _read(backend, sample.thread_id)}

    def test_namespaces_hold_their_states_alone(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            names = backend.namespaces(sample.thread_id)
            for ns in {"", *(names or ())}:
                assert {namespace(state) for state in _read(backend, sample.thread_id, ns)} <= {ns}
            if names is not None:
                assert "" not in names
                assert {namespace(state) for state in sample.states} <= {"", *names}
            assert _read(backend, sample.thread_id, "no_such_node:1") == []

    def test_one_state(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            everything = _read(backend, sample.thread_id)
            assert backend.state(sample.thread_id) == everything[0]
            assert backend.state(sample.thread_id, id_of(everything[-1])) == everything[-1]
            assert backend.state(sample.thread_id, NO_CHECKPOINT) is None
            assert backend.state(sample.thread_id, id_of(everything[0]), ns="no_such_node:1") is None

    def test_several_states(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            wanted = _read(backend, sample.thread_id)[::2]
            found = backend.states(sample.thread_id, [*map(id_of, wanted), NO_CHECKPOINT])
            assert found == {id_of(state): state for state in wanted}
            assert backend.states(sample.thread_id, []) == {}

    def test_what_was_read_stays_as_it_was(self, backend: Backend, threads: list[ThreadSample]) -> None:
        first = [_whole(backend, sample) for sample in threads]
        before = copy.deepcopy(first)
        again = [_whole(backend, sample) for sample in threads]
        assert first == before == again

    # Capabilities

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
        before = _read(backend, thread_id)
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
        assert _read(backend, thread_id) == before

    def test_copies_are_whole_and_can_be_deleted(self, backend: Backend, threads: list[ThreadSample]) -> None:
        _needs(backend, Capability.WRITE)
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
        _needs(backend, Capability.CREATE, Capability.WRITE)
        thread_id = str(uuid.uuid4())
        backend.create(thread_id, "", {"purpose": "test"}, [])
        try:
            assert backend.thread(thread_id)["metadata"]["purpose"] == "test"
        finally:
            backend.delete(thread_id)

    def test_checkpoints_are_planted_under_their_ids(self, backend: Backend, threads: list[ThreadSample]) -> None:
        _needs(backend, Capability.PLANT, Capability.WRITE)
        states, thread_id = _read(backend, threads[0].thread_id), str(uuid.uuid4())
        backend.plant(thread_id, states, backend.classes)
        try:
            assert list(map(id_of, _read(backend, thread_id))) == list(map(id_of, states))
        finally:
            backend.delete(thread_id)

    def test_graphs_and_runs_are_known(self, backend: Backend, threads: list[ThreadSample]) -> None:
        if Capability.RUN in backend.capabilities:
            state = backend.state(threads[0].thread_id)
            assert state is not None
            assert isinstance(backend.run_settings(threads[0].thread_id, state["metadata"] or {}), RunSettings)
        if Capability.GRAPHS in backend.capabilities:
            assert all(isinstance(backend.graph(name), Graph) for name in backend.assistants())

    def test_the_shared_memory_is_read(self, backend: Backend) -> None:
        _needs(backend, Capability.STORE)
        memory = backend.memory()
        items = memory.items((), None, 3)
        assert {item.namespace for item in items} <= set(memory.namespaces(()))
        assert [memory.item(item.namespace, item.key) for item in items] == items


def _read(backend: Backend, thread_id: str, ns: str = "") -> list[State]:
    return [state for page in backend.pages(thread_id, ns=ns) for state in page]


def _whole(backend: Backend, sample: ThreadSample) -> list[State]:
    """Every state of a thread; where the place keeps no list of namespaces, of those that the sample names."""
    names = backend.namespaces(sample.thread_id)
    inner = {namespace(state) for state in sample.states} - {""} if names is None else names
    return [state for ns in ("", *sorted(inner)) for state in _read(backend, sample.thread_id, ns)]


def _placeholders(value: Any) -> Iterator[Mapping[str, Any]]:
    if is_placeholder(value):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _placeholders(item)


def _needs(backend: Backend, *capabilities: Capability) -> None:
    """Skip a test of what a place is not made for."""
    if not backend.capabilities >= set(capabilities):
        pytest.skip(f"{backend.kind} has no {' and '.join(capability.value for capability in capabilities)}")
