"""Every operation on a server, and every fault of a network or a server that we know of, at every request.

An operation ends well or with a `ForkbookError`, in bounded time, and writes no more than it writes without a fault.
`pytest -m slow tests/campaigns/test_network.py` tries them all; everyday runs try each operation once.
"""

import json
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from langgraph_sdk import get_sync_client
from misbehaving import Misdeed, misbehaving

import forkbook as fb
from forkbook.backends import retry

SECONDS = 40  # that one case may take; a run of the sample agent takes up to 3, and several cases run at a time
AT_ONCE = 6
CAMPAIGN = int(os.environ.get("FORKBOOK_NETWORK", "3000"))  # cases

DEEP = b'{"a":' * 3000 + b"1" + b"}" * 3000
FAULTS = {
    "reset": Misdeed("reset"),
    "reset after the work": Misdeed("reset", carried_out=True),
    "cut": Misdeed("cut"),
    "cut after the work": Misdeed("cut", carried_out=True),
    "empty": Misdeed("empty"),
    "empty after the work": Misdeed("empty", carried_out=True),
    **{f"status {status}": Misdeed(str(status)) for status in (400, 401, 403, 404, 409, 413, 418, 422, 500, 502, 504)},
    "status 503 after the work": Misdeed("503", carried_out=True),
    "busy": Misdeed("429", (("retry-after", "0"),)),
    "busy for a day": Misdeed("503", (("retry-after", "86400"),)),
    "moved": Misdeed("302", (("location", "/elsewhere"),)),
    "a page": Misdeed("200", body=b"<html>sign in</html>"),
    "null": Misdeed("200", body=b"null"),
    "a number": Misdeed("200", body=b"5"),
    "a text": Misdeed("200", body=b'"text"'),
    "a list": Misdeed("200", body=b"[]"),
    "a list of null": Misdeed("200", body=b"[null]"),
    "an object": Misdeed("200", body=b"{}"),
    "fields of other types": Misdeed(
        "200", body=json.dumps({"thread_id": 5, "values": [], "metadata": 7, "next": [None], "tasks": [None]}).encode()
    ),
    "NaN": Misdeed("200", body=b'[{"values": NaN}]'),
    "deep": Misdeed("200", body=DEEP),
    "no UTF-8": Misdeed("200", body=b'["\xff\xfe"]'),
    "a long number": Misdeed("200", body=b"[" + b"9" * 5000 + b"]"),
    "an error with a page": Misdeed("500", body=b"<html>\x1b[31m" + b"x" * 100_000),
}


@dataclass(frozen=True)
class Place:
    """What an operation works on: a book behind the misbehaving server, a thread of its own, and a folder."""

    book: fb.Book
    thread_id: str
    folder: Any

    @property
    def history(self) -> fb.History:
        return self.book.history(self.thread_id)

    @property
    def before_the_joke(self) -> fb.Checkpoint:
        return self.history.at(step=1, branch="A")


OPERATIONS: dict[str, Callable[[Place], Any]] = {
    "threads": lambda at: at.book.threads(),
    "threads by metadata": lambda at: at.book.threads(metadata={"x": 1}),
    "tree": lambda at: at.book.tree(at.thread_id),
    "copies": lambda at: at.book.copies(at.thread_id),
    "history": lambda at: at.history,
    "subgraphs": lambda at: at.book.history(at.thread_id, subgraphs=True),
    "small pages": lambda at: at.book.history(at.thread_id, page_size=2),
    "refresh": lambda at: at.history.refresh(),
    "checkpoints_df": lambda at: at.history.checkpoints_df(),
    "messages_df": lambda at: at.history.messages_df(),
    "figure": lambda at: at.history.figure(),
    "report": lambda at: at.history.report(at.folder / "report.html"),
    "compare": lambda at: fb.compare(at.history),
    "store": lambda at: at.book.store.items_df(),
    "sweeps": lambda at: at.book.sweeps(at.thread_id),
    "export to an archive": lambda at: at.book.export(at.folder / "x.forkbook", [at.thread_id]),
    "export to JSON": lambda at: at.book.export(at.folder / "x.json", [at.thread_id]),
    "export to Parquet": lambda at: at.book.export(at.folder / "x.parquet", [at.thread_id]),
    "code": lambda at: at.before_the_joke.edit({"topic": "cats"}).code("curl"),
    "preview": lambda at: at.before_the_joke.preview({"topic": "cats"}),
    "edit": lambda at: at.before_the_joke.edit({"topic": "cats"}),
    "resume": lambda at: at.before_the_joke.resume(),
    "fork": lambda at: at.before_the_joke.fork({"topic": "cats"}),
    "fork in a copy": lambda at: at.before_the_joke.fork({"topic": "cats"}, in_copy=True),
    "run": lambda at: at.book.run(at.thread_id, {"topic": "dogs"}),
    "sweep": lambda at: at.before_the_joke.sweep([{"topic": "a"}, {"topic": "b"}]),
    "copy": lambda at: at.book.copy(at.thread_id),
    "own settings": lambda at: at.before_the_joke.own_settings(),
}


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

        def misdeed(_: Any) -> Misdeed | None:
            nonlocal seen
            seen += connected
            hit = connected and (seen > case.first if case.lasting else seen == case.first + 1)
            return FAULTS[case.fault] if hit else None

        begun = time.monotonic()
        found = None
        with misbehaving(self.url, misdeed) as (url, _):
            book = fb.connect(url)
            connected = True
            try:
                OPERATIONS[case.operation](Place(book, thread_id, folder))
            except fb.ForkbookError as error:
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
def server(demo_url, demo_threads, monkeypatch):
    monkeypatch.setattr(retry, "FIRST_DELAY_S", 0.01)
    return Server(demo_url, demo_threads["time travel"])


def troubles(server, cases, tmp_path):
    """What is wrong, by case."""

    def tried(numbered):
        number, case = numbered
        folder = tmp_path / str(number)
        folder.mkdir()
        return case, server.trouble(case, folder)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {case: found for case, found in pool.map(tried, enumerate(cases)) if found}


def some_cases(server, folder, number):
    """Different ones, spread over all operations, requests and faults; the same ones each time."""
    folder.mkdir()
    dice, requests, cases = random.Random(0), {}, set()
    while len(cases) < number:
        operation = list(OPERATIONS)[len(cases) % len(OPERATIONS)]
        if operation not in requests:
            requests[operation] = server.requests(operation, folder)
        first = dice.randrange(max(requests[operation], 1))
        cases.add(Case(operation, dice.choice(list(FAULTS)), first, dice.random() < 0.5))
    return sorted(cases, key=repr)


@pytest.mark.parametrize("number", [len(OPERATIONS), pytest.param(CAMPAIGN, marks=pytest.mark.slow)])
def test_an_operation_ends_well_or_with_an_error_of_ours(server, tmp_path, number):
    assert troubles(server, some_cases(server, tmp_path / "clean", number), tmp_path) == {}
