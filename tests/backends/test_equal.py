"""What Postgres and archives say is what LangGraph's own `get_state_history` says, wherever they say anything."""

import psycopg
import pytest
from as_langgraph_says import compare, theirs
from databases import fresh_database
from odd_runs import MAKERS, at

import forkbook as fb


def in_one_order(state):
    """JSONB forgets in which order the graph named its channels, so parallel tasks are compared as a set."""
    ordered = {**state, "interrupts": sorted(state["interrupts"] or (), key=repr)}
    if state["next"] is not None:
        ordered["next"] = sorted(state["next"])
    if state["tasks"] is not None:
        ordered["tasks"] = sorted(state["tasks"], key=lambda task: (task["name"], repr(task["path"]), str(task["id"])))
    return ordered


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_postgres_and_an_archive_of_it(postgres, make, tmp_path, capsys):
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        graph, threads = make(saver)
        with fb.connect(uri) as store:
            assert not store.export(tmp_path / "x.forkbook").errors
            assert fb.verify(tmp_path / "x.forkbook")
            with fb.connect(tmp_path / "x.forkbook") as archive:
                said = [check(graph, uri, book, threads) for book in (store, archive)]
    assert said[0] == said[1]
    with capsys.disabled():
        print(f"\n{make.__name__}: {said[0][0]} states on Postgres, unknown: {said[0][1]}", end=" ")
    assert "next" not in said[0][1] or make.__name__ == "functional"


def check(graph, uri, book, threads):
    """Compare every namespace of every thread; how many states there are, and what of them is not known."""
    unknown, n_states = [], 0
    for thread in threads:
        with psycopg.connect(uri) as connection:
            rows = connection.execute("select distinct checkpoint_ns from checkpoints where thread_id = %s", [thread])
            namespaces = {ns for (ns,) in rows}
        if not namespaces:
            with pytest.raises(fb.ThreadNotFound):
                book.history(thread)
        for ns in namespaces:
            mine = [state for page in book.backend.pages(thread, ns=ns) for state in page]
            other = [theirs(snapshot, namespaces) for snapshot in graph.get_state_history(at(thread, ns=ns))]
            assert [s["checkpoint"] for s in mine] == [s["checkpoint"] for s in other]
            for state, snapshot in zip(mine, other, strict=True):
                compare(in_one_order(state), in_one_order(snapshot), unknown)
            n_states += len(mine)
    return n_states, {key: unknown.count(key) for key in sorted(set(unknown))}
