"""Acts in any order, on every kind of place that can act, against a plain model of what they make of threads.

Each history is read again from the place by every other way there is, from an archive, from a JSON file, and from a
graph in memory that the archive was copied to. The whole campaign is `python -m pytest
tests/campaigns/test_acts_as_foretold.py --hypothesis-profile=full`.
"""

import contextlib
import functools
import itertools
import tempfile
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest
from acting import Memory, Postgres, Server, Sqlite, graph_on
from databases import fresh_database
from foretold import ASKING, NODES, Foretold
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from langgraph.checkpoint.memory import InMemorySaver
from laws import ALL

import forkbook as fb
from forkbook.model.questions import questions

LARGEST = 60  # checkpoints of a thread that is acted on

picks = st.integers(0, 9)  # of the newest checkpoints, threads and questions
texts = st.sampled_from(["yes", "no", "", "ü"])
writes = st.fixed_dictionaries(
    {},
    optional={
        "counter": st.integers(0, 5),
        "ask": st.lists(st.sampled_from(ASKING), unique=True),
        "log": st.lists(texts, max_size=2),
    },
)
edits = st.fixed_dictionaries(
    {"values": writes, "as_node": st.sampled_from([None, "__start__", *NODES]), "replace": st.booleans()}
).filter(lambda edit: edit["values"] or edit["as_node"])
edits |= st.just({"values": {}, "as_node": "__end__", "replace": False})


class Acts(RuleBasedStateMachine):
    """Threads of one place, each with what it is to be."""

    tally: ClassVar = Counter()

    def __init__(self, make):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="forkbook-machine-")
        self.place = make(Path(self.folder.name))
        self.book = self.place.book
        self.threads, self.held, self.touched, self.sound = {}, {}, set(), True
        self.tally["histories"] += 1

    def teardown(self):
        try:
            if self.sound and self.threads:
                self.seen_another_way()
                self.moves_whole()
        finally:
            for thread_id in self.threads:
                with contextlib.suppress(fb.ForkbookError):
                    self.book.backend.delete(thread_id)
            self.place.close()
            self.folder.cleanup()

    def seen_another_way(self):
        for other in self.place.others():
            with other:
                self.all_are_listed(other)
                for thread_id in self.threads:
                    self.same(other[thread_id])

    def moves_whole(self):
        """Threads come whole through files and into another place, which can act on them."""
        folder, ids = Path(self.folder.name), list(self.threads)
        with fb.connect(graph_on(InMemorySaver())) as fresh:
            for name in ("a.forkbook", "a.json"):
                assert self.book.export(folder / name, ids)
                with fb.connect(folder / name) as again:
                    assert fb.verify(self.book, again, ids)
                    for thread_id in ids:
                        self.same(again[thread_id])
            assert fb.verify(folder / "a.forkbook")
            assert fb.migrate(folder / "a.forkbook", fresh)
            assert fb.verify(self.book, fresh, ids)
            for thread_id in ids:
                self.same(fresh[thread_id])
                fresh_tip, point = fresh[thread_id][-1], self.threads[thread_id].copy()
                if point.head.next:
                    act = fresh_tip.resume()
                    self.same(act.history, point, point.resume(point.head))

    def same(self, history, foretold=None, led_to=None):
        """Check that a history is as foretold; what a place cannot know is None."""
        self.sound, foretold = False, foretold or self.threads[history.thread_id]
        known = {point.id for point in foretold.points if point.id}
        ids = iter(sorted({checkpoint.id for checkpoint in history} - known))
        for point in foretold.points:
            point.id = point.id or next(ids, "missing")
        told = [self.of_point(point) for point in foretold.points]
        found = [self.of_checkpoint(checkpoint, told) for checkpoint in history]
        assert found == told, [pair for pair in itertools.zip_longest(found, told) if pair[0] != pair[1]]
        labels = foretold.branches()
        assert {checkpoint.id: checkpoint.branch for checkpoint in history} == labels
        parents = {point.parent for point in foretold.points}
        assert {tip.id for tip in history.tips} == {point.id for point in foretold.points if point not in parents}
        if led_to is not None:
            assert history[-1].id == max(point.id for point in foretold.points)
        self.sound = True
        return history

    @staticmethod
    def of_point(point):
        asked = {node: (text, node not in point.wrote) for node, text in point.asked.items()}
        return {
            "id": point.id, "parent": point.parent.id if point.parent else None, "source": point.source,
            "step": point.step, "values": point.values, "next": tuple(sorted(point.next)), "asked": asked,
        }  # fmt: skip

    @staticmethod
    def of_checkpoint(checkpoint, told):
        known = checkpoint.next is not None
        foretold = next((point for point in told if point["id"] == checkpoint.id), {"next": (), "asked": {}})
        asked = {question.node: (question.value, question.open) for question in questions(checkpoint.state)}
        return {
            "id": checkpoint.id, "parent": checkpoint.parent.id if checkpoint.parent else None,
            "source": checkpoint.source, "step": checkpoint.step, "values": {"log": [], **checkpoint.values},
            "next": tuple(sorted(checkpoint.next)) if known else foretold["next"],
            "asked": asked if known else foretold["asked"],
        }  # fmt: skip

    def pick(self, of_threads, of_points):
        """A thread, its checkpoint, and the point that foretells it; both newest first."""
        ids = [id_ for id_, foretold in self.threads.items() if len(foretold.points) <= LARGEST]
        thread_id = ids[-1 - of_threads % len(ids)]
        foretold = self.threads[thread_id]
        at = -1 - of_points % len(foretold.points)
        return foretold, foretold.points[at], self.book[thread_id][at]

    def done(self, act, foretold, in_copy, point, led_to):
        """Take an act in, and check it."""
        thread_id = act.history.thread_id
        assert in_copy == (thread_id not in self.threads)
        self.threads[thread_id] = foretold
        self.same(act.history, foretold, led_to)
        assert (act.checkpoint.id, act.status) == (led_to.id, led_to.status)
        self.touched |= {thread_id, point}

    def attempt(self, act, in_copy, thread, point, how, refused):
        """Do an act, and foretell it; one that is to be refused leaves the thread as it is."""
        if refused:
            with pytest.raises(refused):
                act()
            self.touched.add(self.thread_id_of(thread))
            return
        before = self.thread_id_of(thread)
        at = thread.points.index(point)
        foretold = thread.copy() if in_copy else thread
        led_to = how(foretold, foretold.points[at])
        self.done(act(), foretold, in_copy, before, led_to)

    def thread_id_of(self, foretold):
        return next(id_ for id_, other in self.threads.items() if other is foretold)

    full = precondition(lambda self: any(len(foretold.points) <= LARGEST for foretold in self.threads.values()))

    @rule(given=writes)
    def begin(self, given):
        foretold = Foretold()
        led_to = foretold.run(None, given)
        self.done(self.book.run(None, given, assistant="machine"), foretold, True, None, led_to)

    @full
    @rule(of_threads=picks, given=writes)
    def run(self, of_threads, given):
        thread, point, checkpoint = self.pick(of_threads, 0)
        act = functools.partial(self.book.run, checkpoint.thread_id, given)
        self.attempt(act, False, thread, point, lambda foretold, at: foretold.run(at, given), None)

    @full
    @rule(of_threads=picks, of_points=picks, given=writes, in_copy=st.booleans())
    def turn(self, of_threads, of_points, given, in_copy):
        thread, point, checkpoint = self.pick(of_threads, of_points)
        act = functools.partial(checkpoint.resume, input=given, in_copy=in_copy)
        self.attempt(act, in_copy, thread, point, lambda foretold, at: foretold.run(at, given), None)

    @full
    @rule(of_threads=picks, of_points=picks, edit=edits)
    def preview(self, of_threads, of_points, edit):
        thread, point, checkpoint = self.pick(of_threads, of_points)
        wanted = thread.edited(point, **self.plainly(edit))
        if refused := self.refused(point, edit, wanted):
            with pytest.raises(refused):
                checkpoint.preview(**edit)
            return
        seen = checkpoint.preview(**edit)
        assert (seen.values, tuple(sorted(seen.next))) == (wanted.values, wanted.next), self.of_point(point)
        self.touched |= set(self.threads)

    @staticmethod
    def plainly(edit):
        return {"writes": edit["values"], "as_node": edit["as_node"], "replace": edit["replace"]}

    @staticmethod
    def refused(point, edit, wanted):
        """The error of an edit that cannot be."""
        if wanted is None:
            return fb.InvalidInput
        return fb.Refused if edit["as_node"] == "__end__" and not point.next else None

    @full
    @rule(of_threads=picks, of_points=picks, edit=edits, in_copy=st.booleans())
    def edit(self, of_threads, of_points, edit, in_copy):
        thread, point, checkpoint = self.pick(of_threads, of_points)
        wanted = thread.edited(point, **self.plainly(edit))
        act = functools.partial(checkpoint.edit, **edit, in_copy=in_copy)
        how = lambda foretold, at: foretold.edit(at, **self.plainly(edit))  # noqa: E731
        self.attempt(act, in_copy, thread, point, how, self.refused(point, edit, wanted))

    @full
    @rule(of_threads=picks, of_points=picks, edit=edits, in_copy=st.booleans(), given=st.none() | writes)
    def fork(self, of_threads, of_points, edit, in_copy, given):
        thread, point, checkpoint = self.pick(of_threads, of_points)
        wanted = thread.edited(point, **self.plainly(edit))
        refused = self.refused(point, edit, wanted) or (None if wanted.next or given is not None else fb.Refused)

        def how(foretold, at):
            edited = foretold.edit(at, **self.plainly(edit))
            return foretold.resume(edited) if given is None else foretold.run(edited, given)

        act = functools.partial(checkpoint.fork, **edit, input=given, in_copy=in_copy)
        self.attempt(act, in_copy, thread, point, how, refused)

    @full
    @rule(of_threads=picks, of_points=picks, in_copy=st.booleans())
    def resume(self, of_threads, of_points, in_copy):
        thread, point, checkpoint = self.pick(of_threads, of_points)
        act, refused = functools.partial(checkpoint.resume, in_copy=in_copy), None if point.next else fb.Refused
        self.attempt(act, in_copy, thread, point, lambda foretold, at: foretold.resume(at), refused)

    @full
    @rule(of_threads=picks, of_asking=picks, said=texts, which=st.integers(1, 3), in_copy=st.booleans())
    def answer(self, of_threads, of_asking, said, which, in_copy):
        thread, point, checkpoint = self.pick(of_threads, 0)
        asking = [at for at, other in enumerate(thread.points) if other.asked]
        if not asking:
            self.attempt(lambda: checkpoint.answer(said), False, thread, point, None, fb.Refused)
            return
        at = asking[-1 - of_asking % len(asking)]
        point, checkpoint = thread.points[at], self.book[checkpoint.thread_id][at]
        ids = {question.node: question.id for question in questions(checkpoint.state)}
        nodes = [node for bit, node in enumerate(sorted(ids)) if which & 1 << bit] or sorted(ids)
        act = functools.partial(checkpoint.answer, by_id={ids[node]: said for node in nodes}, in_copy=in_copy)
        answered = [node for node in point.asked if node in point.wrote]
        if set(nodes) <= set(point.open) and point is not thread.head and not set(answered) <= set(point.said):
            return  # a copied lineage has the result, but not the answer to give again
        answers = dict.fromkeys(nodes, said)
        self.attempt(act, in_copy, thread, point, lambda foretold, at: foretold.answer(at, answers), None)

    @full
    @rule(of_threads=picks)
    def copy(self, of_threads):
        thread, _, checkpoint = self.pick(of_threads, 0)
        report = self.book.copy(checkpoint.thread_id)
        assert report
        self.threads[report.new_thread_id] = thread.copy()
        self.touched |= {report.new_thread_id, checkpoint.thread_id}

    @precondition(lambda self: self.place.is_ours and any(len(f.points) <= LARGEST for f in self.threads.values()))
    @rule(of_threads=picks, of_points=picks)
    def copy_up_to(self, of_threads, of_points):
        thread, point, checkpoint = self.pick(of_threads, of_points)
        report = checkpoint.copy()
        assert report
        self.threads[report.new_thread_id] = thread.up_to(point)
        self.touched |= {report.new_thread_id, checkpoint.thread_id}

    @full
    @rule(of_threads=picks)
    def delete(self, of_threads):
        _, _, checkpoint = self.pick(of_threads, 0)
        thread_id = checkpoint.thread_id
        self.book.backend.delete(thread_id)
        del self.threads[thread_id]
        self.held.pop(thread_id, None)
        self.touched.discard(thread_id)
        with pytest.raises(fb.ThreadNotFound):
            self.book.history(thread_id)

    @full
    @rule(of_threads=picks)
    def refresh(self, of_threads):
        _, _, checkpoint = self.pick(of_threads, 0)
        held = self.held.setdefault(checkpoint.thread_id, checkpoint.history)
        self.same(held.refresh())

    @invariant()
    def all_as_foretold(self):
        self.tally["acts"] += 1
        for thread_id in self.touched - {None}:
            self.same(self.book[thread_id])
        if self.touched:
            self.touched = set()
            self.all_are_listed(self.book)

    def all_are_listed(self, book):
        listed = set(book.threads().thread_id)
        assert set(self.threads) == listed if self.place.is_ours else set(self.threads) <= listed


def foretold_on(make, examples, everyday=4):
    """Run so many examples, or a few of them in everyday runs; a fault is shrunk only where there is time for it."""
    few = settings(
        derandomize=True,
        database=None,
        max_examples=everyday,
        stateful_step_count=2 * everyday + 2,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    every = settings(max_examples=examples, stateful_step_count=25)
    quiet = settings(every if ALL else few, deadline=None, suppress_health_check=list(HealthCheck))
    Acts.tally.clear()
    run_state_machine_as_test(lambda: Acts(make), settings=quiet)
    print(f"\n{dict(Acts.tally)}")


@pytest.mark.parametrize("in_copy", [False, True])
def test_a_run_again_where_one_of_two_questions_has_its_answer(in_copy):
    """LangGraph asks both again, but the result of the first answer stays, and goes on from there."""
    acts = Acts(Memory)
    acts.begin(given={"counter": 0, "ask": ["left", "right"]})
    again = functools.partial(acts.resume, of_threads=0, of_points=0)
    for act in (
        functools.partial(again, in_copy=False),
        functools.partial(acts.answer, of_threads=0, of_asking=0, said="yes", which=1, in_copy=False),
        functools.partial(again, in_copy=in_copy),
        functools.partial(acts.answer, of_threads=0, of_asking=0, said="no", which=2, in_copy=False),
    ):
        act()
        acts.all_as_foretold()
    acts.teardown()


@pytest.mark.long
def test_a_graph_in_memory():
    foretold_on(Memory, 200)


@pytest.mark.long
def test_a_graph_on_sqlite():
    foretold_on(Sqlite, 200)


@pytest.mark.long
def test_a_graph_on_postgres(postgres):
    foretold_on(functools.partial(Postgres, fresh_database(postgres)), 200, everyday=2)


@pytest.mark.long
def test_a_server(testbed):
    foretold_on(functools.partial(Server, testbed), 50, everyday=2)
