"""`forkbook` in a terminal: a module a family of commands, `app` on top of them."""

from .app import app

__all__ = ["app"]
