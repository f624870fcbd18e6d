"""Files that we write: who may read them, what a killed writer leaves, and places where nothing can be written."""

import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from held import Memory, conversation
from shapes import human, state

import forkbook as fb
from forkbook.backends.archive.cache import CachedBackend
from forkbook.backends.gather import at_once
from forkbook.book import Book
from forkbook.facts import read
from forkbook.files import clear
from forkbook.history import History
from forkbook.transfer.export import export

FILES = ("x.forkbook", "x.json", "x.html", "cache")
NAMES = (*FILES, "x.parquet")


def threads():
    return {"one": conversation("one", 3)}


class Live(Memory):
    """A place whose newest checkpoint can be asked for."""

    def state(self, thread_id, checkpoint_id=None):
        return next(iter(threads()[thread_id]))


def write(path):
    """Write what a name means: an export, a report, a cache."""
    if path.suffix == ".html":
        History(Book(None), "t", {"1": state("1", None, {"messages": [human("1")]})}).report(path)
    elif path.name == "cache":
        read(CachedBackend(Live(threads()), path), "one")
    else:
        assert export(path, Memory(threads()), ask=at_once)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o177])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_new_is_for_this_user_alone(tmp_path, name, mask):
    with umask(mask & (0o077 if name.endswith("parquet") else 0o777)):
        write(tmp_path / name)
    for path in (tmp_path / name, *(tmp_path / name).rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_stricter_umask_holds(tmp_path):
    with umask(0o277):
        write(tmp_path / "x.json")
    assert mode(tmp_path / "x.json") == 0o400


@pytest.mark.parametrize("kept", [0o644, 0o640, 0o600, 0o666])
@pytest.mark.parametrize("name", FILES)
def test_a_file_keeps_the_mode_of_the_one_that_it_replaces(tmp_path, name, kept):
    write(tmp_path / name)
    (tmp_path / name).chmod(kept)
    write(tmp_path / name)
    assert mode(tmp_path / name) == kept


@pytest.mark.parametrize("kept", [0o755, 0o750, 0o700])
def test_a_folder_keeps_the_mode_of_the_one_that_it_replaces(tmp_path, kept):
    folder = tmp_path / "x.parquet"
    write(folder)
    folder.chmod(kept)
    write(folder)
    for path in (folder, *folder.rglob("*")):
        assert mode(path) == (kept if path.is_dir() else kept & 0o666)


def test_tables_are_on_the_disk_and_the_rest_of_the_machine_is_left_alone(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync
    monkeypatch.setattr(os, "sync", lambda: pytest.fail("the whole machine was synced"))
    monkeypatch.setattr(os, "fsync", lambda file: [synced.append(os.fstat(file).st_ino), fsync(file)])
    write(tmp_path / "x.parquet")
    written = [tmp_path, tmp_path / "x.parquet", *(tmp_path / "x.parquet").rglob("*")]
    assert {path.stat().st_ino for path in written} <= set(synced)


WRITER = """
import sys, time
sys.path[:0] = {path}
from held import Memory, conversation
from pathlib import Path
from forkbook.transfer.export import export
def stay(done, all_):
    print(flush=True)
    time.sleep(60)
export(Path(sys.argv[1]), Memory({{str(n): conversation(str(n), 3) for n in range(3)}}), progress=stay)
"""


@contextmanager
def writer(path):
    """Another process that is in the middle of an export."""
    code = WRITER.format(path=[str(Path(__file__).parent / "helpers"), str(Path(fb.__file__).parents[1])])
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.endswith((".new", ".old")))


@pytest.mark.outside
@pytest.mark.parametrize("name", ["x.json", "x.parquet"])
def test_what_a_killed_export_leaves_goes_with_the_next_and_what_a_living_one_writes_stays(tmp_path, name):
    with writer(tmp_path / name) as child:
        (unfinished,) = left(tmp_path)
        write(tmp_path / name)
        assert left(tmp_path) == [unfinished]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert left(tmp_path) == [unfinished]
        write(tmp_path / f"{name}.other{Path(name).suffix}")
        assert left(tmp_path) == [unfinished]
        write(tmp_path / name)
        assert left(tmp_path) == []


def test_a_folder_that_a_killed_export_had_moved_away_is_back(tmp_path):
    write(tmp_path / "x.parquet")
    (tmp_path / "x.parquet").rename(tmp_path / ".x.parquet.0123456789ab.old")
    (tmp_path / ".x.parquet.mine.new").touch()
    clear(tmp_path / "x.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".x.parquet.mine.new", "x.parquet"]


@pytest.mark.parametrize("name", [*FILES[:2], "cache"])
def test_what_is_left_of_an_archive_or_a_file_goes_at_once(tmp_path, name):
    write(tmp_path / name)
    junk = tmp_path / f".{name}.0123456789ab.new"
    junk.touch()
    if name == "cache":
        (tmp_path / name).unlink()
    write(tmp_path / name)
    assert not junk.exists()


@pytest.fixture(params=["folder", "file system"])
def closed(request, tmp_path):
    """A place where nothing can be written: a folder that is another's, or a file system that is read only."""
    folder = tmp_path / "closed"
    folder.mkdir()
    if request.param == "folder":
        folder.chmod(0o555)
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write anywhere")
        yield folder
        folder.chmod(0o755)
        return
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may mount nothing")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.outside
@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_can_be_written_that_is_told(closed, name):
    with pytest.raises(fb.SourceError, match=f"{name} cannot be written"):
        write(closed / name)


@pytest.mark.outside
@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_can_be_looked_at_that_is_told(tmp_path, name):
    """A folder of somebody else, as a user without rights; in a child, for rights that are given up are gone."""
    for each in (tmp_path, *list(tmp_path.parents)[:3]):
        each.chmod(each.stat().st_mode | 0o055)
    folder = tmp_path / "closed"
    folder.mkdir()
    write(folder / name)
    folder.chmod(0o000)
    child = os.fork()
    if not child:
        code = 1
        try:
            if os.getuid() == 0:
                os.setresuid(65534, 65534, 65534)
            write(folder / name)
        except fb.ForkbookError as error:
            code = 0 if str(folder) in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    folder.chmod(0o755)


@pytest.mark.parametrize("name", ["x\0.json", "x\ud83d.json", "y" * 300 + ".json", "x\0.html"])
def test_a_name_that_cannot_be_is_told(tmp_path, name):
    with pytest.raises(fb.ForkbookError, match=r"name|long"):
        write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
