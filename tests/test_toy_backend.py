"""A backend of somebody else passes the suite that forkbook ships, and is a place as every other."""

import dbm.dumb
from dataclasses import replace

import pytest
from toy_backend import ToyBackend, write

import forkbook as fb
from forkbook.backends.archive import ArchiveBackend
from forkbook.backends.capabilities import Capability
from forkbook.testing import BackendContract, sample_threads


@pytest.fixture
def toy(tmp_path):
    with dbm.dumb.open(str(tmp_path / "toy")) as store:
        for sample in sample_threads():
            write(store, sample.record, sample.states)
        yield ToyBackend(store)


@pytest.fixture
def book(toy):
    with fb.connect(toy) as book:
        yield book


class TestToy(BackendContract):
    @pytest.fixture
    def backend(self, toy):
        return toy


class TestConnected(BackendContract):
    @pytest.fixture
    def backend(self, book):
        return book.backend


class TestArchived(BackendContract):
    """The same threads in an archive, which a book on the toy store exported."""

    @pytest.fixture
    def backend(self, book, tmp_path):
        assert book.export(tmp_path / "study.forkbook")
        return ArchiveBackend(tmp_path / "study.forkbook")


def test_a_book_on_it_shows_branches_subgraphs_and_questions(book):
    branches, nested, waiting = (book[sample.thread_id] for sample in sample_threads())
    assert branches.branches == ["A", "B", "C"]
    assert branches.tips[-1].values["draft"]["title"] == "Draft 6"
    assert [len(nested), len(book.history(nested.thread_id, subgraphs=True))] == [3, 5]
    assert waiting.tips[0].status == "waiting"
    assert len(book.threads()) == 3


def test_it_refuses_to_write_and_says_who_can(book):
    with pytest.raises(fb.Unsupported, match=r"the toy store .*cannot .*fb\.connect\(") as caught:
        book.copy(sample_threads()[0].thread_id)
    assert len(caught.value.details["places"]) == 2


class OldestFirst(ToyBackend):
    def pages(self, thread_id, **how):
        return (page[::-1] for page in super().pages(thread_id, **how))


class AlwaysTheNewest(ToyBackend):
    def state(self, thread_id, checkpoint_id=None, **how):
        return super().state(thread_id, **how)


class ForgetsParents(ToyBackend):
    def heads(self, thread_id):
        return [replace(head, parent_id=None) for head in super().heads(thread_id)]


class FindsEverything(ToyBackend):
    def threads(self, **search):
        return super().threads(**{name: value for name, value in search.items() if name == "ids"})


class LosesAThread(ToyBackend):
    def threads(self, **search):
        return (thread for thread in super().threads(**search) if not thread["thread_id"].endswith("3"))


class OnlySaysThatItWrites(ToyBackend):
    capabilities = frozenset({Capability.WRITE})


@pytest.mark.parametrize(
    ("faulty", "test"),
    [
        (OldestFirst, BackendContract.test_pages_are_newest_first_and_as_long_as_asked),
        (AlwaysTheNewest, BackendContract.test_one_state),
        (AlwaysTheNewest, BackendContract.test_several_states),
        (ForgetsParents, BackendContract.test_heads_agree_with_pages),
        (FindsEverything, BackendContract.test_threads_are_searched_by_id_and_limit),
        (FindsEverything, BackendContract.test_a_search_fits_or_is_refused),
        (LosesAThread, BackendContract.test_every_thread_is_listed_once),
        (OnlySaysThatItWrites, BackendContract.test_copies_are_whole_and_can_be_deleted),
    ],
)
def test_the_suite_finds_faults(toy, faulty, test):
    with pytest.raises((AssertionError, pytest.fail.Exception, fb.Unsupported)):
        test(BackendContract(), faulty(toy._store), sample_threads())
