import logging
import traceback

import pytest
from proxy import answering

import forkbook as fb

pytestmark = pytest.mark.outside

KEY = "lsv2_sk_do_not_show_me"


@pytest.fixture
def environment_key(monkeypatch):
    for name in ("LANGGRAPH_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"):
        monkeypatch.setenv(name, KEY)


def sent(**options):
    with answering(body=b"[]") as (url, seen), fb.connect(url, **options) as book:
        list(book.threads())
        return [{name.lower(): value for name, value in headers.items()} for headers in seen]


def test_the_environments_key_goes_nowhere_by_itself(environment_key):
    assert all("x-api-key" not in headers for headers in sent())


def test_the_environments_key_goes_where_it_was_asked_for(environment_key):
    assert [headers["x-api-key"] for headers in sent(api_key="env")] == [KEY] * 2


def test_a_key_that_the_environment_lacks(monkeypatch):
    for name in ("LANGGRAPH_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(fb.InvalidInput, match="none of LANGGRAPH_API_KEY"):
        fb.connect("http://127.0.0.1:1", api_key="env")


def test_a_given_key_and_headers_are_sent():
    (headers, _) = sent(api_key=KEY, headers={"x-tenant": "7"})
    assert (headers["x-api-key"], headers["x-tenant"]) == (KEY, "7")


@pytest.mark.parametrize(
    "secret", [{"api_key": KEY}, {"headers": {"Authorization": KEY}}, {"headers": {"Cookie": KEY}}]
)
def test_no_secret_travels_in_the_clear(secret):
    with pytest.raises(fb.InvalidInput, match=r"in the clear to example.org") as caught:
        fb.connect("http://example.org", **secret)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_the_scheme_may_be_written_in_capitals():
    with pytest.raises(fb.InvalidInput, match="in the clear"):
        fb.connect("HTTP://example.org", api_key=KEY)


@pytest.mark.parametrize("bad", [KEY + "\n" + KEY, "sécret" + KEY, 123])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(bad):
    with pytest.raises(fb.InvalidInput, match="x-api-key") as caught:
        fb.connect("http://127.0.0.1:1", api_key=bad)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_redirect_is_not_followed_so_no_key_goes_along():
    with answering(body=b"[]") as (elsewhere, seen), answering(302, headers=[("location", elsewhere)]) as (url, _):
        with pytest.raises(fb.ForkbookError):
            fb.connect(url, api_key=KEY)
        assert seen == []


def test_a_key_shows_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    with answering(body=b"{}") as (url, _), pytest.raises(fb.ForkbookError) as caught:
        fb.connect(url, api_key=KEY)
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    with answering(body=b"[]") as (url, _), fb.connect(url, api_key=KEY) as book:
        shown += repr(book) + repr(book.backend) + str(book.threads())
    assert KEY not in shown


@pytest.mark.parametrize(
    "address",
    ["", "localhost:2024", "ftp://x", "http://", "http://h:99999", "http://user:pw@h", "http://h/?a=b", "study"],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(fb.InvalidInput):
        fb.connect(address)
