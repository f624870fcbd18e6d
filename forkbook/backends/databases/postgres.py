"""A checkpoint store on Postgres, read with our own SQL, each read in one read-only, repeatable-read transaction."""

import math
import re
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

from ...errors import (
    AccessDenied,
    ConnectionFailed,
    ForkbookError,
    InvalidInput,
    MissingExtra,
    SourceError,
    ThreadNotFound,
)
from ...model.held import Secret, alone, without
from ...model.states import LARGEST_STEP, State, Thread
from ...model.tree import Head
from ..budget import DEFAULT_BUDGET, Budget
from ..capabilities import Capability
from ..contract import Backend
from ..shape import date
from ..store import Memory
from ..values.cells import id_of, understood
from ..values.decode import Decoder
from .kept import KeptThreads
from .layout import COLUMNS, layout_of
from .listing import check_search, fitting
from .postgres_rows import LARGEST_LIMIT, PostgresRows, name, namespaces_of
from .postgres_store import PostgresMemory
from .rules import Rules

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
    from psycopg.types.json import set_json_loads

    from .postgres_line import TimedConnection
except ImportError as error:
    raise MissingExtra("reading a Postgres store needs psycopg: pip install 'forkbook[postgres]'") from error

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
PAGE = 100  # checkpoints a page
SECONDS_TO_CONNECT = 5
OF_THIS_PROCESS = ("_lock", "_kept", "_documents", "_open")
SHORTEST_PASSWORD = 4  # characters

KINDS = """
select relname, relkind::text from pg_class
where oid = any(array(select to_regclass(name) from unnest(%s::text[]) name))
"""
TIMES = "left(min(checkpoint->>'ts'), 100), left(max(checkpoint->>'ts'), 100)"
THREADS = f"""
select {name("thread_id{exact}")}, {TIMES} from checkpoints group by thread_id{{exact}}
order by 2 desc nulls last, 1 limit %(rows)s
"""  # noqa: S608  # our own columns, here and below
THREAD = f"select {TIMES}, count(*) from checkpoints where thread_id{{exact}} = %(thread)s"  # noqa: S608
HEADS = f"""
select {name("{id}")}, {name("{parent}")}, left(metadata->>'step', 20), jsonb_typeof(metadata->'step'),
       left(metadata->>'source', 100), jsonb_typeof(metadata->'source')
from checkpoints where thread_id{{exact}} = %(thread)s and checkpoint_ns{{exact}} = '' limit %(rows)s
"""  # noqa: S608
CLOCK = "select set_config('statement_timeout', %s, true)"
LONGEST_CLOCK = 2**31 - 1  # milliseconds


class PostgresBackend(Backend):
    """A Postgres database that LangGraph's PostgresSaver wrote.

    Args:
        uri: "postgresql://user:password@host:port/database", as text or as a `Secret`; the password shows nowhere.
        rules: The rules that were given for DeltaChannels.
    """

    kind = "the Postgres store"
    keeps_rows = True
    classes = "named"

    def __init__(self, uri: Any, rules: Rules | None = None, budget: Budget = DEFAULT_BUDGET) -> None:
        self.budget = budget
        uri = Secret.of(uri)  # for the locals of errors
        self._uri, self._rules = uri, rules
        self._begin()
        self.address, self._secrets = shown_address(uri), _passwords(uri)
        with self._reading("opening the store") as connection:
            self._check_tables(connection)
            if not PostgresMemory.columns(connection):
                self.capabilities -= {Capability.STORE}

    def _begin(self) -> None:
        self._lock, self._kept = threading.RLock(), KeptThreads(self._rules, self.budget)
        self._documents = Decoder(self.budget)
        self._open: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """All but what is of this process alone: the lock, the connection, and the rows that are kept."""
        return {name: value for name, value in vars(self).items() if name not in OF_THIS_PROCESS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._begin()

    def _check_tables(self, connection: Any) -> None:
        kinds = dict(connection.execute(KINDS, [list(TABLES)]).fetchall())
        wrong = [table for table in TABLES if kinds.get(table) not in ("r", "p")]
        if wrong:
            raise SourceError(
                f"{self.address} is no LangGraph checkpoint store: {', '.join(wrong)} is no table in its search path. "
                "PostgresSaver.setup() makes the tables; is this the right database?"
            )
        self._layout = layout_of(connection.execute(COLUMNS, [list(TABLES)]).fetchall())

    @contextmanager
    def _reading(self, deed: str, thread_id: str | None = None) -> Iterator[Any]:
        """A connection in a read-only transaction that sees one moment; faults come out as forkbook's errors."""
        if thread_id is not None and "\0" in thread_id:
            raise ThreadNotFound(
                f"no thread {thread_id!r} in {self.address}: no text there has a NUL", thread_id=thread_id
            )
        try:
            with self._as_errors(deed, thread_id), self._lock:
                connection = self._connection()
                try:
                    yield connection
                finally:
                    with suppress(psycopg.Error):  # it has dropped, as the next read finds out
                        connection.rollback()
        except ForkbookError as error:
            error.__cause__ = error.__context__ = None  # the driver's frames show the address with its password
            raise

    def _connection(self) -> Any:
        """The connection, in a new transaction; another one where it has dropped since the last read."""
        if self._open is not None:
            self._open.seconds = min(SECONDS_TO_CONNECT, self.budget.seconds)  # else it is as good as dropped
            with suppress(psycopg.OperationalError, psycopg.InterfaceError):
                self._set_clock(self._open)
                self._open.seconds = self.budget.seconds
                return self._open
            self._open.close()
        self._open = connection = self._connected()
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.seconds = self.budget.seconds
        set_json_loads(self._loaded, connection)
        self._set_clock(connection)
        return connection

    def _set_clock(self, connection: Any) -> None:
        """Begin a transaction, each query of which may take so long."""
        milliseconds = min(max(int(self.budget.seconds * 1000), 1), LONGEST_CLOCK)
        connection.execute(CLOCK, [str(milliseconds)])

    def _loaded(self, text: bytes | str) -> Any:
        """What a jsonb cell holds; Postgres keeps numbers of any size."""
        return self._documents.plain_json(text.encode() if isinstance(text, str) else bytes(text))

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None
            self._kept.clear()

    def _connected(self) -> Any:
        """A new connection; an error of the driver comes without its frames."""
        try:
            return TimedConnection.connect(self._uri.reveal(), connect_timeout=SECONDS_TO_CONNECT)
        except BaseException as error:
            failed = alone(error)
        raise failed

    @contextmanager
    def _as_errors(self, deed: str, thread_id: str | None) -> Iterator[None]:
        """Turn what the driver raises inside into forkbook's errors."""
        began = time.monotonic()
        try:
            yield
        except psycopg.errors.QueryCanceled as error:
            self.budget.check("seconds", math.ceil((time.monotonic() - began) * 100) / 100, deed, thread_id=thread_id)
            raise ConnectionFailed(f"{deed}: {self.address} ({self._said(error)})", thread_id=thread_id) from None
        except psycopg.OperationalError as error:
            said = self._said(error)
            error.args = (said,)  # the frame of a `with` has it still
            if "password" in said or "authentication" in said:
                raise AccessDenied(
                    f"{deed}: {self.address} denies access; check user and password", thread_id=thread_id
                ) from None
            raise ConnectionFailed(f"{deed}: {self.address} ({said})", thread_id=thread_id) from None
        except psycopg.Error as error:
            raise SourceError(f"{deed}: {self.address} says {self._said(error)}", thread_id=thread_id) from None

    def _said(self, error: psycopg.Error) -> str:
        """What the driver or the database says, in a line of at most 200 characters without the password."""
        return without(" ".join(str(error).split()), self._secrets)[:200]

    def threads(self, **search: Any) -> Iterator[Thread]:
        check_search(search)
        with self._reading("listing the threads") as connection:
            rows = connection.execute(self._sql(THREADS), self._rows()).fetchall()
        self.budget.check("items", len(rows), f"the list of threads of {self.address}")
        yield from (_thread(*row) for row in fitting(rows, search))

    def thread(self, thread_id: str) -> Thread:
        with self._reading(f"reading thread {thread_id}", thread_id) as connection:
            row = connection.execute(self._sql(THREAD), {"thread": thread_id}).fetchone()
        if not row[2]:
            raise ThreadNotFound(
                f"no thread {thread_id!r} in {self.address}; book.threads() lists them", thread_id=thread_id
            )
        return _thread(thread_id, row[0], row[1])

    def heads(self, thread_id: str) -> list[Head]:
        with self._reading(f"reading the heads of thread {thread_id}", thread_id) as connection:
            rows = connection.execute(self._sql(HEADS), self._rows(thread=thread_id)).fetchall()
        self.budget.check("items", len(rows), f"thread {thread_id!r} of {self.address}", thread_id=thread_id)
        return [_head(thread_id, *row) for row in rows]

    def pages(self, thread_id: str, *, ns: str = "", page_size: int | None = None) -> Iterator[list[State]]:
        read = list(self._states(thread_id, ns).values())
        size = page_size or PAGE
        yield from (read[start : start + size] for start in range(0, len(read), size))

    def namespaces(self, thread_id: str) -> set[str]:
        with self._reading(f"listing the subgraphs of thread {thread_id}", thread_id) as connection:
            return namespaces_of(connection, self._layout, thread_id)

    def state(self, thread_id: str, checkpoint_id: str | None = None, *, ns: str = "") -> State | None:
        found = self._states(thread_id, ns)
        return next(iter(found.values()), None) if checkpoint_id is None else found.get(checkpoint_id)

    def states(self, thread_id: str, ids: Collection[str], *, ns: str = "") -> dict[str, State]:
        found = self._states(thread_id, ns)
        return {id_: found[id_] for id_ in ids if id_ in found}

    def memory(self) -> Memory:
        found = Capability.STORE in self.capabilities
        return PostgresMemory(f"{self.kind} {self.address}", self._reading, self.budget) if found else super().memory()

    def _rows(self, **more: Any) -> dict[str, Any]:
        """The parameters of a query of as many rows as may be read, and one more."""
        return {"rows": min(int(self.budget.items) + 1, LARGEST_LIMIT), **more}

    def _sql(self, query: str) -> str:
        return query.format(**asdict(self._layout))

    def _states(self, thread_id: str, ns: str = "") -> dict[str, State]:
        with (
            self._reading(f"reading the history of thread {thread_id}", thread_id) as connection,
            understood(f"{self.kind} {self.address}", thread_id),
        ):
            decoder, kept = self._kept.of(thread_id, ns)
            meter = self.budget.meter(f"thread {thread_id!r} of {self.kind} {self.address}", thread_id=thread_id)
            self._documents.meter = meter
            return kept.states(PostgresRows(connection, self._layout, decoder, kept.blobs, (thread_id, ns), meter))


def _head(
    thread_id: str, id_: Any, parent: Any, step: str | None, step_kind: str, source: str | None, source_kind: str
) -> Head:
    """A head from its row; a step or a source of another kind is unknown."""
    number = int(step) if step_kind == "number" and step and re.fullmatch(r"-?\d{1,19}", step) else None
    return Head(
        id_of(id_, "its id", thread_id),
        id_of(parent, "its parent's id", thread_id) if parent else None,
        number if number is not None and abs(number) < LARGEST_STEP else None,
        source if source_kind == "string" else None,
    )


def _thread(thread_id: str, created_at: str | None, updated_at: str | None) -> Thread:
    return {
        "thread_id": thread_id,
        "status": None,
        "created_at": date(created_at),
        "updated_at": date(updated_at),
        "metadata": {},
    }


def shown_address(uri: Any) -> str:
    """The address of a database as it may be shown: user, host, port and database.

    Raises:
        InvalidInput: It is no connection string, or a part of the password may stand where it would show.
    """
    uri = Secret.of(uri)
    shown = _shown(uri)
    if shown is None:
        raise InvalidInput("this is not a Postgres address; one looks like 'postgresql://user@host/db'")
    if not shown:
        raise InvalidInput(
            "a '/', '@' or ':' in the user name or password of a Postgres address is to be percent-encoded: "
            "%2F, %40, %3A; a port is a number"
        )
    return shown


def _shown(uri: Secret) -> str | None:
    """An address without its password; "" where it is not clear what the password is, None: it is no address."""
    parts = _parts(uri)
    if parts is None:
        return None
    host, port = str(parts.get("host") or ""), str(parts.get("port") or "")
    authority, _, rest = uri.reveal().partition("://")[2].partition("?")[0].partition("/")
    if "@" in rest or authority.count("@") > 1 or not re.fullmatch(r"[\d,]*", port):
        return ""
    user = f"{parts['user']}@" if parts.get("user") else ""
    return f"postgresql://{user}{host}{port and ':'}{port}/{parts.get('dbname', '')}"


def _parts(uri: Secret) -> dict[str, Any] | None:
    """What libpq reads in an address; None: it cannot."""
    try:
        return conninfo_to_dict(uri.reveal())
    except (psycopg.Error, ValueError, TypeError):
        return None


def _passwords(uri: Secret) -> tuple[Secret, ...]:
    """The passwords in an address that are long enough to be looked for in what others say."""
    parts = _parts(uri) or {}
    found = (str(parts.get(name) or "") for name in ("password", "sslpassword"))
    return tuple(Secret(password) for password in found if len(password) >= SHORTEST_PASSWORD)
