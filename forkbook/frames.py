"""The DataFrames: one grain each, ids first so that they join, the same columns and dtypes when empty.

Dtypes: ids and text are `string`, counts and tokens `Int64` (nullable), times `datetime64[us, UTC]`, labels with few
values `category`; lists and dicts stay objects, which are JSON text in files (see `frame_files`).
"""

from collections.abc import Iterator
from functools import reduce
from typing import TYPE_CHECKING, Any

from .columns import BOOL, FLOAT, INT, OBJECT, TEXT, TIME, Columns, Row
from .facts import SOURCES, STATUSES, Facts
from .model.messages import role, text, tool_calls
from .model.secrets import masked
from .model.text import without_surrogates
from .model.tree import Tree
from .tokens import Ledger, New, Totals, branches_holding
from .tokens.prices import Bill, bill, rate_of
from .tokens.usage import model_of

if TYPE_CHECKING:
    import pandas as pd

SOURCE, STATUS = SOURCES, STATUSES
METHOD = ("reported", "tokenizer:o200k", "approximate", "mixed", "none", "unknown")
ROLE = ("human", "ai", "system", "tool", "chat")
IDS: Columns = {"thread_id": TEXT, "checkpoint_ns": TEXT}
DETAILS: Columns = {"cache_read_tokens": INT, "cache_creation_tokens": INT, "reasoning_tokens": INT}
VALUES = {"values", "interrupts", "error"}  # of a thread's record: what its graph made, so nothing is a secret by name
PRICED: Columns = {"cost": FLOAT, "unpriced_tokens": INT}
PATH_PRICED: Columns = {"shared_cost": FLOAT, "own_cost": FLOAT}

THREADS: Columns = {
    "thread_id": TEXT, "status": TEXT, "created_at": TIME, "updated_at": TIME, "graph_id": TEXT, "metadata": OBJECT,
}  # fmt: skip
CHECKPOINTS: Columns = {**IDS,
    "checkpoint_id": TEXT, "parent_id": TEXT, "step": INT, "source": SOURCE, "title": TEXT, "created_at": TIME,
    "run_id": TEXT, "next": OBJECT, "branch": TEXT, "is_tip": BOOL, "is_fork_point": BOOL, "interrupted": BOOL,
    "error": TEXT, "n_messages": INT, "context_tokens": INT, "context_method": METHOD, "spent_tokens": INT,
    "method": METHOD, "seconds": FLOAT, **DETAILS, "unknown_blocks": INT, "inside_id": TEXT, "inside_task_id": TEXT,
    "known_tokens": INT, "unknown_channels": OBJECT,
}  # fmt: skip
MESSAGES: Columns = {**IDS,
    "checkpoint_id": TEXT, "message_id": TEXT, "created_at": TIME, "role": ROLE, "name": TEXT, "model": TEXT,
    "text": TEXT, "tool_calls": OBJECT, "branches": OBJECT, "input_tokens": INT, "output_tokens": INT,
    "total_tokens": INT, "method": METHOD, **DETAILS, "unknown_blocks": INT,
}  # fmt: skip
TASKS: Columns = {**IDS,
    "checkpoint_id": TEXT, "task_id": TEXT, "name": TEXT, "path": OBJECT, "error": TEXT, "interrupts": OBJECT,
    "writes": OBJECT, "seconds": FLOAT,
}  # fmt: skip
BRANCHES: Columns = {**IDS,
    "branch": TEXT, "tip_id": TEXT, "fork_point_id": TEXT, "n_checkpoints": INT, "n_own": INT, "status": STATUS,
    "started_at": TIME, "ended_at": TIME,
}  # fmt: skip
TOKENS: Columns = {**IDS,
    "branch": TEXT, "tip_id": TEXT, "shared_tokens": INT, "own_tokens": INT, "total_tokens": INT, "input_tokens": INT,
    "output_tokens": INT, "reported_tokens": INT, "estimated_tokens": INT, "method": METHOD, "context_tokens": INT,
    "context_method": METHOD, **DETAILS, "unknown_blocks": INT, "known_tokens": INT,
}  # fmt: skip
PER_PATH = (
    "total_tokens is what the path to each tip spent. Paths overlap in what branches share, so the column is not to be "
    "summed: history.total_tokens is what the whole thread spent."
)


def frame(rows: list[Row], columns: Columns) -> "pd.DataFrame":
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
    return {**columns, **(PATH_PRICED if "own_tokens" in columns else {}), **PRICED}


def threads_rows(threads: list[dict[str, Any]], *, secrets: bool = False) -> Iterator[Row]:
    """A row a thread; `metadata` is a dict. Secrets in it are `***`, unless they are asked for."""
    for record in threads:
        thread = record if secrets else record | masked({name: record[name] for name in record.keys() - VALUES})
        metadata = thread.get("metadata") or {}
        yield thread | {"graph_id": metadata.get("graph_id"), "metadata": metadata}


def checkpoints_rows(facts: Facts, prices: Any = None) -> Iterator[Row]:
    """A row a checkpoint, oldest first.

    `title` says what made it, `next` is a list of node names (None: unknown), `interrupted` whether a task of it raised
    an interrupt. `context_tokens` and `spent_tokens` count tokens; `spent_tokens` is null where no AI message was
    spent, and adds up to the thread's total. `method` tells how spent tokens were got, `context_method` the context's.
    Where a part of the state is unknown, so that messages may be hidden, counts and sums over it are null:
    `unknown_channels` names the channels (`__root__`: the whole state), `method` of spent tokens is then `unknown`, and
    `known_tokens` the least that they can be; else it is the same as `spent_tokens`.
    `seconds` since the parent: null at and after an input, update or fork, and after an interrupted parent.
    `cache_read_tokens` and `cache_creation_tokens` are a part of the input, `reasoning_tokens` of the output; null
    where no model reported them. `unknown_blocks` counts the content blocks in the state (images, files …) whose tokens
    are unknown: `context_tokens` lacks them; 0 where a user's own function counts whole
    messages. With `prices` (see `forkbook.tokens.prices.rate_of`), `cost` is the money of the spent tokens whose model
    has a price, `unpriced_tokens` counts the others.
    Of a subgraph's checkpoint `inside_id` is the one, a graph further out, whose task `inside_task_id` ran it.
    """
    tree, accounts, bills = facts.tree, facts.ledger, facts.bills(prices)
    for position, (head, state) in enumerate(zip(tree.heads, facts.states, strict=True)):
        spent = accounts.totals([position])
        method = accounts.method(spent)
        yield (
            {
                "thread_id": facts.thread_id,
                "checkpoint_ns": head.ns,
                "checkpoint_id": head.id,
                "parent_id": head.parent_id,
                "step": head.step,
                "source": head.source,
                "title": facts.title(position),
                "created_at": state["created_at"],
                "run_id": (state["metadata"] or {}).get("run_id"),
                "next": None if state["next"] is None else list(state["next"]),
                "branch": tree.label(position),
                "is_tip": not tree.children[position],
                "is_fork_point": len(tree.children[position]) > 1,
                "interrupted": bool(facts.interrupts(position)),
                "error": facts.error(position),
                "n_messages": accounts.n_messages[position],
                "context_tokens": accounts.context[position],
                "context_method": accounts.counter,
                "spent_tokens": None if spent.is_nothing else spent.total,
                "method": method,
                "seconds": facts.seconds(position),
                "unknown_blocks": accounts.unknown[position],
                "inside_id": tree.heads[host].id if (host := tree.inside[position]) >= 0 else None,
                "inside_task_id": (facts.ran_by(position) or {}).get("id"),
                "known_tokens": None if spent.is_nothing else spent.known.total,
                "unknown_channels": list(facts.holdings[position].hidden),
            }
            | details(spent)
            | (money(bills[position]) if bills and method != "none" else {})
        )


def messages_rows(facts: Facts, prices: Any = None) -> Iterator[Row]:
    """A row a message version, at the checkpoint where it is new; its tokens where it spends, so that they add up.

    `branches` lists the labels of the branches that hold this version, `tool_calls` a dict a call. `created_at` is when
    the checkpoint was written, `model` the model that the message names. The details of
    tokens, `unknown_blocks` and, with `prices`, `cost` and `unpriced_tokens` are as in `checkpoints_rows`, of this
    message alone.
    """
    tree, accounts = facts.tree, facts.ledger
    rate = None if prices is None else rate_of(prices)
    holders = branches_holding(accounts)
    for position, brought in enumerate(accounts.new):
        for item in brought:
            sums = Totals().plus([item.spend] if item.spend else [])
            row: dict[str, Any] = {
                "thread_id": facts.thread_id,
                "checkpoint_ns": tree.heads[position].ns,
                "checkpoint_id": tree.heads[position].id,
                "message_id": item.message.get("id"),
                "created_at": facts.states[position]["created_at"],
                "role": role(item.message),
                "name": item.message.get("name"),
                "model": model_of(item.message),
                "text": text(item.message),
                "tool_calls": tool_calls(item.message),
                "branches": holders(position, item.key),
                "method": "unknown" if _untold(accounts, item) else accounts.method(sums),
                "unknown_blocks": accounts.unknown_of(item.message),
            }
            if item.spend:
                row |= tokens(sums) | details(sums)
                row |= money(bill([item.spend], rate, facts.created_at(position))) if rate else {}
            yield row


def _untold(accounts: Ledger, item: New) -> bool:
    """Whether it is unknown what a message version spent."""
    return item.spend is None and role(item.message) == "ai" and accounts.unknown_spent[item.position]


def tasks_rows(facts: Facts) -> Iterator[Row]:
    """A row a task, under the checkpoint it starts from; `writes` are the channels it wrote (None: nothing yet).

    `seconds` is how long it took, as far as the times of checkpoints tell it. For a task that ran alone in its
    superstep: from its checkpoint to the next one of the same run. For one whose subgraph was read: from the subgraph's
    first checkpoint to its last. Null for other tasks that ran side by side, and where an interrupt, an error, an edit
    or a replay came between. LangGraph keeps no time of tasks.
    """
    for position, (head, state) in enumerate(zip(facts.tree.heads, facts.states, strict=True)):
        for task in state["tasks"] or ():
            yield {
                "thread_id": facts.thread_id,
                "checkpoint_ns": head.ns,
                "checkpoint_id": head.id,
                "task_id": task.get("id"),
                "name": task.get("name"),
                "path": task.get("path"),
                "error": None if task.get("error") is None else str(task["error"]),
                "interrupts": task.get("interrupts"),
                "writes": task.get("result"),
                "seconds": facts.task_seconds.get((position, str(task.get("id")))),
            }


def branches_rows(facts: Facts, subgraphs: bool = False) -> Iterator[Row]:
    """A row a branch: `n_checkpoints` on the path from the root to its tip, `n_own` of them on the branch itself.

    Of the root graph alone, with `subgraphs` of every namespace: labels are those of the namespace.
    """
    tree = facts.tree
    depth: list[int] = []
    for parent in tree.parents:
        depth.append(1 + (depth[parent] if parent >= 0 else 0))
    for number, (start, tip) in enumerate(_branches(tree, subgraphs)):
        fork_point = tree.parents[start]
        yield {
            "thread_id": facts.thread_id,
            "checkpoint_ns": tree.heads[tip].ns,
            "branch": tree.labels[number],
            "tip_id": tree.heads[tip].id,
            "fork_point_id": tree.heads[fork_point].id if fork_point >= 0 else None,
            "n_checkpoints": depth[tip],
            "n_own": depth[tip] - depth[start] + 1,
            "status": facts.status(tip),
            "started_at": facts.states[start]["created_at"],
            "ended_at": facts.states[tip]["created_at"],
        }


def _branches(tree: Tree, subgraphs: bool) -> list[tuple[int, int]]:
    """For each branch its first and last position."""
    found = list(zip(tree.starts, tree.tips_by_branch, strict=True))
    return found if subgraphs else found[: tree.outer]


def tokens_rows(facts: Facts, prices: Any = None, subgraphs: bool = False) -> Iterator[Row]:
    """A row a tip's path; `shared_tokens` + `own_tokens` = `total_tokens` = reported + estimated, all spent tokens.

    What the subgraphs of its tasks spent is on the path, too, as far as they were read. With `subgraphs` their own tips
    have rows as well: then the rows of one namespace belong together, not all of them.

    The details of tokens and, with `prices`, `cost` and `unpriced_tokens` are as in `checkpoints_rows`, of the whole
    path, and `shared_cost` + `own_cost` = `cost`; `context_tokens` and `unknown_blocks` are those of the tip.
    """
    tree, accounts, bills = facts.tree, facts.ledger, facts.bills(prices)
    whole, shared = accounts.paths
    parts: list[tuple[Bill, Bill]] = []  # shared and own
    for position, parent in enumerate(tree.parents if bills else ()):
        spent = reduce(Bill.plus, (bills[at] for at in accounts.along([position])))
        before = parts[parent] if parent >= 0 else (Bill(), Bill())
        is_shared = tree.tips_below[position] > 1
        parts.append((before[0].plus(spent), before[1]) if is_shared else (before[0], before[1].plus(spent)))
    for number, (_, tip) in enumerate(_branches(tree, subgraphs)):
        sums = whole[tip]
        yield (
            {
                "thread_id": facts.thread_id,
                "checkpoint_ns": tree.heads[tip].ns,
                "branch": tree.labels[number],
                "tip_id": tree.heads[tip].id,
                "shared_tokens": shared[tip].total,
                "own_tokens": sums.beyond(shared[tip]),
                "reported_tokens": sums.reported,
                "estimated_tokens": sums.estimated,
                "method": accounts.method(sums),
                "context_tokens": accounts.context[tip],
                "context_method": accounts.counter,
                "unknown_blocks": accounts.unknown[tip],
                "known_tokens": sums.known.total,
            }
            | tokens(sums)
            | details(sums)
            | (money_of_path(*parts[tip]) if bills else {})
        )


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
    return money(whole) | dict(zip(PATH_PRICED, costs, strict=True))
