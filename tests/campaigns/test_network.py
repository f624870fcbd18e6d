"""Every operation on a server, and every fault of a network or a server that we know of, at every request.

An operation ends well or with a `ForkbookError`, in bounded time and memory, and writes no more than it writes without
a fault. `pytest -m slow tests/campaigns/test_network.py` tries each pair of both (FORKBOOK_NETWORK is the number of
cases, of which FORKBOOK_NETWORK_FROM are left out); everyday runs try each operation once.
"""

import itertools
import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import handshakes
import lookups
import pytest
from langgraph_sdk import get_sync_client
from many import LARGEST, peak
from misbehaving import misbehaving
from network_faults import FAULTS, OF_THE_LINE
from network_operations import OPERATIONS, Place

import forkbook as fb
from forkbook.backends import retry

SECONDS = 40  # that one case may take; a run of the sample agent takes up to 3, and several cases run at a time
AT_ONCE = 6
CAMPAIGN = int(os.environ.get("FORKBOOK_NETWORK", "3000"))  # cases
FIRST = int(os.environ.get("FORKBOOK_NETWORK_FROM", "0"))
BUDGET = fb.Budget(seconds=2, read_bytes=20_000_000)


@dataclass(frozen=True)
class Case:
    """One operation with one fault.

    Attributes:
        first: The number of the request with the fault, of those after the connection.
        lasting: Whether all requests after it have it, too.
    """

    operation: str
    fault: str
    first: int
    lasting: bool


class Server:
    """The demo's server: makes threads for cases, and knows what each operation writes without a fault."""

    def __init__(self, url: str, thread_id: str) -> None:
        self.url, self._thread_id = url, thread_id
        self._client = get_sync_client(url=url, api_key=None)
        self._written: dict[str, tuple[int, int]] = {}
        self.ends: Counter[str] = Counter()

    def requests(self, operation: str, folder: Any) -> int:
        """How many requests an operation sends; what it writes is remembered."""
        thread_id = self._copy()
        before = self._checkpoints(thread_id)
        with misbehaving(self.url) as (url, arrived), fb.connect(url) as book:
            connected = len(arrived)
            OPERATIONS[operation](Place(book, thread_id, folder))
        self._written[operation] = len(arrived) - connected, self._checkpoints(thread_id) - before
        self._client.threads.delete(thread_id)
        return self._written[operation][0]

    def trouble(self, case: Case, folder: Any) -> str | None:
        """What is wrong after a case; None: nothing is."""
        thread_id, seen = self._copy(), 0
        before, connected = self._checkpoints(thread_id), False

        def hit() -> bool:
            nonlocal seen
            seen += connected
            return connected and (seen > case.first if case.lasting else seen == case.first + 1)

        begun = time.monotonic()
        found = None
        with FAULTS[case.fault](self.url, hit) as url:
            book = fb.connect(url, budget=BUDGET)
            connected = True
            try:
                OPERATIONS[case.operation](Place(book, thread_id, folder))
                self.ends["well"] += 1
            except fb.ForkbookError as error:
                self.ends[type(error).__name__] += 1
                found = None if str(error).strip() else "an error without a text"
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
            finally:
                connected = False
                book.close()
        if (took := time.monotonic() - begun) > SECONDS:
            return f"took {took:.0f} s"
        if found:
            return found
        for run in self._client.runs.list(thread_id):
            self._client.runs.join(thread_id, run["run_id"])
        more = self._checkpoints(thread_id) - before
        self._client.threads.delete(thread_id)
        most = self._written[case.operation][1]
        return f"wrote {more} checkpoints, and {most} without a fault" if more > most else None

    def _copy(self) -> str:
        return str(self._client.http.post(f"/threads/{self._thread_id}/copy", json=None)["thread_id"])

    def _checkpoints(self, thread_id: str) -> int:
        return len(self._client.threads.get_history(thread_id, limit=1000))


@pytest.fixture
def line(monkeypatch):
    """Fast tries, names that are looked up here, certificates that are trusted."""
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(retry, "SILENCE_S", 2)
    monkeypatch.setenv("SSL_CERT_FILE", str(handshakes.handshakes().trusted))
    with lookups.patched():
        yield


@pytest.fixture
def server(line, demo_url, demo_threads):
    return Server(demo_url, demo_threads["time travel"])


def troubles(server, cases, tmp_path):
    """What is wrong, by case."""
    before = peak()

    def tried(numbered):
        number, case = numbered
        folder = tmp_path / str(number)
        folder.mkdir()
        return case, server.trouble(case, folder)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = {case: trouble for case, trouble in pool.map(tried, enumerate(cases)) if trouble}
    print(f"\n{len(cases)} cases: {dict(server.ends)}")
    more = peak() - before
    return found | ({"all": f"{more:,} bytes of memory"} if more > AT_ONCE * LARGEST else {})


def some_cases(server, folder, number):
    """Different ones, spread over all operations, requests and faults; the same ones each time."""
    folder.mkdir()
    dice, requests, cases = random.Random(0), {}, {}
    operations, faults = list(OPERATIONS), dice.sample(list(FAULTS), len(FAULTS))
    numbers = itertools.count()
    while len(cases) < number:
        round_, at = divmod(next(numbers), len(operations))
        operation = operations[at]
        if operation not in requests:
            requests[operation] = server.requests(operation, folder)
        first = dice.randrange(max(requests[operation], 1))
        cases[Case(operation, faults[(round_ + at) % len(faults)], first, dice.random() < 0.5)] = None
    return list(cases)


@pytest.mark.parametrize("number", [len(OPERATIONS), pytest.param(CAMPAIGN, marks=pytest.mark.slow)])
def test_an_operation_ends_well_or_with_an_error_of_ours(server, tmp_path, number):
    cases = some_cases(server, tmp_path / "clean", number)
    assert troubles(server, cases[FIRST if number == CAMPAIGN else 0 :], tmp_path) == {}


@pytest.mark.outside
@pytest.mark.parametrize("fault", sorted(OF_THE_LINE.keys() - {"a name of two places"}))
def test_a_server_that_is_not_reached_is_told(line, fault):
    began = time.monotonic()
    with (
        OF_THE_LINE[fault]("http://127.0.0.1:1", lambda: True) as url,
        pytest.raises(fb.ConnectionFailed, match=f"cannot reach {url}"),
    ):
        fb.connect(url)
    assert time.monotonic() - began < 10


@pytest.mark.outside
@pytest.mark.parametrize("host", ["a" * 64, "a" * 64 + ".invalid", "a..invalid", "\u0301.invalid", "xn--a.invalid"])
def test_what_can_be_no_name_of_a_host_is_told(line, host):
    with pytest.raises(fb.ForkbookError, match="http://"):
        fb.connect(f"http://{host}:8000")
