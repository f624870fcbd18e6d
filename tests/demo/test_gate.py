"""The demo's Agent Server answers this machine: no page of the web, under no name of another machine."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.outside
BODY = json.dumps({"metadata": {"who": "a page"}})
LET_IN = (
    {},
    {"Origin": "http://127.0.0.1:8888"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://[::1]:3000"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Host": "localhost"},
    {"Host": "localhost:2024"},
    {"Host": "[::1]:2024"},
)
REFUSED = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://smith.langchain.com"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "http://127.0.0.1@evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.example"},
    {"Host": "evil.example:2024"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "evil.example/@127.0.0.1"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": ""},
)


def ask(url, method, path, body=None, **headers):
    """One request as it is written; the status, what came back, its headers."""
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    link.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        link.putheader(name, value)
    if body is not None:
        link.putheader("Content-Length", str(len(body)))
    link.endheaders(body.encode() if body is not None else None)
    answer = link.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.getheaders())
    link.close()
    return found


@pytest.mark.parametrize("headers", LET_IN, ids=str)
def test_programs_and_pages_of_this_machine_come_in(demo_url, headers):
    status, said, _ = ask(demo_url, "POST", "/threads/search", "{}", **{"Content-Type": "application/json"} | headers)
    assert (status, bool(json.loads(said))) == (200, True)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@pytest.mark.parametrize("headers", REFUSED, ids=str)
def test_pages_of_the_web_can_read_and_write_nothing(demo_url, headers, kind):
    for method, path in (("POST", "/threads"), ("POST", "/threads/search"), ("GET", "/info"), ("GET", "/docs")):
        status, said, answered = ask(demo_url, method, path, BODY, **{"Content-Type": kind} | headers)
        assert (status, path) == (403, path)
        assert "programs of this machine" in said
        assert "access-control-allow-origin" not in answered


def test_a_browser_that_asks_first_is_answered_for_this_machine_alone(demo_url):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    status, _, answered = ask(demo_url, "OPTIONS", "/threads", Origin="http://127.0.0.1:8888", **asked)
    assert (status, answered["access-control-allow-origin"] in ("*", "http://127.0.0.1:8888")) == (200, True)
    status, _, answered = ask(demo_url, "OPTIONS", "/threads", Origin="https://evil.example", **asked)
    assert (status, answered.get("access-control-allow-origin")) == (403, None)
