"""A SQLite store to DataFrames: forkbook's reading beside LangGraph's own, each in a fresh process.

python tests/benchmarks/sqlite.py [checkpoints]

The store holds one thread whose state grows by a message of 200 characters a step; 1,000 checkpoints are about 230 MB.
Seconds and added memory (peak resident set) are counted from after the imports.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

THREAD = "long"


def graph_on(saver: Any, checkpoints: int) -> Any:
    """A graph that says something until there are so many messages."""
    from langchain_core.messages import AIMessage
    from langgraph.graph import END, START, MessagesState, StateGraph

    def chat(state: dict[str, Any]) -> dict[str, Any]:
        number = len(state["messages"])
        usage = {"input_tokens": 60 * number, "output_tokens": 50, "total_tokens": 60 * number + 50}
        return {"messages": [AIMessage(f"{number:08d} {'so it goes ' * 18}"[:200], usage_metadata=usage)]}

    def more(state: dict[str, Any]) -> str:
        return "chat" if len(state["messages"]) < checkpoints - 2 else END

    builder = StateGraph(MessagesState).add_node("chat", chat).add_edge(START, "chat")
    return builder.add_conditional_edges("chat", more, ["chat", END]).compile(checkpointer=saver)


def make(file: str, checkpoints: int) -> None:
    """Write the store with LangGraph's own saver."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(file) as saver:
        graph = graph_on(saver, checkpoints)
        config = {"configurable": {"thread_id": THREAD}, "recursion_limit": checkpoints + 9}
        graph.invoke({"messages": [("user", "go on")]}, config)


def opened(place: str) -> Any:
    """The backend of a store: a file, or an address (then this is the benchmark beside, postgres.py)."""
    if place.startswith("postgresql://"):
        from forkbook.backends.databases.postgres import PostgresBackend

        return PostgresBackend(place)
    from forkbook.backends.databases.sqlite import SqliteBackend

    return SqliteBackend(place)


def saver_on(place: str) -> Any:
    """LangGraph's own saver of a store."""
    if place.startswith("postgresql://"):
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg import connect
        from psycopg.rows import dict_row

        return PostgresSaver(connect(place, autocommit=True, row_factory=dict_row))
    from sqlite3 import connect as open_file

    from langgraph.checkpoint.sqlite import SqliteSaver

    return SqliteSaver(open_file(place, check_same_thread=False))


def ours(file: str) -> Callable[[], Any]:
    """From the store to `checkpoints_df` and `messages_df`."""
    import pandas as pd  # noqa: F401  # both sides are timed without their imports

    import forkbook.backends.databases.states  # noqa: F401
    from forkbook.facts import Facts
    from forkbook.frames import CHECKPOINTS, MESSAGES, checkpoints_rows, frame, messages_rows
    from forkbook.model.tree import Tree
    from forkbook.tokens.counting import default_counter

    counter = default_counter()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    counter.count({"content": "the vocabulary is loaded once a process, as the imports are"})
    load = time.perf_counter() - started
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    vocabulary = f"not in it, once a process: the vocabulary of {counter.name}, {load:.2f} s and {added:.0f} MB"

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        backend = opened(file)
        states = {s["checkpoint"]["checkpoint_id"]: s for page in backend.pages(THREAD) for s in page}
        read = time.perf_counter()
        tree = Tree([head_of(state) for state in states.values()])
        facts = Facts(THREAD, tree, [states[head.id] for head in tree.heads])
        facts.__dict__["ledger"] = ledger(tree, [state["values"] for state in facts.states], counter)
        accounted = time.perf_counter()
        rows = [frame(list(checkpoints_rows(facts)), CHECKPOINTS), frame(list(messages_rows(facts)), MESSAGES)]
        framed = time.perf_counter()
        return {
            "rows": [len(df) for df in rows],
            "vocabulary": vocabulary,
            "of it reading": read - started,
            "of it accounting": accounted - read,
            "of it frames": framed - accounted,
        }

    from forkbook.model.states import head_of
    from forkbook.tokens import ledger

    return work


def theirs(file: str) -> Callable[[], Any]:
    """From the file through the graph to one `json_normalize`."""
    import pandas as pd

    saver = saver_on(file)

    def work() -> dict[str, Any]:
        graph = graph_on(saver, 0)
        history = list(graph.get_state_history({"configurable": {"thread_id": THREAD}}))
        return {"rows": [len(pd.json_normalize([snapshot._asdict() for snapshot in history]))]}

    return work


def heads(file: str) -> Callable[[], Any]:
    """Ids, parents, steps and sources alone."""
    backend = opened(file)
    return lambda: {"rows": [len(backend.heads(THREAD))]}


SIDES = {"ours": ours, "theirs": theirs, "heads": heads}


def measured(side: str, file: str) -> dict[str, Any]:
    """Seconds, added megabytes and rows of one side, in a fresh process."""
    ran = subprocess.run([sys.executable, __file__, "--side", side, file], capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def one_side(side: str, file: str) -> None:
    """What the fresh process does."""
    work = SIDES[side](file)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    said = work()
    seconds = time.perf_counter() - started
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps(said | {"seconds": seconds, "megabytes": added}))


def line(name: str, side: dict[str, Any], base: dict[str, Any]) -> str:
    """One line of the report."""
    numbers = f"{side['seconds']:8.2f} s {side['megabytes']:8.1f} MB added"
    ratio = f"{base['seconds'] / side['seconds']:6.1f}x faster"
    memory = f", 1/{base['megabytes'] / side['megabytes']:.0f} of the memory" if side["megabytes"] > 1 else ""
    return f"  {name:<42} {numbers}    {ratio}{memory}"


def main(checkpoints: int) -> None:
    """Make the store, measure both sides, print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "store.sqlite")
        make(file, checkpoints)
        size = os.path.getsize(file) / 1e6
        print(f"a store of {checkpoints:,} checkpoints, {size:.0f} MB, {os.cpu_count()} cores", flush=True)
        report(file)


def report(place: str) -> None:
    """Measure both sides on a store, print the ratio."""
    other = measured("theirs", place)
    mine = min((measured("ours", place) for _ in range(3)), key=lambda side: side["seconds"])
    alone = min((measured("heads", place) for _ in range(3)), key=lambda side: side["seconds"])
    print(line("get_state_history + json_normalize", other, other))
    print(line("forkbook: checkpoints_df + messages_df", mine, other))
    print("   ", ", ".join(f"{key} {value:.2f} s" for key, value in mine.items() if key.startswith("of it")))
    print(f"    {mine['vocabulary']}")
    print(line("forkbook: heads alone", alone, other))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        one_side(sys.argv[2], sys.argv[3])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1000)
