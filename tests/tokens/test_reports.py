"""Reports as the integrations of each provider leave them, and the numbers that they mean."""

import pytest

from forkbook.tokens.usage import Report, model_of, report_of, written_without_model

OPENAI = {
    "prompt_tokens": 900, "completion_tokens": 70, "total_tokens": 970,
    "prompt_tokens_details": {"cached_tokens": 512, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0},
}  # fmt: skip
ANTHROPIC = {
    "input_tokens": 17, "output_tokens": 197, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000,
    "server_tool_use": None, "service_tier": "standard",
}  # fmt: skip
LIFETIMES = {**ANTHROPIC, "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40}}

IN_RESPONSE_METADATA = {
    "OpenAI": ({"token_usage": OPENAI}, Report(900, 70, 970, 512, None, 30)),
    "OpenAI, no details": (
        {"token_usage": {"prompt_tokens": 9, "completion_tokens": 7, "prompt_tokens_details": None}},
        Report(9, 7, 16),
    ),
    "OpenAI under usage": ({"usage": OPENAI}, Report(900, 70, 970, 512, None, 30)),
    "OpenAI, Responses": (
        {"usage": {"input_tokens": 9, "output_tokens": 7, "total_tokens": 16,
                   "input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 3}}},
        Report(9, 7, 16, 4, None, 3),
    ),
    "Anthropic": ({"usage": ANTHROPIC}, Report(2117, 197, 2314, 2000, 100)),
    "Anthropic, by lifetime": ({"usage": LIFETIMES}, Report(2117, 197, 2314, 2000, 100)),
    "Anthropic, no cache": ({"usage": {"input_tokens": 17, "output_tokens": 296}}, Report(17, 296, 313)),
    "Bedrock": (
        {"usage": {"inputTokens": 8, "outputTokens": 10, "totalTokens": 18}}, Report(8, 10, 18),
    ),
    "Bedrock, cached": (
        {"usage": {"inputTokens": 8, "outputTokens": 10, "totalTokens": 118, "cacheReadInputTokens": 100,
                   "cacheWriteInputTokens": 0}},
        Report(108, 10, 118, 100, 0),
    ),
    "Bedrock, Anthropic on it": (
        {"usage": {"prompt_tokens": 8, "completion_tokens": 10, "total_tokens": 18, "cache_read_input_tokens": 100,
                   "cache_write_input_tokens": 5}},
        Report(113, 10, 123, 100, 5),
    ),
    "Bedrock, metrics": (
        {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 8, "outputTokenCount": 10, "invocationLatency": 900}},
        Report(8, 10, 18),
    ),
    "Bedrock, streamed in JavaScript": (
        {"metadata": {"usage": {"inputTokens": 8, "outputTokens": 10, "totalTokens": 18}}}, Report(8, 10, 18),
    ),
    "LiteLLM": (
        {"token_usage": {**OPENAI, "cache_read_input_tokens": 512, "cache_creation_input_tokens": 20}},
        Report(900, 70, 970, 512, 20, 30),
    ),
    "DeepSeek": (
        {"token_usage": {"prompt_tokens": 90, "completion_tokens": 7, "total_tokens": 97, "prompt_cache_hit_tokens": 64,
                         "prompt_cache_miss_tokens": 26}},
        Report(90, 7, 97, 64),
    ),
    "Google": (
        {"usage_metadata": {"prompt_token_count": 20, "candidates_token_count": 5, "total_token_count": 65,
                            "thoughts_token_count": 40, "cached_content_token_count": 12}},
        Report(20, 45, 65, 12, None, 40),
    ),
    "Google, thoughts among the candidates": (
        {"usage_metadata": {"promptTokenCount": 20, "candidatesTokenCount": 45, "totalTokenCount": 65,
                            "thoughtsTokenCount": 40}},
        Report(20, 45, 65, None, None, 40),
    ),
    "Google, nothing but thoughts": (
        {"usageMetadata": {"promptTokenCount": 20, "totalTokenCount": 60, "thoughtsTokenCount": 40}},
        Report(20, 40, 60, None, None, 40),
    ),
    "Google, an answer that was blocked": (
        {"usage_metadata": {"prompt_token_count": 20, "total_token_count": 20}}, Report(20, 0, 20),
    ),
    "Google, neither output nor total": ({"usage_metadata": {"prompt_token_count": 20}}, None),
    "xAI, reasoning beside the output": (
        {"token_usage": {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135,
                         "completion_tokens_details": {"reasoning_tokens": 94}}},
        Report(32, 103, 135, None, None, 94),
    ),
    "Bedrock, Llama on it": ({"prompt_token_count": 25, "generation_token_count": 12}, Report(25, 12, 37)),
    "Yandex": (
        {"token_usage": {"inputTextTokens": "19", "completionTokens": "6", "totalTokens": "25",
                         "completionTokensDetails": {"reasoningTokens": "2"}}},
        Report(19, 6, 25, None, None, 2),
    ),
    "Hunyuan": ({"token_usage": {"PromptTokens": 4, "CompletionTokens": 10, "TotalTokens": 14}}, Report(4, 10, 14)),
    "Cohere": ({"token_count": {"input_tokens": 12.0, "output_tokens": 3.0}}, Report(12, 3, 15)),
    "Cohere, older": (
        {"token_count": {"prompt_tokens": 12, "response_tokens": 3, "total_tokens": 15, "billed_tokens": 14}},
        Report(12, 3, 15),
    ),
    "Cohere, both": (
        {"meta": {"billed_units": {"input_tokens": 4, "output_tokens": 3}, "tokens": {"input_tokens": 70,
                  "output_tokens": 5}}},
        Report(70, 5, 75),
    ),
    "Cohere, billed": ({"billed_units": {"input_tokens": 4.0, "output_tokens": 3.0}}, Report(4, 3, 7)),
    "Mistral": (
        {"token_usage": {"prompt_tokens": 13, "total_tokens": 306, "completion_tokens": 293}}, Report(13, 293, 306),
    ),
    "Ollama": (
        {"model": "llama3.1", "done": True, "total_duration": 5_111_000, "prompt_eval_count": 32, "eval_count": 71},
        Report(32, 71, 103),
    ),
    "Groq": (
        {"token_usage": {"completion_tokens": 184, "prompt_tokens": 45, "total_tokens": 229, "queue_time": 0.19}},
        Report(45, 184, 229),
    ),
    "watsonx": (
        {"token_usage": {"generated_token_count": 6, "input_token_count": 11}, "model_name": "ibm/granite"},
        Report(11, 6, 17),
    ),
    "Databricks": (
        {"prompt_tokens": 24, "completion_tokens": 25, "total_tokens": 49, "model": "dbrx"}, Report(24, 25, 49),
    ),
    "LangChain.js": (
        {"tokenUsage": {"promptTokens": 11, "completionTokens": 4, "totalTokens": 15}}, Report(11, 4, 15),
    ),
    "LangChain.js, an estimate": (
        {"estimatedTokenUsage": {"promptTokens": 11, "completionTokens": 4, "totalTokens": 15}, "tokenUsage": {}},
        Report(11, 4, 15, estimated=True),
    ),
    "old llm_output": ({"llm_output": {"token_usage": OPENAI, "model_name": "m"}}, Report(900, 70, 970, 512, None, 30)),
    "as text": ({"token_usage": {"prompt_tokens": "9", "completion_tokens": "7"}}, Report(9, 7, 16)),
    "as text of other forms": (
        {"token_usage": {"prompt_tokens": "900.0", "completion_tokens": " 70 ", "total_tokens": "970."}},
        Report(900, 70, 970),
    ),
    "a total that is less than its parts": (
        {"usage": {"prompt_tokens": 7, "completion_tokens": 10, "total_tokens": 3}}, Report(7, 10, 17),
    ),
    "empty": ({"token_usage": {}, "finish_reason": "stop"}, None),
    "half": ({"token_usage": {"prompt_tokens": 9}}, None),
    "negative": ({"token_usage": {"prompt_tokens": -9, "completion_tokens": 7}}, None),
    "fraction": ({"token_usage": {"prompt_tokens": 9.5, "completion_tokens": 7}}, None),
    "too large": ({"token_usage": {"prompt_tokens": 10**19, "completion_tokens": 1}}, None),
    "text that is no whole number": ({"token_usage": {"prompt_tokens": "9.5", "completion_tokens": "1e3"}}, None),
    "words": ({"usage": "9 tokens", "token_usage": {"prompt_tokens": "many", "completion_tokens": True}}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_RESPONSE_METADATA)
def test_a_report_counts_wherever_a_provider_puts_it(name):
    said, meant = IN_RESPONSE_METADATA[name]
    assert report_of({"type": "ai", "content": "hi", "usage_metadata": None, "response_metadata": said}) == meant


def test_langchains_own_report_comes_first_and_means_the_same_where_json_moved_it():
    usage = {
        "input_tokens": 60, "output_tokens": 5, "total_tokens": 65, "input_token_details": {"cache_read": 40},
        "output_token_details": {"flex_reasoning": 3},
    }  # fmt: skip
    other = {"response_metadata": {"token_usage": OPENAI}}
    assert report_of({"usage_metadata": usage} | other) == Report(60, 5, 65, 40, None, 3)
    assert report_of({"additional_kwargs": {"usage_metadata": usage}} | other) == Report(60, 5, 65, 40, None, 3)


def test_a_message_without_a_report_has_none():
    for message in ({}, {"usage_metadata": []}, {"response_metadata": None, "additional_kwargs": "x"}):
        assert report_of(message) is None


@pytest.mark.parametrize("name", ["model_name", "model", "model_id", "modelId", "modelName", "ls_model_name"])
def test_the_model_is_found_under_any_of_its_names(name):
    assert model_of({"response_metadata": {name: "gpt-4o"}}) == "gpt-4o"
    assert model_of({"response_metadata": {name: ""}}) is None
    assert model_of({"content": "hi"}) is None


def test_a_hand_off_note_says_that_no_model_wrote_it():
    assert written_without_model({"response_metadata": {"__is_handoff_back": True}})
    assert not written_without_model({"response_metadata": {"model_name": "m"}})


def test_a_message_that_holds_no_report_is_asked_for_its_parts_alone():
    class Asked(dict):
        asked = 0

        def get(self, *given):
            self.asked += 1
            return super().get(*given)

    message = Asked(type="ai", content="hi", additional_kwargs={}, response_metadata={}, usage_metadata=None)
    assert report_of(message) is None
    assert message.asked < 12
