"""What LangGraph's serializer writes comes back as plain data, whatever it is, and nothing that it names is run."""

import copy
import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import pickle
import re
import subprocess
import sys
import time
import uuid
import zoneinfo
from collections import deque
from typing import NamedTuple

import numpy
import orjson
import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Overwrite, Send
from pydantic import BaseModel, SecretStr

from forkbook.backends.values.decode import Decoder, decode
from forkbook.backends.values.plain import Plain


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: float


@dataclasses.dataclass
class Plan:
    title: str
    due: dt.date


class Person(BaseModel):
    name: str
    tags: set[str] = set()


def plain(value):
    """A value on its way through LangGraph's serializer and our decoder; checked to be JSON."""
    decoded = decode(*JsonPlusSerializer().dumps_typed(value))
    orjson.dumps(decoded)
    return decoded


def tag(kind, value, **more):
    return {"__type__": kind, "value": value, **more}


MESSAGES = [
    HumanMessage("hi", id="h", name="ann"),
    AIMessage(
        "yo",
        id="a",
        tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c"}],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    ),
    SystemMessage("be kind", id="s"),
    ToolMessage("42", tool_call_id="c", id="t"),
    RemoveMessage(id="h"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.type)
def test_a_message_is_the_dict_that_a_server_sends(message):
    from langgraph_api.serde import json_dumpb

    assert plain(message) == json.loads(json_dumpb(message))


def test_an_ai_message_has_all_of_its_keys():
    assert plain(AIMessage("yo", id="a")) == {
        "content": "yo", "additional_kwargs": {}, "response_metadata": {}, "type": "ai", "name": None, "id": "a",
        "tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None,
    }  # fmt: skip


FORMS = [
    (dt.datetime(2024, 5, 4, 3, 2, 1, 7, dt.UTC), tag("datetime", "2024-05-04T03:02:01.000007+00:00")),
    (dt.date(2024, 5, 4), tag("date", "2024-05-04")),
    (dt.time(3, 2, 1), tag("time", "03:02:01.000000")),
    (dt.timedelta(1, 2, 3), tag("timedelta", [1, 2, 3])),
    (dt.timezone(dt.timedelta(0, 3600)), tag("timezone", [tag("timedelta", [0, 3600, 0])])),
    (zoneinfo.ZoneInfo("Europe/Berlin"), tag("ZoneInfo", "Europe/Berlin")),
    (decimal.Decimal("1.10"), tag("Decimal", "1.10")),
    (uuid.UUID(int=5), tag("UUID", str(uuid.UUID(int=5)))),
    (b"\0\xff", tag("bytes", "AP8=")),
    ({"in": b"\0"}, {"in": tag("bytes", "AA==")}),
    ({3, 1, 2}, tag("set", [1, 2, 3])),
    (frozenset("ba"), tag("frozenset", ["a", "b"])),
    (deque([1]), tag("deque", [1])),
    (pathlib.PosixPath("/a/b"), tag("PosixPath", "/a/b")),
    (re.compile("a+", re.I), tag("regex", "a+", flags=int(re.compile("a", re.I).flags))),
    (ipaddress.ip_address("::1"), tag("IPv6Address", "::1")),
    (Colour.RED, tag("enum", "red", **{"class": f"{__name__}.Colour"})),
    (float("nan"), tag("float", "nan")),
    ([1.0, -math.inf], [1.0, tag("float", "-inf")]),
    ({1: "a", "b": 2}, tag("dict", [[1, "a"], ["b", 2]])),
    ({(1, "x"): 0}, tag("dict", [[tag("tuple", [1, "x"]), 0]])),
    ({"__type__": "datetime", "value": "mine"}, tag("dict", [["__type__", "datetime"], ["value", "mine"]])),
    (Point(1, 2.0), {"x": 1, "y": 2.0}),
    (Plan("t", dt.date(2024, 5, 4)), {"title": "t", "due": tag("date", "2024-05-04")}),
    (Person(name="ann", tags={"b"}), {"name": "ann", "tags": tag("set", ["b"])}),
    (Send("node", {"a": (1, 2)}), {"node": "node", "arg": {"a": [1, 2]}}),
    (Interrupt("ok?", id="i"), {"id": "i", "value": "ok?"}),
    (Command(goto="x"), {"graph": None, "update": None, "resume": None, "goto": "x"}),
    (Overwrite([1]), {"__overwrite__": [1]}),
    (_DeltaSnapshot([1, {2}]), [1, tag("set", [2])]),
    (
        numpy.array([[1, 2], [3, 4]], "<i4"),
        tag("ndarray", [[1, 2], [3, 4]], dtype="<i4", shape=[2, 2], order="C"),
    ),
    (numpy.array([math.nan]), tag("ndarray", [tag("float", "nan")], dtype="<f8", shape=[1], order="C")),
    (numpy.array(True), tag("ndarray", True, dtype="|b1", shape=[], order="C")),
    (None, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), FORMS, ids=lambda item: type(item).__name__)
def test_what_json_lacks_keeps_its_meaning(value, expected):
    assert plain(value) == expected
    assert plain({"in": [value]})["in"] == [expected]


def test_a_users_own_tag_inside_objects_is_escaped_once():
    mine = {"__type__": "bytes", "value": "AA=="}
    escaped = tag("dict", [["__type__", "bytes"], ["value", "AA=="]])
    assert plain([Plan(mine, [mine]), {"deep": mine}]) == [{"title": escaped, "due": [escaped]}, {"deep": escaped}]


def test_a_bytearray_of_its_own_is_told_from_bytes():
    assert plain(bytearray(b"\0")) == tag("bytearray", "AA==")


def test_a_large_array_keeps_its_bytes():
    values = numpy.arange(2000.0)
    decoded = plain(values)
    assert decoded["shape"] == [2000]
    assert len(decoded["value"]) > 2000 * 8


def test_a_secret_is_not_shown():
    shown = plain({"key": SecretStr("hunter2")})
    assert shown["key"]["__type__"] == "opaque"
    assert "hunter2" not in str(shown)


def test_a_message_is_read_as_a_dict_and_says_so_to_who_does_not():
    message = Plain(type="ai", content="hi")
    with pytest.raises(AttributeError, match=r"a plain dict here: \['content'\]"):
        message.content  # noqa: B018
    with pytest.raises(AttributeError, match="a plain dict here: it has type, content"):
        message.text  # noqa: B018
    assert copy.deepcopy(message) == pickle.loads(pickle.dumps(message)) == message


def test_what_cannot_be_read_says_why():
    for kind, data, why in [
        ("pickle", b"xyz", "pickled"),
        ("msgpack+aes", b"xyz", "encrypted"),
        ("protobuf", b"xyz", "unknown type 'protobuf'"),
        (None, b"xyz", "unknown type None"),
        ("msgpack", ormsgpack.packb(ormsgpack.Ext(9, b"xyz")), "unknown extension 9"),
        ("msgpack", ormsgpack.packb("x" * 50)[:20], "damaged"),
        ("json", b"{", "damaged"),
        ("json", b"[" * 5000, "damaged"),
        ("msgpack", b"\x91" * 5000 + b"\xc0", "damaged"),
        ("msgpack", b"\x91" * 600 + b"\xc0", "damaged: nested deeper"),
        ("msgpack", b"\xdd\xff\xff\xff\xff", "damaged"),
    ]:
        shown = decode(kind, data)
        assert shown["__type__"] == "opaque", kind
        assert shown["reason"].startswith(why)
        assert shown["size"] in (3, len(data))


def test_extensions_within_extensions_end():
    data = ormsgpack.packb("x")
    started = time.thread_time()
    for _ in range(2000):
        data = ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(["m", "N", ormsgpack.Ext(7, data)])))
    orjson.dumps(decode("msgpack", data))
    assert time.thread_time() - started < 2


def test_damage_within_an_object_leaves_the_rest_readable():
    data = ormsgpack.packb({"a": 1, "b": ormsgpack.Ext(5, b"\x94\xa1m"), "c": ormsgpack.Ext(0, b"\x01")})
    shown = decode("msgpack", data)
    assert shown["a"] == 1
    assert shown["b"]["reason"].startswith("damaged")
    assert shown["c"]["reason"].startswith("damaged")


def test_json_of_older_versions():
    message = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"],
               "kwargs": {"content": "yo", "type": "ai", "id": "a"}}  # fmt: skip
    when = {"lc": 2, "type": "constructor", "id": ["datetime", "datetime"], "method": ["fromisoformat"],
            "args": ["2024-05-04T00:00:00"], "kwargs": {}}  # fmt: skip
    lost = {"lc": 1, "type": "not_implemented", "id": ["m", "C"], "repr": "C()"}
    said = decode("json", json.dumps([message, when, lost, {"__type__": 1}, 2**70, math.nan, "\ud800"]).encode())
    assert said[0] == plain(AIMessage("yo", id="a"))
    assert said[1] == tag("datetime", "2024-05-04T00:00:00")
    assert said[2]["__type__"] == "opaque"
    assert said[3:] == [
        tag("dict", [["__type__", 1]]),
        tag("int", str(2**70)),
        tag("float", "nan"),
        tag("str", '"\\ud800"'),
    ]


def test_equal_messages_are_one_object():
    blobs = [JsonPlusSerializer().dumps_typed({"messages": [HumanMessage("hi", id="h")], "n": n}) for n in range(2)]
    decoder = Decoder()
    first, second = (decoder.decode(*blob)["messages"][0] for blob in blobs)
    assert first is second


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary()
    | st.datetimes() | st.decimals() | st.uuids() | st.sets(st.integers(0, 9)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("__type__") | st.integers(0, 9), inner),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.long
@given(VALUES)
def test_everything_becomes_json(value):
    plain(value)


@given(st.binary())
def test_no_bytes_raise(data):
    for kind in ("msgpack", "json"):
        orjson.dumps(decode(kind, data))


@pytest.mark.long
@given(VALUES, st.integers(0, 200))
def test_cut_data_does_not_raise(value, cut):
    kind, data = JsonPlusSerializer().dumps_typed({"v": value})
    orjson.dumps(decode(kind, data[:cut]))


CANARY = """
import sys, pathlib
pathlib.Path(r"{mark}").write_text("imported")
class Canary:
    def __init__(self, *args, **kwargs): pass
    model_construct = construct = make = classmethod(lambda cls, *args, **kwargs: cls())
"""
PAYLOADS = {
    0: ("canary", "Canary", 1),
    1: ("canary", "Canary", [1]),
    2: ("canary", "Canary", {"a": 1}),
    3: ("canary", "Canary", 1, "make"),
    4: ("canary", "Canary", {"a": 1}),
    5: ("canary", "Canary", {"a": 1}, "model_validate_json"),
    6: (ormsgpack.Ext(0, ormsgpack.packb(("canary", "Canary", 1))), [1], "C", b"\0"),
    7: ormsgpack.Ext(0, ormsgpack.packb(("canary", "Canary", 1))),
}
OURS = "from forkbook.backends.values.decode import decode; decode('msgpack', data)"
THEIRS = """
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
try: JsonPlusSerializer().loads_typed(("msgpack", data))
except Exception: pass
"""


@pytest.mark.outside
@pytest.mark.parametrize("reader", [OURS, THEIRS], ids=["ours", "langgraphs"])
def test_nothing_that_the_data_names_is_imported(tmp_path, reader):
    """LangGraph's own reader does import it for each code but 3, where it allows one method only."""
    codes = [code for code in PAYLOADS if reader is OURS or code != 3]
    mark = tmp_path / "mark"
    (tmp_path / "canary.py").write_text(CANARY.format(mark=mark))
    blobs = {code: ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb(PAYLOADS[code]))) for code in codes}
    program = "\n".join(
        [
            "import sys, pathlib, warnings",
            f"sys.path.insert(0, {str(tmp_path)!r})",
            "found = []",
            f"for code, data in {blobs!r}.items():",
            *(f"    {line}" for line in reader.strip().splitlines()),
            f"    mark = pathlib.Path({str(mark)!r})",
            "    if mark.exists(): found.append(code); mark.unlink()",
            "    sys.modules.pop('canary', None)",
            "others = [name for name in ('langgraph', 'langchain_core', 'numpy', 'pickle5') if name in sys.modules]",
            "print(found, others)",
        ]
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    expected = "[] []" if reader is OURS else str(codes)
    assert ran.stdout.startswith(expected), ran.stdout + ran.stderr
