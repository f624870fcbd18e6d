"""The code behind a gesture, run as it stands: on a real server, and on graphs in this process."""

import ast
import asyncio
import datetime
import decimal
import enum
import json
import os
import subprocess
import sys
import tempfile
import uuid
from functools import partial
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from languages import LANGUAGES, missing, node, python, run_all, said, skip_where_missing
from places import history_in_process, history_on_server

import forkbook as fb
from forkbook import snippets
from forkbook.backends.records import RunSettings
from forkbook.snippets import layout, literals
from forkbook.widgets.codes_of_acts import act_blocks, coming, kept

FOREIGN = 'it\'s "odd" $HOME `ls` \\ \n \u202e é 猫 </pre>'


# How each language is run; each tells the thread that it acted on, or what it said.


# Gestures, each in a copy, so that its code can be run again on a copy of its own.


def edit(begun):
    return begun("fanout", items=["x"])[1].edit({"answers": [FOREIGN], "items": [FOREIGN, "é"]}, in_copy=True)


def edit_as_typed(begun):
    tip = begun("fanout", items=["x"]).tips[0]
    return tip.edit({"answers": [FOREIGN]}, "worker", replace=True, in_copy=True)


def resume(begun):
    marks = {"why": FOREIGN, "n": 2}
    return begun("fanout", items=["x"])[2].resume(interrupt_before=["join"], metadata=marks, in_copy=True)


def new_turn(begun):
    config = {"configurable": {"user_id": "7"}, "tags": ["a"]}
    return begun("fanout", items=["x"]).tips[0].resume(input={"items": [FOREIGN]}, config=config, in_copy=True)


def fork(begun):
    checkpoint = begun("fanout", items=["x"])[2]
    return checkpoint.fork({"answers": ["y"]}, "join", input={"items": []}, context={"user_id": "8"}, in_copy=True)


def answer(begun):
    return begun("questions").tips[0].answer({"said": FOREIGN}, in_copy=True)


def answer_nothing(begun):
    return begun("questions").tips[0].answer(None, in_copy=True)


def answer_some(begun):
    asking = begun("fanout", ask=True).tips[0]
    return asking.answer(by_id={asking.waiting_for[0]["id"]: "A", asking.waiting_for[2]["id"]: FOREIGN}, in_copy=True)


def answer_again(begun):
    asking = begun("questions").tips[0]
    asking.answer("a")
    return asking.history.refreshed()[asking.id].answer("b", in_copy=True)


def answer_some_again(begun):
    asking = begun("fanout", ask=True, items=["a", "b", "a"]).tips[0]
    ids = [item["id"] for item in asking.waiting_for]
    asking.answer(by_id=dict(zip(ids, "123", strict=True)))
    return asking.history.refreshed()[asking.id].answer(by_id={ids[1]: FOREIGN, ids[2]: {"q": None}}, in_copy=True)


def answer_a_failed_edit(begun):
    edited = begun("questions").tips[0].fork({"answers": ["edited"]}, as_node="__start__")
    failed = edited.checkpoint.answer("fail")
    assert failed.status == "error"
    return failed.checkpoint.answer("ok", in_copy=True)


def inside(begun, where):
    history = begun("nested", answers=["x"])
    return history.book.history(history.thread_id, subgraphs=True)[where]


def edit_inside(begun):
    return inside(begun, 6).edit({"answers": [FOREIGN]}, in_copy=True)


def fork_inside(begun):
    return inside(begun, 5).fork({"answers": [FOREIGN]}, "prepare", metadata={"n": 2}, in_copy=True)


def resume_inside(begun):
    return inside(begun, 6).edit({"answers": ["y"]}, "ask").checkpoint.resume(in_copy=True)


def answer_like_ids(begun):
    return begun("questions").tips[0].answer({"0" * 32: FOREIGN}, in_copy=True)


def answer_after_an_edit_inside(begun):
    history = begun("topical", topic="cats")
    inner = history.book.history(history.thread_id, subgraphs=True)[-1]
    inner.edit({"topic": FOREIGN})
    return history.book[history.thread_id].tips[0].answer("yes", in_copy=True)


def end_the_thread(begun):
    return begun("questions").tips[0].edit({}, "__end__", in_copy=True)


def record_a_node_that_wrote_nothing(begun):
    return begun("questions").tips[0].fork({}, "first", in_copy=True)


def remove_a_message(begun):
    history = begun("sleeper", topic="x", messages=[{"type": "human", "id": "h", "content": "hi"}])
    return history[1].edit({"messages": [{"type": "remove", "id": "h"}]}, in_copy=True)


def edit_a_functional_graph(begun):
    return begun("flow", x=1).tips[0].edit({"ok": FOREIGN}, in_copy=True)


def input_that_is_a_list(begun):
    return begun("flow", x=1).tips[0].resume(input=[FOREIGN, 0], in_copy=True)


def input_that_is_zero(begun):
    return begun("flow", x=1).tips[0].resume(input=0, in_copy=True)


GESTURES = [
    answer_like_ids,
    answer_after_an_edit_inside,
    end_the_thread,
    record_a_node_that_wrote_nothing,
    remove_a_message,
    edit_a_functional_graph,
    input_that_is_a_list,
    input_that_is_zero,
    edit,
    edit_inside,
    fork_inside,
    resume_inside,
    edit_as_typed,
    resume,
    new_turn,
    fork,
    answer,
    answer_nothing,
    answer_some,
    answer_again,
    answer_some_again,
    answer_a_failed_edit,
]
gestures = pytest.mark.parametrize("gesture", GESTURES, ids=lambda gesture: gesture.__name__)


def effect(history: fb.History) -> list[tuple]:
    """What a thread holds; ids of new checkpoints are told by their place."""
    return [
        (
            None if cp.parent is None else cp.parent.position,
            cp.step,
            cp.source,
            cp.values,
            cp.next,
            {name: cp.metadata.get(name) for name in ("why", "n", "user_id")},
            [(task["name"], [asked["value"] for asked in task["interrupts"]]) for task in cp.tasks],
        )
        for cp in history
    ]


@gestures
def test_a_snippet_does_on_a_server_what_the_gesture_did(testbed, gesture):
    act = gesture(partial(history_on_server, testbed))
    threads = run_all(act.code)
    assert act.history.thread_id not in threads.values()
    assert len(set(threads.values())) == len(threads)
    with fb.connect(testbed) as book:
        for language, thread_id in threads.items():
            history = book.history(thread_id, subgraphs=act.history.subgraphs)
            assert effect(history) == effect(act.history), language
    skip_where_missing()


@pytest.mark.long
@gestures
def test_a_snippet_does_in_this_process_what_the_gesture_did(gesture):
    act = gesture(history_in_process)
    book, names = act.history.book, {"graph": act.history.book.backend._graph}
    exec(act.code(), names)
    history = book.history(names["thread_id"], subgraphs=act.history.subgraphs)
    assert effect(history) == effect(act.history)


@pytest.mark.parametrize("gesture", [fork, answer_some_again], ids=lambda gesture: gesture.__name__)
def test_a_graph_that_awaits_gets_a_snippet_that_awaits(gesture, tmp_path):
    from agents import graphs

    async def scene():
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "a.sqlite")) as saver:

            def begun(name, **input):
                graph = getattr(graphs, f"build_{name}")().compile(checkpointer=saver, name=name)
                thread_id = str(uuid.uuid4())
                asyncio.run_coroutine_threadsafe(
                    graph.ainvoke(input, {"configurable": {"thread_id": thread_id}}), loop
                ).result()
                return fb.connect(graph)[thread_id]

            loop = asyncio.get_running_loop()
            act = await asyncio.to_thread(gesture, begun)
            names = {"graph": act.history.book.backend._graph}
            code = compile(await asyncio.to_thread(act.code), "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            await eval(code, names)
            again = await act.history.book.ahistory(names["thread_id"])
            assert effect(again) == effect(act.history)

    asyncio.run(scene())


def test_the_code_of_a_first_run_makes_a_thread_and_that_of_a_later_one_goes_on_at_its_head(testbed):
    with fb.connect(testbed) as book:
        first = book.run(None, {"items": ["x"]}, assistant="fanout", metadata={"why": "new"})
        for language, thread_id in run_all(first.code).items():
            assert effect(book[thread_id]) == effect(first.history), language
            more = book.run(thread_id, {"items": [FOREIGN]})
            assert LANGUAGES[language](more.code(language)) == thread_id
            again = book[thread_id]
            assert len(again) - len(more.history) == len(more.history) - len(first.history), language
            assert again.branches == ["A"]
    skip_where_missing()


def test_the_code_of_a_first_run_makes_the_thread_with_its_metadata_and_its_id(testbed):
    mine, metadata = str(uuid.uuid4()), {"owner": uuid.uuid4().hex, "why": {"odd": [FOREIGN, 1]}}
    with fb.connect(testbed) as book:
        how = {"assistant": "fanout", "thread_metadata": metadata, "metadata": {"why": FOREIGN}}
        for thread_id, options in ((None, {}), (mine, {"if_not_exists": "create"})):
            act = book.run(thread_id, {"items": ["x"]}, **how, **options)
            for language, run in LANGUAGES.items():
                if missing(language):
                    continue
                if thread_id:
                    book.backend.delete(mine)
                assert "forkbook" not in act.code(language)
                made = run(act.code(language))
                assert (made == mine) is bool(thread_id), language
                assert effect(book[made]) == effect(act.history), language
                assert book.backend.thread(made)["metadata"].items() >= metadata.items(), language
        assert len(book.threads(metadata={"owner": metadata["owner"]})) == 2 + sum(
            not missing(name) for name in LANGUAGES
        )
        assert python(act.code("python")) == mine
        assert len(book[mine]) == 2 * len(act.history), "typed again it goes on with the thread, as the call does"
    skip_where_missing()


@pytest.mark.outside
def test_the_code_of_a_first_run_in_this_process_has_its_id_and_says_what_is_not_kept():
    book = history_in_process("fanout", items=[]).book
    how = {"thread_metadata": {"owner": "ada"}, "metadata": {"why": "x"}}
    act = book.run("my own", {"items": ["x"]}, if_not_exists="create", **how)
    assert "forkbook_marks" not in act.code() + repr(act)
    (comment,) = [line for line in act.code().splitlines() if line.startswith("#")]
    assert comment.startswith("# A checkpointer keeps no metadata of threads")
    assert comment.endswith('{"owner": "ada"}')
    book.backend.delete("my own")
    exec(act.code(), {"graph": book.backend._graph})
    assert effect(book["my own"]) == effect(act.history)
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
    for language in ("graph", "python"):
        subprocess.run(ruff, input=act.code(language) + "\n", text=True, check=True)


def test_a_run_in_this_process_has_its_code_too():
    book = history_in_process("fanout", items=[]).book
    first = book.run(None, {"items": [FOREIGN]})
    names = {"graph": book.backend._graph}
    exec(first.code(), names)
    assert effect(book[names["thread_id"]]) == effect(first.history)
    more = book.run(names["thread_id"], {"items": ["x"]})
    exec(more.code(), names)
    assert len(book[names["thread_id"]]) - len(more.history) == len(more.history) - len(first.history)


def before_the_joke(history):
    return next(cp for cp in history if cp.next == ("write_joke",))


def test_the_time_travel_guide_runs_as_its_snippet_says(book, joke_thread):
    act = before_the_joke(book[joke_thread]).fork({"topic": "chickens"})
    threads = run_all(act.code, at_a_time=1)
    assert set(threads.values()) == {joke_thread}
    history = book[joke_thread]
    assert len(history.tips) == 2 + len(threads)
    (parent,) = {tip.parent.parent for tip in history.tips[1:]}
    assert parent == before_the_joke(history)
    for tip in history.tips[1:]:
        assert (tip.parent.values["topic"], tip.parent.source, tip.status) == ("chickens", "update", "finished")
        assert "chicken" in tip.values["joke"]
        assert tip.metadata["user_id"] == "123", "the run's config goes along"
    skip_where_missing()


@pytest.mark.parametrize("name", ["branches", "approval", "trouble"])
def test_the_copy_guide_runs_as_its_snippet_says(book, demo_threads, name):
    report = book.copy(demo_threads[name])
    assert report
    assert set(run_all(report.code).values()) == {"The histories are the same."}
    skip_where_missing()


def test_a_copy_that_is_not_the_same_is_noticed(book, client, joke_thread):
    code = book.copy(joke_thread).code()
    with pytest.raises(AssertionError, match="the histories are different"):
        python(code.replace("\n\n\n", '\nclient.threads.update_state(copy_id, {"topic": "dogs"})\n', 1))


def test_a_graph_in_this_process_is_copied_and_compared():
    history = history_in_process("nested")
    book = history.book
    names = {"graph": book.backend._graph}
    exec(book.copy(history.thread_id).code(), names)
    (asking,) = book[names["copy_id"]].tips
    assert (asking.id, asking.waiting_for[0]["value"]) == (history.tips[0].id, "deep?")
    assert asking.answer("yes").checkpoint.values["answers"] == ["prepared", "ask=yes", "end"]


# Literals


texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts
odd = st.sampled_from([None, True, FOREIGN, "__proto__", "\x7f\0", "\ue000A\ue001"])
json_values = st.recursive(
    odd | scalars, lambda inner: st.lists(inner) | st.dictionaries(texts | st.just("__proto__"), inner)
)


def same(a, b) -> bool:
    return json.dumps(a) == json.dumps(b)


@pytest.mark.long
@given(json_values)
@settings(deadline=None, max_examples=100)
def test_a_literal_is_read_back_as_the_value(value):
    for text, read in (
        (layout.laid(literals.python_literal(value)), ast.literal_eval),
        (layout.laid(literals.python_literal(value, set())), ast.literal_eval),
        (layout.laid(literals.json_literal(value)), json.loads),
        (layout.laid(literals.javascript_literal(value)).replace('["__proto__"]:', '"__proto__":'), json.loads),
    ):
        assert same(read(text), value)
        assert text.replace("\n", "").isprintable()


@pytest.mark.outside
@given(st.lists(json_values, max_size=8))
@settings(deadline=None, max_examples=15)
def test_javascript_reads_back_what_was_written(values):
    if problem := missing("javascript"):
        pytest.skip(problem)
    exact = [value for value in values if not literals.inexact(value)]
    text = layout.laid(literals.javascript_literal(exact), "console.log(JSON.stringify(", "))")
    floats = partial(json.loads, parse_int=float)
    assert floats(said([node(), "-"], text)) == floats(json.dumps(exact))


@pytest.fixture(scope="module")
def fake_curl(tmp_path_factory):
    """A folder with a curl that writes each argument to a file of its own, and answers with what jq expects."""
    folder = tmp_path_factory.mktemp("bin")
    fake = folder / "curl"
    fake.write_text('#!/bin/sh\nfor argument; do n=$((n+1)); printf "%s" "$argument" > "$OUT/$n"; done\necho "{}"\n')
    fake.chmod(0o755)
    return folder


def arguments(fake_curl, folder, code, **variables) -> list[str]:
    path = f"{fake_curl}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh"], input=code.encode(), env={"PATH": path, "OUT": str(folder), **variables}, check=True)
    return [(folder / str(n)).read_bytes().decode() for n in range(1, 1 + len(list(folder.iterdir())))]


SERVER = snippets.Place("http://127.0.0.1:1")


@pytest.mark.outside
@given(json_values)
@settings(deadline=None, max_examples=25)
def test_a_shell_hands_curl_exactly_the_body(fake_curl, value):
    gesture = snippets.of_edit("t", "c", {"channel": value}, FOREIGN)
    with tempfile.TemporaryDirectory() as folder:
        *_, flag, body = arguments(fake_curl, Path(folder), snippets.code(SERVER, gesture, "curl"))
    assert flag == "--data"
    assert same(json.loads(body), {"values": {"channel": value}, "as_node": FOREIGN, "checkpoint_id": "c"})


@pytest.mark.outside
def test_a_shell_runs_nothing_after_an_edit_that_failed(tmp_path):
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\necho called >> "$OUT"\nexit 22\n')
    fake.chmod(0o755)
    code = snippets.code(SERVER, snippets.of_fork("t", "c", {"a": 1}, RunSettings("agent")), "curl")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["sh"], input=code.encode(), env={"PATH": path, "OUT": str(tmp_path / "out")}, check=False)
    assert done.returncode != 0
    assert (tmp_path / "out").read_text() == "called\n"


class Mood(enum.Enum):
    CALM = "calm"


def test_objects_of_a_graph_in_this_process_are_written_as_code():
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    values = {
        "messages": [HumanMessage("hi", id="1"), AIMessage("yes", usage_metadata=usage)],
        "at": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        "id": uuid.UUID(int=7),
        "price": decimal.Decimal("1.10"),
        "pair": (1,),
        "kinds": {frozenset({1}), b"x"},
        "mood": Mood.CALM,
        "reply": fb.Answer("yes"),
        "path": Path("a/b"),
        "infinite": float("inf"),
    }
    imports: set[str] = set()
    text = layout.laid(literals.python_literal(values, imports))
    names: dict = {}
    exec("\n".join(imports), names)
    assert eval(text, names) == values


def test_a_class_of_a_private_module_is_imported_from_the_public_one():
    """Python 3.13 has its paths in `pathlib._local`."""
    path = type("PosixPath", (PurePosixPath,), {"__module__": "pathlib._local"})("a/b")
    imports: set[str] = set()
    assert layout.laid(literals.python_literal(path, imports)) == "PosixPath('a/b')"
    assert imports == {"from pathlib import PosixPath"}


@pytest.mark.outside
def test_a_python_snippet_is_formatted():
    awaits, id_ = snippets.Place(awaits=True), str(uuid.uuid4())
    made = [gesture(history_in_process).gesture for gesture in (fork, answer_again)]
    for gesture in [*made, snippets.of_copy(id_), snippets.of_edit(id_, id_, {"a": ["x" * 40, {"b": ("y" * 40,)}]})]:
        for place, language in ((awaits, "python"), (awaits, "graph"), (snippets.Place(), "graph")):
            ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
            subprocess.run(ruff, input=snippets.code(place, gesture, language) + "\n", text=True, check=True)


# Places, keys, languages


def test_a_key_and_headers_are_named_and_never_shown(demo_url, joke_thread, fake_curl, tmp_path):
    headers = {"authorization": "Bearer hidden"}
    with fb.connect(demo_url, api_key="secret-key", headers=headers) as book:
        act = book[joke_thread].tips[0].edit({"topic": "dogs"})
    for language in snippets.LANGUAGES:
        assert "secret" not in act.code(language)
        assert "hidden" not in act.code(language)
    secrets = {"LANGGRAPH_API_KEY": "secret-key", "AUTHORIZATION": "Bearer hidden"}
    sent = arguments(fake_curl, tmp_path, act.code("curl"), **secrets)
    assert {"x-api-key: secret-key", "authorization: Bearer hidden"} <= set(sent)
    assert 'api_key=os.environ["LANGGRAPH_API_KEY"]' in act.code()
    assert 'headers={"authorization": os.environ["AUTHORIZATION"]}' in act.code()
    assert "apiKey: process.env.LANGGRAPH_API_KEY" in act.code("javascript")
    assert "LANGGRAPH_API_KEY" not in act.code("graph")


def test_without_a_key_none_is_sent_whatever_the_environment_holds():
    gesture = snippets.of_edit("t", "c", {"a": 1})
    assert "api_key=None" in snippets.code(SERVER, gesture)
    assert "apiKey: null" in snippets.code(SERVER, gesture, "javascript")
    assert "x-api-key" not in snippets.code(SERVER, gesture, "curl")


def test_a_language_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(fb.InvalidInput, match="no code in 'rust'; there is python, javascript, curl, graph"):
        snippets.code(SERVER, snippets.of_copy("t"), "rust")


def test_what_has_no_form_in_json_has_code_in_this_process_alone():
    gesture = snippets.of_edit("t", "c", {"a": object})
    with pytest.raises(fb.InvalidInput, match="cannot be sent as JSON"):
        snippets.code(snippets.Place(), gesture, "python")
    assert snippets.code(snippets.Place(), gesture).language == "graph"


def test_an_act_without_a_record_says_so(joke_thread, book):
    history = book[joke_thread]
    with pytest.raises(fb.InvalidInput, match="no record of what was done"):
        fb.Act("edit", history.tips[0], history, "finished", spot=history.tips[0].spot).code()


def test_javascript_is_told_of_integers_that_it_would_change():
    gesture = snippets.of_edit("t", "c", {"a": [2**60 + 1]})
    assert "// JavaScript has no room for the integer 1152921504606846977." in snippets.code(
        SERVER, gesture, "javascript"
    )
    run = snippets.of_resume("t", "c", RunSettings("agent"), {"a": 2**53})
    assert "no room" not in snippets.code(SERVER, run, "javascript")


# As it is shown


def test_a_snippet_shows_as_itself_and_as_highlighted_markdown():
    code = snippets.code(SERVER, snippets.of_edit("t", "c", {"a": "```` <script>"}))
    assert repr(code) == str(code)
    assert code._repr_markdown_() == f"`````python\n{code}\n`````"
    assert snippets.code(SERVER, snippets.of_copy("t"), "curl")._repr_markdown_().startswith("```bash\n")


def test_the_tab_has_our_line_and_every_language():
    gesture = snippets.of_edit("t", "c", {"a": 1})
    title, *codes = act_blocks(coming("what it would do", "line", SERVER, gesture))
    assert title["text"] == "what it would do"
    assert [code["text"] for code in codes[1:]] == [snippets.code(SERVER, gesture, each) for each in snippets.LANGUAGES]
    assert [code["label"] for code in codes if code["open"]] == ["forkbook", "Python"]


def test_the_tab_says_why_there_is_no_code(joke_thread, book):
    tip = book[joke_thread].tips[0]
    *_, why = act_blocks(kept("edit", "line", fb.Act("edit", tip, tip.history, "finished", spot=tip.spot)))
    assert "no record" in why["text"]
    blocks = act_blocks(coming("edit", "line", snippets.Place(), snippets.of_edit("t", "c", {"a": object})))
    assert sum("cannot be sent as JSON" in block["text"] for block in blocks) == 3
