"""The archive: every thread comes back as it was, or it is said which one does not.

FORKBOOK_FLIPS makes the tests of damage longer, as in `FORKBOOK_FLIPS=100000 python -m pytest
tests/backends/test_archive.py`; the campaign of kill -9 is `-m slow -k Kill`, and kills as often as kills.py says.
"""

import os
import random
import signal
import sqlite3
import time
import uuid
from functools import partial

import httpx
import pytest
from contract import BackendContract
from held import Memory, conversation, digests, everything, state_of
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from kills import share
from laws import laws
from proxy import proxy

import forkbook as fb
from forkbook.backends.archive import ArchiveBackend, CachedBackend, verify
from forkbook.backends.archive import store as archive_store
from forkbook.backends.archive.file import create, transaction, writing
from forkbook.backends.contract import Backend
from forkbook.backends.gather import at_once
from forkbook.backends.server.backend import ServerBackend
from forkbook.book import Book
from forkbook.errors import (
    ArchiveDamaged,
    ConnectionFailed,
    ForeignArchive,
    InvalidInput,
    ServerFault,
    SourceError,
    ThreadNotFound,
)
from forkbook.transfer.export import export

write = partial(export, format="archive", ask=at_once)
FLIPS = int(os.environ.get("FORKBOOK_FLIPS", "300"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.forkbook"


@pytest.fixture(scope="module")
def exported(demo_url, demo_threads, tmp_path_factory):
    """The demo's threads, exported from the server."""
    path = tmp_path_factory.mktemp("exported") / "demo.forkbook"
    live = ServerBackend(demo_url)
    report = write(path, live, list(demo_threads.values()))
    assert (bool(report), report.threads, report.skipped) == (True, len(demo_threads), 0)
    live.close()
    return path


@pytest.fixture(scope="module")
def place(exported, demo_threads):
    with Book(ArchiveBackend(exported)) as book:
        yield book, demo_threads


class TestArchive(BackendContract):
    pass


class TestExport:
    def test_a_history_from_the_archive_is_that_of_the_server(self, demo_url, demo_threads, exported):
        with fb.connect(demo_url) as live, Book(ArchiveBackend(exported)) as archive:
            for thread_id in demo_threads.values():
                ours, theirs = archive.history(thread_id), live.history(thread_id)
                assert ours.states == theirs.states
                assert repr(ours.states) == repr(theirs.states)  # the order of keys, too
                assert repr(ours) == repr(theirs)
                assert archive.backend.heads(thread_id) == live.backend.heads(thread_id)
                for name in ("checkpoints_df", "messages_df", "tasks_df", "branches_df", "tokens_df"):
                    a, b = getattr(ours, name)(), getattr(theirs, name)()
                    assert a.to_dict("records") == b.to_dict("records") or repr(a) == repr(b)

    def test_a_second_export_skips_what_is_there(self, demo_url, demo_threads, exported):
        before = exported.read_bytes()
        live, seen = ServerBackend(demo_url), []
        report = write(exported, live, demo_threads.values(), progress=lambda done, all_: seen.append((done, all_)))
        assert (report.threads, report.checkpoints, report.skipped) == (0, 0, len(demo_threads))
        assert seen == [(n, len(demo_threads)) for n in range(1, len(demo_threads) + 1)]
        assert exported.read_bytes() == before
        live.close()

    def test_listing_and_naming_threads_give_the_same_digests(self, demo_url, demo_threads, exported, path):
        live = ServerBackend(demo_url)
        write(path, live)
        listed = digests(path)
        assert {thread_id: listed[thread_id] for thread_id in demo_threads.values()} == digests(exported)
        live.close()

    def test_an_unreadable_thread_is_told_and_the_others_go_on(self, path):
        good = conversation("good", 3)
        bad, odd = ServerFault("thread bad: no"), [state_of(0, {"x": {1}}, "odd")]
        report = write(path, Memory({"bad": bad, "good": good, "odd": odd}))
        assert not report
        assert report.errors["bad"] == "thread bad: no"
        assert "thread odd cannot be kept unchanged in an archive: Object of type set is not" in report.errors["odd"]
        assert everything(ArchiveBackend(path), "good") == good

    def test_it_stops_where_the_place_is_gone(self, path):
        gone = {str(n): ConnectionFailed("nobody answers") for n in range(5)}
        with pytest.raises(ConnectionFailed):
            write(path, Memory({"good": conversation("good", 3)} | gone))
        assert list(digests(path)) == ["good"]

    def test_a_changed_thread_replaces_the_old_one_and_leaves_no_rest(self, path):
        both = {"a": conversation("a", 30), "b": conversation("b", 30)}
        write(path, Memory(both))
        changed = conversation("a", 20, seed=1)
        report = write(path, Memory(both | {"a": changed}))
        assert (report.threads, report.skipped) == (1, 1)
        assert everything(ArchiveBackend(path), "a") == changed
        assert everything(ArchiveBackend(path), "b") == both["b"]
        with writing(path) as db:
            leaves, hashes = (
                db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("leaves", "hashes")
            )
        assert leaves == hashes == 50

    def test_copies_share_their_messages(self, path):
        original = conversation("a", 200, size=400)
        write(path, Memory({"a": original}))
        alone = path.stat().st_size
        write(path, Memory({"b": original}))
        assert path.stat().st_size < alone * 1.3

    def test_space_grows_with_what_is_new(self, path, tmp_path):
        write(path, Memory({"a": conversation("a", 200, size=100)}))
        write(twice := tmp_path / "twice.forkbook", Memory({"a": conversation("a", 400, size=100)}))
        assert twice.stat().st_size < path.stat().st_size * 2.2

    def test_subgraphs_are_in_it(self, path):
        task = {"id": "1", "name": "sub", "checkpoint": {"checkpoint_ns": "sub:1"}, "result": None}
        root, inner = state_of(0, {"x": 1}, tasks=[task]), state_of(0, {"y": [1.0, True, None]}, ns="sub:1")
        write(path, Memory({"t": [root, inner]}))
        backend = ArchiveBackend(path)
        assert everything(backend, "t") == [root]
        assert everything(backend, "t", "sub:1") == [inner]
        assert everything(backend, "t", "sub:2") == []
        assert len(backend.heads("t")) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(categories=("L", "N", "P", "Z", "C")))
    | st.sampled_from([0, 0.0, -0.0, 1, 1.0, True, 2**64, -(2**63) - 1, "x" * 100, "\ud83d\ude00", "\0", 5e-324]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)
PLAIN = laws(80, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestRoundTrip:
    @pytest.mark.long
    @PLAIN
    @given(st.lists(st.tuples(JSON, JSON, st.dictionaries(st.text(max_size=5), JSON, max_size=3)), max_size=5))
    def test_any_json_comes_back_as_it_was(self, tmp_path, found):
        states = []
        for number, (values, result, more) in enumerate(found):
            task = {"name": "n", "result": result, "id": None}
            states.append(state_of(number, values, tasks=[task, {"name": "m"}], metadata=more))
        self.check(tmp_path, states[::-1])

    @pytest.mark.long
    @PLAIN
    @given(
        st.lists(st.tuples(st.sampled_from(["append", "drop", "insert", "edit", "empty", "keep"]), st.integers(0, 9)))
    )
    def test_lists_that_change_in_any_way(self, tmp_path, changes):
        messages, states = [{"id": n} for n in range(8)], []
        for number, (how, place) in enumerate(changes):
            if how == "append":
                messages = [*messages, {"id": place, "new": number}]
            elif how == "drop":
                messages = messages[place:]
            elif how == "insert":
                messages = [*messages[:place], {"id": number}, *messages[place:]]
            elif how == "edit" and place < len(messages):
                messages = [*messages[:place], dict(messages[place]) | {"edited": number}, *messages[place + 1 :]]
            elif how == "empty":
                messages = []
            states.append(state_of(number, {"messages": messages}))
        self.check(tmp_path, states[::-1])

    def check(self, folder, states):
        path = folder / f"{uuid.uuid4()}.forkbook"
        assert write(path, Memory({"t": states}))
        assert repr(everything(ArchiveBackend(path), "t")) == repr(states)
        path.unlink()

    def test_missing_keys_and_none_stay_apart(self, path):
        without = state_of(0, None)
        del without["interrupts"]
        self.check(path.parent, [state_of(1, {"a": None}, tasks=None, next=None), without])

    def test_what_is_no_json_is_refused(self, path):
        loop = []
        loop.append(loop)
        for value in (
            1j,
            (1, 2),
            {1: 2},
            b"x",
            uuid.uuid4(),
            loop,
            type("Text", (str,), {})("x"),
            type("N", (int,), {})(1),
        ):
            report = write(path, Memory({"t": [state_of(0, {"x": value})]}))
            assert "cannot be kept unchanged" in report.errors["t"], value

    def test_other_classes_of_dicts_and_lists_come_back_as_plain_ones(self, path):
        kinds = type("Dict", (dict,), {}), type("List", (list,), {})
        write(path, Memory({"t": [state_of(0, kinds[0](x=kinds[1]([kinds[0](y=1)])))]}))
        assert repr(everything(ArchiveBackend(path), "t")[0]["values"]) == "{'x': [{'y': 1}]}"

    def test_equal_messages_are_one_object(self, path):
        write(path, Memory({"a": conversation("a", 50)}))
        states = everything(ArchiveBackend(path), "a")
        assert len({id(message) for state in states for message in state["values"]["messages"]}) == 49
        assert states[0]["values"]["messages"][-1] is states[1]["tasks"][0]["result"]["messages"][0]


class TestSearch:
    @pytest.fixture
    def backend(self, path):
        write(path, Memory({"a": conversation("a", 3), "bb": []}))
        return ArchiveBackend(path)

    def test_by_ids_metadata_and_status(self, backend):
        def ids(**search):
            return {thread["thread_id"] for thread in backend.threads(**search)}

        assert ids() == {"a", "bb"}
        assert ids(metadata={"n": 2}) == {"bb"}
        assert ids(metadata={"n": 2.0}) == ids(status="busy") == ids(ids=[]) == set()
        assert ids(ids=["a", "c"]) == {"a"}
        assert len(ids(limit=1)) == len(ids(offset=1)) == 1

    def test_anything_else_is_refused(self, backend):
        with pytest.raises(InvalidInput, match="cannot be searched by values"):
            backend.threads(values={})

    def test_a_thread_without_checkpoints(self, backend):
        assert everything(backend, "bb") == backend.heads("bb") == []
        assert backend.state("bb") is None
        assert len(Book(backend).history("bb")) == 0


class TestOpening:
    """Nothing changes, and what cannot be opened is said with the next step."""

    def snapshot(self, folder):
        return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}

    def read_all(self, path):
        backend = ArchiveBackend(path)
        for thread in backend.threads():
            everything(backend, thread["thread_id"])
            backend.heads(thread["thread_id"])
        assert verify(path)

    @pytest.mark.parametrize("mode", ["DELETE", "WAL"])
    def test_reading_leaves_the_folder_as_it_was(self, path, mode):
        write(path, Memory({"a": conversation("a", 30)}))
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA journal_mode = {mode}")
        db.close()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        before = self.snapshot(path.parent)
        self.read_all(path)
        assert self.snapshot(path.parent) == before
        path.parent.chmod(0o755)

    def test_a_name_full_of_signs(self, tmp_path):
        path = tmp_path / "a?b=c#d %41 'é.forkbook"
        write(path, Memory({"a": conversation("a", 3)}))
        self.read_all(path)
        assert [file.name for file in tmp_path.iterdir()] == [path.name]

    def test_another_format(self, path):
        create(path)
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 7")
        with pytest.raises(ForeignArchive, match=r"format 7, .*pip install -U forkbook") as caught:
            ArchiveBackend(path)
        assert caught.value.details["format"] == 7
        with pytest.raises(ForeignArchive):
            write(path, Memory({}))

    def test_no_archive_is_neither_opened_nor_overwritten(self, tmp_path):
        with sqlite3.connect(other := tmp_path / "other.forkbook") as db:
            db.execute("CREATE TABLE checkpoints(thread_id)")
        (text := tmp_path / "text.forkbook").write_text("hello")
        (empty := tmp_path / "empty.forkbook").touch()
        before = self.snapshot(tmp_path)
        for path in (other, text, empty):
            for deed in (ArchiveBackend, verify, lambda path: write(path, Memory({}))):
                with pytest.raises(InvalidInput, match="no archive"):
                    deed(path)
        assert self.snapshot(tmp_path) == before

    def test_nothing_there(self, tmp_path):
        with pytest.raises(InvalidInput, match="there is no file"):
            ArchiveBackend(tmp_path / "none.forkbook")
        with pytest.raises(InvalidInput, match="is a folder"):
            ArchiveBackend(tmp_path)
        with pytest.raises(InvalidInput, match="no folder"):
            write(tmp_path / "none" / "x.forkbook", Memory({}))
        assert list(tmp_path.iterdir()) == []

    def test_foreign_tables_under_our_name(self, path):
        create(path)
        with sqlite3.connect(path) as db:
            db.execute("DROP TABLE leaves")
            db.execute("CREATE VIEW leaves AS SELECT 1 AS n, 'x' AS body")
        with pytest.raises(ArchiveDamaged, match="its tables are not those of an archive"):
            ArchiveBackend(path)

    def test_a_cut_file(self, path):
        write(path, Memory({"a": conversation("a", 30)}))
        whole = path.read_bytes()
        for size in (len(whole) - 1, len(whole) // 2, 4096, 200):
            path.write_bytes(whole[:size])
            with pytest.raises(ArchiveDamaged, match=f"it is cut, {size:,} of its {len(whole):,} bytes"):
                ArchiveBackend(path).threads()
        with pytest.raises(ArchiveDamaged, match="it is cut"):
            write(path, Memory({}))

    def test_of_a_cut_file_whole_threads_are_told_and_read_as_they_were(self, path):
        threads = {name: conversation(name, 12) for name in ("first", "second", "third", "fourth")}
        write(path, Memory(threads))
        content, seen = path.read_bytes(), set()
        for size in range(len(content) - 1, 0, -1000):
            path.write_bytes(content[:size])
            if size < 100:
                continue
            report = verify(path)
            assert not report
            assert "it is cut" in report.faults[0]
            for thread_id in report.whole:
                assert everything(ArchiveBackend(path), thread_id) == threads[thread_id]
            for verdict in report.threads:
                if not verdict:
                    with pytest.raises(ArchiveDamaged):
                        everything(ArchiveBackend(path), verdict.thread_id)
            assert path.read_bytes() == content[:size]
            seen.add(len(report.whole))
        assert {0, 1, 2} <= seen

    def test_a_locked_file(self, path, monkeypatch):
        monkeypatch.setattr("forkbook.backends.archive.file.READER_PATIENCE", 0.1)
        write(path, Memory({"a": conversation("a", 3)}))
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError, match="being written by another process"):
            ArchiveBackend(path)
        db.close()


class TestDamage:
    @pytest.fixture(scope="class")
    @classmethod
    def whole(cls, tmp_path_factory):
        threads = {name: conversation(name, 12) for name in ("first", "second")}
        path = tmp_path_factory.mktemp("whole") / "x.forkbook"
        write(path, Memory(threads))
        return threads, path.read_bytes()

    @pytest.mark.long
    def test_a_flipped_bit_is_told_or_changes_nothing(self, whole, path):
        threads, content = whole
        dice = random.Random(3)
        places = [*range(100), *dice.choices(range(100, len(content)), k=FLIPS)]
        told = dict.fromkeys(["file", "one thread", "nothing read"], 0)
        for place in places:
            flipped = bytearray(content)
            flipped[place] ^= 1 << dice.randrange(8)
            path.write_bytes(flipped)
            told[self.outcome(path, threads)] += 1
        print(told)
        assert min(told.values()) > len(places) // 50

    def outcome(self, path, threads):
        try:
            report, backend = verify(path), ArchiveBackend(path)
            listed = {thread["thread_id"] for thread in backend.threads()}
        except fb.ForkbookError:
            return "file"
        assert listed == set(threads)
        unread = {thread_id for thread_id in threads if not self.reads(backend, thread_id, threads[thread_id])}
        assert unread == {verdict.thread_id for verdict in report.threads if not verdict}
        return "nothing read" if not unread else "one thread"

    def reads(self, backend, thread_id, states):
        whole = Memory({thread_id: states})
        try:
            assert everything(backend, thread_id) == states
        except ArchiveDamaged as error:
            return not all([error.thread_id == thread_id, str(backend.path) in str(error), "again" in str(error)])
        assert backend.thread(thread_id) == whole.thread(thread_id)
        assert backend.heads(thread_id) == whole.heads(thread_id)
        assert backend.state(thread_id, states[3]["checkpoint"]["checkpoint_id"]) == states[3]
        return True

    def change(self, path, sql):
        with sqlite3.connect(path) as db:
            assert db.execute(sql).rowcount == 1
        db.close()

    @pytest.mark.parametrize(
        ("sql", "checkpoint"),
        [
            ("UPDATE leaves SET body = '{\"a\":1}' WHERE n = 5", "00000004"),
            ("DELETE FROM leaves WHERE n = 5", "00000004"),
            ("UPDATE lists SET body = '[0,1]' WHERE thread = 1 AND place = 3", "00000002"),
            ("DELETE FROM checkpoints WHERE thread = 1 AND place = 3", None),
            ("DELETE FROM checkpoints WHERE thread = 1 AND place = 11", None),
            ("UPDATE checkpoints SET body = x'7800' WHERE thread = 1 AND place = 3", "00000003"),
            ("UPDATE threads SET record = '{}' WHERE n = 1", None),
        ],
    )
    def test_it_names_the_checkpoint_and_other_threads_can_be_read(self, whole, path, sql, checkpoint):
        threads, content = whole
        path.write_bytes(content)
        self.change(path, sql)
        backend = ArchiveBackend(path)
        with pytest.raises(ArchiveDamaged) as caught:
            everything(backend, "first")
        assert (caught.value.thread_id, caught.value.details["path"]) == ("first", str(path))
        assert checkpoint in (None, caught.value.checkpoint_id)
        assert everything(backend, "second") == threads["second"]
        report = verify(path)
        assert not report
        assert [bool(verdict) for verdict in report.threads] == [False, True]
        assert "1 of 2 threads are whole" in repr(report)

    def test_another_export_mends_it(self, whole, path):
        threads, content = whole
        for sql in ("UPDATE leaves SET body = '{}' WHERE n = 5", "UPDATE threads SET seal = x'00' WHERE n = 1"):
            path.write_bytes(content)
            self.change(path, sql)
            report = write(path, Memory(threads))
            assert (report.threads, report.skipped) == (1, 1)
            assert digests(path)
            assert everything(ArchiveBackend(path), "first") == threads["first"]

    def test_a_missing_thread_is_noticed(self, whole, path):
        path.write_bytes(whole[1])
        self.change(path, "DELETE FROM threads WHERE n = 1")
        assert not verify(path)
        for deed in (ArchiveBackend(path).threads, lambda: ArchiveBackend(path).thread("first")):
            with pytest.raises(ArchiveDamaged, match="list of threads"):
                deed()

    def test_a_wrong_index_hides_no_thread(self, whole, path):
        threads, content = whole
        index = content.index(b"first", content.index(b"first") + 1)  # its second place is the index of ids
        flipped = bytearray(content)
        flipped[index] ^= 1
        path.write_bytes(flipped)
        assert everything(ArchiveBackend(path), "first") == threads["first"]

    def test_a_wrong_index_writes_nothing_wrong(self, whole, path):
        threads, content = whole
        path.write_bytes(content)
        self.change(path, "UPDATE hashes SET leaf = 7 WHERE leaf = 8")
        write(path, Memory({"third": threads["first"]}))
        assert everything(ArchiveBackend(path), "third") == threads["first"]
        assert verify(path)


OLD = {f"t{n}": conversation(f"t{n}", 20) for n in range(20)} | {"big": conversation("big", 60, size=40_000)}
NEW = {name: conversation(name, len(states), seed=1) for name, states in OLD.items()}


@pytest.mark.outside
class TestKill:
    """kill -9 while threads are written: each is there whole, in its old or its new version, or not at all."""

    def killed_export(self, path, threads, after, seconds):
        """An export in a process of its own, killed seconds after so many threads; whether it was still at work."""
        done, report = os.pipe()
        child = os.fork()
        if not child:
            try:
                write(path, Memory(threads), progress=lambda *_: os.write(report, b"."))
            finally:
                os._exit(0)
        os.close(report)
        for _ in range(after):
            os.read(done, 1)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.close(done)
        return os.waitpid(child, 0)[1] == signal.SIGKILL

    @pytest.mark.parametrize("replacing", [False, True])
    def test_at_any_moment(self, tmp_path, replacing):
        self.campaign(tmp_path, replacing, 6)

    @pytest.mark.slow
    @pytest.mark.parametrize("replacing", [False, True])
    def test_at_many_moments(self, tmp_path, replacing):
        self.campaign(tmp_path, replacing, share("export", 4))  # the other half is in test_files.py

    def campaign(self, tmp_path, replacing, kills):
        write(tmp_path / "old", Memory(OLD))
        start = time.perf_counter()
        write(tmp_path / "new", Memory(NEW))
        a_thread, final = (time.perf_counter() - start) / len(NEW), digests(tmp_path / "new")
        dice, killed = random.Random(5), 0
        for number in range(kills):
            folder = tmp_path / f"kill {number}"
            folder.mkdir()
            path = folder / "x.forkbook"
            if replacing:
                path.write_bytes((tmp_path / "old").read_bytes())
            killed += self.killed_export(path, NEW, dice.randrange(len(NEW)), dice.uniform(0, a_thread))
            if replacing or path.exists():
                self.check(path, replacing)
            write(path, Memory(NEW))
            assert digests(path) == final
            assert [file.name for file in folder.iterdir()] == ["x.forkbook"]
        assert killed > kills // 2

    def check(self, path, replacing):
        before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
        report, backend = verify(path), ArchiveBackend(path)
        assert report
        assert not replacing or len(report.threads) == len(OLD)
        for verdict in report.threads:
            states = everything(backend, verdict.thread_id)
            assert states in ((OLD if replacing else NEW)[verdict.thread_id], NEW[verdict.thread_id])
        assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before

    @pytest.mark.outside
    def test_in_the_middle_of_a_transaction(self, path):
        """What the writer had spilled into the file is undone for the reader, in a copy."""
        write(path, Memory({"a": conversation("a", 30)}))
        child = os.fork()
        if not child:
            with writing(path) as db, transaction(db):
                db.execute("PRAGMA cache_size = 5")
                db.execute("UPDATE leaves SET body = zeroblob(5000)")
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert sorted(file.name for file in path.parent.iterdir()) == ["study.forkbook", "study.forkbook-journal"]
        before = path.read_bytes()
        assert before.count(bytes(3000)) > 20
        assert everything(ArchiveBackend(path), "a") == conversation("a", 30)
        assert verify(path)
        assert path.read_bytes() == before
        assert write(path, Memory({"a": conversation("a", 30)})).skipped == 1
        assert [file.name for file in path.parent.iterdir()] == ["study.forkbook"]

    def test_what_does_not_come_back_is_not_kept(self, path, monkeypatch):
        write(path, Memory({"a": conversation("a", 3)}))
        monkeypatch.setattr(archive_store, "_is_whole", lambda reader, thread_id: False)
        with pytest.raises(ArchiveDamaged, match="did not come back"):
            write(path, Memory({"a": conversation("a", 5)}))
        assert everything(ArchiveBackend(path), "a") == conversation("a", 3)


class TestCache:
    @pytest.fixture
    def line(self, demo_url):
        """The server behind a proxy that counts: backend, and the list of requests."""
        with proxy(demo_url) as (url, requests):
            live = ServerBackend(url)
            yield live, requests
            live.close()

    @pytest.fixture(scope="class")
    @classmethod
    def long_thread(cls, demo_url):
        thread_id = str(uuid.uuid4())
        steps = [{"updates": [{"values": {"topic": f"{n}"}, "as_node": "generate_topic"}]} for n in range(500)]
        body = {"thread_id": thread_id, "metadata": {"graph_id": "agent"}, "supersteps": steps}
        httpx.post(f"{demo_url}/threads", json=body, timeout=60).raise_for_status()
        return thread_id

    def test_a_second_read_asks_for_a_page(self, line, long_thread, path):
        live, requests = line
        first = everything(CachedBackend(live, path), long_thread)
        assert len(first) >= 500
        assert len(requests) > 6
        requests.clear()
        again = everything(CachedBackend(live, path), long_thread)
        assert [url.rpartition("/")[2].partition("?")[0] for _, url, _ in requests].count("history") == 1
        assert len(requests) <= 3
        assert again == first
        assert everything(ArchiveBackend(path), long_thread) == first

    def test_what_is_new_is_there_and_shared(self, line, joke_thread, client, path):
        live, _ = line
        cached = CachedBackend(live, path)
        before = everything(cached, joke_thread)
        client.threads.update_state(joke_thread, {"topic": "hens"}, as_node="generate_topic")
        after = everything(cached, joke_thread)
        assert after == everything(live, joke_thread)
        assert len(after) == len(before) + 1
        assert everything(ArchiveBackend(path), joke_thread) == after

    def test_an_answer_is_seen(self, line, demo_threads, client, path):
        live, _ = line
        thread_id = live.copy(demo_threads["approval"])
        cached = CachedBackend(live, path)
        assert len(everything(cached, thread_id)) == 3
        client.runs.wait(thread_id, "agent", command={"resume": "yes"})
        for n in range(30):
            client.threads.update_state(thread_id, {"topic": str(n)}, as_node="generate_topic")
        assert everything(cached, thread_id) == everything(live, thread_id)

    def test_a_missing_thread_is_told(self, line, joke_thread, client, path):
        live, _ = line
        cached = CachedBackend(live, path)
        everything(cached, joke_thread)
        client.threads.delete(joke_thread)
        with pytest.raises(ThreadNotFound):
            everything(cached, joke_thread)
        assert len(everything(ArchiveBackend(path), joke_thread)) == 4

    def test_another_history_under_the_same_id_replaces_the_known_one(self, line, joke_thread, client, path):
        live, _ = line
        cached = CachedBackend(live, path)
        everything(cached, joke_thread)
        client.threads.delete(joke_thread)
        client.threads.create(thread_id=joke_thread)
        client.runs.wait(joke_thread, "agent", input={}, config={"configurable": {"user_id": "9"}})
        assert everything(cached, joke_thread) == everything(live, joke_thread)

    def test_a_damaged_cache_is_read_anew(self, line, joke_thread, path):
        live, _ = line
        states = everything(CachedBackend(live, path), joke_thread)
        with sqlite3.connect(path) as db:
            db.execute("UPDATE leaves SET body = '{}'")
        assert everything(CachedBackend(live, path), joke_thread) == states
        assert verify(path)

    def test_deleting_deletes_both(self, line, joke_thread, path):
        live, _ = line
        cached = CachedBackend(live, path)
        everything(cached, joke_thread)
        cached.delete(joke_thread)
        assert list(ArchiveBackend(path).threads()) == []

    def test_a_subgraph_that_was_not_read_is_told(self, path):
        task = {"id": "1", "name": "sub", "checkpoint": {"checkpoint_ns": "sub:1"}, "result": None}
        live = Memory({"t": [state_of(0, {}, tasks=[task]), state_of(0, {"y": 1}, ns="sub:1")]})
        live.state = lambda *at: live.held["t"][0]
        cached = CachedBackend(live, path)
        everything(cached, "t")
        with pytest.raises(SourceError, match="was never opened"):
            everything(ArchiveBackend(path), "t", "sub:1")
        everything(cached, "t", "sub:1")
        everything(cached, "t")
        assert everything(ArchiveBackend(path), "t", "sub:1") == live.held["t"][1:]

    def test_a_cache_that_cannot_be_written_is_told(self, path):
        cached = CachedBackend(Memory({"t": [state_of(0, {"x": {1}})]}), path)
        with pytest.warns(UserWarning, match="thread t is not in the cache"):
            assert len(everything(cached, "t")) == 1

    def test_everything_else_is_the_live_place(self):
        asked = {name for name, value in vars(Backend).items() if callable(value) and not name.startswith("_")}
        assert asked - vars(CachedBackend).keys() == {"heads", "require"}  # by way of pages and of capabilities
