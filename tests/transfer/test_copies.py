"""Copies of whole threads and of lineages: what they keep, what they say they do not, and what failing ones leave."""

import asyncio
import json
import threading
import time
import uuid

import pytest
from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph_sdk import get_sync_client
from proxy import Fault, proxy

import forkbook as fb
from forkbook.backends.read import everything
from forkbook.marks import COPY_OF
from forkbook.model.states import namespace
from forkbook.transfer import copy
from forkbook.transfer.copy_lineage import copy_lineage


@pytest.fixture(scope="module")
def bed(testbed):
    return get_sync_client(url=testbed, api_key=None)


@pytest.fixture
def server_book(testbed):
    with fb.connect(testbed) as opened:
        yield opened


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
    else:
        with SqliteSaver.from_conn_string(str(tmp_path / "checkpoints.sqlite")) as opened:
            yield opened


def ran(client, graph, input, metadata=None, **more):
    thread_id = client.threads.create(graph_id=graph, metadata=metadata)["thread_id"]
    client.runs.wait(thread_id, graph, input=input, raise_error=False, **more)
    return thread_id


def asked(saver, build, *answers):
    """A book on a graph in this process with one thread, its questions answered."""
    book = fb.connect(build().compile(checkpointer=saver))
    act = book.run(input={"answers": ["begin"]})
    for answer in answers:
        act = act.checkpoint.answer(answer)
    return book, act.history.thread_id


def words(report):
    return {text.partition(":")[0] for text in report.not_kept}


def shown(checkpoint):
    return checkpoint.step, checkpoint.next, checkpoint.values


def listed(url, metadata=None):
    found = get_sync_client(url=url, api_key=None).threads.search(limit=1000, metadata=metadata)
    return {thread["thread_id"] for thread in found}


class TestWholeThreads:
    def test_an_interrupted_thread_is_idle_in_the_copy_and_can_be_answered(self, bed, server_book):
        report = server_book.copy(ran(bed, "questions", {"answers": ["begin"]}))
        assert report.verdict == "identical"
        assert bed.threads.get(report.new_thread_id)["status"] == "idle"
        assert any("'interrupted'" in text and "'idle'" in text for text in report.not_kept)
        assert "values and interrupts of the thread's record" in words(report)
        assert "the records of runs" in words(report)
        assert bed.threads.get(report.new_thread_id).get("values") is None
        assert bed.runs.list(report.new_thread_id) == []
        act = server_book[report.new_thread_id].tips[0].answer("one")
        assert act.checkpoint.values["answers"] == ["begin", "first=one"]
        assert bed.threads.get(report.new_thread_id)["values"]

    def test_the_threads_own_id_that_a_server_replaces_is_told(self, bed, server_book):
        thread_id = bed.threads.create(graph_id="questions")["thread_id"]
        bed.threads.update(thread_id, metadata={"self": thread_id, "deep": {"text": f"see {thread_id}!"}})
        bed.runs.wait(thread_id, "questions", input={"answers": [thread_id]})
        report = server_book.copy(thread_id)
        assert report
        told = {text: count for text, count in report.not_kept.items() if "own id" in text}
        states = bed.threads.get_history(report.new_thread_id)
        in_metadata = sum(json.dumps(state["metadata"]["self"]).count(report.new_thread_id) for state in states)
        assert in_metadata == 2
        assert sorted(told.values()) == [1, 4]  # one write of a task; two keys of two checkpoints
        assert server_book[report.new_thread_id][-1].values == {"answers": [thread_id]}

    def test_subgraphs_are_copied_and_compared(self, bed, server_book, saver):
        report = server_book.copy(ran(bed, "nested", {"answers": []}))
        assert (bool(report), report.compared) == (True, 7)
        book, thread_id = asked(saver, graphs.build_nested)
        report = book.copy(thread_id)
        assert (report.verdict, report.compared) == ("identical", 7)
        act = book[report.new_thread_id].tips[0].answer("yes")
        assert act.checkpoint.values["answers"][-2:] == ["ask=yes", "end"]
        assert len(book[thread_id].tips) == 1

    def test_metadata_is_merged_into_that_of_the_original(self, bed, server_book):
        thread_id = ran(bed, "questions", {"answers": []}, {"owner": "ann", "topic": "tea"})
        report = server_book.copy(thread_id, metadata={"topic": "coffee", "tags": ["a", 1]})
        found = bed.threads.get(report.new_thread_id)["metadata"]
        assert (found["owner"], found["topic"], found["tags"]) == ("ann", "coffee", ["a", 1])
        assert bed.threads.get(thread_id)["metadata"]["topic"] == "tea"

    @pytest.mark.parametrize("key", ["graph_id", "thread_id", "forkbook_copy_of", "forkbook", "__x", "langgraph_host"])
    def test_keys_that_forkbook_or_the_server_own_are_refused_before_anything_is_written(self, testbed, key):
        with proxy(testbed) as (url, requests), fb.connect(url, sweep=False) as book:
            before = len(requests)
            with pytest.raises(fb.InvalidInput, match=key):
                book.copy(str(uuid.uuid4()), metadata={key: "x"})
            assert len(requests) == before

    @pytest.mark.parametrize("metadata", ["text", ["a"], {"x": object()}])
    def test_metadata_that_is_none_is_refused(self, server_book, metadata):
        with pytest.raises(fb.InvalidInput):
            server_book.copy(str(uuid.uuid4()), metadata=metadata)

    def test_without_verification_nothing_is_proven_and_nothing_is_read(self, bed, testbed):
        thread_id = ran(bed, "questions", {"answers": []})
        with proxy(testbed) as (url, requests), fb.connect(url) as book:
            report = book.copy(thread_id, verify=False)
        assert not any(path.endswith("/history") for _, path, _ in requests)
        assert (report.verdict, report.compared, bool(report)) == ("not compared", None, False)
        assert "nothing is proven" in repr(report)
        assert len(bed.threads.get_history(report.new_thread_id)) == 2

    def test_what_came_to_the_original_after_it_was_copied_is_no_difference(self, bed, testbed):
        thread_id, moved, one = ran(bed, "questions", {"answers": []}), [], threading.Lock()

        def meanwhile(method, path):
            with one:
                if path.endswith("/history") and not moved:
                    moved.append(True)
                    bed.runs.wait(thread_id, "questions", command={"resume": "one"})

        with proxy(testbed, fault=meanwhile) as (url, _), fb.connect(url) as book:
            report = book.copy(thread_id)
        assert (bool(report), report.compared) == (True, 2)
        assert report.not_kept[copy.LATER] == 1

    def test_a_copy_that_lost_its_newest_checkpoints_differs(self, bed, testbed):
        thread_id = ran(bed, "questions", {"answers": []})

        def change(method, path, body):
            if path.endswith("/history") and thread_id not in path:
                return json.dumps(json.loads(body)[1:]).encode()
            return None

        with proxy(testbed, change) as (url, _), fb.connect(url) as book:
            report = book.copy(thread_id)
        assert (report.verdict, [each.copied for each in report.differences]) == ("differs", ["missing"])
        assert report.new_thread_id in listed(testbed)

    def test_a_checkpointer_says_that_it_keeps_no_metadata(self, saver):
        book, thread_id = asked(saver, graphs.build_questions)
        report = book.copy(thread_id, metadata={"purpose": "template"})
        assert (report.verdict, report.not_kept) == ("identical", {copy.UNHELD: 1})
        assert book.threads(metadata={"purpose": "template"}).thread_id.tolist() == [report.new_thread_id]


class TestLineages:
    def test_on_a_server_the_conversation_up_to_a_checkpoint_is_rebuilt(self, book, demo_threads, client):
        history = book[demo_threads["branches"]]
        last = history.tips[-1].parent
        report = book.copy(history.thread_id, last, metadata={"purpose": "template"})
        assert (bool(report), report.verdict, report.way) == (True, "identical under new ids", "rebuilt")
        copied = book[report.new_thread_id]
        assert [(cp.step, cp.next) for cp in copied] == [(cp.step, cp.next) for cp in last.lineage]
        assert report.ids == {old.id: new.id for old, new in zip(last.lineage, copied, strict=True)}
        assert report.compared == len(last.lineage) < len(history)
        assert "created_at" in words(report)
        assert last.id[-6:] in repr(report)
        metadata = client.threads.get(report.new_thread_id)["metadata"]
        assert (metadata["purpose"], metadata["graph_id"]) == ("template", "agent")

    def test_in_a_checkpointer_it_is_planted_with_its_ids(self, saver):
        book, thread_id = asked(saver, graphs.build_questions, "one", "two")
        history = book[thread_id]
        last = history.at(step=1)
        report = book.copy(thread_id, last.id[-6:])
        assert (report.verdict, report.way, report.compared) == ("identical", "planted", 3)
        copied = book[report.new_thread_id]
        assert [cp.id for cp in copied] == [cp.id for cp in last.lineage]
        assert copied.tips[0].next == ("second",)
        assert "results of tasks that led to checkpoints outside the lineage" in words(report)
        act = copied.tips[0].resume()
        assert act.checkpoint.interrupts
        answered = act.checkpoint.answer("another")
        assert answered.checkpoint.values["answers"] == ["begin", "first=one", "second=another"]
        assert [shown(cp) for cp in book[thread_id]] == [shown(cp) for cp in history]

    @pytest.mark.parametrize("where", ["server", "memory"])
    def test_an_open_question_at_the_head_stays_open_or_is_told(self, where, bed, server_book):
        if where == "server":
            book, thread_id = server_book, ran(bed, "questions", {"answers": []})
        else:
            book, thread_id = asked(InMemorySaver(), graphs.build_questions)
        report = book.copy(thread_id, book[thread_id].tips[0])
        assert report
        tip = book[report.new_thread_id].tips[0]
        assert tip.next == ("first",)
        assert ("open interrupts" in words(report)) == (where == "server") == (not tip.interrupts)

    @pytest.mark.parametrize("where", ["server", "memory"])
    def test_an_input_at_the_head_is_not_lost(self, where, bed, server_book):
        if where == "server":
            book, thread_id = server_book, ran(bed, "questions", {"answers": ["begin"]})
        else:
            book, thread_id = asked(InMemorySaver(), graphs.build_questions)
        report = book.copy(thread_id, book[thread_id][0])
        assert report
        act = book[report.new_thread_id].tips[0].resume()
        assert act.checkpoint.values["answers"] == book[thread_id].tips[0].values["answers"] == ["begin"]

    def test_what_a_task_led_to_stays_its_result_beside_an_older_edit(self, saver):
        book, thread_id = asked(saver, graphs.build_questions)
        waiting = book[thread_id].tips[0]
        waiting.edit({"answers": ["typed"]})
        act = waiting.answer("one")
        report = book.copy(thread_id, act.checkpoint)
        assert report
        assert "results of tasks that led to checkpoints outside the lineage" not in words(report)
        host = book[report.new_thread_id][act.checkpoint.parent.id]
        assert [task["result"] for task in host.tasks] == [{"answers": ["first=one"]}]

    def test_subgraphs_of_the_lineage_go_with_it_and_those_after_it_do_not(self, saver):
        book, thread_id = asked(saver, graphs.build_nested, "yes")
        history = book[thread_id]
        whole = book.copy(thread_id, history.tips[0])
        first = book.copy(thread_id, next(cp for cp in history if cp.next == ("outer",)))
        assert (whole.verdict, first.verdict) == ("identical", "identical")
        assert book.backend.namespaces(whole.new_thread_id) == book.backend.namespaces(thread_id) != set()
        assert book.backend.namespaces(first.new_thread_id) == set()

    def test_a_template_is_run_and_the_original_stays(self, book, joke_thread, client):
        before = client.threads.get_history(joke_thread)
        report = book.copy(joke_thread, book[joke_thread].at(step=1))
        act = book[report.new_thread_id].tips[0].resume()
        assert act.status == "finished"
        assert client.threads.get_history(joke_thread) == before

    def test_a_checkpoint_that_is_not_there_or_elsewhere_is_refused(self, book, demo_threads):
        other = book[demo_threads["branches"]][0]
        with pytest.raises(fb.CheckpointNotFound):
            book.copy(demo_threads["approval"], str(uuid.uuid4()))
        with pytest.raises(fb.InvalidInput, match=demo_threads["branches"]):
            book.copy(demo_threads["approval"], other)

    def test_a_checkpoint_of_a_subgraph_has_no_lineage_of_its_own(self):
        book, thread_id = asked(InMemorySaver(), graphs.build_nested)
        states, _ = everything(book.backend, thread_id)
        inner = next(state for state in states if namespace(state))["checkpoint"]["checkpoint_id"]
        with pytest.raises(fb.InvalidInput, match="within a subgraph"):
            copy_lineage(book.backend, thread_id, states, inner)

    def test_unverified_says_so(self, book, joke_thread):
        report = book[joke_thread][1].copy(verify=False)
        assert (report.verdict, bool(report), report.way) == ("not compared", False, "rebuilt")
        assert len(book[report.new_thread_id]) == 2
        with pytest.raises(fb.Unsupported, match=joke_thread):
            report.code()

    def test_a_place_that_only_reads_says_which_could(self, book, demo_threads, tmp_path):
        book.export(tmp_path / "x.forkbook", [demo_threads["branches"]])
        with fb.connect(tmp_path / "x.forkbook") as archive:
            for checkpoint in (None, -1):
                with pytest.raises(fb.Unsupported, match="Agent Server"):
                    archive.copy(demo_threads["branches"], checkpoint)


class TestNothingIsLeftBehind:
    def left_by(self, testbed, fault, checkpoint=None):
        tag = {"of": str(uuid.uuid4())}  # others make threads here at the same time
        thread_id = ran(get_sync_client(url=testbed, api_key=None), "questions", {"answers": []}, metadata=tag)
        with (
            proxy(testbed, fault=fault(thread_id)) as (url, _),
            fb.connect(url) as book,
            pytest.raises(fb.ForkbookError) as caught,
        ):
            book.copy(thread_id, checkpoint)
        return caught.value, listed(testbed, tag) - {thread_id}

    @pytest.mark.parametrize("checkpoint", [None, -1], ids=["whole", "lineage"])
    @pytest.mark.parametrize("where", ["tagging", "reading"])
    def test_a_fault_in_the_middle_deletes_the_copy(self, testbed, checkpoint, where, monkeypatch):
        monkeypatch.setattr("time.sleep", lambda seconds: None)

        def fault(thread_id):
            def answer(method, path):
                is_copy = thread_id not in path and path.startswith("/threads/") and "search" not in path
                hit = method == "PATCH" if where == "tagging" else path.endswith("/history")
                return Fault(503) if is_copy and hit else None

            return answer

        error, left = self.left_by(testbed, fault, checkpoint)
        assert left == set()
        assert "was deleted" in str(error)
        assert "new_thread_id" not in error.details

    def test_what_cannot_be_deleted_is_named(self, testbed, monkeypatch):
        monkeypatch.setattr("time.sleep", lambda seconds: None)

        def fault(thread_id):
            return lambda method, path: Fault(503) if method in ("PATCH", "DELETE") else None

        error, left = self.left_by(testbed, fault)
        assert left == {error.details["new_thread_id"]}
        assert f"book.backend.delete('{left.pop()}')" in str(error)

    def test_a_copy_whose_answer_was_lost_is_named(self, testbed):
        def fault(thread_id):
            return lambda method, path: Fault(carried_out=True) if path.endswith("/copy") else None

        error, left = self.left_by(testbed, fault)
        assert len(left) == 1
        assert f"thread {left.pop()} looks like it" in str(error)

    def test_too_many_requests_are_waited_for(self, testbed, bed):
        thread_id, refused = ran(bed, "questions", {"answers": []}), []

        def fault(method, path):
            if path.endswith("/copy") and len(refused) < 2:
                refused.append(path)
                return Fault(429, (("retry-after", "0"),))
            return None

        with proxy(testbed, fault=fault) as (url, _), fb.connect(url) as book:
            assert book.copy(thread_id)
            assert len(book.copies(thread_id)) == 1

    @pytest.mark.parametrize("checkpoint", [None, -1], ids=["whole", "lineage"])
    def test_an_interrupt_of_the_kernel_deletes_the_copy(self, testbed, bed, server_book, monkeypatch, checkpoint):
        tag = {"of": str(uuid.uuid4())}
        thread_id = ran(bed, "questions", {"answers": []}, metadata=tag)

        def interrupted(self, *args, **more):
            raise KeyboardInterrupt

        for name in ("differences", "compared"):
            module = "copy" if name == "differences" else "copy_lineage"
            monkeypatch.setattr(f"forkbook.transfer.{module}.{name}", interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            server_book.copy(thread_id, checkpoint)
        assert listed(testbed, tag) == {thread_id}
        assert "was deleted" in caught.value.__notes__[0]

    @pytest.mark.parametrize("checkpoint", [None, 1], ids=["whole", "lineage"])
    def test_in_a_checkpointer_too(self, saver, monkeypatch, checkpoint):
        book, thread_id = asked(saver, graphs.build_nested)
        tag, calls = book.backend.tag, []

        def failing(*given):
            tag(*given)
            calls.append(given)
            if len(calls) == (1 if checkpoint is None else 2):
                raise RuntimeError("in the middle")

        monkeypatch.setattr(book.backend, "tag", failing)
        with pytest.raises(RuntimeError, match="in the middle"):
            book.copy(thread_id, checkpoint)
        assert book.threads().thread_id.tolist() == [thread_id]
        assert {each.config["configurable"]["thread_id"] for each in saver.list(None)} == {thread_id}


class TestFindingThem:
    def test_copies_are_found_from_another_connection(self, testbed, bed, server_book):
        thread_id = ran(bed, "questions", {"answers": []})
        whole = server_book.copy(thread_id).new_thread_id
        part = server_book.copy(thread_id, 0).new_thread_id
        act = server_book[thread_id].tips[0].answer("one", in_copy=True)
        sweep = server_book[thread_id].tips[0].sweep([fb.Answer("one"), fb.Answer("two")], parallel=True)
        again = server_book.copy(whole).new_thread_id
        raw = bed.threads.copy(whole)["thread_id"]
        with fb.connect(testbed) as other:
            found = other.copies(thread_id)
            swept = set(sweep.df().thread_id)
            assert set(found.thread_id) == {whole, part, act.history.thread_id} | swept
            assert len(swept) == 2
            by_id = found.set_index("thread_id")
            assert by_id.loc[part, "checkpoint_id"] == server_book[thread_id][0].id
            assert by_id.checkpoint_id.isna()[whole]
            assert by_id.whole.all()
            assert by_id.copied_at.notna().all()
            assert list(found.columns[:6]) == list(other.threads(limit=1).columns)
            assert set(other.copies(whole).thread_id) == {again, raw}
            assert other.copies(again).empty
            assert dict(other.copies(again).dtypes) == dict(found.dtypes)

    def test_in_a_checkpointer_as_long_as_the_book_is_open(self, saver):
        book, thread_id = asked(saver, graphs.build_questions)
        made = {book.copy(thread_id).new_thread_id, book.copy(thread_id, 0).new_thread_id}
        made |= {book[thread_id][1].resume(in_copy=True).history.thread_id}
        found = book.copies(thread_id)
        assert set(found.thread_id) == made
        assert found.copied_at.notna().all()

    @pytest.mark.parametrize("place", ["server", "graph"])
    def test_no_copies_are_told_from_no_thread(self, place, bed, server_book):
        if place == "server":
            book, thread_id = server_book, ran(bed, "questions", {"answers": []})
        else:
            book, thread_id = asked(InMemorySaver(), graphs.build_questions)
        for unknown in ("x", str(uuid.uuid4())):
            with pytest.raises(fb.ThreadNotFound, match=unknown):
                book.copies(unknown)
        assert book.copies(thread_id).empty
        copy_id = book.copy(thread_id).new_thread_id
        book.backend.delete(thread_id)
        assert book.copies(thread_id).thread_id.tolist() == [copy_id]
        book.backend.delete(copy_id)
        with pytest.raises(fb.ThreadNotFound):
            book.copies(thread_id)

    def test_an_archive_tells_of_the_copies_it_holds(self, bed, server_book, tmp_path):
        thread_id = ran(bed, "questions", {"answers": []})
        copy_id = server_book.copy(thread_id).new_thread_id
        server_book.export(tmp_path / "x.forkbook", [thread_id, copy_id])
        with fb.connect(tmp_path / "x.forkbook") as archive:
            assert archive.copies(thread_id).thread_id.tolist() == [copy_id]


def test_from_async_code(demo_url, joke_thread):
    async def main():
        with fb.connect(demo_url) as book:
            report = await book.acopy(joke_thread, 1, metadata={"a": 1})
            assert report
            assert report.verdict == "identical under new ids"
            assert len(await book.acopies(joke_thread)) == 1

    asyncio.run(main())


def test_cancelled_async_code_leaves_no_copy(demo_url, joke_thread, client, monkeypatch):
    reading, go_on = asyncio.Event(), []

    def copies():
        return listed(demo_url, {COPY_OF: joke_thread})

    async def main():
        loop = asyncio.get_running_loop()
        with fb.connect(demo_url) as book:
            pages = book.backend.pages

            def slowly(*given, **more):
                loop.call_soon_threadsafe(reading.set)
                while not go_on:
                    time.sleep(0.01)
                yield from pages(*given, **more)

            monkeypatch.setattr(book.backend, "pages", slowly)
            task = asyncio.create_task(book.acopy(joke_thread))
            await reading.wait()
            assert len(copies()) == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go_on.append(True)
            for _ in range(200):
                await asyncio.sleep(0.05)
                if not copies():
                    return
        raise AssertionError("the copy is still there")

    asyncio.run(main())
