"""Keys and passwords that forkbook holds: no traceback, log, repr, pickle or attribute shows them."""

import contextlib
import logging
import pickle
import socket
import sys
import threading
import traceback
import warnings

import pytest
from canary import CANARY, canary, every_traceback, said_by_rich, shows_nothing
from proxy import answering

import forkbook as fb
from forkbook.backends.server.backend import ServerBackend
from forkbook.cli.app import app

pytestmark = pytest.mark.outside


@pytest.fixture(autouse=True)
def logs(caplog):
    """Everything that is logged, and warned of, is looked at, too."""
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        yield caplog
    assert CANARY not in caplog.text + "".join(str(warning.message) for warning in warned)


SECRETS = {
    "api_key": lambda: {"api_key": canary()},
    "authorization": lambda: {"headers": {"Authorization": f"Bearer {canary()}"}},
    "x-api-key": lambda: {"headers": {"x-api-key": canary()}},
    "cookie": lambda: {"headers": {"Cookie": f"session={canary()}; theme=dark"}},
    "pairs": lambda: {"headers": [("Authorization", canary())]},
}
secrets = pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
one_secret = pytest.mark.parametrize("secret", [SECRETS["authorization"]], ids=["authorization"])


def test_what_is_looked_at_would_show_a_key_that_is_held_plainly():
    def held_plainly():
        key = canary()
        raise fb.InvalidInput(f"not this one: {len(key)}")

    with pytest.raises(fb.InvalidInput) as caught:
        held_plainly()
    error = caught.value
    assert CANARY in every_traceback(error)
    assert CANARY in "\n".join(said_by_rich(type(error), error, error.__traceback__))


@secrets
def test_a_port_where_nobody_listens(secret):
    shows_nothing(lambda: fb.connect("http://127.0.0.1:1", **secret()))


@secrets
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 401, "body": b'{"detail": "who are you?"}'},
        {"status": 403, "body": b"no"},
        {"status": 404, "body": b"<html>"},
        {"status": 422, "body": b'{"detail": "odd"}'},
        {"status": 500, "body": b"oops"},
        {"status": 503, "body": b""},
        {"status": 302, "headers": [("location", "http://127.0.0.1:1")]},
        {"body": b'{"cut": '},
        {"body": b""},
        {"body": b"{}"},
        {"body": b"null"},
    ],
    ids=str,
)
def test_a_server_that_says_no(secret, answer):
    with answering(**answer) as (url, _):
        shows_nothing(lambda: fb.connect(url, **secret()))


@secrets
@pytest.mark.parametrize("status", [200, 401, 422, 500])
@pytest.mark.parametrize("padding", [0, 5000])
def test_a_server_that_says_the_key_again(secret, status, padding):
    for body in (b'{"detail": "%s%s"}', b"%s%s", b'[{"thread_id": 1, "%s%s": 2}'):
        with answering(status, body=body % (b" " * padding, CANARY.encode())) as (url, _):
            shows_nothing(lambda url=url: fb.connect(url, **secret()))


@contextlib.contextmanager
def broken_line(answer):
    """A server that sends these bytes and then breaks the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def serve():
            with contextlib.suppress(OSError):
                while not over.is_set():
                    line, _ = listening.accept()
                    with line:
                        line.recv(65536)
                        line.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()


@secrets
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[",
        b"HTTP/1.1 500 Oh\r\ncontent-length: 100\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd",
    ],
    ids=["closed", "nonsense", "cut", "cut fault", "no gzip"],
)
def test_a_line_that_breaks(secret, answer):
    with broken_line(answer) as url:
        shows_nothing(lambda: fb.connect(url, **secret()))


@secrets
def test_a_key_is_not_sent_in_the_clear_nor_shown(secret):
    shows_nothing(lambda: fb.connect("http://example.org", **secret()), fb.InvalidInput)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: {"api_key": canary() + "\n"},
        lambda: {"api_key": "é" + canary()},
        lambda: {"api_key": canary().encode()},
        lambda: {"headers": {"authorization": "\0" + canary()}},
        lambda: {"headers": {"authorization": canary().encode()}},
        lambda: {"headers": {"authorization": [canary()]}},
        lambda: {"headers": canary()},
        lambda: {"headers": [canary()]},
        lambda: {"cache": "c.forkbook", "counter": "no such counter", "api_key": canary()},
    ],
)
def test_a_key_that_cannot_be_sent(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with answering(status=401) as (url, _):
        shows_nothing(lambda: fb.connect(url, **wrong()))


def test_a_key_where_none_belongs():
    shows_nothing(lambda: fb.connect("a.sqlite", api_key=canary()), fb.InvalidInput)
    shows_nothing(lambda: fb.connect(object(), headers={"a": canary()}), fb.InvalidInput)


@one_secret
def test_an_interrupt_while_a_server_is_asked(secret, monkeypatch):
    """Ctrl-C in a notebook: its traceback goes through every frame that was under way."""
    import httpcore

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", interrupted, raising=False)
    monkeypatch.setattr("httpcore._backends.sync.SyncBackend.connect_tcp", interrupted)
    shows_nothing(lambda: fb.connect("http://127.0.0.1:1", **secret()), KeyboardInterrupt)


@one_secret
@pytest.mark.parametrize("at", ["_send_request_headers", "_receive_response_headers", "_send_event"])
def test_an_error_deep_in_the_client(secret, at, monkeypatch):
    def failed(*_, **__):
        raise RuntimeError("deep inside")

    with answering(body=b"[]") as (url, _):
        monkeypatch.setattr(f"httpcore._sync.http11.HTTP11Connection.{at}", failed)
        shows_nothing(lambda: fb.connect(url, **secret()), RuntimeError)


@one_secret
def test_later_calls_show_nothing_either(secret):
    with answering(body=b"[]") as (url, _):
        book = fb.connect(url, **secret())
    for call in (
        lambda: book.threads(),
        lambda: book.history("t"),
        lambda: book.copy("t"),
        lambda: book.store.items_df(),
    ):
        shows_nothing(call)
    calls = (
        lambda: book.export("x.json"),
        lambda: fb.migrate(book, book),
        lambda: book.run("t", {"a": 1}, assistant="x"),
        lambda: book.sweeps("t"),
    )
    for call in calls:
        shows_nothing(call)


@secrets
def test_a_book_on_a_server_shows_no_key(secret, tmp_path):
    with answering(body=b"[]") as (url, seen):
        for more in ({}, {"cache": tmp_path / "c.forkbook"}):
            with fb.connect(url, **secret(), **more) as book:
                backend = getattr(book.backend, "live", book.backend)
                client = backend._client.http.client
                said = [book, vars(book), vars(book.backend), vars(backend), client.headers, vars(client)]
                said += [list(map(vars, (client._transport,))), vars(client.auth), client.auth, book.threads()]
                assert CANARY not in "".join(map(repr, said))
                with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):
                    assert CANARY.encode() not in pickle.dumps(book)
        assert all(CANARY in str(headers) for headers in seen)


def test_headers_are_sent_as_they_were_given():
    given = {"X-Tenant": "7", "User-Agent": "mine", "Accept": "text/odd", "Cookie": "a=b", "Content-Type": "odd/odd"}
    with answering(body=b"[]", headers=[("set-cookie", "c=d")]) as (url, seen), fb.connect(url, headers=given) as book:
        list(book.backend.threads())
    for headers in seen:
        lower = {name.lower(): value for name, value in headers.items()}
        assert (lower["x-tenant"], lower["user-agent"], lower["cookie"]) == ("7", "mine", "a=b")
        assert lower["accept"] == "text/odd"
        assert lower["content-type"] == "application/json"


def test_a_book_in_a_pickle_has_no_password(tmp_path):
    from forkbook.model.held import Secret

    again = pickle.loads(pickle.dumps(Secret(canary())))
    with pytest.raises(ValueError, match="connect again"):
        again.reveal()


# Addresses with passwords, right and wrong

ADDRESSES = [
    "user:{}@127.0.0.1/db",
    "{}:user@127.0.0.1/db",
    "user/{}@127.0.0.1",
    "/user:{}@127.0.0.1/db",
    "./user:{}@127.0.0.1/db.sqlite",
    "user:{}@127.0.0.1/db.forkbook",
    "user:{}@127.0.0.1/db.json",
    "host=127.0.0.1 password={} user=user",
    "host=127.0.0.1 password='a {}' user=user",
    "password=a@{} host=127.0.0.1",
    "host=127.0.0.1\npassword = '{}",
    "http://user:{}@127.0.0.1:1",
    "https://{}@127.0.0.1:1",
    "http://user:{}/x@127.0.0.1:1",
    "http://user:a/{}@127.0.0.1:1",
    "http://user:{}",
    "http://127.0.0.1:1/?api_key={}",
    "http://127.0.0.1:1/#token={}",
    "HTTP://user:{}@127.0.0.1:1",
    "ftp://user:{}@127.0.0.1/db",
    "mysql://user:{}@127.0.0.1/db",
    "postgre://user:{}@127.0.0.1/db",
    "postgresql:user:{}@127.0.0.1/db",
    "postgresql:user:{}/db",
    "postgresql:/user:{}@127.0.0.1/db",
    "postgresql//user:{}@127.0.0.1/db",
    "postgres//user:{}/db",
    "postgresql ://user:{}@127.0.0.1/db",
    "postgresql://user:{}@127.0.0.1:1/db",
    "postgresql+psycopg://user:{}@127.0.0.1:1/db",
    "postgres://user:{}@127.0.0.1:1,127.0.0.1:2/db",
    "postgresql://127.0.0.1:1/db?user=u&password={}",
    "postgresql://127.0.0.1:1/db?password={}&odd",
    "postgresql://127.0.0.1:1/db?user=u&sslpassword={}&sslmode=odd",
    "postgresql://user:a/{}@127.0.0.1/db",
    "postgresql://user:a?{}@127.0.0.1/db",
    "postgresql://user:a#{}@127.0.0.1:1/db",
    "postgresql://user:a@{}@127.0.0.1/db",
    "postgresql://user@a:{}@127.0.0.1/db",
    "postgresql://user:{}/db",
    "postgresql://user@127.0.0.1:{}/db",
    "postgresql://user:%zz{}@127.0.0.1/db",
    "postgresql://user:{}@127.0.0.1:1/d%00b",
    "postgresql://user:{}@[::1/db",
    "postgresql://user:{}@127.0.0.1:1/db?connect_timeout=odd",
    "postgresql://user:{}@no-such-host.invalid/db",
    "x" * 5000 + ":{}@h",
]
addresses = pytest.mark.parametrize("address", ADDRESSES)


@addresses
def test_an_address_that_cannot_be_opened(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sqlite").touch()
    ways = [
        lambda: fb.connect(address.format(canary())),
        lambda: fb.migrate(address.format(canary()), "http://127.0.0.1:1"),
        lambda: fb.migrate(fb.connect(empty_json(tmp_path)), address.format(canary())),
        lambda: fb.verify(address.format(canary())),
        lambda: fb.verify(address.format(canary()), address.format(canary())),
    ]
    for way in ways:
        shows_nothing(way)


def empty_json(folder):
    (folder / "e.json").write_text("[]")
    return folder / "e.json"


@addresses
def test_an_address_on_the_command_line(address, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    typed = address.format(CANARY)
    empty = str(empty_json(tmp_path))
    for command in (
        ["threads", typed],
        ["threads", typed, "--json"],
        ["migrate", typed, "http://127.0.0.1:1", "--full"],
        ["migrate", empty, typed],
        ["import", typed, "--to", typed],
        ["verify", typed],
        ["verify", typed, typed, "--json"],
    ):
        with pytest.raises(SystemExit) as ended:
            app(command, prog_name="forkbook")
        told = capsys.readouterr()
        assert CANARY not in told.out + told.err
        assert ended.value.code in (2, 3)
        assert CANARY not in "".join(str(path) for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("option", ["--api-key", "--source-api-key", "--target-api-key"])
def test_a_key_on_the_command_line(option, tmp_path, capsys, monkeypatch):
    """Even an error that nobody foresaw has no key in its frames."""
    with answering(status=401, body=b'{"detail": "%s"}' % CANARY.encode()) as (url, _):
        command = ["migrate", url, url] if option != "--api-key" else ["threads", url]
        with pytest.raises(SystemExit):
            app([*command, option, canary()], prog_name="forkbook")
        told = capsys.readouterr()
        assert CANARY not in told.out + told.err

        def unforeseen(*_, **__):
            raise RuntimeError("nobody foresaw this")

        monkeypatch.setattr(sys.modules["forkbook.connect"], "connect", unforeseen)
        with pytest.raises(RuntimeError) as caught:
            app([*command, option, canary()], prog_name="forkbook")
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
        ours = [frame for frame in frames if "/forkbook/" in frame.f_code.co_filename]
        assert len(ours) > 2
        said = "".join(
            f"{value!r}{getattr(value, '__dict__', '')!r}" for frame in ours for value in frame.f_locals.values()
        )
        assert CANARY not in said.replace(repr(sys.argv), "")


def test_a_backend_may_be_made_by_hand():
    shows_nothing(lambda: ServerBackend("http://127.0.0.1:1", canary()).check())
    shows_nothing(lambda: ServerBackend(f"http://user:{canary()}@h"))
