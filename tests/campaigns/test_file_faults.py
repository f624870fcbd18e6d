"""Every n-th call about a file fails, or the disk is full: an error that names the file, and the old file as it was.

The whole campaign is `python -m pytest tests/campaigns/test_file_faults.py -m slow`. FORKBOOK_FAULTS is how many of the
calls of one piece of work fail, one after the other.
"""

import itertools
import os
from collections import Counter

import file_work
import pytest
from file_cases import faults_of_the_next, placed, points
from io_faults import FAULTS
from kills import lost

KINDS = [kind for kind in FAULTS if "once" in kind or "from" in kind]
SOME, MANY = int(os.environ.get("FORKBOOK_FAULTS", "1")), int(os.environ.get("FORKBOOK_FAULTS", "60"))

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("files that fail")]


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


def faults_of(ended, path, before, after):
    """What is wrong with the outcome of work whose file failed."""
    if ended.how not in ("done", "told"):
        yield f"it ended {ended.how}"
    if ended.how == "told" and str(path) not in ended.text:
        yield "the file is not named"
    try:
        yield from lost(path, before, after, file_work.held_by)
        if ended.how == "done" and file_work.held_by(path) != after:
            yield "it is not done"
    except Exception as error:
        yield f"what is there cannot be read: {error!r}"
