"""Threads in files: round trips, consistent sets, what cannot be written, and exports that are killed at any moment.

The campaign is `python -m pytest tests/transfer/test_files.py -m slow`: 200 kills for each format.
"""

import builtins
import json
import math
import os
import random
import signal
import threading
import time
from functools import partial

import pandas as pd
import pytest
from held import Memory, content, conversation, digests, everything, state_of
from kills import left, lost, share
from pandas.testing import assert_frame_equal

import forkbook as fb
from forkbook.backends.gather import at_once, gather
from forkbook.backends.jsonfile.scripts import TASK
from forkbook.backends.server.backend import ServerBackend
from forkbook.errors import ConnectionFailed, InvalidInput, MissingExtra, SourceError
from forkbook.transfer.equality import unequal
from forkbook.transfer.export import export, format_of

FRAMES = ("checkpoints", "messages", "tasks", "branches", "tokens")
JSON_COLUMNS = ("tool_calls", "path", "interrupts", "writes", "metadata")
FILES = ("x.forkbook", "x.json", "x.parquet")
write = partial(export, ask=at_once)


class Side(Memory):
    """Threads at hand that may be read side by side."""

    parallel = True


def read_back(frame):
    """A frame from Parquet as forkbook has it: JSON as values, lists as lists."""
    frame = frame.copy()
    for name in set(JSON_COLUMNS) & set(frame.columns):
        frame[name] = pd.Series([None if pd.isna(cell) else json.loads(cell) for cell in frame[name]], dtype=object)
    for name in {"next", "branches"} & set(frame.columns):
        frame[name] = pd.Series([None if cell is None else list(cell) for cell in frame[name]], dtype=object)
    return frame


class TestRoundTrips:
    @pytest.fixture(scope="class")
    @classmethod
    def files(cls, demo_url, demo_threads, tmp_path_factory):
        """The demo's threads in all formats, written at once."""
        folder = tmp_path_factory.mktemp("files")
        with fb.connect(demo_url) as book:
            for name in FILES:
                report = book.export(folder / name, demo_threads.values())
                assert (bool(report), report.threads, report.dangling, report.later) == (
                    True,
                    len(demo_threads),
                    {},
                    {},
                )
                assert report.checkpoints == 40
                assert report.bytes > 1000
        return folder

    def test_json_holds_what_the_server_says(self, files, book, demo_threads):
        with fb.connect(files / "x.json") as ours:
            assert ours.threads().equals(book.threads(ids=list(demo_threads.values())))
            for thread_id in demo_threads.values():
                assert list(unequal(ours.history(thread_id).states, book.history(thread_id).states)) == []
                assert repr(ours.history(thread_id).states) == repr(book.history(thread_id).states)

    def test_json_is_the_list_that_scripts_know(self, files, client, demo_threads):
        for thread in json.loads((files / "x.json").read_text()):
            known = client.threads.get(thread["thread_id"])
            for key in ("metadata", "status", "created_at", "updated_at"):
                assert thread[key] == known[key]
            assert thread["history"] == client.threads.get_history(thread["thread_id"], limit=1000)
            assert thread["values"] == thread["history"][0]["values"]
        assert len((files / "x.json").read_text().splitlines()) == len(demo_threads) + 2

    def test_an_archive_of_json_is_an_archive_of_the_server(self, files, tmp_path):
        with fb.connect(files / "x.json") as book:
            assert book.export(tmp_path / "again.forkbook")
        assert digests(tmp_path / "again.forkbook") == digests(files / "x.forkbook")

    def test_json_of_an_archive_is_json_of_the_server(self, files, tmp_path):
        with fb.connect(files / "x.forkbook") as book:
            assert book.export(tmp_path / "again.json")
        ours, theirs = (
            json.loads((path / name).read_text()) for path, name in ((tmp_path, "again.json"), (files, "x.json"))
        )
        key = lambda thread: thread["thread_id"]  # noqa: E731
        assert sorted(ours, key=key) == sorted(theirs, key=key)

    @pytest.mark.parametrize("name", FRAMES)
    def test_parquet_gives_the_frames(self, files, book, demo_threads, name):
        found = read_back(pd.read_parquet(files / "x.parquet" / name))
        ours = pd.concat([getattr(book.history(id_), f"{name}_df")() for id_ in demo_threads.values()])
        key = list(ours.columns[:3])
        ours, found = (each.sort_values(key, kind="stable").reset_index(drop=True) for each in (ours, found))
        assert_frame_equal(ours, found, check_categorical=False, check_dtype=False)
        plain = [column for column, dtype in ours.dtypes.items() if dtype != "category"]
        assert found.dtypes[plain].to_dict() == ours.dtypes[plain].to_dict()
        assert (found.dtypes == "category").tolist() == (ours.dtypes == "category").tolist()

    def test_parquet_of_one_thread(self, files, demo_threads):
        only = [("thread_id", "==", demo_threads["memory"])]
        assert len(pd.read_parquet(files / "x.parquet" / "checkpoints", filters=only)) == 3
        assert len(list((files / "x.parquet" / "checkpoints").glob(f"*{demo_threads['memory']}.parquet"))) == 1
        assert len(pd.read_parquet(files / "x.parquet" / "threads")) == len(demo_threads)

    @pytest.mark.parametrize("name", FRAMES)
    def test_any_frame_can_be_written(self, book, demo_threads, name, tmp_path):
        for thread in ("branches", "approval", "time travel"):
            frame = getattr(book.history(demo_threads[thread]), f"{name}_df")()
            frame.to_parquet(path := tmp_path / f"{thread}.parquet")
            assert_frame_equal(frame, read_back(pd.read_parquet(path)), check_categorical=False)
        frame.head(0).to_parquet(path)
        assert list(pd.read_parquet(path).columns) == list(frame.columns)

    def test_subgraphs_are_in_json_and_told_of_parquet(self, tmp_path):
        below = dict.fromkeys(TASK) | {"id": "1", "name": "sub", "checkpoint": {"checkpoint_ns": "sub:1"}}
        root, inner = state_of(0, {"x": 1}, tasks=[below]), state_of(1, {"y": [1.0, True, None]}, ns="sub:1")
        memory = Memory({"t": [root, inner]})
        report = write(tmp_path / "x.json", memory)
        assert report.checkpoints == 2
        with fb.connect(tmp_path / "x.json") as book:
            assert everything(book.backend, "t", "sub:1") == [inner]
            assert everything(book.backend, "t") == [root]
        report = write(tmp_path / "x.parquet", memory)
        assert report.checkpoints == 1
        assert "1 checkpoints of subgraphs are not in the tables" in repr(report)

    def test_nothing_at_all(self, tmp_path):
        for name in FILES:
            assert write(tmp_path / name, Memory({})).threads == 0
        assert list(fb.connect(tmp_path / "x.json").backend.threads()) == []
        for name in ("threads", *FRAMES):
            assert len(pd.read_parquet(tmp_path / "x.parquet" / name)) == 0
        write(tmp_path / "y.forkbook", Memory({"empty": []}))
        write(tmp_path / "y.parquet", Memory({"empty": []}))
        assert len(pd.read_parquet(tmp_path / "y.parquet" / "checkpoints")) == 0

    def test_hostile_ids_and_texts(self, tmp_path):
        ids = ["../../x", "a\0b", "é" * 99, "\ud83d", "CON", "x" * 300]
        values = {
            "messages": [{"type": "human", "content": "\0<b>", "id": "1"}],
            "\ud83d": "\ud83d",
            "n": 2**70,
            "nan": math.nan,
        }
        held = {id_: [state_of(0, values, id_)] for id_ in ids}
        assert write(tmp_path / "x.json", Memory(held)).threads == len(ids)
        report = write(tmp_path / "x.parquet", Memory(held))
        assert (report.threads, report.errors) == (len(ids), {})
        assert len(pd.read_parquet(tmp_path / "x.parquet" / "messages")) == len(ids)
        with fb.connect(tmp_path / "x.json") as book:
            assert repr(everything(book.backend, ids[0])) == repr(held[ids[0]])


class TestFormats:
    @pytest.mark.parametrize(
        ("name", "asked", "found"),
        [
            ("a.forkbook", None, "archive"),
            ("a.JSON", None, "json"),
            ("a.parquet", None, "parquet"),
            ("a", "json", "json"),
        ],
    )
    def test_the_suffix_says_it(self, name, asked, found, tmp_path):
        assert format_of(tmp_path / name, asked).name == found

    def test_no_format_is_told(self, book, tmp_path):
        with pytest.raises(InvalidInput, match=r"in which format: give a name that ends in \.forkbook, \.json, \.parq"):
            book.export(tmp_path / "study.csv")
        with pytest.raises(InvalidInput, match="format 'csv': there is archive, json, parquet"):
            book.export(tmp_path / "study", format="csv")
        assert list(tmp_path.iterdir()) == []

    def test_a_missing_pyarrow_names_its_command(self, book, tmp_path, monkeypatch):
        known = builtins.__import__

        def without(name, *rest):
            if name.startswith("pyarrow"):
                raise ImportError(name)
            return known(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(MissingExtra, match=r"pip install 'forkbook\[parquet\]'"):
            book.export(tmp_path / "x.parquet")
        assert list(tmp_path.iterdir()) == []

    def test_what_is_there_is_not_harmed(self, tmp_path):
        good, gone = Memory({"a": conversation("a", 3)}), Memory({str(n): ConnectionFailed("no") for n in range(3)})
        (tmp_path / "mine.parquet").mkdir()
        (tmp_path / "mine.parquet" / "thesis.txt").write_text("x")
        with pytest.raises(InvalidInput, match="something else"):
            write(tmp_path / "mine.parquet", good)
        for name in ("x.json", "x.parquet"):
            assert write(tmp_path / name, good)
            before = content(tmp_path / name)
            with pytest.raises(ConnectionFailed):
                write(tmp_path / name, gone)
            assert content(tmp_path / name) == before
        assert {item.name for item in tmp_path.iterdir()} == {"x.json", "x.parquet", "mine.parquet"}

    def test_no_folder_is_told(self, tmp_path):
        for name in ("x.json", "x.parquet"):
            with pytest.raises(InvalidInput, match="there is no folder"):
                write(tmp_path / "no" / name, Memory({}))
        (tmp_path / "y.json").mkdir()
        with pytest.raises(SourceError, match="cannot be written"):
            write(tmp_path / "y.json", Memory({}))
        assert [item.name for item in tmp_path.iterdir()] == ["y.json"]

    def test_a_bad_thread_is_told_and_the_others_are_written(self, tmp_path):
        odd = [state_of(1, {"x": 1}, "odd"), state_of(0, {"x": {1}}, "odd", tasks=[{"id": "1", "result": {2}}])]
        held = {"good": conversation("good", 3), "gone": SourceError("thread gone: no"), "odd": odd, "more": []}
        for name in FILES:
            report = write(tmp_path / name, Memory(held))
            assert not report
            assert report.errors["gone"] == "thread gone: no"
            assert "odd cannot be" in report.errors["odd"]
            assert report.threads == 2
        assert {thread["thread_id"] for thread in json.loads((tmp_path / "x.json").read_text())} == {"good", "more"}

    def test_what_json_has_no_word_for_is_told(self, tmp_path):
        odd = {"a": [state_of(0, {"x": math.nan})], "b": [state_of(0, {"x": "\ud83d", "n": 2**70})]}
        report = write(tmp_path / "x.json", Memory(odd))
        assert [note[:9] for note in report.notes] == ["thread a:"]
        json.loads((tmp_path / "x.json").read_text())

    def test_json_holds_one_thread_in_memory(self, tmp_path):
        """The file of 40 threads of 4 MB is never in memory as a whole."""
        import tracemalloc

        class Large(Memory):
            def pages(self, thread_id, *, ns="", page_size=None):
                yield [state_of(0, {"x": thread_id * 1_000_000}, thread_id)]

        tracemalloc.start()
        write(tmp_path / "x.json", Large({f"{n:02}": [] for n in range(40)}))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < (tmp_path / "x.json").stat().st_size / 4


class TestConsistentSets:
    def test_a_thread_that_goes_on_is_exported_as_it_was(self, client, demo_url, joke_thread, tmp_path):
        """Checkpoints that come while it is read are left out, and reported."""
        for n in range(12):
            client.threads.update_state(joke_thread, {"topic": str(n)}, as_node="generate_topic")
        live = ServerBackend(demo_url)
        before, asked = everything(live, joke_thread), []

        class Meanwhile(ServerBackend):
            def pages(self, thread_id, **how):
                for page in super().pages(thread_id, **how):
                    if len(asked) < 2:
                        asked.append(
                            client.threads.update_state(thread_id, {"topic": "late"}, as_node="generate_topic")
                        )
                    yield page

        for name in FILES:
            asked.clear()
            report = write(tmp_path / name, Meanwhile(demo_url), [joke_thread])
            assert (report.later, report.dangling) == ({joke_thread: 2}, {}), name
            assert "went on: 2 later checkpoints" in repr(report)
            assert report.checkpoints == len(before)
            before = everything(live, joke_thread)
        live.close()

    def test_later_ones_of_subgraphs_are_left_out(self):
        """When the root's head has moved on, what came to a subgraph after that is no part of the set."""
        below = {"id": "1", "name": "sub", "checkpoint": {"checkpoint_ns": "sub:1"}, "result": None}
        old, inner = state_of(1, {}, tasks=[below]), state_of(2, {}, ns="sub:1")
        new, late = state_of(3, {}), state_of(4, {}, ns="sub:1")

        class Live(Memory):
            is_live = True

            def pages(self, thread_id, *, ns="", page_size=None):
                yield from super().pages(thread_id, ns=ns)
                if not ns:
                    self.held[thread_id] = [new, late, old, inner]

        _, (thread,) = gather(Live({"t": [old, inner]}))
        assert thread.states == [old, inner]
        assert (thread.later, thread.head) == (2, "00000001")

    def test_a_parent_that_the_source_lacks_is_reported(self, tmp_path):
        missing = state_of(1, {}, parent_checkpoint={"checkpoint_id": "0000000a", "checkpoint_ns": ""})
        for name in FILES:
            report = write(tmp_path / name, Memory({"t": [missing]}))
            assert bool(report)
            assert report.dangling == {"t": ("0000000a",)}
            assert "thread t lacks a parent: 0000000a" in repr(report)

    def test_every_parent_is_there_and_nothing_is_newer_than_the_head(self, demo_url, demo_threads):
        _, threads = gather(ServerBackend(demo_url), demo_threads.values())
        for thread in threads:
            ids = {state["checkpoint"]["checkpoint_id"] for state in thread.states}
            parents = {(state["parent_checkpoint"] or {}).get("checkpoint_id") for state in thread.states}
            assert parents - {None} <= ids
            assert thread.head == max(ids)


class TestSideBySide:
    def test_the_order_is_that_of_the_list_and_few_are_ahead(self):
        at_once, most = [], []

        class Slow(Side):
            def pages(self, thread_id, **how):
                at_once.append(thread_id)
                most.append(len(at_once))
                time.sleep(random.random() / 200)
                at_once.remove(thread_id)
                yield from super().pages(thread_id, **how)

        held = {f"t{n}": conversation(f"t{n}", 2) for n in range(60)}
        number, threads = gather(Slow(held), readers=4)
        assert (number, [thread.thread_id for thread in threads]) == (60, list(held))
        assert 1 < max(most) <= 4

    def test_one_after_the_other_where_a_place_allows_no_more(self):
        readers = set()

        class Alone(Memory):
            def pages(self, thread_id, **how):
                readers.add(threading.current_thread())
                yield from super().pages(thread_id, **how)

        list(gather(Alone({"a": [], "b": []}), readers=8)[1])
        assert readers == {threading.current_thread()}

    @pytest.mark.parametrize("readers", [0, -1, "4", 1.5])
    def test_a_number_of_readers_that_is_none(self, book, tmp_path, readers):
        with pytest.raises(InvalidInput, match="readers is"):
            book.export(tmp_path / "x.json", readers=readers)

    def test_what_fails_in_passing_is_asked_again_and_a_busy_server_is_waited_for(
        self, demo_url, demo_threads, tmp_path
    ):
        from proxy import proxy

        seen = []

        def now_and_then(method, path, body):
            if path.endswith("/history"):
                seen.append(path)
                return b"{" if len(seen) % 3 == 1 else None
            return None

        with proxy(demo_url, now_and_then) as (url, _), fb.connect(url) as book:
            report = book.export(tmp_path / "x.forkbook", demo_threads.values())
        assert (report.threads, report.errors) == (len(demo_threads), {})

    @pytest.mark.parametrize("readers", [1, 4])
    def test_ctrl_c_keeps_what_is_written_and_a_second_export_goes_on(self, tmp_path, readers):
        held = {f"t{n}": conversation(f"t{n}", 3) for n in range(30)}
        write(whole := tmp_path / "whole.forkbook", Side(held))

        def interrupted(done, all_):
            if done == 11:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write(path := tmp_path / "x.forkbook", Side(held), progress=interrupted, readers=readers)
        assert len(digests(path)) == 11
        report = write(path, Side(held), readers=readers)
        assert (report.threads, report.skipped) == (19, 11)
        assert digests(path) == digests(whole)

    @pytest.mark.parametrize("name", ["x.json", "x.parquet"])
    def test_ctrl_c_leaves_no_half_file(self, tmp_path, name):
        def interrupted(done, all_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / name, Side({"a": conversation("a", 3)}), progress=interrupted)
        assert list(tmp_path.iterdir()) == []


HELD = {f"t{n}": conversation(f"t{n}", 12) for n in range(12)} | {"big": conversation("big", 40, size=4_000)}
OLD = {f"t{n}": conversation(f"t{n}", 3) for n in range(5)}


@pytest.mark.outside
class TestKill:
    """kill -9: under the final name is nothing, the old whole, or the new whole; a re-run ends in the same content."""

    @pytest.mark.parametrize("name", FILES)
    def test_at_some_moments(self, tmp_path, name):
        self.campaign(tmp_path, name, 3)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", FILES)
    def test_at_many_moments(self, tmp_path, name):
        self.campaign(tmp_path, name, share("export", 2 * len(FILES)))

    def campaign(self, folder, name, kills):
        write(folder / name, Side(HELD))
        start = time.perf_counter()
        write(folder / f"again {name}", Side(HELD))
        seconds, final = time.perf_counter() - start, content(folder / name)
        dice, killed = random.Random(name), 0
        for number in range(kills):
            (place := folder / f"kill {number}").mkdir()
            path, replacing = place / name, number % 2 == 1
            if replacing:
                write(path, Side(OLD))
            old = content(path) if replacing else {}
            killed += self.killed(write, path, dice.uniform(0, seconds * 1.2))
            assert not lost(left(path), old, final)
            write(path, Side(HELD))
            assert content(path) == final
        assert killed > kills // 4 or kills < 10

    def killed(self, write, path, seconds):
        child = os.fork()
        if not child:
            try:
                write(path, Side(HELD))
            finally:
                os._exit(0)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1] == signal.SIGKILL


@pytest.mark.parametrize("name", FILES)
def test_a_thread_is_found_whole_after_a_real_server_was_exported_by_many(name, demo_url, demo_threads, tmp_path):
    """Two exports of one server to one name at the same time: one of them wins, nothing is mixed."""
    path, errors = tmp_path / name, []

    def export():
        with fb.connect(demo_url) as book:
            try:
                book.export(path, demo_threads.values())
            except fb.ForkbookError as error:
                errors.append(error)

    both = [threading.Thread(target=export) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(errors) < 2
    if name == "x.parquet":
        assert len(pd.read_parquet(path / "threads")) == len(demo_threads)
    else:
        with fb.connect(path) as book:
            assert len(book.threads()) == len(demo_threads)
