"""A sweep of 20 edits in one thread against the same in 20 copies side by side, four at a time.

Each branch runs a node that sleeps half a second, on an Agent Server of its own: `python tests/benchmarks/sweep.py`.
"""

import contextlib
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from agents.graphs import SECONDS
from agents.server import testbed_server
from langgraph_sdk import get_sync_client

import forkbook as fb

EDITS, CONCURRENCY = 20, 4


def before_sleep(url: str, book: fb.Book) -> fb.Checkpoint:
    """A checkpoint of a fresh thread, before the node that sleeps."""
    client = get_sync_client(url=url, api_key=None)
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id, graph_id="sleeper")
    client.runs.wait(thread_id, "sleeper", input={"topic": "x"}, interrupt_before=["sleep"])
    return book[thread_id].tips[0]


def seconds(cp: fb.Checkpoint, **how: Any) -> float:
    """How long a sweep and its frame take; every branch must have finished."""
    began = time.perf_counter()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        df = cp.sweep([{"topic": f"topic {n}"} for n in range(EDITS)], **how).df()
    took = time.perf_counter() - began
    assert df.status.tolist() == ["finished"] * EDITS, df
    assert df.spent_tokens.tolist() == [12] * EDITS, df
    return took


def main() -> None:
    """Print both sides, the ratio, and the floor."""
    with testbed_server() as url, fb.connect(url) as book:
        print(f"{EDITS} edits, a node that sleeps {SECONDS} s")
        one = seconds(before_sleep(url, book))
        print(f"  in one thread                     {one:6.2f} s   (floor: {EDITS * SECONDS:.1f} s)")
        many = seconds(before_sleep(url, book), parallel=True, concurrency=CONCURRENCY)
        floor = EDITS * SECONDS / CONCURRENCY
        print(f"  in copies, {CONCURRENCY} at a time            {many:6.2f} s   (floor: {floor:.1f} s)")
        print(f"  ratio                             {one / many:6.2f}x")


if __name__ == "__main__":
    main()
