"""The DataFrames: one grain each, ids first so that they join, the same columns and dtypes when empty.

Each frame is a table here, with one row per column: its name, its dtype, what a cell says, and how it is got from what
a row is about (see `frame_rows`). To add a column, add a row to a table, and its name to the docstring of the method.

Dtypes: ids and text are `string`, counts and tokens `Int64` (nullable), times `datetime64[us, UTC]`, labels with few
values `category`; lists and dicts stay objects, which are JSON text in files (see `frame_files`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from . import frame_rows
from .columns import BOOL, FLOAT, INT, OBJECT, TEXT, TIME, Column, Columns, Row, Table
from .facts import SOURCES, STATUSES, Facts
from .frame_rows import AtCheckpoint, BranchRow, CheckpointRow, MessageRow, PathRow, TaskRow
from .model.label import Label
from .model.messages import role, text, tool_calls
from .model.secrets import masked
from .model.text import without_surrogates
from .tokens import Totals
from .tokens.prices import Bill
from .tokens.usage import model_of

if TYPE_CHECKING:
    import pandas as pd

SOURCE, STATUS = SOURCES, STATUSES
METHOD = ("reported", "tokenizer:o200k", "approximate", "mixed", "none", "unknown")
ROLE = ("human", "ai", "system", "tool", "chat")
VALUES = {"values", "interrupts", "error"}  # of a thread's record: what its graph made, so nothing is a secret by name
NO_LABELS: Mapping[str, Label] = {}
PER_PATH = (
    "total_tokens is what the path to each tip spent. Paths overlap in what branches share, so the column is not to be "
    "summed: history.total_tokens is what the whole thread spent."
)


class Spending(Protocol):
    """A row about something that spent tokens."""

    @property
    def sums(self) -> Totals:
        """What it spent."""


class Priced(Protocol):
    """A row about something that cost money."""

    @property
    def bill(self) -> Bill | None:
        """What it cost; None: nothing to say."""


def _graph_id(thread: Row) -> Any:
    return (thread.get("metadata") or {}).get("graph_id")


def _money(row: Priced, name: str) -> Any:
    return None if row.bill is None else money(row.bill)[name]


# fmt: off
IDS = Table[AtCheckpoint](
    Column("thread_id", TEXT, "The thread.", lambda row: row.facts.thread_id),
    Column("checkpoint_ns", TEXT, "The namespace; empty in the root graph.", lambda row: row.head.ns),
)
DETAILS = Table[Spending](
    Column("cache_read_tokens", INT, "Input tokens read from a cache; null: not reported.",
           lambda row: row.sums.cache_read),
    Column("cache_creation_tokens", INT, "Input tokens written to a cache; null: not reported.",
           lambda row: row.sums.cache_creation),
    Column("reasoning_tokens", INT, "Output tokens of reasoning; null: not reported.", lambda row: row.sums.reasoning),
)
PRICED = Table[Priced](
    Column("cost", FLOAT, "Money for the spent tokens whose model has a price.", lambda row: _money(row, "cost")),
    Column("unpriced_tokens", INT, "The spent tokens whose model has no price.",
           lambda row: _money(row, "unpriced_tokens")),
)
PATH_PRICED = Table[PathRow](
    Column("shared_cost", FLOAT, "The part of `cost` for checkpoints that other paths hold, too.",
           lambda row: _path_money(row, "shared_cost")),
    Column("own_cost", FLOAT, "The rest of `cost`.", lambda row: _path_money(row, "own_cost")),
    Column("cost", FLOAT, "Money for the spent tokens whose model has a price.", lambda row: _path_money(row, "cost")),
    Column("unpriced_tokens", INT, "The spent tokens whose model has no price.",
           lambda row: _path_money(row, "unpriced_tokens")),
)

THREADS = Table[Row](
    Column("thread_id", TEXT, "The thread.", lambda thread: thread.get("thread_id")),
    Column("status", TEXT, "idle, busy, interrupted or error; null: the place does not know.",
           lambda thread: thread.get("status")),
    Column("created_at", TIME, "When it was made.", lambda thread: thread.get("created_at")),
    Column("updated_at", TIME, "When it changed last.", lambda thread: thread.get("updated_at")),
    Column("graph_id", TEXT, "The graph that it ran, as its metadata names it.", _graph_id),
    Column("metadata", OBJECT, "Its metadata, a dict; secrets are `***`.", lambda thread: thread.get("metadata") or {}),
)
CHECKPOINTS = Table[CheckpointRow](
    *IDS.columns,
    Column("checkpoint_id", TEXT, "The checkpoint.", lambda row: row.head.id),
    Column("parent_id", TEXT, "The checkpoint before it; null at a root.", lambda row: row.head.parent_id),
    Column("step", INT, "LangGraph's superstep; an input is -1.", lambda row: row.head.step),
    Column("source", SOURCE, "What wrote it: input, loop, update, or fork (a replay).", lambda row: row.head.source),
    Column("title", TEXT, "What made it: the nodes that ran, or what was edited.", lambda row: row.title),
    Column("created_at", TIME, "When it was written.", lambda row: row.state["created_at"]),
    Column("run_id", TEXT, "The run that wrote it; null after an edit.", lambda row: row.facts.run_id(row.position)),
    Column("next", OBJECT, "The nodes that run next, a list; null: unknown.", lambda row: row.next),
    Column("branch", TEXT, "The label of its branch.", lambda row: row.facts.tree.label(row.position)),
    Column("is_tip", BOOL, "Whether no checkpoint follows it.", lambda row: not row.children),
    Column("is_fork_point", BOOL, "Whether several checkpoints follow it.", lambda row: row.children > 1),
    Column("interrupted", BOOL, "Whether one of its tasks raised an interrupt.", lambda row: row.interrupted),
    Column("error", TEXT, "The exceptions of its tasks.", lambda row: row.facts.error(row.position)),
    Column("n_messages", INT, "The messages in its state.", lambda row: row.ledger.n_messages[row.position]),
    Column("context_tokens", INT, "The tokens of these messages.", lambda row: row.ledger.context[row.position]),
    Column("context_method", METHOD, "How these were counted.", lambda row: row.ledger.counter),
    Column("spent_tokens", INT, "Tokens spent here; null: none. They add up to the thread's total.",
           lambda row: row.spent),
    Column("method", METHOD, "How the spent tokens were got.", lambda row: row.method),
    Column("seconds", FLOAT, "Since the parent; null where people's time may be in between.",
           lambda row: row.facts.seconds(row.position)),
    *DETAILS.columns,
    Column("unknown_blocks", INT, "Images and other content blocks that `context_tokens` lacks.",
           lambda row: row.ledger.unknown[row.position]),
    Column("inside_id", TEXT, "In a subgraph the checkpoint outside, whose task ran it.", lambda row: row.host_id),
    Column("inside_task_id", TEXT, "That task.", lambda row: row.host_task_id),
    Column("known_tokens", INT, "The least that `spent_tokens` can be; the same where they are known.",
           lambda row: row.known),
    Column("unknown_channels", OBJECT, "Channels that may hide messages; then counts are null.",
           lambda row: row.hidden),
    Column("label", TEXT, "The label that somebody gave it; null: none, or not known here.", lambda row: row.label),
)
MESSAGES = Table[MessageRow](
    *IDS.columns,
    Column("checkpoint_id", TEXT, "The checkpoint where this version is new.", lambda row: row.head.id),
    Column("message_id", TEXT, "The message's id; null: it has none.", lambda row: row.message.get("id")),
    Column("created_at", TIME, "When that checkpoint was written.", lambda row: row.state["created_at"]),
    Column("role", ROLE, "Who says it.", lambda row: role(row.message)),
    Column("name", TEXT, "The name that the message has.", lambda row: row.message.get("name")),
    Column("model", TEXT, "The model that the message names.", lambda row: model_of(row.message)),
    Column("text", TEXT, "What it says.", lambda row: text(row.message)),
    Column("tool_calls", OBJECT, "Its tool calls, a list of dicts.", lambda row: tool_calls(row.message)),
    Column("branches", OBJECT, "The labels of the branches that hold this version.", lambda row: row.branches),
    Column("input_tokens", INT, "Tokens that the model read; null where nothing was spent.",
           lambda row: row.spent and row.spent.input),
    Column("output_tokens", INT, "Tokens that it wrote.", lambda row: row.spent and row.spent.output),
    Column("total_tokens", INT, "Both.", lambda row: row.spent and row.spent.total),
    Column("method", METHOD, "How these were got.", lambda row: row.method),
    *DETAILS.columns,
    Column("unknown_blocks", INT, "Images and other content blocks whose tokens are unknown.",
           lambda row: row.ledger.unknown_of(row.item.message)),
)
TASKS = Table[TaskRow](
    *IDS.columns,
    Column("checkpoint_id", TEXT, "The checkpoint that it starts from.", lambda row: row.head.id),
    Column("task_id", TEXT, "The task.", lambda row: row.task.get("id")),
    Column("name", TEXT, "The node; null: the place does not know it.", lambda row: row.task.get("name")),
    Column("path", OBJECT, "LangGraph's path of the task, a list.", lambda row: row.task.get("path")),
    Column("error", TEXT, "Its exception.", lambda row: row.error),
    Column("interrupts", OBJECT, "The interrupts that it raised.", lambda row: row.task.get("interrupts")),
    Column("writes", OBJECT, "The channels that it wrote; null: nothing yet.", lambda row: row.task.get("result")),
    Column("seconds", FLOAT, "How long it took, where checkpoints say so; see `tasks_rows`.", lambda row: row.seconds),
)
BRANCHES = Table[BranchRow](
    *IDS.columns,
    Column("branch", TEXT, "Its label; in a subgraph that of the namespace.",
           lambda row: row.facts.tree.labels[row.number]),
    Column("tip_id", TEXT, "Its last checkpoint.", lambda row: row.head.id),
    Column("fork_point_id", TEXT, "The checkpoint that it was forked from; null: it begins at a root.",
           lambda row: row.fork_point_id),
    Column("n_checkpoints", INT, "Checkpoints from the root to its tip.", lambda row: row.depth),
    Column("n_own", INT, "Those of them on the branch itself.", lambda row: row.own),
    Column("status", STATUS, "What its tip waits for.", lambda row: row.facts.status(row.position)),
    Column("started_at", TIME, "When its first checkpoint was written.", lambda row: row.started_at),
    Column("ended_at", TIME, "When its tip was written.", lambda row: row.state["created_at"]),
)
TOKENS = Table[PathRow](
    *IDS.columns,
    Column("branch", TEXT, "The branch's label.", lambda row: row.facts.tree.labels[row.number]),
    Column("tip_id", TEXT, "The tip.", lambda row: row.head.id),
    Column("shared_tokens", INT, "Tokens spent at checkpoints that another tip's path holds, too.",
           lambda row: row.shared.total),
    Column("own_tokens", INT, "Tokens spent on the rest of the path.", lambda row: row.sums.beyond(row.shared)),
    Column("total_tokens", INT, "Both: all that the path spent. Paths overlap, so do not sum it.",
           lambda row: row.sums.total),
    Column("input_tokens", INT, "The part that models read.", lambda row: row.sums.input),
    Column("output_tokens", INT, "The part that they wrote.", lambda row: row.sums.output),
    Column("reported_tokens", INT, "The part that models reported.", lambda row: row.sums.reported),
    Column("estimated_tokens", INT, "The rest, counted by `context_method`.", lambda row: row.sums.estimated),
    Column("method", METHOD, "How the tokens were got.", lambda row: row.ledger.method(row.sums)),
    Column("context_tokens", INT, "The tokens of the messages at the tip.",
           lambda row: row.ledger.context[row.position]),
    Column("context_method", METHOD, "How these were counted.", lambda row: row.ledger.counter),
    *DETAILS.columns,
    Column("unknown_blocks", INT, "Content blocks at the tip whose tokens `context_tokens` lacks.",
           lambda row: row.ledger.unknown[row.position]),
    Column("known_tokens", INT, "The least that `total_tokens` can be.", lambda row: row.sums.known.total),
)


# fmt: on


def frame(rows: Sequence[Row], columns: Columns) -> "pd.DataFrame":
    """Rows as a DataFrame of exactly these columns and dtypes; a tuple of names is a categorical of them.

    It is a `forkbook.frame_files.Frame`, which goes to Parquet, Excel and other files as it is.
    """
    import pandas as pd

    from .frame_files import Frame

    series = {}
    dtype: Any
    for name, dtype in columns.items():
        data: list[Any] = [row.get(name) for row in rows]
        if isinstance(dtype, tuple):
            data = [without_surrogates(value) if isinstance(value, str) else value for value in data]
            others = sorted({value for value in data if value is not None} - set(dtype))
            series[name] = pd.Series(pd.Categorical(data, categories=[*dtype, *others]))
        elif dtype == TIME:
            series[name] = pd.to_datetime(pd.Series(data, dtype="object"), utc=True, format="ISO8601").astype(dtype)
        elif dtype == TEXT:
            series[name] = _texts(data)
        else:
            series[name] = pd.Series(data, dtype=dtype)
    return Frame(series)


def _texts(data: list[Any]) -> "pd.Series[Any]":
    """Texts as a column; a lone surrogate in one of them is shown as its escape."""
    import pandas as pd

    try:
        return pd.Series(data, dtype=TEXT)
    except UnicodeEncodeError:
        shown = [without_surrogates(text) if isinstance(text, str) else text for text in data]
        return pd.Series(shown, dtype=TEXT)


def with_prices(columns: Columns, prices: Any) -> Columns:
    """The columns of a frame, with those of its prices if there are any; paths have a shared and an own part."""
    if prices is None:
        return columns
    return {**columns, **(PATH_PRICED if "own_tokens" in columns else PRICED)}


def threads_rows(threads: list[dict[str, Any]], *, secrets: bool = False) -> Iterator[Row]:
    """One row per thread: its record, and the columns of `THREADS`. Secrets are `***`, unless they are asked for."""
    for record in threads:
        thread = record if secrets else record | masked({name: record[name] for name in record.keys() - VALUES})
        yield thread | THREADS.row(thread)


def checkpoints_rows(facts: Facts, prices: Any = None, labels: Mapping[str, Label] = NO_LABELS) -> Iterator[Row]:
    """One row per checkpoint, oldest first.

    Args:
        facts: The thread.
        prices: See `forkbook.tokens.prices.rate_of`; with them there is also what each checkpoint cost.
        labels: What people wrote on checkpoints, by their ids.

    Example:
        >>> from forkbook.frames import checkpoints_rows
        >>> [row["title"] for row in checkpoints_rows(history.facts)][-2:]
        ['edit topic=chickens', 'write_joke']
    """
    for row in frame_rows.checkpoints(facts, prices, labels):
        yield CHECKPOINTS.row(row) | _priced(row, prices)


def messages_rows(facts: Facts, prices: Any = None) -> Iterator[Row]:
    """One row per message version, at the checkpoint where it is new; its tokens where it spends, so they add up."""
    for row in frame_rows.messages(facts, prices):
        yield MESSAGES.row(row) | _priced(row, prices)


def tasks_rows(facts: Facts) -> Iterator[Row]:
    """One row per task, under the checkpoint it starts from.

    `seconds` is how long it took, where the times of checkpoints say so. For a task that ran alone in its superstep:
    from its checkpoint to the next one of the same run. For one whose subgraph was read: from the subgraph's first
    checkpoint to its last. Null for other tasks that ran side by side, and where an interrupt, an error, an edit or a
    replay came between. LangGraph keeps no time of tasks.
    """
    return map(TASKS.row, frame_rows.tasks(facts))


def branches_rows(facts: Facts, subgraphs: bool = False) -> Iterator[Row]:
    """One row per branch of the root graph; with `subgraphs` of every namespace."""
    return map(BRANCHES.row, frame_rows.branches(facts, subgraphs))


def tokens_rows(facts: Facts, prices: Any = None, subgraphs: bool = False) -> Iterator[Row]:
    """One row per path to a tip; `shared_tokens` + `own_tokens` = `total_tokens` = reported + estimated.

    What the subgraphs of its tasks spent is on the path, too, as far as they were read. With `subgraphs` their own tips
    have rows as well: then add up the rows of one namespace, not all of them.

    Example:
        >>> from forkbook.frames import tokens_rows
        >>> [row["total_tokens"] for row in tokens_rows(history.facts)]
        [21, 18]
    """
    for row in frame_rows.paths(facts, prices, subgraphs):
        yield TOKENS.row(row) | ({} if prices is None else PATH_PRICED.row(row))


def _priced(row: Priced, prices: Any) -> dict[str, Any]:
    return {} if prices is None else PRICED.row(row)


def _path_money(row: PathRow, name: str) -> Any:
    return None if row.bills is None else money_of_path(*row.bills)[name]


def tokens(sums: Totals) -> dict[str, int | None]:
    """The columns of input, output and total tokens."""
    return {"input_tokens": sums.input, "output_tokens": sums.output, "total_tokens": sums.total}


def details(sums: Totals) -> dict[str, int | None]:
    """The columns of what a part of the tokens was; None: not reported."""
    return dict(zip(DETAILS, (sums.cache_read, sums.cache_creation, sums.reasoning), strict=True))


def money(sums: Bill) -> dict[str, Any]:
    """The columns of cost; None where some of what was spent is unknown."""
    return dict(zip(PRICED, (sums.cost, sums.unpriced) if sums.is_known else (None, None), strict=True))


def money_of_path(shared: Bill, own: Bill) -> dict[str, Any]:
    """The columns of cost of a path; where anything has a price, a part that has none costs 0."""
    whole = shared.plus(own)
    costs = [None if whole.cost is None or not part.is_known else part.cost or 0.0 for part in (shared, own)]
    return money(whole) | dict(zip(("shared_cost", "own_cost"), costs, strict=True))
