import pathlib
import pickle
import re
import time

import psycopg
import pytest
from canary import CANARY, canary, shows_nothing
from contract import BackendContract
from databases import fresh_database
from seeding import compiled, seed

import forkbook as fb
from forkbook.backends.databases.postgres import shown_address


@pytest.fixture(scope="session")
def store(postgres):
    """A store that LangGraph's own saver wrote, in a database of its own; gives its address and the thread ids."""
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        threads = seed(compiled(saver))
    return uri, threads


@pytest.fixture(scope="module")
def place(store):
    uri, threads = store
    with fb.connect(uri) as book:
        yield book, threads


class TestPostgres(BackendContract):
    pass


def test_it_is_what_langgraph_itself_says(store):
    """Compared state by state in test_saved.py's way: ids, parents, metadata and all that a store can know."""
    from langgraph.checkpoint.postgres import PostgresSaver

    uri, threads = store
    with PostgresSaver.from_conn_string(uri) as saver, fb.connect(uri) as book:
        graph = compiled(saver)
        for thread_id in threads.values():
            theirs = list(graph.get_state_history({"configurable": {"thread_id": thread_id}}))[::-1]
            for cp, snapshot in zip(book.history(thread_id), theirs, strict=True):
                assert cp.id == snapshot.config["configurable"]["checkpoint_id"]
                assert cp.metadata == snapshot.metadata
                assert cp.next in (None, snapshot.next)
                assert cp.state["created_at"] == snapshot.created_at
                assert [m["id"] for m in cp.values.get("messages", [])] == [m.id for m in snapshot.values["messages"]]
                assert cp.values.get("topic") == snapshot.values.get("topic")


def dump(uri):
    tables = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations")
    with psycopg.connect(uri) as connection:
        return [
            connection.execute(f"select md5(string_agg(t::text, '|' order by t::text)) from {name} t").fetchall()
            for name in tables
        ] + [connection.execute("select relname from pg_class order by 1").fetchall()]


def test_reading_changes_nothing(store):
    uri, threads = store
    before = dump(uri)
    with fb.connect(uri) as book:
        book.threads()
        for thread_id in threads.values():
            book.history(thread_id).checkpoints_df()
            book.tree(thread_id)
    assert dump(uri) == before


def test_one_moment_is_seen_while_somebody_writes(store, postgres):
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver, fb_after_setup(saver, uri) as book:
        graph = compiled(saver)
        at = {"configurable": {"thread_id": "t"}}
        for n in range(5):
            graph.invoke({}, at)
            assert len(book.history("t")) == 4 * (n + 1)


def fb_after_setup(saver, uri):
    saver.setup()
    return fb.connect(uri)


def test_a_database_without_the_tables(postgres):
    with pytest.raises(fb.SourceError, match="no LangGraph checkpoint store: checkpoints, checkpoint_blobs"):
        fb.connect(fresh_database(postgres))


def test_a_view_named_checkpoints(store, postgres):
    uri = fresh_database(postgres)
    with psycopg.connect(uri) as connection:
        connection.execute("create view checkpoints as select 1 as thread_id")
    with pytest.raises(fb.SourceError, match="checkpoints"):
        fb.connect(uri)


def test_a_wrong_password_and_a_dead_server(postgres):
    with pytest.raises(fb.ForkbookError) as caught:
        fb.connect("postgresql://me:do_not_show@127.0.0.1:1/x")
    assert "do_not_show" not in str(caught.value)
    assert "postgresql://me@127.0.0.1:1/x" in str(caught.value)


def test_what_is_no_address():
    with pytest.raises(fb.InvalidInput, match="not a Postgres address"):
        shown_address("postgresql://[::1/x")


def test_a_damaged_value_is_shown_and_the_rest_is_read(postgres):
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        threads = seed(compiled(saver))
    with psycopg.connect(uri) as connection:
        connection.execute(
            "update checkpoint_blobs set blob = substring(blob for length(blob) / 2) "
            "where thread_id = %s and channel = 'messages'",
            [threads["memory"]],
        )
    with fb.connect(uri) as book:
        assert book.history(threads["memory"])[-1].values["messages"]["__type__"] == "opaque"
        assert len(book.history(threads["branches"]).messages_df()) > 5


def test_a_wrong_password(postgres):
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("drop role if exists guarded")
        connection.execute("create role guarded login password 'right'")
        (hba,) = connection.execute("show hba_file").fetchone()
        path = pathlib.Path(hba)
        path.write_text("local all guarded scram-sha-256\nhost all guarded all scram-sha-256\n" + path.read_text())
        connection.execute("select pg_reload_conf()")
    uri = postgres.replace("postgres:@", "guarded:{}@").replace("postgres@", "guarded:{}@")
    assert "{}" in uri
    deadline = time.monotonic() + 5
    while True:
        try:
            with pytest.raises(fb.AccessDenied, match="check user and password"):
                fb.connect(uri.format("wrong_secret"))
            break
        except (fb.ForkbookError, pytest.fail.Exception):
            assert time.monotonic() < deadline
            time.sleep(0.1)  # the server reads its configuration in its own time
    shows_nothing(lambda: fb.connect(uri.format(canary())), fb.AccessDenied)
    shows_nothing(lambda: fb.migrate(uri.format(canary()), "http://127.0.0.1:1"), fb.AccessDenied)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"alter role guarded password '{CANARY}'")
    shows_nothing(lambda: fb.connect(uri.replace("/postgres?", "/nothing?").format(canary())), fb.ConnectionFailed)
    shows_nothing(lambda: fb.connect(uri.format(canary())), fb.SourceError)


def test_a_password_that_is_right_shows_nowhere(store, postgres):
    """Whatever becomes of the connection after it was opened."""
    from langgraph.checkpoint.postgres import PostgresSaver

    uri, threads = store
    with_password = uri.replace("postgres:@", "postgres:{}@").replace("postgres@", "postgres:{}@")
    assert "{}" in with_password
    book = fb.connect(with_password.format(canary()))  # the owner is trusted, whatever the password
    history = book.history(threads["memory"])
    said = [book, vars(book), book.backend, vars(book.backend), book.threads(), history, repr(book.store)]
    assert CANARY not in "".join(map(repr, said)) + str(pickle.dumps(book.backend))
    shows_nothing(lambda: book.history("no such thread"))
    shows_nothing(lambda: book.threads(metadata={"a": 1}))
    to_close = fresh_database(postgres)
    with PostgresSaver.from_conn_string(to_close) as saver:
        saver.setup()
    name = to_close.partition("?")[0].rpartition("/")[2]
    closed = fb.connect(re.sub(r"/\w+\?", f"/{name}?", with_password).format(canary()))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")
    shows_nothing(closed.threads, fb.ConnectionFailed)
    shows_nothing(lambda: closed.history(threads["memory"]), fb.ConnectionFailed)


@pytest.mark.parametrize(
    "at", ["psycopg.Connection._connect_gen", "psycopg.connection.waiting.wait_conn", "psycopg.Connection.execute"]
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, psycopg.ProgrammingError])
def test_an_error_inside_the_driver_shows_no_password(store, monkeypatch, at, error):
    def failed(*_, **__):
        raise error("inside the driver")

    uri = store[0].replace("postgres:@", "postgres:{}@").replace("postgres@", "postgres:{}@")
    monkeypatch.setattr(at, failed)
    shows_nothing(lambda: fb.connect(uri.format(canary())), fb.ForkbookError, KeyboardInterrupt, RuntimeError)


JSONB = [
    "5",
    "1.5",
    "null",
    '"text"',
    "[]",
    "[1]",
    "{}",
    '{"channel_values": 5}',
    '{"n": 1e400}',
    "[" * 2000 + "]" * 2000,
]


def test_json_of_any_shape_damages_its_own_thread_alone(postgres):
    from langgraph.checkpoint.postgres import PostgresSaver

    uri = fresh_database(postgres)
    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        for thread in ("bad", "well"):
            compiled(saver).invoke({}, {"configurable": {"thread_id": thread}})
    with fb.connect(uri) as book:
        want = book["well"].states
    for column in ("checkpoint", "metadata"):
        for said in JSONB:
            with psycopg.connect(uri) as connection:
                connection.execute(f"update checkpoints set {column} = %s where thread_id = 'bad'", [said])
            with fb.connect(uri) as book:
                assert set(book.threads().thread_id) == {"bad", "well"}
                assert book["well"].states == want
                assert len(book.tree("bad")) == 4
                history = book["bad"]
                assert len(history) == 4
                repr(history)
                for name in ("checkpoints", "messages", "tasks", "branches", "tokens"):
                    getattr(history, f"{name}_df")()
                if column == "checkpoint" and "n" not in said:
                    assert {cp.values["__type__"] for cp in history} == {"opaque"}


def test_a_time_that_is_none_is_unknown(postgres):
    uri = fresh_database(postgres)
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(uri) as saver:
        saver.setup()
        compiled(saver).invoke({}, {"configurable": {"thread_id": "t"}})
    with psycopg.connect(uri) as connection:
        connection.execute("""update checkpoints set checkpoint = jsonb_set(checkpoint, '{ts}', '"noon"')""")
    with fb.connect(uri) as book:
        assert book.threads().created_at.isna().all()
