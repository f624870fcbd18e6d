"""Copy of a thread with full verification, beside the raw copy and reading both threads once.

python tests/benchmarks/copying.py [checkpoints] [messages per checkpoint]

The other side is the least that a checked copy can do one call after another: `threads.copy`, then
`threads.get_history` of both threads page by page, nothing kept, nothing compared. forkbook reads both whole, subgraphs
too, shares their values, compares each field of each checkpoint, and tags the copy. The floor is the processor time
that the server spends on the other side's requests. Each is measured in turn, each time with a client of its own; the
medians are shown, and the memory that a process needs at most for it.
"""

import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import psutil
from langgraph_sdk import get_sync_client

import forkbook as fb
from forkbook.demo import server

ROUNDS = 5
REACH = 1.2
PAGE = 100


def seed(url: str, checkpoints: int, messages: int) -> str:
    """A thread whose every checkpoint adds so many messages of 200 characters."""
    client = get_sync_client(url=url, api_key=None)
    thread_id = str(uuid.uuid4())

    def said(step: int) -> list[dict[str, str]]:
        return [
            {"type": ("human", "ai")[n % 2], "content": f"{step}/{n} {'x' * 200}", "id": f"m{step}-{n}"}
            for n in range(messages)
        ]

    steps = [{"updates": [{"values": {"messages": said(step)}, "as_node": "chat"}]} for step in range(checkpoints)]
    client.threads.create(thread_id=thread_id, graph_id="agent", supersteps=steps)  # type: ignore[arg-type]  # the SDK's own example has dicts
    return thread_id


def pages(client: Any, thread_id: str) -> int:
    """Read a thread's history to its end; how many checkpoints it has."""
    count, before = 0, None
    while page := client.threads.get_history(thread_id, limit=PAGE, before=before):
        count += len(page)
        if len(page) < PAGE:
            break
        oldest = page[-1]["checkpoint"]["checkpoint_id"]
        before = {"configurable": {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": oldest}}
    return count


def side_sdk(url: str, thread_id: str) -> str:
    """The raw copy, and both read."""
    client = get_sync_client(url=url, api_key=None)
    copy_id = client.threads.copy(thread_id)["thread_id"]  # type: ignore[func-returns-value,index]
    if pages(client, thread_id) != pages(client, copy_id):
        raise SystemExit("the loop did not read everything")
    return str(copy_id)


def side_forkbook(url: str, thread_id: str) -> str:
    """`book.copy`, proven."""
    with fb.connect(url) as book:
        report = book.copy(thread_id)
        if not report:
            raise SystemExit(repr(report))
        return report.new_thread_id


SIDES = {"threads.copy, both read once": side_sdk, "book.copy, verified": side_forkbook}


def processor(pid: int) -> float:
    """Seconds that the server has computed."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def alone(url: str, thread_id: str, name: str) -> tuple[float, float]:
    """MB that a fresh process needs at most for a side, and the seconds that it computes."""
    ran = subprocess.run([sys.executable, __file__, url, thread_id, name], check=True, capture_output=True, text=True)
    copy_id, most, computed = ran.stdout.split()
    get_sync_client(url=url, api_key=None).threads.delete(copy_id)
    return float(most), float(computed)


def main(checkpoints: int = 100, messages: int = 50) -> None:
    """Print both sides and the ratio."""
    with server.start() as running:
        thread_id, pid = seed(running.url, checkpoints, messages), running._process.process.pid
        client = get_sync_client(url=running.url, api_key=None)
        seconds: dict[str, list[float]] = {name: [] for name in SIDES}
        computed: dict[str, list[float]] = {name: [] for name in SIDES}
        for _ in range(ROUNDS):
            for name, side in SIDES.items():
                before, start = processor(pid), time.perf_counter()
                copy_id = side(running.url, thread_id)
                seconds[name].append(time.perf_counter() - start)
                computed[name].append(processor(pid) - before)
                client.threads.delete(copy_id)
        print(f"{checkpoints * messages:,} messages in {checkpoints:,} checkpoints, on loopback")
        for name in SIDES:
            took, by_server = statistics.median(seconds[name]), statistics.median(computed[name])
            most, own = alone(running.url, thread_id, name)
            print(
                f"  {name:<29} {took:6.2f} s   the server computes {by_server:.2f} s, the client {own:.2f} s, with "
                f"{most:,.0f} MB at most"
            )
        raw, ours = (statistics.median(seconds[name]) for name in SIDES)
        floor = statistics.median(computed[next(iter(SIDES))])
        print(f"  {ours / raw:.2f} times   (to reach: {REACH}; the floor is {floor / raw:.2f})")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        start = time.process_time()
        copy_id = SIDES[sys.argv[3]](*sys.argv[1:3])
        status = Path("/proc/self/status").read_text()  # what `resource` tells includes the parent's
        print(copy_id, int(status.partition("VmHWM:")[2].split()[0]) / 1024, time.process_time() - start)
    else:
        main(*map(int, sys.argv[1:3]))
