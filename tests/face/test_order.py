"""The order of reading, lanes and folds: the cases that the page is tested on, too, and what holds of all trees."""

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws

from forkbook.face.codes import EDITED, FAILED, INSIDE, LOOP, STARRED, START, TIP, WAITS
from forkbook.face.order import Fold, fold, order

CASES = json.loads((Path(__file__).parent / "order_cases.json").read_text())["cases"]


def plain(row):
    return {"key": row.key, "positions": list(row.positions), "text": row.text} if isinstance(row, Fold) else row


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_cases_that_the_page_is_tested_on(case):
    found = order(case["parents"], case["kinds"], case["flags"])
    assert (list(found.rows), list(found.lanes)) == (case["rows"], case["lanes"])
    folded = fold(found, case["kinds"], case["flags"], case["keep"], case["opened"])
    assert [plain(row) for row in folded.rows] == case["folded"]
    assert {str(host): plain(hidden) for host, hidden in folded.inside.items()} == case["inside"]
    assert {str(start): before for start, before in folded.starts.items()} == case["starts"]


@st.composite
def trees(draw):
    """Trees that are mostly lines, with subgraphs, of any kinds and flags."""
    dice = draw(st.randoms(use_true_random=False))
    number = draw(st.integers(1, 60))
    parents, kinds, flags = [-1], [START], [0]
    for at in range(1, number):
        parents.append(dice.choice([at - 1, at - 1, at - 1, at - 1, dice.randrange(-1, at)]))
        kinds.append(dice.choice([START, LOOP, LOOP]))
        above = flags[parents[at]] & INSIDE if parents[at] >= 0 else 0
        begins = INSIDE if kinds[at] == START and dice.random() < 0.3 else 0
        flags.append(above | begins | dice.choice([0, 0, 0, 0, FAILED, WAITS, STARRED, EDITED]))
    for at in set(range(number)) - set(parents):
        flags[at] |= TIP
    return parents, kinds, flags, dice


@given(trees())
@laws(500)
def test_rows_are_all_checkpoints_each_below_its_parent_and_no_line_crosses_another(tree):
    parents, kinds, flags, _ = tree
    found = order(parents, kinds, flags)
    assert sorted(found.rows) == list(range(len(parents)))
    place = {position: row for row, position in enumerate(found.rows)}
    for position, parent in enumerate(parents):
        if parent < 0:
            assert found.lanes[position] == 0
            continue
        assert place[parent] < place[position]
        assert found.lanes[parent] <= found.lanes[position]
        between = found.rows[place[parent] + 1 : place[position]]
        goes_on = found.lanes[position] == found.lanes[parent]
        assert all(found.lanes[other] > found.lanes[position] - (not goes_on) for other in between)


@pytest.mark.long
@given(trees())
@laws(1000)
def test_every_checkpoint_is_in_sight_or_in_one_fold_and_failures_never_without_a_sign(tree):
    parents, kinds, flags, dice = tree
    found = order(parents, kinds, flags)
    keep = {dice.randrange(len(parents)) for _ in range(dice.randrange(3))}
    first = fold(found, kinds, flags)
    keys = [row.key for row in (*first.rows, *first.inside.values()) if isinstance(row, Fold)]
    folded = fold(found, kinds, flags, keep, dice.sample(keys, dice.randrange(len(keys) + 1)))
    shown = [row for row in folded.rows if isinstance(row, int)]
    steps = [at for row in folded.rows if isinstance(row, Fold) for at in row.positions]
    inside = [at for hidden in folded.inside.values() for at in hidden.positions]
    assert sorted([*shown, *steps, *inside, *folded.starts.values()]) == list(range(len(parents)))
    assert keep <= set(shown)
    assert not [at for at in steps if flags[at] & (FAILED | WAITS | STARRED | EDITED | TIP)]
    for host, hidden in folded.inside.items():
        assert all(flags[at] & INSIDE for at in hidden.positions)
        if any(flags[at] & (FAILED | WAITS | STARRED) for at in hidden.positions):
            assert host in shown
            assert "failed" in hidden.text or "waiting" in hidden.text or "starred" in hidden.text
    place = {position: row for row, position in enumerate(found.rows)}
    rows = [place[row.positions[0] if isinstance(row, Fold) else row] for row in folded.rows]
    assert all(before < after for before, after in pairwise(rows))


def test_with_everything_opened_nothing_is_hidden():
    dice = random.Random(3)
    parents = [-1, *(dice.choice([at, at, at, dice.randrange(at + 1)]) for at in range(199))]
    kinds, flags = [dice.choice([START, LOOP]) for _ in parents], [0] * 200
    found = order(parents, kinds, flags)
    opened = {f"{what}:{at}" for what in ("steps", "inside", "start") for at in range(200)}
    assert fold(found, kinds, flags, (), opened).rows == tuple(found.rows)
