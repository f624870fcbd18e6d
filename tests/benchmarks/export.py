"""Export of 1,000 small threads from the Agent Server beside one SDK call after another.

python tests/benchmarks/export.py [threads] [milliseconds]

The other side is what scripts do: `threads.search` page by page, then `threads.get_history` of each, in one loop;
it keeps the answers and writes nothing. forkbook writes an archive, a JSON file and Parquet tables. Two ways to the
server: loopback, where both sides wait for the one processor that the server computes each history on (the floor: the
processor time it spends on the loop's requests), and through a line that is some milliseconds long, as a server
elsewhere is. Each is measured three times, in turn, each with a client and a file of its own; the medians are shown.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from langgraph_sdk import get_sync_client

import forkbook as fb
from forkbook.demo import server

ROUNDS = 3
REACH = 3


def seed(url: str, threads: int) -> None:
    """Threads of three checkpoints: an input, a topic, an answer."""
    client = get_sync_client(url=url, api_key=None)

    def make(number: int) -> None:
        asked = {"type": "human", "content": f"question {number} {'x' * 50}", "id": f"h{number}"}
        answer = {"type": "ai", "content": f"answer {number} {'y' * 100}", "id": f"a{number}"}
        steps = [
            {"updates": [{"values": {"messages": [asked]}, "as_node": "__input__"}]},
            {"updates": [{"values": {"topic": f"topic {number}"}, "as_node": "generate_topic"}]},
            {"updates": [{"values": {"messages": [answer]}, "as_node": "chat"}]},
        ]
        client.threads.create(thread_id=str(uuid.uuid4()), graph_id="agent", supersteps=steps)  # type: ignore[arg-type]  # the SDK's own example has dicts

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(threads)))


@contextlib.contextmanager
def longer(url: str, seconds: float) -> Iterator[str]:
    """The same server at the end of a line on which every answer takes so long more."""
    host, port = url.removeprefix("http://").split(":")

    async def pump(reader: Any, writer: Any, delay: float) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                loop.call_later(delay, writer.write, data)  # a line is long, not slow: what follows need not wait
        loop.call_later(delay + 0.01, writer.close)

    async def joined(reader: Any, writer: Any) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, back, 0), pump(there, writer, seconds))

    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(joined, "127.0.0.1", 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)


def side_sdk(url: str, threads: int) -> None:
    """One call after another."""
    client = get_sync_client(url=url, api_key=None)
    found: list[Any] = []
    while page := client.threads.search(limit=100, offset=len(found)):
        found += page
    for thread in found:
        thread["history"] = client.threads.get_history(thread["thread_id"])
    if len(found) != threads or any(len(thread["history"]) != 3 for thread in found):
        raise SystemExit("the loop did not read everything")


def side_forkbook(name: str) -> Callable[[str, int], None]:
    """An export to a new file."""

    def export(url: str, threads: int) -> None:
        with tempfile.TemporaryDirectory() as folder, fb.connect(url) as book:
            report = book.export(Path(folder, name))
            if not report or (report.threads, report.checkpoints) != (threads, 3 * threads):
                raise SystemExit(repr(report))

    return export


SIDES = {
    "one SDK call after another": side_sdk,
    "to an archive": side_forkbook("x.forkbook"),
    "to a JSON file": side_forkbook("x.json"),
    "to Parquet tables": side_forkbook("x.parquet"),
}


def processor(pid: int) -> float:
    """Seconds that the server has computed."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def compare(url: str, threads: int, pid: int) -> None:
    """Print both sides and the ratio."""
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    computed: dict[str, list[float]] = {name: [] for name in SIDES}
    for _ in range(ROUNDS):
        for name, side in SIDES.items():
            before, start = processor(pid), time.perf_counter()
            side(url, threads)
            seconds[name].append(time.perf_counter() - start)
            computed[name].append(processor(pid) - before)
    loop, *ours = SIDES
    base, floor = statistics.median(seconds[loop]), statistics.median(computed[loop])
    print(f"  {loop:<28} {base:7.2f} s   the server computes {floor:.2f} s of it, on one processor")
    for name in ours:
        took = statistics.median(seconds[name])
        reach = f"   (to reach: {REACH}x; more than {base / floor:.1f}x no export can)" if name == ours[0] else ""
        print(f"  {name:<28} {took:7.2f} s   {base / took:4.1f} times faster{reach}")


def main(threads: int = 1000, milliseconds: int = 20) -> None:
    """Measure on both lines."""
    with server.start() as running, longer(running.url, milliseconds / 1000) as far:
        seed(running.url, threads)
        pid = running._process.process.pid
        with tempfile.TemporaryDirectory() as folder, fb.connect(running.url) as book:
            book.export(Path(folder, "warm.parquet"), threads=[book.threads(limit=1).thread_id[0]])
        for name, url in (("loopback", running.url), (f"an answer takes {milliseconds} ms more", far)):
            print(f"{threads:,} threads of 3 checkpoints, {name}")
            compare(url, threads, pid)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
