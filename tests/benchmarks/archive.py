"""An archive beside the store that it was made from: bytes, the time to write it, the time to open and draw it.

python tests/benchmarks/archive.py [checkpoints]

One thread whose messages have 200 characters, in a SQLite store that LangGraph's own SqliteSaver wrote; LangGraph's
side is `graph.get_state_history` on it. Each side runs in a process of its own; imports are not counted.
"""

import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, TypedDict

THREAD = "5b0b5a5e-2c1f-4b2e-9a52-8a3c1f0f8a11"
WORDS = ("the", "a", "of", "to", "and", "in", "that", "it", "was", "for", "on", "with", "as", "his", "they", "not")


def text(dice: random.Random) -> str:
    """200 characters of words."""
    said = ""
    while len(said) < 200:
        said += f"{dice.choice(WORDS)}{dice.randrange(100)} "
    return said[:200]


def compiled(saver):
    """A graph that says something two hundred characters long."""
    from langchain_core.messages import AIMessage
    from langgraph.graph import START, StateGraph, add_messages

    class State(TypedDict):
        messages: Annotated[list, add_messages]
        turn: int

    dice = random.Random(1)

    def chat(state):
        return {"messages": [AIMessage(text(dice))], "turn": state["turn"] + 1}

    def more(state):
        return "chat" if state["turn"] < state["messages"][0].additional_kwargs["turns"] else "__end__"

    builder = StateGraph(State).add_node("chat", chat).add_edge(START, "chat").add_conditional_edges("chat", more)
    return builder.compile(checkpointer=saver)


def build(store: Path, checkpoints: int) -> None:
    """Write the store, by one run."""
    from langchain_core.messages import HumanMessage
    from langgraph.checkpoint.sqlite import SqliteSaver

    first = HumanMessage(text(random.Random(2)), additional_kwargs={"turns": checkpoints - 2})
    config = {"configurable": {"thread_id": THREAD}, "recursion_limit": checkpoints + 10}
    with SqliteSaver.from_conn_string(str(store)) as saver:
        compiled(saver).invoke({"messages": [first], "turn": 0}, config, durability="async")


def side_langgraph(store: Path, _: Path) -> dict[str, float]:
    """LangGraph reads the whole history."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(str(store)) as saver:
        graph = compiled(saver)
        start = time.perf_counter()
        states = list(graph.get_state_history({"configurable": {"thread_id": THREAD}}))
        return {"read": time.perf_counter() - start, "checkpoints": len(states)}


def side_export(store: Path, archive: Path) -> dict[str, float]:
    """forkbook writes the archive."""
    from forkbook.backends.databases.sqlite import SqliteBackend
    from forkbook.transfer.export import export

    with closing(SqliteBackend(store)) as backend:
        start = time.perf_counter()
        report = export(archive, backend)
        seconds = time.perf_counter() - start
    if not report or report.threads != 1:
        raise SystemExit(repr(report))
    return {"export": seconds}


def side_open(store: Path, archive: Path) -> dict[str, float]:
    """forkbook opens the archive, and draws the thread."""
    import plotly.graph_objects as go

    from forkbook.backends.archive import ArchiveBackend
    from forkbook.book import Book
    from forkbook.history import History
    from forkbook.tokens import default_counter

    go.Figure()
    start = time.perf_counter()
    with Book(ArchiveBackend(archive)) as book:
        history = book.history(THREAD)
        opened = time.perf_counter()
        history.figure()
    drawn = time.perf_counter()
    default_counter().count({"type": "human", "content": "x"})
    again = time.perf_counter()
    History(book, THREAD, history.states).figure()
    warm = time.perf_counter() - again
    return {"open": opened - start, "draw": drawn - opened, "draw warm": warm, "checkpoints": len(history)}


def side_verify(store: Path, archive: Path) -> dict[str, float]:
    """The archive has what the store has."""
    from forkbook.backends.archive import ArchiveBackend, verify
    from forkbook.backends.databases.sqlite import SqliteBackend

    start = time.perf_counter()
    if not verify(archive):
        raise SystemExit("the archive is damaged")
    seconds = time.perf_counter() - start
    with closing(SqliteBackend(store)) as backend:
        theirs = [state for page in backend.pages(THREAD) for state in page]
    ours = [state for page in ArchiveBackend(archive).pages(THREAD) for state in page]
    if repr(ours) != repr(theirs):
        raise SystemExit("the archive differs from the store")
    return {"verify": seconds}


def measured(side: str, store: Path, archive: Path) -> dict[str, float]:
    """What a side says in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, side, store, archive], stdout=subprocess.PIPE, text=True, check=True
    )
    return {key: float(value) for key, _, value in (line.rpartition(" ") for line in done.stdout.splitlines())}


def main(checkpoints: int = 1000) -> None:
    """Print both sides and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        store, archive = Path(folder, "store.sqlite"), Path(folder, "study.forkbook")
        build(store, checkpoints)
        found: dict[str, float] = {}
        for side in ("langgraph", "export", "open", "verify"):
            found |= measured(side, store, archive)
        theirs, size, kept = found["read"], store.stat().st_size, archive.stat().st_size
    print(f"{found['checkpoints']:,.0f} checkpoints; LangGraph reads them in {theirs:.2f} s from {size / 1e6:,.1f} MB")
    print(f"  archive          {kept / 1e6:8.2f} MB    {kept / size:8.2%} of the store      (to reach: under 1%)")
    both = found["open"] + found["draw"]
    for name, seconds, wanted in (
        ("export", found["export"], 10),
        ("open and draw", both, 30),
        ("  open", found["open"], None),
        ("  draw", found["draw"], None),
        ("  draw, tokenizer loaded", found["draw warm"], None),
        ("verify", found["verify"], None),
    ):
        reach = f"      (to reach: {wanted}x)" if wanted else ""
        print(f"  {name:<26} {seconds * 1000:8.0f} ms    ratio {theirs / seconds:8.1f}x{reach}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        result = globals()[f"side_{sys.argv[1]}"](Path(sys.argv[2]), Path(sys.argv[3]))
        print(*(f"{key} {value}" for key, value in result.items()), sep="\n")
    else:
        main(*map(int, sys.argv[1:2]))
