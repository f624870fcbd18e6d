"""A backend made outside forkbook passes the suite that forkbook ships, and is a place as every other."""

import dbm.dumb
from dataclasses import replace

import pytest
from toy_backend import RunningToy, ToyBackend, write

import forkbook as fb
from forkbook.backends.archive import ArchiveBackend
from forkbook.backends.capabilities import Capability
from forkbook.backends.records import RunOutcome
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


class TestRunning(BackendContract):
    @pytest.fixture
    def backend(self, toy):
        return RunningToy(toy._store)


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
    branches, nested, waiting, line, empty = (book[sample.thread_id] for sample in sample_threads())
    assert branches.branches == ["A", "B", "C"]
    assert branches.tips[-1].values["draft"]["title"] == "Draft 6"
    assert [len(nested), len(book.history(nested.thread_id, subgraphs=True))] == [3, 5]
    assert waiting.tips[0].status == "waiting"
    assert (line.branches, line.tips[0].values, list(empty)) == (["A"], {"count": 3}, [])
    assert len(book.threads()) == 5


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


class FindsPartsOfWords(ToyBackend):
    def threads(self, metadata=None, **search):
        fits = [str(value) for value in (metadata or {}).values()]
        return (thread for thread in super().threads(**search) if all(word in str(thread) for word in fits))


class FindsTheFirstAlone(ToyBackend):
    def threads(self, **search):
        found = list(super().threads(**search))
        return iter(found[:1] if "metadata" in search else found)


class LosesAThread(ToyBackend):
    def threads(self, **search):
        return (thread for thread in super().threads(**search) if not thread["thread_id"].endswith("3"))


class CountsTheRootAlone(ToyBackend):
    def n_checkpoints(self, thread_id):
        return len(self.heads(thread_id))


class CountsThreads(ToyBackend):
    def n_checkpoints(self, thread_id):
        return len(self._store)


class KeepsWhatItGave(ToyBackend):
    """It reads every key once, and gives the same object from then on."""

    def __init__(self, store):
        super().__init__(store)
        self._kept = {}

    def _loaded(self, key):
        if key not in self._kept:
            self._kept[key] = super()._loaded(key)
        return self._kept[key]


class KeepsStates(KeepsWhatItGave):
    def thread(self, thread_id):
        return dict(super().thread(thread_id), metadata={})


class KeepsRecordsOfItsList(ToyBackend):
    def __init__(self, store):
        super().__init__(store)
        self._listed = list(super().threads())

    def threads(self, **search):
        ids = search.get("ids")
        return (thread for thread in self._listed if ids is None or thread["thread_id"] in ids)

    def thread(self, thread_id):
        return dict(next((thread for thread in self._listed if thread.get("thread_id") == thread_id), {}))


class KeepsOneState(KeepsWhatItGave):
    """Its pages are fresh, what `state` gives is not."""

    def pages(self, thread_id, **how):
        self._kept.clear()
        yield from super().pages(thread_id, **how)
        self._kept.clear()

    def thread(self, thread_id):
        return dict(super().thread(thread_id), metadata={})


class NoStateWhereThereIsNone(ToyBackend):
    """It makes up a state for a thread that has no checkpoint."""

    def state(self, thread_id, checkpoint_id=None, **how):
        return super().state(thread_id, checkpoint_id, **how) or {"values": {}}


class EndsAfterThree(ToyBackend):
    def pages(self, thread_id, **how):
        yield next(super().pages(thread_id, **how), [])[:3]


class WritesStepsAsText(ToyBackend):
    def _loaded(self, key):
        found = super()._loaded(key)
        if key.startswith(b"state/"):
            found["metadata"]["step"] = str(found["metadata"]["step"])
        return found


class KnowsNoParents(ToyBackend):
    def _loaded(self, key):
        found = super()._loaded(key)
        return found | {"parent_checkpoint": None} if key.startswith(b"state/") else found


class RunsTheOriginal(RunningToy):
    def run(self, thread_id, checkpoint_id, settings, **how):
        first = sample_threads()[3].thread_id
        super().run(first, checkpoint_id, settings, **how)
        return super().run(thread_id, checkpoint_id, settings, **how)


class RunsNothing(RunningToy):
    def run(self, thread_id, checkpoint_id, settings, **how):
        return RunOutcome("1", "success")


class RunsFromTheHead(RunningToy):
    def run(self, thread_id, checkpoint_id, settings, **how):
        return super().run(thread_id, None, settings, **how)


class RunsOverWhatIsThere(RunningToy):
    """A run deletes what came after its checkpoint."""

    def run(self, thread_id, checkpoint_id, settings, **how):
        for key in self._keys(thread_id, ""):
            if key.decode().split("/")[3] > checkpoint_id:
                del self._store[key]
        return super().run(thread_id, checkpoint_id, settings, **how)


class SaysDone(RunningToy):
    def run(self, thread_id, checkpoint_id, settings, **how):
        return replace(super().run(thread_id, checkpoint_id, settings, **how), status="done")


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
        (FindsEverything, BackendContract.test_a_search_by_metadata_finds_exactly_what_fits),
        (FindsPartsOfWords, BackendContract.test_a_search_by_metadata_finds_exactly_what_fits),
        (FindsTheFirstAlone, BackendContract.test_a_search_by_metadata_finds_exactly_what_fits),
        (CountsTheRootAlone, BackendContract.test_checkpoints_are_counted_in_all_namespaces),
        (CountsThreads, BackendContract.test_checkpoints_are_counted_in_all_namespaces),
        (KeepsWhatItGave, BackendContract.test_what_a_caller_changes_stays_its_own),
        (KeepsStates, BackendContract.test_what_a_caller_changes_stays_its_own),
        (KeepsRecordsOfItsList, BackendContract.test_what_a_caller_changes_stays_its_own),
        (KeepsOneState, BackendContract.test_what_a_caller_changes_stays_its_own),
        (NoStateWhereThereIsNone, BackendContract.test_one_state),
        (EndsAfterThree, BackendContract.test_a_book_on_it_has_every_frame),
        (WritesStepsAsText, BackendContract.test_a_book_on_it_has_every_frame),
        (KnowsNoParents, BackendContract.test_a_book_on_it_has_every_frame),
        (LosesAThread, BackendContract.test_a_book_on_it_has_every_frame),
        (EndsAfterThree, BackendContract.test_a_book_on_it_draws_every_checkpoint),
        (RunsTheOriginal, BackendContract.test_a_run_goes_on_from_a_checkpoint),
        (RunsNothing, BackendContract.test_a_run_goes_on_from_a_checkpoint),
        (RunsFromTheHead, BackendContract.test_a_run_goes_on_from_a_checkpoint),
        (RunsOverWhatIsThere, BackendContract.test_a_run_goes_on_from_a_checkpoint),
        (SaysDone, BackendContract.test_a_run_goes_on_from_a_checkpoint),
        (LosesAThread, BackendContract.test_every_thread_is_listed_once),
        (OnlySaysThatItWrites, BackendContract.test_copies_are_whole_and_can_be_deleted),
    ],
)
def test_the_suite_finds_faults(toy, faulty, test):
    with pytest.raises((AssertionError, pytest.fail.Exception, fb.Unsupported)):
        test(BackendContract(), faulty(toy._store), sample_threads())
