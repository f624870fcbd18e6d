"""An export never puts a file without a thread in the place of one that has it."""

import json
from functools import partial

import pandas as pd
import pytest
from commands import document, run
from held import Memory, content, conversation, digests
from proxy import Fault, proxy

import forkbook as fb
from forkbook.backends.gather import at_once
from forkbook.errors import SourceError, ThreadNotFound
from forkbook.transfer.export import export

FILES = ("x.json", "x.parquet")
write = partial(export, ask=at_once)
BUSY = Fault(503, (("retry-after", "0"),))


def ids_in(path):
    """The threads in a file or folder of tables."""
    if path.suffix == ".json":
        return {thread["thread_id"] for thread in json.loads(path.read_text())}
    return set(pd.read_parquet(path / "threads").thread_id)


def failing(*ids):
    """A fault of a proxy: the histories of these threads, or of all, cannot be had."""

    def fault(method, path):
        return BUSY if path.endswith("/history") and (not ids or any(id_ in path for id_ in ids)) else None

    return fault


@pytest.fixture
def three(demo_threads):
    return list(demo_threads.values())[:3]


@pytest.mark.parametrize("name", FILES)
class TestServer:
    @pytest.fixture
    def old(self, book, three, tmp_path, name):
        assert book.export(tmp_path / name, three)
        return tmp_path / name

    def test_all_threads_fail(self, demo_url, old, three):
        before = content(old)
        with proxy(demo_url, fault=failing()) as (url, _), fb.connect(url) as book:
            report = book.export(old, three)
        assert (bool(report), report.kept, report.partial, report.threads) == (False, True, None, 0)
        assert set(report.errors) == set(three)
        assert "is as it was before" in repr(report)
        assert content(old) == before
        assert [item.name for item in old.parent.iterdir()] == [old.name]

    def test_some_threads_fail(self, demo_url, old, three):
        before = content(old)
        with proxy(demo_url, fault=failing(three[0])) as (url, _), fb.connect(url) as book:
            report = book.export(old, three)
        assert (bool(report), report.kept, report.partial) == (False, True, old.with_stem("x.partial"))
        assert content(old) == before
        assert ids_in(report.partial) == set(three[1:])
        assert str(report.partial) in repr(report)

    def test_a_whole_export_takes_the_place_again(self, demo_url, book, old, three):
        with proxy(demo_url, fault=failing(three[0])) as (url, _), fb.connect(url) as failed:
            failed.export(old, three)
        report = book.export(old, three[:1])
        assert (bool(report), report.kept, report.partial, ids_in(old)) == (True, False, None, {three[0]})

    def test_the_command_line_says_it(self, demo_url, old, three):
        before = content(old)
        with proxy(demo_url, fault=failing()) as (url, _):
            code, out, _ = run("export", url, "-o", old, "-t", ",".join(three))
            said = document("export", url, "-o", old, "-t", ",".join(three))
        assert (code, "is as it was before" in out, "not written" in out) == (1, True, True)
        assert said[0] == 1
        assert [said[1][key] for key in ("ok", "kept", "partial", "held", "threads")] == [False, True, None, None, 0]
        with proxy(demo_url, fault=failing(three[0])) as (url, _):
            code, said = document("export", url, "-o", old, "-t", ",".join(three))
        assert (code, said["kept"], said["partial"]) == (1, True, str(old.with_stem("x.partial")))
        assert content(old) == before

    def test_the_listing_fails_midway(self, demo_url, old):
        before, asked = content(old), []

        def fault(method, path):
            asked.append(path)
            return BUSY if path.endswith("/threads/search") and len(asked) > 2 else None

        with proxy(demo_url, fault=fault) as (url, _), fb.connect(url) as book, pytest.raises(fb.ServerFault):
            book.export(old)
        assert content(old) == before
        assert [item.name for item in old.parent.iterdir()] == [old.name]


@pytest.mark.parametrize("name", FILES)
class TestNames:
    @pytest.fixture
    def path(self, tmp_path, name):
        return tmp_path / name

    def write(self, path, held, **how):
        return write(path, Memory(held), **how)

    def good(self, *ids):
        return {id_: conversation(id_, 2) for id_ in ids}

    def bad(self, *ids):
        return {id_: SourceError(f"thread {id_}: no") for id_ in ids}

    def test_nothing_is_written_where_no_thread_can_be_read(self, path):
        report = self.write(path, self.bad("a"))
        assert (bool(report), report.kept, report.bytes, list(path.parent.iterdir())) == (False, False, 0, [])

    def test_what_can_be_read_is_written_where_no_file_is(self, path):
        report = self.write(path, self.bad("a") | self.good("b"))
        assert (bool(report), report.kept, report.partial, ids_in(path)) == (False, False, None, {"b"})

    def test_a_file_whose_threads_were_all_read_is_replaced(self, path):
        self.write(path, self.good("a"))
        report = self.write(path, self.good("a", "b") | self.bad("c"))
        assert (bool(report), report.kept, report.partial, ids_in(path)) == (False, False, None, {"a", "b"})

    def test_no_partial_file_replaces_one_with_other_threads(self, path):
        self.write(path, self.good("a", "b", "c"))
        names = [
            self.write(path, self.good(*ids) | self.bad(*({"a", "b", "c"} - {*ids}))).partial.name
            for ids in ("a", "b", "ab", "b")
        ]
        assert [name.removesuffix(path.suffix) for name in names] == [
            "x.partial",
            "x.partial-2",
            "x.partial",
            "x.partial-2",
        ]
        assert [ids_in(path.with_stem(stem)) for stem in ("x", "x.partial", "x.partial-2")] == [
            {"a", "b", "c"}, {"a", "b"}, {"b"},
        ]  # fmt: skip

    def test_an_older_file_that_cannot_be_read_stays(self, path, name):
        if name == "x.json":
            path.write_text('[{"thread_id": "old", ')
        else:
            self.write(path, self.good("old"))
            next((path / "threads").iterdir()).write_bytes(b"no table")
        before = content(path)
        report = self.write(path, self.good("a") | self.bad("b"))
        assert (report.kept, ids_in(report.partial), content(path)) == (True, {"a"}, before)

    def test_an_empty_place_replaces_no_threads(self, path):
        self.write(path, {})
        assert self.write(path, {})
        self.write(path, self.good("a"))
        report = self.write(path, {})
        assert (bool(report), report.kept, ids_in(path)) == (False, True, {"a"})

    def test_a_thread_that_was_deleted_meanwhile_is_no_failure(self, path):
        class Deleting(Memory):
            def pages(self, thread_id, **how):
                if thread_id == "b":
                    self.held.pop("b", None)
                    raise ThreadNotFound("no thread b", thread_id="b")
                return super().pages(thread_id, **how)

            def thread(self, thread_id):
                if thread_id not in self.held:
                    raise ThreadNotFound(f"no thread {thread_id}", thread_id=thread_id)
                return super().thread(thread_id)

        self.write(path, self.good("a", "b"))
        report = write(path, Deleting(self.good("a", "b")))
        assert (bool(report), report.errors, report.gone, ids_in(path)) == (True, {}, ("b",), {"a"})
        asked = write(path, Deleting(self.good("a", "b")), ["a", "b"])
        assert (bool(asked), list(asked.errors), asked.gone) == (False, ["b"], ())

    def test_a_history_that_is_not_found_of_a_thread_that_is_there_is_a_failure(self, path):
        class Half(Memory):
            def pages(self, thread_id, **how):
                if thread_id == "b":
                    raise ThreadNotFound("no thread b", thread_id="b")
                return super().pages(thread_id, **how)

        self.write(path, self.good("a", "b"))
        report = write(path, Half(self.good("a", "b")))
        assert (bool(report), list(report.errors), report.gone, ids_in(path)) == (False, ["b"], (), {"a", "b"})

    def test_what_cannot_be_written_is_kept_too(self, path):
        self.write(path, self.good("a", "b"))
        odd = conversation("a", 2)
        odd[0]["values"] = odd[0]["tasks"] = {"x": {1}}
        report = self.write(path, {"a": odd} | self.good("b"))
        assert (list(report.errors), report.kept, ids_in(path)) == (["a"], True, {"a", "b"})


def test_an_archive_keeps_threads_that_cannot_be_read_now(demo_url, book, three, tmp_path):
    path = tmp_path / "x.forkbook"
    assert book.export(path, three)
    before = digests(path)
    for ids in ((), three[:1]):
        with proxy(demo_url, fault=failing(*ids)) as (url, _), fb.connect(url) as failed:
            report = failed.export(path, three)
        assert (bool(report), report.kept, len(report.errors)) == (False, False, len(ids) or 3)
        assert digests(path) == before


def test_an_archive_keeps_a_thread_that_is_empty_now(tmp_path):
    write(tmp_path / "x.forkbook", Memory({"a": conversation("a", 3)}))
    before = digests(tmp_path / "x.forkbook")
    assert not write(tmp_path / "x.forkbook", Memory({"a": []}))
    assert digests(tmp_path / "x.forkbook") == before


def test_a_cache_keeps_what_it_has_when_the_server_fails(demo_url, three, tmp_path):
    with proxy(demo_url) as (url, _), fb.connect(url, cache=tmp_path / "c.forkbook") as cached:
        cached[three[0]]
    before = digests(tmp_path / "c.forkbook")
    with proxy(demo_url, fault=failing()) as (url, _):
        cached = fb.connect(url, cache=tmp_path / "c.forkbook")
        with cached, pytest.raises(fb.ServerFault):
            cached.history(three[0])
    assert digests(tmp_path / "c.forkbook") == before


def test_a_backup_keeps_an_older_one(demo_url, target_url, book, three, tmp_path):
    assert book.export(tmp_path / "b.json", three)
    before = content(tmp_path / "b.json")
    with proxy(demo_url, fault=failing(three[0])) as (url, _):
        code, said = document("migrate", url, target_url, "-t", three[0], "--backup-file", tmp_path / "b.json")
    assert (code, said["backup"]["kept"], content(tmp_path / "b.json")) == (1, True, before)


def test_a_report_stays_where_the_thread_cannot_be_read(demo_url, three, tmp_path):
    (path := tmp_path / "x.html").write_text("old")
    with proxy(demo_url, fault=failing()) as (url, _):
        assert run("report", url, three[0], "-o", path)[0] == 3
    assert path.read_text() == "old"


def test_a_folder_that_a_killed_export_had_moved_away_comes_back(tmp_path):
    write(path := tmp_path / "x.parquet", Memory({"a": conversation("a", 2)}))
    path.rename(tmp_path / ".x.parquet.0123456789ab.old")  # killed between the two renames
    report = write(path, Memory({"a": SourceError("no")}))
    assert (report.kept, ids_in(path), [item.name for item in tmp_path.iterdir()]) == (True, {"a"}, ["x.parquet"])
