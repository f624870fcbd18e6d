"""`forkbook` in a terminal: one file per command in `commands`, `app` above them."""

from .app import app

__all__ = ["app"]
