"""The rows of a checkpoint store on Postgres.

A row that is written over gets another `xmin` or `ctid`, so these two are its stamp. The value of a channel stands in a
table of its own, under its version, and is never written over there; only ShallowPostgresSaver knows no versions.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ..values.decode import Decoder
from ..values.plain import opaque
from .kept import Row
from .layout import Layout
from .rows import Saved, Write, parts

LARGEST_BLOB = 64_000_000  # bytes; larger ones are shown as what they are, unread
ROWS_IN_FLIGHT = 50
MANY = 1_000  # checkpoints that are asked for by their ids

ROWS = """
select {id}, {parent}, xmin::text || ctid::text from checkpoints where thread_id = %s and checkpoint_ns = %s
"""
MARK = """
select (select md5(string_agg(xmin::text || ctid::text, ' ' order by ctid)) from checkpoints where {at}),
       (select md5(string_agg(xmin::text || ctid::text, ' ' order by ctid)) from checkpoint_writes where {at}),
       array(select distinct checkpoint_ns from checkpoints where thread_id = %(thread)s order by 1)
"""
AT = "thread_id = %(thread)s and checkpoint_ns = %(ns)s"
CHECKPOINTS = """
select {id}, {parent}, checkpoint, metadata from checkpoints where thread_id = %s and checkpoint_ns = %s
"""
BLOBS = """
select channel, {version}, type, octet_length(blob), case when octet_length(blob) <= %s then blob end
from checkpoint_blobs where thread_id = %s and checkpoint_ns = %s
"""
OF_VERSIONS = "and (channel, {version}) in (select * from unnest(%s::text[], %s::text[]))"
STAMPS = """
select checkpoint_id, string_agg(xmin::text || ctid::text, ' ' order by ctid)
from checkpoint_writes where thread_id = %s and checkpoint_ns = %s group by checkpoint_id
"""
WRITES = """
select checkpoint_id, task_id, {path}, idx, channel, type, octet_length(blob),
       case when octet_length(blob) <= %s then blob end
from checkpoint_writes where thread_id = %s and checkpoint_ns = %s {more}
order by checkpoint_id, {path}, task_id, idx
"""
NAMESPACES = "select distinct checkpoint_ns from checkpoints where thread_id = %s and checkpoint_ns <> ''"
Key = tuple[str, str | None]


class PostgresRows:
    """A namespace of a thread in a Postgres database, at one moment.

    Args:
        connection: A connection in a transaction.
        layout: The store's columns.
        decoder: Decodes its values.
        blobs: The values that were read before, by channel and version; new ones are added.
        at: The thread and the namespace.
    """

    def __init__(
        self, connection: Any, layout: Layout, decoder: Decoder, blobs: dict[Key, Any], at: tuple[str, str]
    ) -> None:
        self._connection, self._layout, self._decoder, self._blobs, self._at = connection, layout, decoder, blobs, at

    def mark(self) -> Any:
        """One value of the stamps of all rows, and the thread's namespaces."""
        thread_id, ns = self._at
        query = MARK.format(at=AT)
        return self._connection.execute(query, {"thread": thread_id, "ns": ns}).fetchone()

    def rows(self) -> list[Row]:
        """Its checkpoints."""
        return [Row(*row) for row in self._connection.execute(self._sql(ROWS), self._at)]

    def checkpoints(self, rows: Sequence[Row]) -> list[Saved]:
        """These checkpoints, without what their tasks wrote."""
        query, ids = self._sql(CHECKPOINTS), [row.id for row in rows]
        few = bool(self._blobs) and len(ids) <= MANY
        found = self._connection.execute(
            query + self._sql("and {id} = any(%s)") * few, [*self._at, *([ids] if few else [])]
        ).fetchall()
        wanted = set(ids)
        found = [row for row in found if row[0] in wanted]
        self._read_blobs(_versions(checkpoint for _, _, checkpoint, _ in found), few=few)
        return [self._saved(*row) for row in found]

    def stamps(self) -> dict[str, str]:
        """By checkpoint id the stamps of its writes."""
        return dict(self._connection.execute(STAMPS, self._at).fetchall())

    def writes(self, ids: Collection[str] | None) -> dict[str, list[Write]]:
        """What tasks wrote, by checkpoint id."""
        found: dict[str, list[Write]] = defaultdict(list)
        query = self._sql(WRITES, more="" if ids is None else "and checkpoint_id = any(%s)")
        more = [] if ids is None else [list(ids)]
        for checkpoint_id, task, path, idx, channel, *value in self._stream(query, LARGEST_BLOB, *self._at, *more):
            found[checkpoint_id].append(Write(task, path, idx, channel, self._value(*value)))
        return found

    def namespaces(self) -> set[str]:
        """The namespaces of the thread's subgraphs."""
        return namespaces_of(self._connection, self._at[0])

    def _read_blobs(self, versions: set[tuple[str, str]], *, few: bool) -> None:
        """Read the values of these channels and versions, where they are not known; with many all there are."""
        if self._layout.version != "version":
            self._blobs.clear()  # they have no versions, so each may be another one now
            few = False
        query, more = self._sql(BLOBS), list[Any]()
        if few:
            missing = sorted(versions - self._blobs.keys())
            if not missing:
                return
            query, more = query + self._sql(OF_VERSIONS), [[key[0] for key in missing], [key[1] for key in missing]]
        for channel, version, *value in self._stream(query, LARGEST_BLOB, *self._at, *more):
            if value[0] != "empty":
                self._blobs[channel, version] = self._value(*value)

    def _sql(self, query: str, **more: str) -> str:
        return query.format(**asdict(self._layout), **more)

    def _stream(self, query: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        """Rows in binary form, a few at a time."""
        with self._connection.cursor("forkbook", binary=True) as cursor:
            cursor.itersize = ROWS_IN_FLIGHT
            cursor.execute(query, parameters)
            yield from cursor

    def _value(self, kind: str | None, size: int | None, blob: bytes | None) -> Any:
        if blob is None and size:
            return opaque(f"larger than {LARGEST_BLOB:,} bytes", size)
        return self._decoder.decode(kind or "null", blob or b"")

    def _saved(self, checkpoint_id: str, parent_id: str | None, checkpoint: Any, metadata: Any) -> Saved:
        rest, inline = parts({"channel_values": {}, **checkpoint} if _is_whole(checkpoint) else checkpoint, 0)
        versions = rest.get("channel_versions", {}).items()
        keys = [(channel, held) for channel, version in versions for held in (None, str(version))]
        values = {key[0]: self._blobs[key] for key in keys if key in self._blobs}
        said = dict(metadata) if isinstance(metadata, dict) else opaque("damaged: this is no metadata", 0)
        snapshots = frozenset(channel for channel, value in values.items() if self._decoder.is_snapshot(value))
        return Saved(*self._at, checkpoint_id, parent_id, rest, {**inline, **values}, said, [], snapshots)


def namespaces_of(connection: Any, thread_id: str) -> set[str]:
    """The namespaces of a thread's subgraphs."""
    return {row[0] for row in connection.execute(NAMESPACES, [thread_id])}


def _is_whole(checkpoint: Any) -> bool:
    return isinstance(checkpoint, dict) and isinstance(checkpoint.get("channel_versions"), dict)


def _versions(checkpoints: Iterable[Any]) -> set[tuple[str, str]]:
    """The channels of these checkpoints with their versions."""
    held = (checkpoint["channel_versions"].items() for checkpoint in checkpoints if _is_whole(checkpoint))
    return {(channel, str(version)) for items in held for channel, version in items}
