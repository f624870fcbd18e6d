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
from ..errors import InvalidInput, ThreadNotFound
from ..model.states import Thread, head_of, id_of, is_placeholder, key_of, namespace
from ..model.tree import Tree
from .acting import ActingTests
from .on_a_book import BookTests
from .reading import read, whole
from .samples import ThreadSample, sample_threads

STATE_KEYS = {
    "values", "next", "tasks", "metadata", "created_at", "checkpoint", "parent_checkpoint", "interrupts",
}  # fmt: skip
NO_CHECKPOINT = "1f000000-0000-6000-8000-000000000000"


class BackendContract(BookTests, ActingTests):
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

    def test_a_search_by_metadata_finds_exactly_what_fits(self, backend: Backend, threads: list[ThreadSample]) -> None:
        records = [backend.thread(sample.thread_id) for sample in threads]
        for wanted in _searches(records):
            try:
                found = list(backend.threads(metadata=wanted))
            except InvalidInput:
                return  # a place that cannot search by metadata says so
            assert all(_fits(record, wanted) for record in found)
            expected = {record["thread_id"] for record in records if _fits(record, wanted)}
            assert expected <= {record["thread_id"] for record in found}

    @pytest.mark.parametrize("thread_id", ["0b5cf5cc-7d5b-4b3a-a2d0-2f6d4b1f0b7e", "'; --", "%", "a\0b", "é" * 99])
    def test_a_thread_that_is_not_there(self, backend: Backend, thread_id: str) -> None:
        with pytest.raises((ThreadNotFound, InvalidInput)):
            backend.thread(thread_id)
        assert thread_id not in backend.ids()

    # Checkpoints

    def test_checkpoints_have_their_parents(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            tree = Tree([head_of(state) for state in read(backend, sample.thread_id)])
            assert [None if parent < 0 else parent for parent in tree.parents] == list(sample.parents)

    def test_states_are_those_that_were_written(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in (sample for sample in threads if sample.states):
            written = {key_of(state): state for state in sample.states}
            assert {key_of(state): state for state in whole(backend, sample)} == written

    def test_a_state_is_plain_and_has_every_key(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for state in (state for sample in threads for state in whole(backend, sample)):
            assert state.keys() >= STATE_KEYS
            assert isinstance(state["values"], dict | None)
            assert isinstance(state["metadata"], dict | None)
            assert isinstance(state["next"], list | None)
            assert isinstance(state["tasks"], list | None)
            assert orjson.loads(orjson.dumps(state, option=orjson.OPT_NON_STR_KEYS)) == state

    def test_what_is_not_known_says_why(self, backend: Backend, threads: list[ThreadSample]) -> None:
        states = [state for sample in threads for state in whole(backend, sample)]
        assert all(isinstance(found.get("reason"), str) for found in _placeholders(states))

    def test_pages_are_newest_first_and_as_long_as_asked(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            everything = read(backend, sample.thread_id)
            ids = [id_of(state) for state in everything]
            assert ids == sorted(ids, reverse=True)
            assert len(set(ids)) == len(ids) == len(sample.parents)
            for size in (1, 2, 1000):
                pages = list(backend.pages(sample.thread_id, page_size=size))
                assert max(map(len, pages), default=0) <= size
                assert [state for page in pages for state in page] == everything

    def test_heads_agree_with_pages(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            heads = {head.id: head for head in backend.heads(sample.thread_id)}
            assert heads == {id_of(state): head_of(state) for state in read(backend, sample.thread_id)}

    def test_namespaces_hold_their_states_alone(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            names = backend.namespaces(sample.thread_id)
            for ns in {"", *(names or ())}:
                assert {namespace(state) for state in read(backend, sample.thread_id, ns)} <= {ns}
            if names is not None:
                assert "" not in names
                assert {namespace(state) for state in sample.states} <= {"", *names}
            assert read(backend, sample.thread_id, "no_such_node:1") == []

    def test_one_state(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            everything = read(backend, sample.thread_id)
            if not everything:
                assert backend.state(sample.thread_id) is None
                continue
            assert backend.state(sample.thread_id) == everything[0]
            assert backend.state(sample.thread_id, id_of(everything[-1])) == everything[-1]
            assert backend.state(sample.thread_id, NO_CHECKPOINT) is None
            assert backend.state(sample.thread_id, id_of(everything[0]), ns="no_such_node:1") is None

    def test_several_states(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            wanted = read(backend, sample.thread_id)[::2]
            found = backend.states(sample.thread_id, [*map(id_of, wanted), NO_CHECKPOINT])
            assert found == {id_of(state): state for state in wanted}
            assert backend.states(sample.thread_id, []) == {}

    def test_what_was_read_stays_as_it_was(self, backend: Backend, threads: list[ThreadSample]) -> None:
        first = [whole(backend, sample) for sample in threads]
        before = copy.deepcopy(first)
        again = [whole(backend, sample) for sample in threads]
        assert first == before == again

    def test_what_a_caller_changes_stays_its_own(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            record = backend.thread(sample.thread_id)
            before = copy.deepcopy(record)
            for given in (record, *backend.threads(ids=[sample.thread_id])):
                _spoil(given)
                assert backend.thread(sample.thread_id) == before
            if backend.keeps_rows:
                continue  # it gives the same states again, which callers must not change
            states = whole(backend, sample)
            held = copy.deepcopy(states)
            for given in states:
                _spoil(given)
            assert whole(backend, sample) == held
            for state in held:
                at, ns = id_of(state), namespace(state)
                _spoil(backend.state(sample.thread_id, at, ns=ns))
                _spoil(backend.states(sample.thread_id, [at], ns=ns)[at])
                assert backend.state(sample.thread_id, at, ns=ns) == state

    def test_checkpoints_are_counted_in_all_namespaces(self, backend: Backend, threads: list[ThreadSample]) -> None:
        for sample in threads:
            counted, read = backend.n_checkpoints(sample.thread_id), len(whole(backend, sample))
            every = bool(sample.states) or backend.namespaces(sample.thread_id) is not None
            assert counted is None or (counted == read if every else counted >= read)


def _placeholders(value: Any) -> Iterator[Mapping[str, Any]]:
    if is_placeholder(value):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _placeholders(item)


def _searches(records: list[Thread]) -> Iterator[dict[str, Any]]:
    """Searches by metadata that a thread fits: each pair of a name and a plain value, and all of a thread together."""
    for record in records:
        plain = {
            name: value for name, value in (record.get("metadata") or {}).items() if isinstance(value, str | int | bool)
        }
        yield from ({name: value} for name, value in plain.items())
        if len(plain) > 1:
            yield plain


def _fits(record: Thread, wanted: Mapping[str, Any]) -> bool:
    return (
        wanted.items()
        <= {name: value for name, value in (record.get("metadata") or {}).items() if name in wanted}.items()
    )


def _spoil(value: Any) -> None:
    """Empty a record or a state, and the dicts and lists in it; what channels hold may be shared, so it stays."""
    for inner in value.values():
        if isinstance(inner, dict | list):
            inner.clear()
    value.clear()
