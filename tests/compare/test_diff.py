"""What changed between two states; the patches are applied by another library."""

import copy
import json
import random
import re
import subprocess
import sys
import unicodedata
from collections import Counter

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import laws
from shapes import ai, human

from forkbook.compare import align as alignment
from forkbook.compare.diff import diff
from forkbook.errors import InvalidInput
from forkbook.model.meaning import as_json, meaning, same

SCRIPT = "<script>alert(1)</script>"
KEYS = st.one_of(st.sampled_from(["a", "b", "~", "/", "~1", "", "0", "id", "ключ", SCRIPT]), st.text(max_size=3))
WIDE_TEXT = st.text(st.characters(exclude_categories=()), max_size=6)  # lone surrogates, too
TAGGED = st.one_of(
    st.sampled_from(["nan", "inf"]).map(lambda value: {"__type__": "float", "value": value}),
    st.lists(st.integers(0, 3), max_size=3).map(lambda items: {"__type__": "tuple", "value": items}),
    st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=2), max_size=2).map(
        lambda items: {"__type__": "dict", "value": items}
    ),
    st.sampled_from([{"__type__": "set", "value": [1, 2]}, {"__type__": "set", "value": [2, 1]}]),
    st.sampled_from(["2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", "no date"]).map(
        lambda value: {"__type__": "datetime", "value": value}
    ),
    st.just({"__type__": []}),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from([0.0, 1.0, 2.5]), WIDE_TEXT, TAGGED)
ODD = st.sampled_from([float("nan"), float("inf"), {1: "x", None: 2}, {True: 0}])
VALUES = st.recursive(
    SCALARS | ODD,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["human", "ai", "tool"]), "content": st.sampled_from(["", "hi", "hi there"]) | VALUES},
    optional={"id": st.sampled_from(["1", "2", "3", "4", "5", "", None]), "tool_calls": st.lists(VALUES, max_size=2)},
)
STATES = st.dictionaries(
    KEYS | st.just("messages"), VALUES | MESSAGES | st.lists(MESSAGES, max_size=7) | st.lists(SCALARS), max_size=4
)
LAWS = laws(100)


@st.composite
def edited(draw):
    """A state, and the same after some edits of its lists; and any two."""
    a = draw(STATES)
    if draw(st.booleans()):
        return a, draw(STATES)
    b = copy.deepcopy(a)
    for value in b.values():
        if isinstance(value, list) and value:
            for _ in range(draw(st.integers(0, 3))):
                item = value.pop(draw(st.integers(0, len(value) - 1))) if value else None
                if draw(st.booleans()):
                    value.insert(draw(st.integers(0, len(value))), item)
    return a, b


def applied(change, a):
    return jsonpatch.apply_patch(json.loads(json.dumps(as_json(a))), json.loads(json.dumps(change.patch())))


def strict(value):
    """A value such that equal is the same JSON; numbers as RFC 6902 compares them."""
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strict(item) for item in value]
    return (value,) if isinstance(value, bool) else value


def lines(change):
    return str(change).split("\n")


def one(a, b):
    (change,) = diff(a, b)
    return change


@pytest.mark.long
@LAWS
@given(edited())
def test_applying_the_patch_gives_the_other_state(pair):
    a, b = pair
    assert same(applied(diff(a, b), a), as_json(b))


@pytest.mark.long
@LAWS
@given(edited())
def test_without_types_that_json_lacks_the_patch_gives_the_very_same_json(pair):
    a, b = (json.loads(json.dumps(as_json(side)).replace("__type__", "kind")) for side in pair)
    assert strict(applied(diff(a, b), a)) == strict(b)


@pytest.mark.long
@LAWS
@given(STATES)
def test_a_state_does_not_differ_from_itself_nor_from_its_copy(a):
    for b in (a, copy.deepcopy(a)):
        assert not diff(a, b)
        assert diff(a, b).patch() == []


@pytest.mark.long
@LAWS
@given(edited())
def test_kinds_mirror(pair):
    a, b = pair
    there, back = (Counter(change.kind for change in diff(*pair)) for pair in ((a, b), (b, a)))
    mirror = {"added": "removed", "removed": "added"}
    assert there == Counter({mirror.get(kind, kind): count for kind, count in back.items()})


@pytest.mark.long
@LAWS
@given(edited())
def test_there_are_changes_where_values_mean_something_else(pair):
    a, b = pair
    assert bool(diff(a, b)) == (not same(a, b)) == (meaning(a) != meaning(b))


@pytest.mark.long
@LAWS
@given(edited())
def test_every_change_can_be_shown(pair):
    change = diff(*pair)
    assert "<script" not in change.html()
    assert not {unicodedata.category(c) for c in change.text().replace("\n", "")} & {"Cc", "Cs", "Zl", "Zp"}
    assert len(change.text().split("\n")) == max(len(change), 1)
    for item in change:
        item.words()


@LAWS
@given(st.text("ab \n.", max_size=30) | st.text(max_size=20), st.text("ab \n.", max_size=30) | st.text(max_size=20))
def test_words_make_both_texts(old, new):
    parts = alignment.words(old, new)
    assert "".join(text for op, text in parts if op != "insert") == old
    assert "".join(text for op, text in parts if op != "delete") == new
    assert all(text for _, text in parts)


@LAWS
@given(st.lists(st.integers(0, 9), max_size=30), st.lists(st.integers(0, 9), max_size=30), st.sampled_from([0, 9, 50]))
def test_runs_are_common_to_both_and_in_order_however_long_the_lists(a, b, largest):
    before, alignment.LARGEST = alignment.LARGEST, largest
    try:
        runs = alignment.runs(a, b)
    finally:
        alignment.LARGEST = before
    at_a = at_b = 0
    for run in runs:
        assert run.a >= at_a
        assert run.b >= at_b
        assert a[run.a : run.a + run.length] == b[run.b : run.b + run.length]
        at_a, at_b = run.a + run.length, run.b + run.length


def test_a_scalar_channel():
    change = diff({"topic": "cats"}, {"topic": "chickens"})
    assert lines(change) == ['topic: "cats" → "chickens"']
    assert change.patch() == [{"op": "replace", "path": "/topic", "value": "chickens"}]


def test_a_message_regenerated_under_its_id_changes_inside():
    a = {"messages": [human("1"), ai("2", "Cats purr.")]}
    change = one(a, {"messages": [human("1"), ai("2", "Hens cluck.")]})
    assert (change.path, change.kind, change.message_id) == (("messages", 1, "content"), "changed", "2")
    assert lines(change) == ['messages[1] (ai, id 2): content: "Cats purr." → "Hens cluck."']
    assert change.words() == [
        ("delete", "Cats purr"), ("insert", "Hens cluck"), ("equal", "."),
    ]  # fmt: skip


def test_a_removed_message_does_not_move_those_behind_it():
    messages = [human("1"), ai("2"), human("3"), ai("4")]
    change = one({"messages": messages}, {"messages": [messages[0], *messages[2:]]})
    assert (change.kind, change.path, change.old, change.new) == ("removed", ("messages", 1), messages[1], None)
    assert change.message_id == "2"


def test_a_message_that_moved_and_changed_is_two_changes():
    a = {"messages": [human("1"), ai("2"), human("3"), ai("4")]}
    b = {"messages": [ai("4", "more"), human("1"), ai("2"), human("3")]}
    moved, changed = diff(a, b)
    assert (moved.kind, moved.from_path, moved.path) == ("moved", ("messages", 3), ("messages", 0))
    assert (changed.kind, changed.path, changed.old, changed.new) == (
        "changed", ("messages", 0, "content"), "hello", "more",
    )  # fmt: skip
    assert str(moved) == "↷ messages[0] (ai, id 4): moved from messages[3]"
    assert diff(a, b).patch()[0] == {"op": "move", "from": "/messages/3", "path": "/messages/0"}


def test_a_message_under_another_id_is_another_message():
    a, b = {"messages": [human("1"), ai("2", "a")]}, {"messages": [human("1"), ai("3", "a")]}
    assert [(change.kind, change.message_id) for change in diff(a, b)] == [("removed", "2"), ("added", "3")]


def test_a_message_that_got_its_id_is_the_same_message():
    change = one({"messages": [human(None)]}, {"messages": [human("1")]})
    assert (change.path, change.old, change.new) == (("messages", 0, "id"), None, "1")


def test_a_message_without_id_of_another_role_is_another_message():
    assert [change.kind for change in diff({"messages": [human(None)]}, {"messages": [ai(None)]})] == [
        "removed",
        "added",
    ]


def test_what_goes_from_a_message_is_in_that_message():
    change = one({"last": human("1")}, {"last": {"type": "human", "id": "1"}})
    assert (change.kind, change.path, change.message_id) == ("removed", ("last", "content"), "1")


def test_messages_with_the_same_id_are_matched_in_their_order():
    a = {"messages": [ai("1", "a"), human("9"), ai("1", "b")]}
    b = {"messages": [ai("1", "a"), human("9", "new"), ai("1", "c")]}
    assert [(change.path, change.new) for change in diff(a, b)] == [
        (("messages", 1, "content"), "new"), (("messages", 2, "content"), "c"),
    ]  # fmt: skip


def test_edited_tool_calls():
    calls = [{"name": "search", "args": {"q": "cats"}, "id": "c1", "type": "tool_call"}]
    edited = [calls[0] | {"args": {"q": "hens"}}]
    change = one({"messages": [ai("2", tool_calls=calls)]}, {"messages": [ai("2", tool_calls=edited)]})
    assert change.path == ("messages", 0, "tool_calls", 0, "args", "q")
    assert (change.message_id, change.role) == ("2", "ai")


def test_a_channel_more_and_a_channel_gone():
    came, went = diff({"a": 1}, {"b": 1}), diff({"b": 1}, {"a": 1})
    assert [(change.kind, change.path) for change in came] == [("removed", ("a",)), ("added", ("b",))]
    assert lines(went) == ["− b: 1", "+ a: 1"]


def test_none_is_a_value_and_missing_is_not():
    assert [(c.kind, c.new) for c in diff({}, {"a": None})] == [("added", None)]
    assert [(c.kind, c.new) for c in diff({"a": 1}, {"a": None})] == [("changed", None)]
    assert [c.kind for c in diff({"a": None}, {})] == ["removed"]
    assert [c.path for c in diff(None, {})] == [()]


def test_one_new_item_in_a_long_list_is_one_change():
    rows = [{"n": n, "text": f"row {n}"} for n in range(2_000)]
    edited = [*rows[:700], {"n": -1}, *rows[700:1500], rows[1500] | {"text": "new"}, *rows[1501:]]
    added, changed = diff({"rows": rows}, {"rows": edited})
    assert (added.kind, added.path) == ("added", ("rows", 700))
    assert (changed.kind, changed.path, changed.new) == ("changed", ("rows", 1501, "text"), "new")


def test_lists_too_long_for_all_pairs_are_divided_by_what_they_have_once():
    rows = list(range(50_000))
    edited = [-1, *rows[:20_000], -2, *rows[20_001:40_000], *rows[40_001:], -3]
    assert len(diff({"rows": rows}, {"rows": edited})) == 4


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (float("nan"), float("nan")),
        (float("nan"), {"__type__": "float", "value": "nan"}),
        (1, 1.0),
        (2**70, {"__type__": "int", "value": str(2**70)}),
        ({"__type__": "tuple", "value": [1]}, [1]),
        ({"__type__": "set", "value": [1, "a"]}, {"__type__": "set", "value": ["a", 1]}),
        ({"__type__": "dict", "value": [[1, 2], [3, 4]]}, {"__type__": "dict", "value": [[3, 4], [1, 2]]}),
        (
            {"__type__": "datetime", "value": "2026-01-01T00:00:00Z"},
            {"__type__": "datetime", "value": "2026-01-01T02:00:00+02:00"},
        ),
        ({"__type__": "bytes", "value": "AAE="}, {"__type__": "bytes", "value": "AAE="}),
        ({1: "a"}, {"1": "a"}),
    ],
)
def test_equal_by_meaning(a, b):
    for left, right in ((a, b), (b, a), ([0, a], [0, b]), ({"x": a, "y": 1}, {"y": 1, "x": b})):
        assert not diff({"v": left}, {"v": right})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, True),
        (0, False),
        (0, None),
        ("1", 1),
        ({1: 0}, {True: 0}),
        (2**60 + 1, float(2**60)),
        ({"__type__": "set", "value": [1]}, {"__type__": "frozenset", "value": [1]}),
        ({"__type__": "set", "value": [1]}, [1]),
        (
            {"__type__": "datetime", "value": "2026-01-01T00:00:00"},
            {"__type__": "datetime", "value": "2026-01-01T00:00:00Z"},
        ),
        ({"__type__": "datetime", "value": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        ({"__type__": "bytes", "value": "AAE="}, {"__type__": "bytearray", "value": "AAE="}),
        ({"__type__": "opaque", "reason": "x", "size": 1}, {"__type__": "opaque", "reason": "x", "size": 2}),
    ],
)
def test_not_equal_by_meaning(a, b):
    for left, right in ((a, b), ([0, a], [0, b]), ({"x": a}, {"x": b})):
        assert diff({"v": left}, {"v": right})


def test_a_tuple_is_compared_item_by_item():
    a, b = ({"t": {"__type__": "tuple", "value": [1, n, 3]}} for n in (2, 5))
    assert one(a, b).path == ("t", "value", 1)


def test_pointers_and_keys_as_json_has_them():
    change = diff({"a/b": {"~": {1: "x"}}}, {"a/b": {"~": {1: "y", None: 0}}})
    assert [step["path"] for step in change.patch()] == ["/a~1b/~0/1", "/a~1b/~0/null"]
    assert list(change.df()["path"]) == ['["a/b"]["~"]["1"]', '["a/b"]["~"].null']


def test_words_of_a_long_text_are_marked_in_place():
    old = "The quick brown fox jumps over the lazy dog, then sleeps for the rest of the afternoon."
    change = one({"messages": [ai("1", old)]}, {"messages": [ai("1", old.replace("lazy", "sleepy old"))]})
    assert "the [-lazy-]{+sleepy old+} dog" in str(change)
    assert ">lazy</del>" in diff({"t": old}, {"t": old.replace("lazy", "sleepy")}).html()


def test_chinese_is_compared_character_by_character():
    assert alignment.words("我喜欢猫", "我喜欢鸡") == [("equal", "我喜欢"), ("delete", "猫"), ("insert", "鸡")]


@pytest.mark.long
def test_a_huge_text_is_cut_where_it_is_shown_and_nowhere_else():
    dice = random.Random(1)
    old = " ".join(dice.choices(["cat", "hen", "dog", "cow", "owl", "elk"], k=60_000))
    new = "So: " + old[:150_000] + " and so on " + old[150_100:] + "!"
    change = diff({"text": old, "more": 1}, {"text": new})
    assert (change.changes[0].old, change.changes[0].new) == (old, new)
    assert "equal characters …" in change.text()
    assert len(change.text()) < 1_000
    assert len(change.html()) < 5_000
    added = diff({}, {"text": old})
    assert re.search(r"… \d\d\d,\d\d\d more characters", added.text())
    assert re.search(r"… \d\d\d,\d\d\d more characters", added.html())


@pytest.mark.parametrize("limit", ["x", -1, None, True], ids=str)
def test_a_limit_that_is_no_number_of_changes_is_refused(limit):
    for show in (diff({}, {"a": 1}).text, diff({}, {"a": 1}).html):
        with pytest.raises(InvalidInput, match="give a number of changes, 0 or more"):
            show(limit=limit)


def test_many_changes_are_counted_after_the_first_ones():
    change = diff({}, {f"c{n}": n for n in range(4_000)})
    assert lines(change)[-1] == "… 3,900 more changes"
    assert "… 3,990 more changes" in change.html(limit=10)
    assert len(change) == len(change.df()) == 4_000


def test_nothing_foreign_commands_in_html():
    def message(n):
        name, value = f"{SCRIPT}{n}", f"{SCRIPT} & \u202e '{n}' " * 5
        calls = [{"name": name, "args": {name: value}, "id": name}]
        return {"type": "ai", "id": SCRIPT, "name": name, "content": value, "tool_calls": calls, name: value}

    a = {SCRIPT: SCRIPT, "messages": [message(1)], "gone": {SCRIPT: [SCRIPT]}}
    b = {SCRIPT: f"{SCRIPT}!", "messages": [message(2), message(3)], "came": {SCRIPT: [SCRIPT]}}
    page = diff(a, b)._repr_html_()
    assert "<script" not in page
    assert "\u202e" not in page
    assert set(re.findall(r"<(\w+)", page)) <= {"div", "b", "span", "ins", "del", "i"}
    assert "\u202e" not in diff(a, b).text()


def test_backgrounds_let_dark_notebooks_through():
    backgrounds = re.findall(r"background:([^;']+)", diff({"a": 1}, {"a": 2}).html())
    assert backgrounds
    assert all(color.startswith("rgba(") for color in backgrounds)


def test_the_frame_has_the_same_columns_and_dtypes_when_empty():
    full, empty = diff({"a": [1]}, {"a": [2], "m": human("1")}).df(), diff({}, {}).df()
    assert list(full.columns) == ["path", "kind", "message_id", "old", "new"]
    assert dict(full.dtypes) == dict(empty.dtypes)
    assert list(full["path"]) == ["a[0]", "m"]
    assert list(full["new"]) == [2, human("1")]
    assert str(diff({}, {})) == "no difference"


@pytest.mark.outside
def test_importing_it_loads_nothing_heavy():
    heavy = ["pandas", "plotly", "rapidfuzz", "ipywidgets"]
    code = f"import sys, forkbook.compare.diff; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
