from forkbook.backends.values.decode import Decoder
from forkbook.backends.values.plain import not_stored, opaque, tagged
from forkbook.model.states import Search, holds_placeholder, is_placeholder, unknown_parts


def test_what_is_not_known_is_found_at_any_depth():
    values = {
        "messages": [{"type": "human", "content": "hi"}, opaque("damaged: short", 9)],
        "files": {"a.md": {"text": opaque("pickled", 3)}},
        "odd": not_stored("a DeltaChannel"),
        "when": tagged("date", "2026-01-01"),
        "pairs": tagged("tuple", [1, opaque("unknown extension 9", 2)]),
        "n": 1,
    }
    assert [(part.path, part.channel, part.reason) for part in unknown_parts(values)] == [
        (("messages", 1), "messages", "damaged: short"),
        (("files", "a.md", "text"), "files", "pickled"),
        (("odd",), "odd", "a DeltaChannel"),
        (("pairs", "value", 1), "pairs", "unknown extension 9"),
    ]


def test_a_whole_state_may_be_unknown():
    (part,) = unknown_parts(opaque("encrypted: msgpack+aes", 12))
    assert (part.path, part.channel, part.reason) == ((), None, "encrypted: msgpack+aes")


def test_a_state_that_is_known_has_no_unknown_part():
    for values in (None, {}, {"messages": [], "n": 1}, ["a"], {"__root__": None}, {"__type__": "a user's own"}):
        assert unknown_parts(values) == []
        assert not holds_placeholder(values)


def test_a_users_own_dict_is_no_placeholder():
    assert not is_placeholder(tagged("dict", [["__type__", "opaque"]]))
    assert not is_placeholder({"__type__": "opaque", "value": 3})


def test_a_secret_holds_no_messages_and_what_was_pickled_may():
    import ormsgpack

    from_pydantic = ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(("pydantic.types", "SecretStr", "hunter2"))))
    (secret,) = unknown_parts({"key": Decoder().decode("msgpack", from_pydantic)})
    (pickled,) = unknown_parts({"key": Decoder().decode("pickle", b"xyz")})
    assert (secret.may_hold_messages, pickled.may_hold_messages) == (False, True)


def test_what_states_share_is_looked_into_once():
    looks = 0

    class Counted(dict):
        def values(self):
            nonlocal looks
            looks += 1
            return super().values()

    search, shared = Search(), Counted(content="x", usage={})
    assert not any(search.holds_placeholder({"messages": [shared] * n}) for n in range(50))
    assert looks == 1
    hidden = {"__type__": "opaque", "reason": "r"}
    assert search.holds_placeholder({"messages": [shared, hidden]})
    assert search.holds_placeholder({"messages": [shared, hidden]})
