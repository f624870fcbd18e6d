import gzip
import hashlib
import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately
from shapes import ai, facts_of, human, state

import forkbook as fb
from forkbook.face.views import VIEWS
from forkbook.frames import checkpoints_rows, messages_rows, tokens_rows
from forkbook.model.messages import canonical
from forkbook.tokens.blocks import texts, unknown_blocks
from forkbook.tokens.counting import approximate, counter_of, default_counter

CALL = {"name": "f", "args": {"x": 1}, "id": "c1", "type": "tool_call"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 4000}}


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage("Hello there, how are you?", name="bob"),
        AIMessage("fine", tool_calls=[CALL]),
        ToolMessage("42", tool_call_id="c1"),
        SystemMessage("be brief"),
        ChatMessage(content="hi", role="critic"),
        HumanMessage([{"type": "text", "text": "blocks"}, "and text", {"type": "text", "text": "again"}]),
        AIMessage(["x", {"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}], tool_calls=[CALL]),
        AIMessage([{"type": "reasoning", "reasoning": "well, well"}, {"type": "text", "text": "x"}]),
    ],
    ids=["name", "call", "tool", "system", "chat", "blocks", "tool_use", "reasoning"],
)
def test_the_approximation_is_langchains_on_its_own_messages(message):
    assert approximate(message.model_dump()) == count_tokens_approximately([message])


def test_where_langchain_takes_85_tokens_for_an_image_it_is_unknown_here():
    message = HumanMessage([{"type": "text", "text": "look"}, IMAGE])
    assert approximate(message.model_dump()) == count_tokens_approximately([message]) - 85
    assert unknown_blocks(message.model_dump()) == 1


def test_the_default_counts_o200k_tokens_of_text_and_calls():
    counter = default_counter()
    assert counter.name == "tokenizer:o200k"
    assert counter.count(human("h", "hello world")) == 2
    assert counter.count(ai("m", "", tool_calls=[{"name": "add", "args": {"a": 1}}])) == counter.count(
        human("h", 'add{"a":1}')
    )
    assert math.isclose(counter.count(human("h", "word " * 40_000)), 40_000, rel_tol=0.001)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("o200k_base", "tokenizer:o200k"),
        ("cl100k", "tokenizer:cl100k"),
        ("gpt-4o-mini-2024-07-18", "tokenizer:o200k"),
        ("gpt-4.1", "tokenizer:o200k"),
        ("gpt-5-mini", "tokenizer:o200k"),
        ("o3-mini", "tokenizer:o200k"),
        ("gpt-4", "tokenizer:cl100k"),
        ("gpt-4-0613", "tokenizer:cl100k"),
        ("gpt-3.5-turbo", "tokenizer:cl100k"),
        ("ft:gpt-4o:me", "tokenizer:o200k"),
        ("approximate", "approximate"),
    ],
)
def test_a_name_stands_for_its_encoding(name, method):
    assert counter_of(name).name == method


def test_encodings_differ():
    text = human("h", "Ελληνικά και 中文")
    assert counter_of("gpt-4").count(text) > counter_of("gpt-4o").count(text) > 0


@pytest.mark.parametrize("name", ["claude-sonnet-4", "gpt-9", "o33", "", "p50k_base", "gpt2"])
def test_a_name_without_a_tokenizer_here_says_which_work(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    with pytest.raises(fb.InvalidInput, match="cl100k_base") as caught:
        counter_of(name)
    assert "approximate" in caught.value.candidates
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def vocabulary(tmp_path, monkeypatch):
    """tiktoken's cache with one file, whose bytes the wheel has, too."""
    from tiktoken import registry

    monkeypatch.setattr(registry, "ENCODINGS", {})
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    address = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
    file = tmp_path / hashlib.sha1(address.encode()).hexdigest()
    (wheel,) = importlib.util.find_spec("bpe_openai").submodule_search_locations
    file.write_bytes(gzip.decompress((Path(wheel) / "data" / "o200k_base.tiktoken.gz").read_bytes()))
    return file


def test_tiktoken_counts_where_its_file_is_cached(vocabulary):
    for name in ("o200k_harmony", "gpt-oss-120b"):
        counter = counter_of(name)
        assert counter.name == "tokenizer:o200k_harmony"
        assert counter.count(human("h", "hello world")) == 2


def test_tiktoken_is_not_asked_where_its_file_is_damaged_or_away(vocabulary, monkeypatch):
    def fetch(address):
        raise AssertionError(f"fetched {address}")

    monkeypatch.setattr("tiktoken.load.read_file", fetch)
    vocabulary.write_bytes(vocabulary.read_bytes()[:-1])
    with pytest.raises(fb.InvalidInput, match="o200k_harmony"):
        counter_of("o200k_harmony")
    vocabulary.unlink()
    with pytest.raises(fb.InvalidInput, match="none is fetched"):
        counter_of("gpt-oss-120b")


def test_without_the_wheel_the_default_is_the_approximation(monkeypatch):
    monkeypatch.setattr("forkbook.tokens.vocabularies.in_wheel", lambda: False)
    default_counter.cache_clear()
    try:
        assert default_counter().name == "approximate"
        with pytest.raises(fb.InvalidInput, match="forkbook\\[tokens\\]"):
            counter_of("gpt-4")
    finally:
        default_counter.cache_clear()


class Characters:
    def __call__(self, message):
        return len(message["content"])


def test_an_own_function_is_called_and_named():
    def characters(message):
        return len(message["content"])

    assert (counter_of(characters).name, counter_of(characters).count(human("h", "four"))) == (
        "tokenizer:characters",
        4,
    )
    assert counter_of(Characters()).name == "tokenizer:Characters"


@pytest.mark.parametrize("given", [-1, 1.5, "3", None, True, 2**60])
def test_an_own_function_that_gives_no_count_is_told_with_the_message(given):
    with pytest.raises(fb.InvalidInput, match="'h7'") as caught:
        counter_of(lambda message: given).count(human("h7"))
    assert caught.value.details["message_id"] == "h7"


def test_an_own_function_that_fails_is_told_with_the_message():
    with pytest.raises(fb.InvalidInput, match=r"'h7'.*KeyError") as caught:
        counter_of(lambda message: message["tokens"]).count(human("h7"))
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("given", [3, ["gpt-4"], {"gpt-4": 1}], ids=repr)
def test_what_is_no_counter_is_refused(given):
    with pytest.raises(fb.InvalidInput, match="a counter is"):
        counter_of(given)


@pytest.mark.parametrize(
    ("block", "said", "unknown"),
    [
        ({"type": "text", "text": "a"}, ["a"], 0),
        ({"type": "text-plain", "text": "a"}, ["a"], 0),
        ({"type": "output_text", "text": "a", "annotations": []}, ["a"], 0),
        (IMAGE, [], 1),
        ({"type": "image", "base64": "AAAA", "mime_type": "image/png"}, [], 1),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, [], 1),
        ({"type": "audio", "base64": "AAAA"}, [], 1),
        ({"type": "video", "url": "x"}, [], 1),
        ({"type": "file", "file": {"file_id": "f"}, "text": "not the file"}, [], 1),
        ({"type": "document", "source": {"type": "base64", "data": "AAAA"}}, [], 1),
        ({"type": "non_standard", "value": {}}, [], 1),
        ({"no": "type"}, [], 1),
        (7, [], 1),
        (None, [], 0),
        ({"type": "reasoning", "reasoning": "hm"}, ["hm"], 0),
        ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, ["hm"], 0),
        ({"type": "reasoning", "summary": [], "encrypted_content": "AAAA"}, [], 1),
        ({"type": "thinking", "thinking": "hm", "signature": "AAAA"}, ["hm"], 0),
        ({"type": "redacted_thinking", "data": "AAAA"}, [], 1),
        ({"type": "reasoning_content", "reasoning_content": {"text": "hm", "signature": "AAAA"}}, ["hm"], 0),
        ({"type": "tool_use", "id": "counted", "name": "f", "input": {"a": 1}}, [], 0),
        ({"type": "tool_use", "id": "other", "name": "f", "input": {"a": 1}}, ['f{"a":1}'], 0),
        ({"type": "function_call", "call_id": "counted", "name": "f", "arguments": '{"a":1}'}, [], 0),
        ({"type": "tool_result", "tool_use_id": "x", "content": "done"}, ["done"], 0),
        ({"type": "tool_result", "content": [{"type": "text", "text": "done"}, IMAGE]}, ["done"], 1),
        ({"type": "tool_result", "content": []}, [], 0),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
def test_each_type_of_block_is_text_or_unknown(block, said, unknown):
    call = {"name": "g", "args": {}, "id": "counted"}
    message = {"type": "ai", "id": "m", "content": ["first", block], "tool_calls": [call]}
    assert texts(message) == ["first", *said, "g{}"]
    assert unknown_blocks(message) == unknown


def test_unknown_blocks_stay_in_a_column_of_their_own():
    """1: h with two images ── 2: + m ── 3: m alone"""
    h = {"type": "human", "id": "h", "content": [{"type": "text", "text": "hello world"}, IMAGE, IMAGE]}
    m = ai("m", "hello", (900, 3))
    facts = facts_of(
        state("1", values={"messages": [h]}),
        state("2", "1", {"messages": [h, m]}),
        state("3", "2", {"messages": [m]}),
    )
    rows = list(checkpoints_rows(facts))
    assert [(row["unknown_blocks"], row["context_tokens"]) for row in rows] == [(2, 2), (2, 3), (0, 1)]
    assert [row["unknown_blocks"] for row in messages_rows(facts)] == [2, 0]
    assert [row["unknown_blocks"] for row in tokens_rows(facts)] == [0]


def test_an_own_function_counts_whole_messages_so_that_no_block_is_unknown():
    facts = facts_of(state("1", values={"messages": [human("h", [IMAGE])]}))
    facts = replace(facts, counter=counter_of(lambda message: 85))
    for rows in (checkpoints_rows, messages_rows, tokens_rows):
        assert [row["unknown_blocks"] for row in rows(facts)] == [0]


def test_a_counter_goes_with_its_history_and_its_book(demo_url, demo_threads):
    def three(message):
        return 3

    with fb.connect(demo_url, counter=three) as book:
        counted = book[demo_threads["branches"]]
        for history in (counted, counted.refreshed(), counted.refresh()):
            assert set(history.checkpoints_df().context_method) == {"tokenizer:three"}
        df = counted.checkpoints_df()
        assert (df.context_tokens == 3 * df.n_messages).all()
    with fb.connect(demo_url) as book:
        plain = book[demo_threads["branches"]]
        other = plain.counted_by("gpt-4")
        for history in (other, other.refreshed()):
            assert set(history.tokens_df().context_method) == {"tokenizer:cl100k"}
            assert "(tokenizer:cl100k)" in str(VIEWS["Tokens"](history.facts, len(history) - 1))
        assert set(plain.tokens_df().context_method) == {"tokenizer:o200k"}
        assert other.graph.nodes[other[-1].id]["context_tokens"] == other.checkpoints_df().context_tokens.iloc[-1]


def test_a_wrong_counter_is_refused_before_anything_is_opened():
    with pytest.raises(fb.InvalidInput, match="gpt-9"):
        fb.connect("http://127.0.0.1:9", counter="gpt-9")


def test_what_has_no_form_in_json_is_counted_all_the_same():
    odd = {"a\ud800": 2**70, 1: float("nan")}
    message = {"type": "ai", "content": "a\ud800b", "id": "1", "tool_calls": [{"name": "f", "args": odd, "id": "c"}]}
    assert default_counter().count(message) > 0
    assert canonical(message) != canonical(message | {"content": "a\ud801b"})
    assert canonical({"b": odd, "a": 1}) == canonical({"a": 1, "b": odd})
