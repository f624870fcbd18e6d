"""Secrets by their names: what they are, and that they show nowhere while every act still has them."""

import copy
import dataclasses
import io
import pickle
import pprint

import canary
import pytest
from given_secrets import CANARY, CONFIGURABLE, begun_with_secrets
from hypothesis import given
from hypothesis import strategies as st
from IPython.lib.pretty import pretty
from languages import LANGUAGES, missing, skip_where_missing
from page_of import given_to_the_page
from pydantic import BaseModel
from rich.console import Console

import forkbook as fb
from forkbook import snippets
from forkbook.backends.capabilities import Capability
from forkbook.backends.records import RunSettings
from forkbook.cli.app import app
from forkbook.model.held import masked_address
from forkbook.model.secrets import MASK, MaskedDict, is_secret_name, masked, masking, without_secrets
from forkbook.widgets.explorer import Explorer

ENDINGS = ["key", "token", "secret", "password", "auth", "authorization", "credentials",
           "passwd", "pwd", "passphrase", "passcode", "bearer", "cookie"]  # fmt: skip
SECRETS = {
    "api_key": CANARY,
    "apiKey": CANARY,
    "x-api-key": CANARY,
    "OPENAI_API_KEY": CANARY,
    "nested": {"list": [{"Authorization": f"Bearer {CANARY}"}], "credentials": {"user": CANARY, "port": 5432}},
    "max_tokens": 100,
    "user_id": "7",
}


@given(st.text(), st.sampled_from(ENDINGS), st.booleans())
def test_a_name_with_such_an_ending_names_a_secret(start, ending, capital):
    assert is_secret_name(start + (ending.upper() if capital else ending))


@pytest.mark.parametrize("name", [
    "apiKey", "api-key", "OPENAI_API_KEY", "x-api-key", "token ", "api_keys", "secrets", "commonkey", "daemonKey",
    "db_passwd", "dbPwd", "PGPASSPHRASE", "set-cookie", "session_cookies", "Authorization", "Bearer", "hotkey",
])  # fmt: skip
def test_spellings_of_a_secrets_name(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "graph_id",
        "run_id",
        "user_id",
        "author",
        "keyring",
        "langgraph_auth_user",
        5,
        None,
        "monkey",
        "turkeys",
        "pet_monkey",
        "Donkey",
        "cookie_policy",
        "passphrase_hint",
        "password_policy",
        "bearer_name",
        "pwd_changed_at",
    ],
)
def test_what_names_no_secret(name):
    assert not is_secret_name(name)


def test_texts_and_bytes_are_masked_and_numbers_stay():
    value = {
        "api_key": "x",
        "token": b"x",
        "secret": {"__type__": "bytes", "value": "eA=="},
        "password": "",
        "auth": None,
        "max_tokens": 5,
        "more_tokens": "4096",
        "key": {"__type__": "opaque", "reason": "a secret: pydantic's SecretStr", "size": 1},
        "keys": ("a", 1, {"b"}),
    }
    shown = {**value, "api_key": MASK, "token": MASK, "secret": MASK, "keys": (MASK, 1, {MASK})}
    assert masked(value) == shown
    kept, names = without_secrets(value)
    assert kept == {name: value[name] for name in ("password", "auth", "max_tokens", "more_tokens", "key")}
    assert names == ("api_key", "token", "secret", "keys")


def test_names_of_what_is_left_out_say_where_it_was():
    kept, names = without_secrets(SECRETS)
    assert kept == {"nested": {"list": [{}]}, "max_tokens": 100, "user_id": "7"}
    assert names == (
        "api_key",
        "apiKey",
        "x-api-key",
        "OPENAI_API_KEY",
        "nested.list.Authorization",
        "nested.credentials",
    )


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["api_key", "tokens", "n"]), inner),
)


@pytest.mark.long
@given(json)
def test_a_value_without_secrets_is_the_very_same_value(value):
    kept, names = without_secrets(value)
    assert masked(kept) is kept
    assert without_secrets(kept) == (kept, ())
    assert (kept is value) == (not names) == (masked(value) is value)
    assert masking(value) == value


@dataclasses.dataclass
class Context:
    api_key: str
    user_id: str = "7"


class Model(BaseModel):
    token: str
    inner: Context


@pytest.mark.parametrize(
    "value",
    [
        Context(CANARY),
        Model(token=CANARY, inner=Context(CANARY)),
        [Context(CANARY)],
        {"credentials": Context("a", CANARY)},
    ],
)
def test_objects_with_fields_show_without_their_secrets(value):
    assert CANARY not in repr(masked(value))
    assert "7" in repr(masked(Context(CANARY)))


def test_objects_that_refer_to_each_other_are_looked_into_only_so_far():
    first, second = Context(CANARY), Context(CANARY)
    first.user_id, second.user_id = [second] * 9, [first] * 9
    masked(first)


def shown_by(value):
    """Everything that shows a value."""
    out = io.StringIO()
    Console(file=out, width=200).print(value)
    return "\n".join([repr(value), str(value), f"{value}", pretty(value), pprint.pformat(value), out.getvalue()])


def test_a_masked_dict_is_a_dict_that_shows_no_secret():
    value = masking(SECRETS)
    assert value == SECRETS
    assert isinstance(value, dict)
    assert value["api_key"] == CANARY
    for held in (value, value["nested"], value["nested"]["list"], value.copy(), value | {"a": 1}, copy.deepcopy(value)):
        assert CANARY not in shown_by(held)
    assert pickle.loads(pickle.dumps(value)) == SECRETS


def test_settings_of_a_run_show_no_secret_and_hold_it():
    how = RunSettings("agent", {"configurable": SECRETS, "tags": ["a"]}, Context(CANARY), metadata={"api_key": CANARY})
    assert CANARY not in "".join(map(shown_by, (how, how.config, how.config["configurable"], how.metadata)))
    assert how.config["configurable"] == SECRETS
    assert "user_id" in repr(how)
    assert how.config["configurable"]["nested"] is SECRETS["nested"], "what is nested stays the user's own"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("user:pw@host/db", "…@host/db"),
        ("http://user:pw@host", "http://…@host"),
        ("postgresql://user:p@w@h:1/x", "postgresql://…@h:1/x"),
        ("mysql://u:pw@h", "mysql://…@h"),
        ("postgresql:/u:pw@h", "postgresql:/…@h"),
        ("/u:pw@host/db", "…@host/db"),
        ("host=h password=pw", "host=h password=…"),
        ("password=p@pw host=h", "password=… host=h"),
        (r"password = 'a\'pw c' user=x", "password = … user=x"),
        ("password='pw", "password=…"),
        ("http://user:pw/db", "http://user:…"),
        ("user@host:pw/db", "…@host:…"),
        ("http://h:2024/x?api_key=pw&limit=1", "http://h:2024/x?api_key=…&limit=1"),
        ("postgresql://h/db?user=u&sslpassword=pw", "postgresql://h/db?user=u&sslpassword=…"),
        ("a\nb:pw@h", "…@h"),
        ("http://h:2024/x", "http://h:2024/x"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("study.forkbook", "study.forkbook"),
        ("C:\\a\\b.sqlite", "C:\\a\\b.sqlite"),
        ("localhost:2024", "localhost:2024"),
    ],
)
def test_an_address_shows_without_user_and_password(typed, shown):
    assert masked_address(typed) == shown


@pytest.fixture(params=[pytest.param("server", marks=pytest.mark.outside), "graph"])
def history(request):
    return begun_with_secrets(None if request.param == "graph" else request.getfixturevalue("testbed"))


def test_a_history_shows_no_secret(history):
    tip = history.tips[0]
    assert tip.metadata["api_key"] == CANARY
    everything = [history, tip, tip.metadata, tip.state, history.states, tip.own_settings(), history.summary()]
    everything += [history.book.threads().to_string(), history.checkpoints_df().to_string()]
    everything += [history.tasks_df().to_string(), history.branches_df().to_string(), history.messages_df().to_string()]
    everything += [history.figure().to_json(), history._repr_mimebundle_(), dict(history.graph.nodes(data=True))]
    assert CANARY not in "".join(map(shown_by, everything))
    assert [MASK in str(row) or "server" not in history.book.backend.kind for row in history.book.threads().metadata]


def test_acts_keep_the_secrets_and_do_not_show_them(history):
    """What one run was given, the next has, too; and its code names a variable."""
    act = history[2].resume(config={"configurable": CONFIGURABLE}, in_copy=True)
    assert act.settings.config["configurable"]["api_key"] == CANARY
    assert act.settings.config["configurable"]["openai"] == {"token": CANARY}
    assert act.checkpoint.metadata["api_key"] == CANARY
    later = act.checkpoint.resume(input={"items": []})
    assert later.settings.config["configurable"]["api_key"] == CANARY
    said = [act, later, act.settings, act.settings.config, act.settings.config["configurable"]["openai"], act.gesture]
    assert CANARY not in "".join(map(shown_by, said))
    codes = {language: act.code(language) for language in (*LANGUAGES, "graph")}
    assert CANARY not in "".join(codes.values())
    for variable in ("API_KEY", "OPENAI_TOKEN", "PROVIDERS_0_SECRET"):
        assert f'os.environ["{variable}"]' in codes["python"]
        assert f'os.environ["{variable}"]' in codes["graph"]
        assert f"process.env.{variable}" in codes["javascript"]
        assert f"${{{variable}:?}}" in codes["curl"]
    assert "import os" in codes["python"]
    assert "import os" in codes["graph"]


def test_the_code_of_an_act_with_secrets_runs_with_the_variables(testbed, monkeypatch):
    act = begun_with_secrets(testbed)[2].resume(in_copy=True)
    for variable in ("API_KEY", "OPENAI_TOKEN", "PROVIDERS_0_SECRET", "AUTH_TOKEN"):
        monkeypatch.setenv(variable, CANARY)
    with fb.connect(testbed) as book:
        for language, run in LANGUAGES.items():
            if not missing(language):
                settings = book[run(act.code(language))][-1].own_settings()
                assert settings.config["configurable"] == act.settings.config["configurable"], language
    skip_where_missing()


def test_the_code_of_a_context_object_names_a_variable():
    how = RunSettings("agent", {}, Context(CANARY, "8"))
    gesture = snippets.of_run("t", how, {"api_key": "a value, as it is"})
    code = snippets.code(snippets.Place(), gesture)
    assert 'Context(api_key=os.environ["API_KEY"], user_id="8")' in code
    assert "a value, as it is" in code
    assert CANARY not in code + snippets.code(snippets.Place(), gesture, "python")


def test_an_error_about_settings_that_are_no_json_shows_no_secret():
    how = RunSettings("agent", {"configurable": {"token": CANARY.encode(), "odd": {1: object(), "key": CANARY}}})
    with pytest.raises(fb.InvalidInput, match="JSON") as caught:
        snippets.code(snippets.Place(), snippets.of_run("t", how), "python")
    assert CANARY not in str(caught.value)


def test_the_metadata_of_a_new_thread_shows_no_secret_in_its_code(testbed):
    with fb.connect(testbed) as book:
        act = book.run(None, {"items": []}, assistant="fanout", thread_metadata={"api_key": CANARY, "owner": "ada"})
        assert book.backend.thread(act.history.thread_id)["metadata"]["api_key"] == CANARY
        assert CANARY not in "".join(act.code(language) for language in (*LANGUAGES, "graph")) + repr(
            [act, act.gesture]
        )


def test_the_explorer_and_the_report_show_no_secret(history, tmp_path):
    explorer = Explorer(history)
    if Capability.WRITE in history.book.backend.capabilities:
        explorer.do("preview", position=2)
        explorer.wait()
        explorer.do("run", position=2, in_copy=True)
        explorer.wait()
        assert explorer.acts
    report = history.report(tmp_path / "a.html").read_text()
    assert CANARY not in str(list(given_to_the_page(explorer))) + report


def test_the_command_line_shows_no_secret(testbed, capsys):
    history = begun_with_secrets(testbed)
    for command in (
        ["threads", testbed],
        ["threads", testbed, "--json"],
        ["show", testbed, history.thread_id, "--json"],
    ):
        with pytest.raises(SystemExit):
            app(command, prog_name="forkbook")
        told = capsys.readouterr()
        assert CANARY not in told.out + told.err
        assert command[0] != "threads" or MASK in told.out


def test_metadata_that_cannot_be_is_refused_without_its_secrets(history):
    with pytest.raises(fb.InvalidInput, match="api_keys") as caught:
        history[2].resume(metadata={"api_keys": [CANARY]})
    assert CANARY not in str(caught.value)


def test_a_masked_dict_is_told_from_a_plain_one_only_by_its_repr():
    assert type(MaskedDict(a=1).copy()) is type(MaskedDict(a=1) | {"b": 1}) is MaskedDict


def test_an_act_that_fails_shows_no_secret_in_its_frames(history):
    """What a user gives a run is in many frames on its way there."""
    config = {"configurable": {"api_key": canary.canary(), "nested": {"token": canary.canary()}}}
    tip, book = history.tips[0], history.book
    given = {"config": config, "metadata": {"my_token": canary.canary()}}
    frames = [
        lambda: tip.resume(**given),
        lambda: tip.resume(input={"no such channel": 1}, **given),
        lambda: tip.fork({"answers": ["x"]}, "no such node", **given),
        lambda: tip.answer("x", **given),
        lambda: tip.resume(input={"items": []}, assistant="no such assistant", **given),
        lambda: tip.sweep([{"no such channel": 1}], **given),
        lambda: book.run(history.thread_id, {"no such channel": 1}, **given),
        lambda: book.run("t", {"items": []}, thread_metadata={"api_key": canary.canary()}, **given),
    ]
    for act in frames:
        canary.frames_show_nothing(act)
