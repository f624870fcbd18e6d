"""Archives and JSON files with one part of another type: every operation reads them, or raises a ForkbookError.

The digests of a mutated archive fit what is in it. The whole campaign is `python -m pytest
tests/backends/test_archive_mutants.py -m slow`.
"""

import copy
import json
import random

import pytest
from all_seen import look
from forged import Forged
from held import conversation, state_of
from many import faults, hundreds

import forkbook as fb
from forkbook.backends.archive.pack import pack
from forkbook.backends.archive.text import decoded, encoded

GOOD = conversation("good", 3)
ODD = [
    None, [], {}, "", "text", "\ud800", "²", "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59-23:00",
    True, 0, -1,
    2**63, 10**300, 1.5, float("nan"), float("inf"), [None], [[]], [{}], {"": None},
    [[[[[[]]]]]], {"thread_id": 5}, {"__type__": "opaque"}, {"__type__": "not stored", "reason": 5},
    {"__type__": "int"},
    {"type": "ai", "usage_metadata": []}, "../../x", "\x1b]52;c;x\x07", "\0",
]  # fmt: skip


def a_thread(thread_id):
    """States with subgraphs, errors, interrupts, tools and usage."""
    states = conversation(thread_id, 4)
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "input_token_details": {"cache_read": 1}}
    call = {"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}
    ai = {"type": "ai", "content": [{"type": "text", "text": "x"}], "id": "ai", "tool_calls": [call]}
    ai |= {"usage_metadata": usage, "response_metadata": {"model_name": "m", "token_usage": {"prompt_tokens": 3}}}
    tool = {"type": "tool", "content": "y", "id": "tool", "tool_call_id": "c", "name": "f"}
    asked = {"id": "i", "value": {"question": "?"}}
    tasks = [
        {"id": "1", "name": "sub", "path": ["__pregel_pull", "sub"], "error": None, "interrupts": [asked],
         "checkpoint": {"checkpoint_ns": "sub:1", "thread_id": thread_id}, "state": None, "result": None},
        {"id": "2", "name": "tool", "path": ["__pregel_push", 0], "error": "ValueError('x')", "interrupts": [],
         "checkpoint": None, "state": None, "result": {"messages": [tool]}},
    ]  # fmt: skip
    parent = {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": f"{3:08x}"}
    last = state_of(9, {"messages": [ai, tool], "n": 1, "hidden": {"__type__": "opaque", "reason": "r", "size": 1}},
                    thread_id, tasks=tasks, parent_checkpoint=parent, interrupts=[asked])  # fmt: skip
    last["metadata"] |= {"run_id": "r", "assistant_id": "a", "thread_id": thread_id, "user": {"token": "s3cret"}}
    inner = state_of(10, {"messages": [ai]}, thread_id, ns="sub:1")
    inner["metadata"]["parents"] = {"": f"{9:08x}"}
    return [inner, last, *states]


def record_of(thread_id):
    return {
        "thread_id": thread_id,
        "created_at": "2026-01-01T00:00:00+00:00",
        "updated_at": "2026-01-02T00:00:00+00:00",
        "status": "idle",
        "metadata": {"graph_id": "g", "owner": "me"},
        "interrupts": {},
    }


def mutated(dice, whole):
    """A copy with one or two parts replaced, or left out; all places are as likely."""
    whole = {"": copy.deepcopy(whole)}
    for _ in range(dice.choice([1, 1, 2])):
        places = list(nodes(whole))
        holder, key = dice.choice(places)
        if isinstance(holder, dict) and key != "" and dice.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(dice.choice(ODD))
    return whole.get("")


def nodes(value):
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(part, dict | list):
            yield from nodes(part)


def archive_of(path, dice):
    """An archive of which one text is mutated: a record, a skeleton, a leaf, a list, a column of the row."""
    packed = pack(record_of("bad"), a_thread("bad"))
    odd = {"record": packed.record, "skeletons": list(packed.skeletons), "namespaces": encoded(["", "sub:1"])}
    kind = dice.choice(
        ["record", "skeletons", "skeletons", "skeletons", "values", "namespaces", "lists", "ranges", "row"]
    )
    if kind == "values":
        packed = pack(record_of("bad"), [*map(mutated_values(dice), a_thread("bad"))])
        odd["skeletons"] = list(packed.skeletons)
    elif kind == "skeletons":
        at = dice.randrange(len(odd[kind]))
        odd[kind][at] = encoded(mutated(dice, decoded(odd[kind][at])))
    elif kind in ("record", "namespaces"):
        odd[kind] = encoded(mutated(dice, decoded(odd[kind])))
    elif kind == "ranges":
        odd[kind] = encoded(mutated(dice, [[1, 30]]))
    elif kind == "lists":
        odd[kind] = [encoded(mutated(dice, [-1, 1, 2, [0, 1]])) for _ in packed.lists]
    else:
        odd[dice.choice(["digest", "sample", "checkpoints", "id"])] = dice.choice([b"x", 5, 2**62, "x", b"\xff"])
    with Forged(path) as archive:
        archive.put(packed, **odd)
        archive.thread("good", GOOD)


def mutated_values(dice):
    return lambda state: state | {"values": mutated(dice, state["values"])} if dice.random() < 0.5 else state


def json_of(path, dice):
    """A JSON file of which one thread is mutated."""
    inner, *roots = a_thread("bad")
    thread = record_of("bad") | {"history": roots, "subgraphs": {"sub:1": [inner]}}
    good = record_of("good") | {"history": GOOD}
    path.write_text(json.dumps([mutated(dice, thread), good]))


MAKERS = {".forkbook": archive_of, ".json": json_of}


def mutant_of(suffix):
    def make(number, folder):
        MAKERS[suffix](path := folder / f"x{suffix}", random.Random(number))
        return path, suffix

    return make


def looked_at(path, folder):
    """Let every operation read; the listing, the other thread and an export are there whatever one thread holds."""
    if path.suffix == ".forkbook":
        repr(fb.verify(path))
    with fb.connect(path) as book:
        look(book, *book.threads().thread_id)
        assert_is_well(book)
        for suffix in (".json", ".forkbook"):
            repr(book.export(folder / f"out{suffix}"))
            with fb.connect(folder / f"out{suffix}") as again:
                assert_is_well(again)


def assert_is_well(book):
    assert [checkpoint.values for checkpoint in book["good"]] == [state["values"] for state in reversed(GOOD)]


def faults_of(numbers, suffix, folder):
    return faults(numbers, folder, mutant_of(suffix), looked_at)


@pytest.mark.long
@pytest.mark.parametrize("suffix", MAKERS)
def test_mutants(tmp_path, suffix):
    assert not faults_of(range(40), suffix, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("suffix", "number"), [(".json", 1036), (".json", 1067), (".json", 1425), (".forkbook", 1039)])
def test_mutants_that_were_a_bare_error_once(tmp_path, suffix, number):
    """A placeholder whose type is a list, ids and sources that UTF-8 cannot hold."""
    assert not faults_of([number], suffix, tmp_path)


@pytest.mark.slow
@hundreds("archives")
def test_many_mutants_of_archives(tmp_path, numbers):
    assert not faults_of(numbers, ".forkbook", tmp_path)


@pytest.mark.slow
@hundreds("JSON files")
def test_many_mutants_of_json_files(tmp_path, numbers):
    assert not faults_of(numbers, ".json", tmp_path)
