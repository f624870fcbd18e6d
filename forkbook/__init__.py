"""Open the history of LangGraph threads: every checkpoint and branch, as a picture and as DataFrames.

    import forkbook as fb
    book = fb.connect("demo")         # or an Agent Server's address, a compiled graph, a store, an archive
    history = book[thread_id]         # book.threads() lists them
    history.explore()                 # the picture; history.tokens_df() and others are DataFrames
    cp = history["A"]                 # a branch's tip; cp.fork({"topic": "cats"}) edits it and runs on
    fb.compare(history)               # its branches side by side; history.compare("A", "B") has two in detail

Every error is a `fb.ForkbookError` and says what next.
"""

from . import interrupts  # noqa: F401  # first: from here on Ctrl-C ends the command line at once
from .acts.act import Act
from .acts.live import Running
from .backends.budget import Budget
from .backends.events import Event, StopRun
from .book import Book
from .checkpoint import Checkpoint
from .compare.many import compare
from .connect import amigrate, averify, connect, migrate, verify
from .errors import (
    AccessDenied,
    ActFailed,
    ArchiveDamaged,
    BookClosed,
    CheckpointNotFound,
    ConnectionFailed,
    ForeignArchive,
    ForkbookError,
    InvalidInput,
    MissingExtra,
    NotFound,
    OverBudget,
    ProtocolError,
    Refused,
    ServerFault,
    SourceError,
    ThreadBusy,
    ThreadNotFound,
    Unsupported,
)
from .history import History
from .sweep.result import Sweep
from .sweep.variants import Answer, Edit

__version__ = "0.1.0"

__all__ = [
    "AccessDenied",
    "Act",
    "ActFailed",
    "Answer",
    "ArchiveDamaged",
    "Book",
    "BookClosed",
    "Budget",
    "Checkpoint",
    "CheckpointNotFound",
    "ConnectionFailed",
    "Edit",
    "Event",
    "ForeignArchive",
    "ForkbookError",
    "History",
    "InvalidInput",
    "MissingExtra",
    "NotFound",
    "OverBudget",
    "ProtocolError",
    "Refused",
    "Running",
    "ServerFault",
    "SourceError",
    "StopRun",
    "Sweep",
    "ThreadBusy",
    "ThreadNotFound",
    "Unsupported",
    "amigrate",
    "averify",
    "compare",
    "connect",
    "migrate",
    "verify",
]


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
