"""What is offered where a place cannot be opened because it was typed wrong."""

import os
import socket
import ssl
import subprocess
import threading

import pytest

import forkbook as fb
from forkbook.model import meant


@pytest.fixture(scope="module")
def tls(outside, tmp_path_factory):
    """A server's TLS context, with a certificate that nobody signed."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*asked, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
def tls_port(tls):
    """A port where TLS is spoken, and every other line is dropped."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                try:
                    tls.wrap_socket(line, server_side=True).close()
                except OSError:
                    line.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def says():
    """Starts a port that says something to everybody and hangs up; its number."""
    servers = []

    def start(answer):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    line.recv(1000)
                    line.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def test_https_at_an_http_port(demo_url):
    with pytest.raises(fb.ConnectionFailed, match=f"speaks http: try http://, '{demo_url}'") as caught:
        fb.connect(demo_url.replace("http://", "https://"))
    assert caught.value.candidates == (demo_url,)


@pytest.mark.outside
def test_http_at_an_https_port(tls_port):
    with pytest.raises(fb.ConnectionFailed, match=f"speaks https: try https://, 'https://127.0.0.1:{tls_port}'"):
        fb.connect(f"http://127.0.0.1:{tls_port}")


@pytest.mark.outside
def test_a_certificate_that_is_not_trusted_is_no_wrong_scheme(tls_port):
    with pytest.raises(fb.ConnectionFailed, match="certificate verify failed") as caught:
        fb.connect(f"https://127.0.0.1:{tls_port}")
    assert "try http" not in str(caught.value)


@pytest.mark.outside
@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 400 The plain HTTP request was sent to TLS\r\n\r\n"]
)
def test_nothing_is_offered_where_neither_is_spoken(says, answer):
    port = says(answer)
    for scheme in ("http", "https"):
        with pytest.raises(fb.ForkbookError) as caught:
            fb.connect(f"{scheme}://127.0.0.1:{port}")
        assert "speaks" not in str(caught.value)


@pytest.mark.outside
def test_nothing_is_offered_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(fb.ConnectionFailed) as caught:
        fb.connect(f"https://127.0.0.1:{port}")
    assert "speaks" not in str(caught.value)


@pytest.mark.outside
def test_the_look_sends_no_key(says):
    heard = []

    class Line:
        def sendall(self, text):
            heard.append(text)

        def recv(self, size):
            return b""

    meant._answers_http(Line(), "localhost")
    assert heard == [b"GET /ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("http:/localhost:2024", "http://localhost:2024"),
        ("http:localhost:2024", "http://localhost:2024"),
        ("http//localhost:2024", "http://localhost:2024"),
        ("htp://localhost:2024", "http://localhost:2024"),
        ("hhtps:///example.com/x", "https://example.com/x"),
        ("HTTP:/localhost", "http://localhost"),
        ("localhost:2024", "http://localhost:2024"),
        ("postgres:/localhost/db", "postgresql://localhost/db"),
        ("postgre://localhost/db", "postgresql://localhost/db"),
        ("dmeo", "demo"),
    ],
)
def test_an_address_that_is_almost_one(typed, offered):
    with pytest.raises(fb.InvalidInput, match=f"did you mean '{offered}'"):
        fb.connect(typed)


@pytest.mark.parametrize(
    "typed", ["http://localhost:99999", "ftp://example.com", "postgres:/ada:secret@host/db", "x/y"]
)
def test_nothing_is_offered_for_what_is_like_nothing_or_holds_a_password(typed):
    with pytest.raises(fb.InvalidInput) as caught:
        fb.connect(typed)
    assert "did you mean" not in str(caught.value)


def test_files_with_a_name_like_the_one_that_was_typed(tmp_path, monkeypatch):
    for name in ("study.forkbook", "Checkpoints.sqlite", "threads.json", "other.txt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    for typed, offered in (
        ("stdy.forkbook", "study.forkbook"),
        ("study.forkbok", "study.forkbook"),
        ("checkpoints.sqlit", "Checkpoints.sqlite"),
        ("treads.json", "threads.json"),
    ):
        with pytest.raises(fb.InvalidInput, match=f"did you mean '{offered}'"):
            fb.connect(typed)
    with pytest.raises(fb.InvalidInput) as caught:
        fb.connect("nothing-like-it.forkbook")
    assert "did you mean" not in str(caught.value)


def test_a_folder_with_a_name_like_the_one_that_was_typed(tmp_path):
    (tmp_path / "histories").mkdir()
    with pytest.raises(fb.InvalidInput, match=r"did you mean '.*histories'"):
        fb.connect(tmp_path / "historis" / "study.forkbook")


def test_no_more_of_a_folder_is_looked_at_than_a_part(tmp_path, monkeypatch):
    monkeypatch.setattr(meant, "MOST_NAMES", 10)
    for number in range(50):
        (tmp_path / f"study{number}.forkbook").touch()
    with pytest.raises(fb.InvalidInput) as caught:
        fb.connect(tmp_path / "study.forkbook")
    assert len(str(caught.value)) < 1500


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_may_not_be_read(tmp_path):
    tmp_path.chmod(0o100)
    with pytest.raises(fb.InvalidInput, match="there is no file"):
        fb.connect(tmp_path / "study.forkbook")
