"""What an AI message says about the model's call that wrote it: the usage that was reported, and the model. Pure.

LangChain's own `usage_metadata` comes first. Providers whose integration does not fill it leave their own report in
`response_metadata`, each under names of its own: `FORMS` has a row for each of these, `PLACES` where they stand.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..model.states import holds_placeholder

MOST = 2**53  # a larger number is none that JavaScript kept
WHOLE = re.compile(r"\s*(\d{1,16})(?:\.0*)?\s*", re.ASCII)  # a number that was sent as text
CACHES_BY_LIFETIME = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")  # Anthropic's, in place of their sum
MODEL_NAMES = ("model_name", "model", "model_id", "modelId", "modelName", "ls_model_name")
HANDOFF_BACK = "__is_handoff_back"  # langgraph-supervisor's mark on the notes that it writes itself

Path = tuple[str, ...]


class Form(NamedTuple):
    """The names under which one provider reports.

    Attributes:
        input: Tokens that the model read.
        output: Tokens that it wrote.
        total: Both; None: not reported.
        cache_read: Tokens from the provider's cache.
        cache_creation: Tokens written to it.
        reasoning: Tokens of reasoning.
        cache_beside_input: Whether cached tokens are not a part of `input`.
        reasoning_beside_output: Whether reasoning may be no part of `output`; the total then decides.
        no_output_of_zero: Whether `output` is left out where it is 0, beside a total.
    """

    input: str
    output: str
    total: str | None = None
    cache_read: Path = ()
    cache_creation: Path = ()
    reasoning: Path = ()
    cache_beside_input: bool = False
    reasoning_beside_output: bool = False
    no_output_of_zero: bool = False


FORMS: dict[str, Form] = {
    "LangChain": Form(
        "input_tokens", "output_tokens", "total_tokens",
        ("input_token_details", "cache_read"), ("input_token_details", "cache_creation"),
        ("output_token_details", "reasoning"),
    ),
    "Anthropic": Form(
        "input_tokens", "output_tokens", None,
        ("cache_read_input_tokens",), ("cache_creation_input_tokens",), cache_beside_input=True,
    ),
    "OpenAI, Responses": Form(
        "input_tokens", "output_tokens", "total_tokens",
        ("input_tokens_details", "cached_tokens"), (), ("output_tokens_details", "reasoning_tokens"),
    ),
    "OpenAI, Azure, Mistral, Groq, Fireworks, Together, Hugging Face": Form(
        "prompt_tokens", "completion_tokens", "total_tokens",
        ("prompt_tokens_details", "cached_tokens"), ("cache_creation_input_tokens",),
        ("completion_tokens_details", "reasoning_tokens"),
    ),
    "Bedrock, Anthropic on it": Form(
        "prompt_tokens", "completion_tokens", "total_tokens",
        ("cache_read_input_tokens",), ("cache_write_input_tokens",), cache_beside_input=True,
    ),
    "DeepSeek": Form(
        "prompt_tokens", "completion_tokens", "total_tokens",
        ("prompt_cache_hit_tokens",), (), ("completion_tokens_details", "reasoning_tokens"),
    ),
    "LangChain.js": Form("promptTokens", "completionTokens", "totalTokens"),
    "Bedrock, Converse": Form(
        "inputTokens", "outputTokens", "totalTokens",
        ("cacheReadInputTokens",), ("cacheWriteInputTokens",), cache_beside_input=True,
    ),
    "Bedrock, metrics": Form(
        "inputTokenCount", "outputTokenCount", None,
        ("cacheReadInputTokenCount",), ("cacheWriteInputTokenCount",), cache_beside_input=True,
    ),
    "Google": Form(
        "prompt_token_count", "candidates_token_count", "total_token_count",
        ("cached_content_token_count",), (), ("thoughts_token_count",),
        reasoning_beside_output=True, no_output_of_zero=True,
    ),
    "Google, JSON": Form(
        "promptTokenCount", "candidatesTokenCount", "totalTokenCount",
        ("cachedContentTokenCount",), (), ("thoughtsTokenCount",),
        reasoning_beside_output=True, no_output_of_zero=True,
    ),
    "Cohere, older": Form("prompt_tokens", "response_tokens", "total_tokens"),
    "Ollama": Form("prompt_eval_count", "eval_count"),
    "watsonx": Form("input_token_count", "generated_token_count"),
    "Replicate": Form("input_token_count", "output_token_count"),
    "Bedrock, Llama on it": Form("prompt_token_count", "generation_token_count"),
    "Yandex": Form(
        "inputTextTokens", "completionTokens", "totalTokens", (), (), ("completionTokensDetails", "reasoningTokens")
    ),
    "Hunyuan": Form("PromptTokens", "CompletionTokens", "TotalTokens"),
}  # fmt: skip

USAGES: tuple[Path, ...] = (
    ("usage_metadata",), ("usageMetadata",), ("token_usage",), ("tokenUsage",), ("usage",),
    ("amazon-bedrock-invocationMetrics",), ("metadata", "usage"), ("token_count",), ("usage", "tokens"),
    ("meta", "tokens"), ("tokens",), ("usage", "billed_units"), ("meta", "billed_units"), ("billed_units",),
    ("metrics",), (),
)  # fmt: skip
HOLDERS: tuple[Path, ...] = (
    ("response_metadata",), ("response_metadata", "llm_output"), ("response_metadata", "llmOutput"), ("llm_output",),
    ("additional_kwargs",),
)  # fmt: skip
PLACES: tuple[Path, ...] = (
    ("usage_metadata",),
    ("additional_kwargs", "usage_metadata"),
    *((*holder, *usage) for holder in HOLDERS for usage in USAGES),
)
ESTIMATES: tuple[Path, ...] = tuple(
    (*holder, name) for holder in HOLDERS for name in ("estimatedTokenUsage", "estimated_token_usage")
)
PARTS = tuple(dict.fromkeys(place[0] for place in (*PLACES, *ESTIMATES)))  # of a message, in which these are


@dataclass(frozen=True, slots=True)
class Report:
    """The usage that a model reported, in tokens; two reports are equal wherever they stood.

    Attributes:
        input: Tokens that the model read, those of its cache among them.
        output: Tokens that it wrote, reasoning among them.
        total: Both, as the provider says it.
        cache_read: Tokens of `input` that came from the provider's cache; None: not reported.
        cache_creation: Tokens of `input` that were written to it.
        reasoning: Tokens of `output` that were reasoning.
        estimated: Whether the integration says that it only estimated them.
    """

    input: int
    output: int
    total: int
    cache_read: int | None = None
    cache_creation: int | None = None
    reasoning: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class HalfReport:
    """What a model reported where it left out one of two: Ollama does not count a prompt that it had in its cache.

    Attributes:
        input: Tokens that the model read; None: not reported.
        output: Tokens that it wrote; None: not reported.
    """

    input: int | None
    output: int | None


def report_of(message: Mapping[str, Any]) -> Report | None:
    """The usage that came with a message, wherever its provider put it; None: there is no report."""
    for places, estimated in ((PLACES, False), (ESTIMATES, True)):
        for said in _found(message, places):
            if (report := _read(said, estimated)) is not None:
                return report
    return None


def half_report_of(message: Mapping[str, Any]) -> HalfReport | None:
    """What a message reports of its input or of its output, where it says nothing of the other; None: it reports both,
    or neither."""
    if report_of(message) is not None:
        return None
    for said in _found(message, PLACES):
        for form in FORMS.values():
            read, written = _count(said.get(form.input)), _count(said.get(form.output))
            if (read is None) != (written is None) and None in (said.get(form.input), said.get(form.output)):
                return HalfReport(read, written)
    return None


def model_of(message: Mapping[str, Any]) -> str | None:
    """The model that a message names; None: it names none."""
    for holder in HOLDERS:
        said = _at(message, holder)
        for name in MODEL_NAMES if isinstance(said, Mapping) else ():
            if isinstance(model := said.get(name), str) and model:
                return model
    return None


def written_without_model(message: Mapping[str, Any]) -> bool:
    """Whether an AI message says itself that no model wrote it: a hand-off note between agents."""
    return bool(_at(message, ("response_metadata", HANDOFF_BACK)))


def is_hidden(message: Mapping[str, Any]) -> bool:
    """Whether a part of a message that may hold the report cannot be read."""
    return any(
        holds_placeholder(message.get(part)) for part in ("usage_metadata", "additional_kwargs", "response_metadata")
    )


def _found(message: Mapping[str, Any], places: tuple[Path, ...]) -> Iterator[Mapping[str, Any]]:
    held = {part for part in PARTS if message.get(part)}
    for place in (place for place in places if place[0] in held) if held else ():
        said = _at(message, place)
        if isinstance(said, Mapping) and said:
            yield said


def _at(value: Any, path: Path) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _read(said: Mapping[str, Any], estimated: bool) -> Report | None:
    """A report in the form that fits it best: the first whose details are there, too, else the first."""
    fits = [form for form in FORMS.values() if form.input in said and _tells_output(said, form)]
    detailed = (form for form in fits if any(path and path[0] in said for path in form[3:6]))
    form = next(detailed, None) or next(iter(fits), None)
    return _in_form(said, form, estimated) if form else None


def _tells_output(said: Mapping[str, Any], form: Form) -> bool:
    return form.output in said or (form.no_output_of_zero and form.total in said)


def _in_form(said: Mapping[str, Any], form: Form, estimated: bool) -> Report | None:
    read, written = _count(said[form.input]), _count(said.get(form.output, 0))
    if read is None or written is None:
        return None
    total = _count(said.get(form.total)) if form.total else None
    cache_read = _detail(said, form.cache_read)
    created = [_detail(said, form.cache_creation), _by_lifetime(said, form.cache_creation)]
    cache_creation = max((amount for amount in created if amount is not None), default=None)
    reasoning = _detail(said, form.reasoning)
    if form.cache_beside_input:
        read += (cache_read or 0) + (cache_creation or 0)
    if reasoning and _is_beside(reasoning, read + written, total, form):
        written += reasoning
    if total is None or total < read + written:
        total = read + written
    return Report(read, written, total, cache_read, cache_creation, reasoning, estimated)


def _is_beside(reasoning: int, others: int, total: int | None, form: Form) -> bool:
    """Whether reasoning is no part of the output: the total is that of both, as xAI has it in OpenAI's form."""
    if form.reasoning_beside_output:
        return total is None or others + reasoning <= total
    return others + reasoning == total


def _detail(said: Mapping[str, Any], path: Path) -> int | None:
    """A detail of a report; in LangChain's form a name may begin with the service tier, as in `flex_cache_read`."""
    if not path:
        return None
    held = _at(said, path[:-1])
    amounts = [
        _count(amount)
        for name, amount in (held.items() if isinstance(held, Mapping) else ())
        if name == path[-1] or (len(path) > 1 and str(name).endswith(f"_{path[-1]}"))
    ]
    return _sum(amounts)


def _by_lifetime(said: Mapping[str, Any], path: Path) -> int | None:
    """Anthropic's tokens written to the cache by their lifetime."""
    held = _at(said, path[:-1]) if len(path) > 1 else said.get("cache_creation")
    if not path or not isinstance(held, Mapping):
        return None
    return _sum([_count(amount) for name, amount in held.items() if str(name).endswith(CACHES_BY_LIFETIME)])


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _count(value: Any) -> int | None:
    """A number of tokens: whole and not negative; some providers send it as a float or as text."""
    if isinstance(value, str) and (written := WHOLE.fullmatch(value)):
        value = int(written[1])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < MOST else None
