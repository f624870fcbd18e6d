"""kill -9 at the n-th call about a file: the old file is whole, and the same work again ends in the whole new one.

The campaign of kill -9 is `python -m pytest tests -m slow -k kill`: 1,000 kills (kills.py), at calls here, and at
moments in `tests/backends/test_archive.py` (export) and `tests/transfer/test_migrate_faults.py` (into a checkpointer,
into a server).
"""

from collections import Counter

import file_work
import pytest
from file_cases import faults_of_the_next, placed, points
from kills import left, lost, share

FILES = ("x.forkbook", "x.json", "x.parquet", "x.html", "frame.csv")
PARTS = dict.fromkeys(FILES, ("files", 2 * len(FILES))) | {
    "cache.forkbook": ("cache", 2),
    "graph.sqlite": ("into a checkpointer", 4),  # the other half is at moments
}
pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("files that fail")]


@pytest.mark.parametrize("name", PARTS)
def test_some_kills(process, templates, tmp_path, name):
    for number, replacing in enumerate((False, True)):
        campaign(process, templates, tmp_path, name, replacing, 1, first=1 + number)


@pytest.mark.slow
@pytest.mark.parametrize("replacing", [False, True], ids=["new", "replacing"])
@pytest.mark.parametrize("name", PARTS)
def test_many_kills(process, templates, tmp_path, name, replacing):
    campaign(process, templates, tmp_path, name, replacing, share(*PARTS[name]))


def campaign(process, templates, folder, name, replacing, kills, first=0):
    old = templates(name, "old") if replacing else None
    before = file_work.held_by(old) if old else {}
    after = file_work.held_by(templates(name, "new"))
    calls = process.run("new", placed(folder, name, old)).calls
    ends, wrong = Counter(), []
    for at in spread(calls, kills, first):
        path = placed(folder, name, old)
        ended = process.run("new", path, fault="kill -9", at=at)
        said = f"call {at} of {calls}: {ended.how}"
        ends[ended.how] += 1
        wrong += [f"{said}\n  {each}" for each in lost(left(path), before, after, file_work.held_by)]
        wrong += [f"{said}\n  then {each}" for each in faults_of_the_next(process.run("new", path), path, after)]
    print(f"\n{name}, {'replacing' if replacing else 'new'}, {calls} calls: {dict(ends)}")
    assert not wrong, "\n".join([f"{len(wrong)} faults", *wrong[:6]])
    assert ends["killed"] >= min(kills, calls) * 0.9


def spread(calls, kills, first):
    """So many points; each call again, with its own chance of threads, where there are fewer."""
    rounds, rest = divmod(kills, calls)
    return [*range(1, calls + 1)] * rounds + (points(calls, rest, first) if rest else [])
