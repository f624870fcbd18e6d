"""Open the history of LangGraph threads: every checkpoint and branch, as a picture and as DataFrames."""

from .acts import Act
from .backends.streaming import Event, StopRun
from .book import Book
from .checkpoint import Checkpoint
from .errors import (
    AccessDenied,
    CheckpointNotFound,
    ConnectionFailed,
    ForkbookError,
    InvalidInput,
    NotFound,
    ProtocolError,
    Refused,
    ServerFault,
    SourceError,
    ThreadBusy,
    ThreadNotFound,
    Unsupported,
)
from .history import History
from .live import Running
from .overview import compare
from .sources import connect, migrate, verify
from .sweep.result import Sweep
from .sweep.variants import Answer, Edit

__version__ = "0.1.0"

__all__ = [
    "AccessDenied",
    "Act",
    "Answer",
    "Book",
    "Checkpoint",
    "CheckpointNotFound",
    "ConnectionFailed",
    "Edit",
    "Event",
    "ForkbookError",
    "History",
    "InvalidInput",
    "NotFound",
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
    "compare",
    "connect",
    "migrate",
    "verify",
]
