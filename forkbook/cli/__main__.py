"""`python -m forkbook.cli`."""

from .app import app

app(prog_name="forkbook")
