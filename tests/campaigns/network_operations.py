"""What is done on a server, whatever goes wrong with it and the network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import forkbook as fb


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
