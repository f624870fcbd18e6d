"""Which columns a Postgres store has: not every version and writer of LangGraph makes all of them. Pure.

LangGraph.js and Python's savers before 2.0.13 keep no path of tasks; ShallowPostgresSaver keeps one checkpoint a thread
and namespace, so that neither checkpoints nor blobs bear an id.
"""

from collections.abc import Iterable
from dataclasses import dataclass

COLUMNS = """
select relname::text, attname::text, coalesce(collisdeterministic, true)
from pg_attribute join pg_class on pg_class.oid = attrelid left join pg_collation on pg_collation.oid = attcollation
where attrelid = any(array(select to_regclass(name) from unnest(%s::text[]) name)) and attnum > 0 and not attisdropped
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """SQL for what may have no column of its own.

    Attributes:
        id: A checkpoint's id.
        parent: Its parent's.
        version: The version of a channel's value; null: there is only one.
        path: A task's path.
        exact: What follows a text that is compared: "" where equal texts have equal bytes, as nearly everywhere.
    """

    id: str = "checkpoint_id"
    parent: str = "parent_checkpoint_id"
    version: str = "version"
    path: str = "task_path"
    exact: str = ""


def layout_of(columns: Iterable[tuple[str, str, bool]]) -> Layout:
    """The layout of a store with these columns, each with its table, and whether equal texts in it have equal bytes."""
    columns = list(columns)
    there = {column[:2] for column in columns}
    return Layout(
        id="checkpoint_id" if ("checkpoints", "checkpoint_id") in there else "checkpoint->>'id'",
        parent="parent_checkpoint_id" if ("checkpoints", "parent_checkpoint_id") in there else "null::text",
        version="version" if ("checkpoint_blobs", "version") in there else "null::text",
        path="task_path" if ("checkpoint_writes", "task_path") in there else "''::text",
        exact="" if all(exact for _, _, exact in columns) else ' collate "C"',
    )
