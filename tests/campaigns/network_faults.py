"""Every fault of a network or a server that we know of: of an answer, of a TLS handshake, of the look-up of a name.

Each is a block: what stands before a server, `with FAULTS[…](url, hit) as another_url`; `hit()` says at each request,
handshake or look-up whether this one has the fault.
"""

import contextlib
import functools
import gzip
import json

import handshakes
import lookups
from misbehaving import Misdeed, misbehaving

DEEP = b'{"a":' * 3000 + b"1" + b"}" * 3000
OF_ANSWERS = {
    "reset": Misdeed("reset"),
    "reset after the work": Misdeed("reset", carried_out=True),
    "cut": Misdeed("cut"),
    "cut after the work": Misdeed("cut", carried_out=True),
    "empty": Misdeed("empty"),
    "empty after the work": Misdeed("empty", carried_out=True),
    **{f"status {status}": Misdeed(str(status)) for status in (400, 401, 403, 404, 409, 413, 418, 422, 500, 502, 504)},
    "status 503 after the work": Misdeed("503", carried_out=True),
    "busy": Misdeed("429", (("retry-after", "0"),)),
    "busy for a day": Misdeed("503", (("retry-after", "86400"),)),
    "moved": Misdeed("302", (("location", "/elsewhere"),)),
    "a page": Misdeed("200", body=b"<html>sign in</html>"),
    "null": Misdeed("200", body=b"null"),
    "a number": Misdeed("200", body=b"5"),
    "a text": Misdeed("200", body=b'"text"'),
    "a list": Misdeed("200", body=b"[]"),
    "a list of null": Misdeed("200", body=b"[null]"),
    "an object": Misdeed("200", body=b"{}"),
    "fields of other types": Misdeed(
        "200", body=json.dumps({"thread_id": 5, "values": [], "metadata": 7, "next": [None], "tasks": [None]}).encode()
    ),
    "NaN": Misdeed("200", body=b'[{"values": NaN}]'),
    "deep": Misdeed("200", body=DEEP),
    "no UTF-8": Misdeed("200", body=b'["\xff\xfe"]'),
    "a long number": Misdeed("200", body=b"[" + b"9" * 5000 + b"]"),
    "an error with a page": Misdeed("500", body=b"<html>\x1b[31m" + b"x" * 100_000),
    "a drip": Misdeed("drip"),
    "a gzip bomb": Misdeed("200", (("content-encoding", "gzip"),), gzip.compress(b"[" + b" " * 100_000_000 + b"]", 1)),
    "a body without end": Misdeed("endless", body=b" " * 50_000),
    "a list without end": Misdeed("endless", body=b"[[],{}," * 10_000),
}


@contextlib.contextmanager
def in_answers(misdeed, target, hit):
    with misbehaving(target, lambda request: misdeed if hit() else None) as (url, _):
        yield url


@contextlib.contextmanager
def in_handshakes(greet, target, hit):
    with misbehaving(target, greet=lambda line: (greet if hit() else handshakes.GOOD)(line)) as (url, _):
        yield url


@contextlib.contextmanager
def in_lookups(look, target, hit):
    with (
        misbehaving(target, one_each=True) as (url, _),
        lookups.named(lambda port: (look if hit() else lookups.good)(port)) as name,
    ):
        yield url.replace("127.0.0.1", name)


OF_THE_LINE = {
    **{name: functools.partial(in_handshakes, greet) for name, greet in handshakes.BAD.items()},
    **{name: functools.partial(in_lookups, look) for name, look in lookups.BAD.items()},
}
FAULTS = {name: functools.partial(in_answers, misdeed) for name, misdeed in OF_ANSWERS.items()} | OF_THE_LINE
