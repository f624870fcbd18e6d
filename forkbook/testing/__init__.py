"""Tests for a backend of your own. Provisional: a later version of forkbook may add tests to this suite.

A backend is one class, a subclass of `forkbook.backends.contract.Backend`, and its tests are one fixture:

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def backend(self, tmp_path):
            store = MyStore(tmp_path)
            for sample in sample_threads():
                store.write(sample.record, sample.states)
            return MyBackend(store)

Threads of another making are described by a second fixture, `threads`: of each its id and the shape of its tree.
This module needs pytest, and nothing else in forkbook imports it.
"""

import pytest

PARTS = ("suite", "acting", "on_a_book", "reading")
pytest.register_assert_rewrite(*(f"forkbook.testing.{part}" for part in PARTS))  # a test that fails shows both sides

from .samples import ThreadSample, sample_threads  # noqa: E402
from .suite import BackendContract  # noqa: E402

__all__ = ["BackendContract", "ThreadSample", "sample_threads"]
