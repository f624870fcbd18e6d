"""The rows of a checkpoint store on Postgres.

A row that is written over gets another `xmin` or `ctid`, so these two are its stamp. The value of a channel stands in a
table of its own, under its version, and is never written over there; only ShallowPostgresSaver knows no versions.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ..budget import Meter
from ..values.cells import NAME_BYTES, id_of
from ..values.decode import Decoder
from ..values.plain import opaque
from .kept import Row
from .layout import Layout
from .rows import Saved, Write, parts

ROWS_IN_FLIGHT = 50
MANY = 1_000  # checkpoints that are asked for by their ids
LARGEST_LIMIT = 2**31 - 1
PACKED = 256  # how much larger a value may be than what Postgres compressed it to


def name(cell: str) -> str:
    """SQL for an id, a type or another name; where it is too long, for its beginning, which is too long as well."""
    return f"case when octet_length({cell}) > {NAME_BYTES} then left({cell}, {NAME_BYTES + 1}) else {cell} end"


def document(cell: str) -> str:
    """SQL for a cell of JSON, and whether it is left out since it is larger than a parameter.

    Its length is asked for only where it is not clear from what Postgres compressed it to: that takes the text of it.
    """
    fits = f"(pg_column_size({cell}) <= %(most)s / {PACKED} or octet_length({cell}::text) <= %(most)s)"
    return f"case when {fits} then {cell} end, not {fits}"


AT = "thread_id{exact} = %(thread)s and checkpoint_ns{exact} = %(ns)s"
ROWS = f"""
select {name("{id}")}, {name("{parent}")}, xmin::text || ctid::text from checkpoints where {AT} limit %(rows)s
"""  # noqa: S608  # our own columns, here and below
MARK = f"""
select (select md5(string_agg(xmin::text || ctid::text, ' ' order by ctid)) from checkpoints where {AT}),
       (select md5(string_agg(xmin::text || ctid::text, ' ' order by ctid)) from checkpoint_writes where {AT}),
       array(select distinct left(checkpoint_ns, {NAME_BYTES}){{exact}} from checkpoints
             where thread_id{{exact}} = %(thread)s order by 1)
"""  # noqa: S608
CHECKPOINTS = f"""
select {name("{id}")}, {name("{parent}")}, {document("checkpoint")}, {document("metadata")} from checkpoints where {AT}
"""  # noqa: S608
BLOBS = f"""
select {name("channel")}, {name("{version}")}, {name("type")}, octet_length(blob),
       case when octet_length(blob) <= %(most)s then blob end
from checkpoint_blobs where {AT}
"""  # noqa: S608
OF_VERSIONS = """
and (channel{exact}, {version}{exact}) in (select * from unnest(%(channels)s::text[], %(versions)s::text[]))
"""
STAMPS = f"""
select {name("checkpoint_id{exact}")}, string_agg(xmin::text || ctid::text, ' ' order by ctid)
from checkpoint_writes where {AT} group by checkpoint_id{{exact}}
"""  # noqa: S608
WRITES = f"""
select {name("checkpoint_id")}, {name("task_id")}, {name("{path}")}, idx, {name("channel")}, {name("type")},
       octet_length(blob), case when octet_length(blob) <= %(most)s then blob end
from checkpoint_writes where {AT} {{more}}
order by checkpoint_id, {{path}}, task_id, idx
"""  # noqa: S608
NAMESPACES = f"""
select distinct left(checkpoint_ns, {NAME_BYTES + 1}){{exact}} from checkpoints
where thread_id{{exact}} = %(thread)s and checkpoint_ns{{exact}} <> ''
"""  # noqa: S608
Key = tuple[str, str | None]


class PostgresRows:
    """A namespace of a thread in a Postgres database, at one moment.

    Args:
        connection: A connection in a transaction.
        layout: The store's columns.
        decoder: Decodes its values.
        blobs: The values that were read before, by channel and version; new ones are added.
        at: The thread and the namespace.
        meter: Measures this read.
    """

    def __init__(
        self,
        connection: Any,
        layout: Layout,
        decoder: Decoder,
        blobs: dict[Key, Any],
        at: tuple[str, str],
        meter: Meter,
    ) -> None:
        self._connection, self._layout, self._decoder, self._blobs, self._at = connection, layout, decoder, blobs, at
        self._meter, self._most = meter, int(meter.budget.value_bytes)
        self._where = {
            "thread": at[0],
            "ns": at[1],
            "most": self._most,
            "rows": min(int(meter.budget.items) + 1, LARGEST_LIMIT),
        }
        decoder.meter = meter

    def mark(self) -> Any:
        """One value of the stamps of all rows, and the thread's namespaces."""
        return self._connection.execute(self._sql(MARK), self._where).fetchone()

    def rows(self) -> list[Row]:
        """Its checkpoints."""
        found, thread_id = self._rows(ROWS), self._at[0]
        return [
            Row(id_of(id_, "its id", thread_id), id_of(above, "its parent's id", thread_id) if above else None, stamp)
            for id_, above, stamp in found
        ]

    def checkpoints(self, rows: Sequence[Row]) -> list[Saved]:
        """These checkpoints, without what their tasks wrote."""
        ids = [row.id for row in rows]
        few = bool(self._blobs) and len(ids) <= MANY
        wanted = set(ids)
        asked = self._rows(CHECKPOINTS + "and {id} = any(%(ids)s)" * few, ids=ids)
        found = [row for row in asked if row[0] in wanted]
        self._read_blobs(_versions(checkpoint for _, _, checkpoint, *_ in found), few=few)
        return [self._saved(*row) for row in found]

    def stamps(self) -> dict[str, str]:
        """By checkpoint id the stamps of its writes."""
        return dict(self._rows(STAMPS))

    def writes(self, ids: Collection[str] | None) -> dict[str, list[Write]]:
        """What tasks wrote, by checkpoint id."""
        found: dict[str, list[Write]] = defaultdict(list)
        query = self._sql(WRITES, more="" if ids is None else "and checkpoint_id = any(%(ids)s)")
        for checkpoint_id, task, path, idx, channel, *value in self._stream(query, ids=list(ids or ())):
            found[checkpoint_id].append(Write(task, path, idx, channel, self._value(*value)))
        return found

    def namespaces(self) -> set[str]:
        """The namespaces of the thread's subgraphs."""
        return namespaces_of(self._connection, self._layout, self._at[0])

    def _read_blobs(self, versions: set[tuple[str, str]], *, few: bool) -> None:
        """Read the values of these channels and versions, where they are not known; with many all there are."""
        if self._layout.version != "version":
            self._blobs.clear()  # they have no versions, so each may be another one now
            few = False
        missing = sorted(versions - self._blobs.keys()) if few else []
        if few and not missing:
            return
        query, named = self._sql(BLOBS + OF_VERSIONS * few), {"channels": [key[0] for key in missing]}
        for channel, version, *value in self._stream(query, **named, versions=[key[1] for key in missing]):
            if value[0] != "empty":
                self._blobs[channel, version] = self._value(*value)

    def _sql(self, query: str, **more: str) -> str:
        return query.format(**asdict(self._layout), **more)

    def _rows(self, query: str, **more: Any) -> list[tuple[Any, ...]]:
        """All rows of a query, each of which is an item of this read."""
        found: list[tuple[Any, ...]] = self._connection.execute(self._sql(query), self._where | more).fetchall()
        self._meter.take(items=len(found))
        return found

    def _stream(self, query: str, **more: Any) -> Iterator[tuple[Any, ...]]:
        """Rows in binary form, a few at a time."""
        with self._connection.cursor("forkbook", binary=True) as cursor:
            cursor.itersize = ROWS_IN_FLIGHT
            cursor.execute(query, self._where | more)
            for row in cursor:
                self._meter.take(items=1)
                yield row

    def _value(self, kind: str | None, size: int | None, blob: bytes | None) -> Any:
        if blob is None and size:
            return opaque(f"larger than {self._most:,} bytes", size)
        self._meter.take(nbytes=size or 0)
        return self._decoder.decode(kind or "null", blob or b"")

    def _saved(
        self, checkpoint_id: str, parent_id: str | None, checkpoint: Any, large: bool, metadata: Any, larger: bool
    ) -> Saved:
        unread = opaque(f"larger than {self._most:,} bytes", self._most)
        checkpoint, metadata = (unread if large else checkpoint), (unread if larger else metadata)
        rest, inline = parts({"channel_values": {}, **checkpoint} if _is_whole(checkpoint) else checkpoint, 0)
        versions = rest.get("channel_versions", {}).items()
        keys = [(channel, held) for channel, version in versions for held in (None, str(version))]
        values = {key[0]: self._blobs[key] for key in keys if key in self._blobs}
        said = dict(metadata) if isinstance(metadata, dict) else opaque("damaged: this is no metadata", 0)
        snapshots = frozenset(channel for channel, value in values.items() if self._decoder.is_snapshot(value))
        return Saved(*self._at, checkpoint_id, parent_id, rest, {**inline, **values}, said, [], snapshots)


def namespaces_of(connection: Any, layout: Layout, thread_id: str) -> set[str]:
    """The namespaces of a thread's subgraphs."""
    query = NAMESPACES.format(**asdict(layout))
    found = connection.execute(query, {"thread": thread_id})
    return {id_of(space, "its namespace", thread_id) for (space,) in found}


def _is_whole(checkpoint: Any) -> bool:
    return isinstance(checkpoint, dict) and isinstance(checkpoint.get("channel_versions"), dict)


def _versions(checkpoints: Iterable[Any]) -> set[tuple[str, str]]:
    """The channels of these checkpoints with their versions."""
    held = (checkpoint["channel_versions"].items() for checkpoint in checkpoints if _is_whole(checkpoint))
    return {(channel, str(version)) for items in held for channel, version in items}
