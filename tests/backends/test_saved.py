"""What forkbook derives from a store is what LangGraph's own `get_state_history` says, wherever it says anything."""

import pytest
from as_langgraph_says import compare, theirs
from langgraph.checkpoint.sqlite import SqliteSaver
from odd_runs import MAKERS, at, functional

from forkbook.backends.databases.rows import Saved, parts
from forkbook.backends.databases.sqlite import SqliteBackend
from forkbook.backends.databases.states import states


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_states_are_those_of_langgraph(tmp_path, make, capsys):
    file = tmp_path / "store.sqlite"
    unknown, all_states = [], 0
    with SqliteSaver.from_conn_string(str(file)) as saver:
        graph, threads = make(saver)
        backend = SqliteBackend(file)
        for thread in threads:
            rows = saver.conn.execute("SELECT DISTINCT checkpoint_ns FROM checkpoints WHERE thread_id = ?", [thread])
            namespaces = {ns for (ns,) in rows}
            for ns in namespaces or {""}:
                mine = [state for page in backend.pages(thread, ns=ns) for state in page]
                other = [theirs(snapshot, namespaces) for snapshot in graph.get_state_history(at(thread, ns=ns))]
                assert [s["checkpoint"] for s in mine] == [s["checkpoint"] for s in other]
                for state, snapshot in zip(mine, other, strict=True):
                    compare(state, snapshot, unknown)
                all_states += len(mine)
    with capsys.disabled():
        counts = {key: unknown.count(key) for key in ("next", "tasks", "task id")}
        print(f"\n{make.__name__}: {all_states} states, unknown: {counts}", end=" ")
    assert unknown.count("next") == 0 or make is functional


def test_an_unreadable_checkpoint_is_unknown_not_empty():
    rest, values = parts({"no": "checkpoint"}, 12)
    (state,) = states([Saved("t", "", "1", None, rest, values, {}, [])], ())
    assert state["values"] == {"__type__": "opaque", "reason": "damaged: this is no checkpoint", "size": 12}
    assert (state["next"], state["tasks"]) == (None, None)


@pytest.mark.parametrize(
    "damage",
    [
        {"channel_versions": []}, {"versions_seen": {"a": 1}}, {"v": "x"}, {"channel_versions": {"branch:to:x": "1"}},
        {"channel_versions": {"branch:to:x": None}}, {"versions_seen": {"x": {"branch:to:x": 1.5}}}, {"v": None},
    ],
)  # fmt: skip
def test_an_odd_checkpoint_raises_nothing(damage):
    whole = {"v": 4, "ts": "", "channel_versions": {"branch:to:x": 1}, "versions_seen": {}}
    rest, values = parts(whole | {"channel_values": {"branch:to:x": None, "join:a:b": 3, "s": 1}} | damage, 1)
    (state,) = states([Saved("t", "", "no-hex", None, rest, values, {"step": "x"}, [])], ())
    assert state["values"] == {"s": 1}
