"""Open the history of LangGraph threads: every checkpoint and branch, as a picture and as DataFrames."""

from .acts import Act
from .book import Book, connect
from .checkpoint import Checkpoint
from .errors import (
    CheckpointNotFound,
    ForkbookError,
    InvalidInput,
    NotFound,
    Refused,
    SourceError,
    ThreadBusy,
    ThreadNotFound,
    Unsupported,
)
from .history import History

__all__ = [
    "Act",
    "Book",
    "Checkpoint",
    "CheckpointNotFound",
    "ForkbookError",
    "History",
    "InvalidInput",
    "NotFound",
    "Refused",
    "SourceError",
    "ThreadBusy",
    "ThreadNotFound",
    "Unsupported",
    "connect",
]
