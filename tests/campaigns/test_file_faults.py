"""Every n-th call about a file fails, or the disk is full: an error that names the file, and the old file as it was.

The whole campaign is `python -m pytest tests/campaigns/test_file_faults.py -m slow`. FORKBOOK_FAULTS is how many of the
calls of one piece of work fail, one after the other.
"""

import itertools
import os
import shutil
from collections import Counter

import file_work
import pytest
from io_faults import FAULTS, faulty

KINDS = [kind for kind in FAULTS if "once" in kind or "from" in kind]
SOME, MANY = int(os.environ.get("FORKBOOK_FAULTS", "1")), int(os.environ.get("FORKBOOK_FAULTS", "60"))
ONE_BY_ONE = {"x.forkbook", "cache.forkbook"}  # each thread is the old or the new one

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("files that fail")]


@pytest.fixture(scope="module")
def process():
    with faulty("file_work") as started:
        yield started


@pytest.fixture(scope="module")
def templates(process, tmp_path_factory):
    """The old and the new file of a name, made once, and what they hold."""

    def made(name, which):
        path = tmp_path_factory.getbasetemp() / f"whole {which}" / name
        if not path.parent.exists() or not path.exists():
            path.parent.mkdir(exist_ok=True)
            assert process.run(which, path).how == "done"
        return path

    return made


@pytest.mark.parametrize("name", file_work.WORK)
def test_some_calls_fail(process, templates, tmp_path, name):
    for number, (kind, replacing) in enumerate(itertools.product(KINDS, (False, True))):
        campaign(process, templates, tmp_path, name, replacing, kind, SOME, first=number)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("replacing", [False, True], ids=["new", "replacing"])
@pytest.mark.parametrize("name", file_work.WORK)
def test_many_calls_fail(process, templates, tmp_path, name, replacing, kind):
    campaign(process, templates, tmp_path, name, replacing, kind, MANY)


def campaign(process, templates, folder, name, replacing, kind, most, first=0):
    old = templates(name, "old") if replacing else None
    before = file_work.held_by(old) if old else {}
    after = file_work.held_by(templates(name, "new"))
    calls = process.run("new", placed(folder, name, old)).calls
    ends, wrong = Counter(), []
    for at in points(calls, most, first):
        path = placed(folder, name, old)
        ended = process.run("new", path, fault=kind, at=at)
        said = f"{kind}, call {at} of {calls}: {ended.how} {ended.text}"
        wrong += [f"{said}\n  {each}" for each in faults_of(ended, path, before, after)]
        again = process.run("new", path)
        wrong += [f"{said}\n  then {each}" for each in faults_of_the_next(again, path, after)]
        ends[ended.how] += 1
    print(f"\n{name}, {'replacing' if replacing else 'new'}, {kind}: {dict(ends)}")
    assert not wrong, "\n".join([f"{len(wrong)} faults", *wrong[:6]])


def points(calls, most, first):
    """At most so many of the calls, spread evenly; another `first` gives others."""
    shift = first * 0.37 % 1  # of a step
    return sorted({1 + int((number + shift) * calls / min(most, calls)) for number in range(min(most, calls))})


def placed(folder, name, old):
    """A fresh folder, with the old file in it."""
    shutil.rmtree(folder / "place", ignore_errors=True)
    (folder / "place").mkdir()
    path = folder / "place" / name
    if old:
        (shutil.copytree if old.is_dir() else shutil.copyfile)(old, path)
    return path


def faults_of(ended, path, before, after):
    """What is wrong with the outcome of work whose file failed."""
    if ended.how not in ("done", "told"):
        yield f"it ended {ended.how}"
    if ended.how == "told" and str(path) not in ended.text:
        yield "the file is not named"
    try:
        held = file_work.held_by(path) if path.exists() else {}
    except Exception as error:
        yield f"what is there cannot be read: {error!r}"
        return
    if ended.how == "done" and held != after:
        yield "it is not done"
    if path.name in ONE_BY_ONE:
        if not all(held.get(key) in (before.get(key), after.get(key)) for key in before | held):
            yield "a thread was lost"
    elif held not in (before, after):
        yield "the file is neither the old one nor the new one"


def faults_of_the_next(again, path, after):
    """What is wrong after the same work without a fault."""
    if again.how != "done":
        yield f"it ended {again.how}: {again.text}"
    elif file_work.held_by(path) != after:
        yield "it holds something else"
    if left := sorted(item.name for item in path.parent.iterdir() if item != path):
        yield f"it left {left}"
