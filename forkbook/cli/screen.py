"""What a command says: its result on stdout, as text or as one JSON document; all else on stderr; secrets nowhere."""

import io
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..errors import ForkbookError, InvalidInput, NotFound, SourceError
from ..model.held import Secret
from ..model.text import visible

OK, DIFFERENT, MISUSED, UNREACHABLE, INTERRUPTED, READER_GONE = 0, 1, 2, 3, 130, 141
HERE = (  # what Python's names in an error are called in a terminal
    (r"fb\.connect\(…, budget=fb\.Budget\((\w+)=…\)\)", r"--budget \1=…"),
    (r"^Budget\((\w+=.*?)\): ", r"--budget \1: "),
    (r"book\.threads\(\)", "`forkbook threads SRC`"),
    (r"book\.export\([^)]*\)", "`forkbook export`"),
    (r"fb\.verify\(\)", "`forkbook verify`"),
    (r" \(fb\.connect\('([^']*)'\)\)( or a compiled graph with its checkpointer \(fb\.connect\(graph\)\))?", r", \1,"),
    (r"connect\(\) an api_key", "--api-key, or --env-file with a file that holds a key"),
    (r"\bapi_key\b", "--api-key"),
    (r"\binsecure=True\b", "--insecure"),
    (r"\bsecrets=True takes\b", "--secrets takes"),
    (r"\bassistant='…'", "--assistant NAME"),
    (r"\bon_conflict[ =]'?(\w+)'?", r"--on-conflict \1"),
)
UNTOUCHED = "Nothing was written."
STOPPING = "Stopping ..."
LEAST_CELL = 24  # columns of a table's last cell, or it has a line of its own
MOST_LINES = 20
UNCUT = 2000  # columns of a line that no terminal shows
SECRET_LENGTH = 6  # what is shorter may be a word of its own


class Screen:
    """Where one command says what it found.

    Attributes:
        json: Whether the result is one JSON document on stdout, and text goes to stderr.
        known: What a document says beside the error that ended the command.
    """

    def __init__(self) -> None:
        self.json = False
        self.known: Mapping[str, Any] = {}
        self._secrets: list[Secret] = []

    def hide(self, secret: Secret) -> Secret:
        """Never say a secret, whoever repeats it; gives it back."""
        if len(secret.reveal().strip()) >= SECRET_LENGTH:
            self._secrets.append(secret)
        return secret

    @property
    def width(self) -> int:
        """Columns of a line of text."""
        return _console(stderr=self.json).width

    def document(self, value: Any) -> None:
        """Say the result as JSON, if that was asked for; ASCII alone, so that no foreign text commands a terminal."""
        if self.json:
            sys.stdout.write(self._hidden(json.dumps(value, indent=2, default=_plain)) + "\n")

    def line(self, text: Text) -> None:
        """Say a line that is shown already; if it is too long for the terminal, it ends in an ellipsis."""
        _say(text, stderr=self.json, cut=True)

    def words(self, text: str, style: str = "", indent: int = 0) -> None:
        """Say a text of any length; it is wrapped."""
        said = Text(self.shown(text), style)
        _say(Padding(said, (0, 0, 0, indent)), stderr=self.json)

    def command(self, text: str) -> None:
        """Say a command on a line of its own, unbroken, to be copied."""
        _say(Text(f"    {self.shown(text)}"), stderr=self.json, soft=True)

    def note(self, text: str, style: str = "dim") -> None:
        """Say what is no part of the result, on stderr."""
        _say(Text(self.shown(text), style), stderr=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Say a table; where little room is left for the last cells they have lines of their own. What is too long for
        its line ends in an ellipsis."""
        rows = [[visible(self._hidden(cell)) for cell in row] for row in rows]
        taken = sum(max(cell_len(row[place]) for row in (columns, *rows)) + 2 for place in range(len(columns) - 1))
        below = self.width - taken < LEAST_CELL
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns[:-1] if below else columns:
            table.add_column(column, no_wrap=True, overflow="ellipsis")
        for row in rows:
            table.add_row(*map(Text, row[:-1] if below else row))
        if not below:
            table.columns[-1].max_width = self.width - taken
        said = _rendered(table, stderr=self.json)
        if below and rows:
            head, *lines = said.split("\n")
            last = _rendered(Group(*(Text(f"  {row[-1]}") for row in rows)), stderr=self.json, cut=True).split("\n")
            said = "\n".join([head, *(line for both in zip(lines, last, strict=True) for line in both if line), ""])
        _write(said, stderr=self.json)

    def counts(self, counted: Iterable[tuple[str, int]]) -> None:
        """Say numbers, each behind its name."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column()
        table.add_column(justify="right", style="bold")
        for name, number in counted:
            table.add_row(Text(f"  {self.shown(name)}"), f"{number:,}")
        _say(table, stderr=self.json)

    def some(self, lines: Sequence[str], style: str = "", most: int = MOST_LINES) -> None:
        """Say lines of any length, the first of them; then how many more there are."""
        for line in lines[:most]:
            self.words(visible(line), style, indent=2)
        if len(lines) > most:
            self.words(f"… and {len(lines) - most:,} more; --json has all", style, indent=2)

    def fail(self, error: ForkbookError) -> int:
        """Say an error; the exit code that it means."""
        code, message = code_of(error), here(str(error))
        _say(
            Text(self.shown(f"forkbook: {message}"), "red"), stderr=True, soft=True
        )  # a path stays whole, to be copied
        self.document(
            {
                **self.known,
                "ok": False,
                "error": {
                    "kind": type(error).__name__,
                    "message": message,
                    "thread_id": error.thread_id,
                    "checkpoint_id": error.checkpoint_id,
                    "candidates": list(error.candidates),
                },
                "exit_code": code,
            }
        )
        return code

    def interrupted(self, interrupt: KeyboardInterrupt) -> int:
        """Say that Ctrl-C came, and what became of what was under way; the exit code."""
        notes = getattr(interrupt, "__notes__", ())
        said = " ".join(["Stopped.", *(notes or [UNTOUCHED])])
        error = {"kind": "Interrupted", "message": said}
        self.document({**self.known, "ok": False, "error": error, "exit_code": INTERRUPTED})
        self.note(f"\n{said}", "yellow")
        return INTERRUPTED

    def shown(self, text: str) -> str:
        """A text as it may be shown: no control characters, no secrets; lines stay lines."""
        return "\n".join(map(visible, self._hidden(text).split("\n")))

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            for said in (secret.reveal().strip(), json.dumps(secret.reveal().strip())[1:-1]):
                text = text.replace(said, "…")
        return text


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    uncut = None if stream.isatty() or "COLUMNS" in os.environ else UNCUT
    return Console(stderr=stderr, width=uncut, highlight=False, markup=False, emoji=False)


def _say(what: RenderableType, *, stderr: bool, cut: bool = False, soft: bool = False) -> None:
    _write(_rendered(what, stderr=stderr, cut=cut, soft=soft), stderr=stderr)


def _rendered(what: RenderableType, *, stderr: bool, cut: bool = False, soft: bool = False) -> str:
    """Lines without the spaces that fill them; `soft` leaves it to the terminal where a line breaks."""
    console = _console(stderr=stderr)
    with console.capture() as captured:
        console.print(what, no_wrap=cut, overflow="ellipsis" if cut else None, soft_wrap=soft)
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


def _write(text: str, *, stderr: bool) -> None:
    (sys.stderr if stderr else sys.stdout).write(text)


def code_of(error: ForkbookError) -> int:
    """The exit code that an error means."""
    if isinstance(error, InvalidInput | NotFound):
        return MISUSED
    return UNREACHABLE if isinstance(error, SourceError) else DIFFERENT


def prepare_streams() -> None:
    """Show progress on a terminal only, and let no character stop a command; before the first bar is imported."""
    if not sys.stderr.isatty():
        os.environ["TQDM_DISABLE"] = "1"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def reader_gone() -> int:
    """Say nothing more on stdout, not at the interpreter's end either; the exit code."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_GONE


def here(text: str) -> str:
    """An error's text in the words of a terminal."""
    for there, word in HERE:
        text = re.sub(there, word, text)
    return text


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


@contextmanager
def say_when_stopping(words: str = STOPPING) -> Iterator[None]:
    """Answer Ctrl-C at once, where what is under way has to be ended first."""
    in_charge = threading.current_thread() is threading.main_thread()
    if not in_charge or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def say_and_stop(number: int, frame: FrameType | None) -> None:
        os.write(2, f"\n{words}\n".encode())  # a stream may be in the middle of a write
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, say_and_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
