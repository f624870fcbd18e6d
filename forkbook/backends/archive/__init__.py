"""The archive, a `.forkbook` file: threads in one SQLite database, each value once, one digest per thread.

The rooms: `text` (values as bytes), `pack` and `unpack` (a thread taken apart and put together), `file` (the file),
`read` and `store` (one thread), `verification`, `backend` (the contract), `cache` (a server's threads with an
archive beside).
"""

from .backend import ArchiveBackend
from .cache import CachedBackend
from .verification import VerifyReport, verify

__all__ = ["ArchiveBackend", "CachedBackend", "VerifyReport", "verify"]
