from datetime import UTC, datetime
from decimal import Decimal

import pytest
from shapes import ai, facts_of, human, state

import forkbook as fb
from forkbook import frames
from forkbook.tokens import ledger
from forkbook.tokens.prices import model_of, rate_of

PRICES = {
    "small": {"input": 1, "output": 10},
    "large": {"input": 2.0, "output": Decimal(20), "cache_read": 0.5, "cache_creation": 2.5, "reasoning": 40},
}


def by(model, id_, usage, name="model_name", **details):
    message = ai(id_, "three little words", usage, response_metadata={name: model} if model else {})
    if details:
        message["usage_metadata"] |= details
    return message


@pytest.fixture
def facts():
    """1: h ── 2: m (small) ─┬─ 3: n (large, with cache and reasoning) ── 4: u (unknown model)
    └─ 5: e (small, no report) ── 6: e x (names no model)"""
    h, m = human("h", "hi"), by("small", "m", (1000, 500))
    n = by("large", "n", (2000, 300), "model", input_token_details={"cache_read": 600, "cache_creation": 400},
           output_token_details={"reasoning": 100})  # fmt: skip
    u, e, x = by("brand-new", "u", (70, 7)), by("small", "e", None), by(None, "x", (40, 4))
    return facts_of(
        state("1", values={"messages": [h]}),
        state("2", "1", {"messages": [h, m]}),
        state("3", "2", {"messages": [h, m, n]}),
        state("4", "3", {"messages": [h, m, n, u]}),
        state("5", "2", {"messages": [h, m, e]}),
        state("6", "5", {"messages": [h, m, e, x]}),
    )


M = (1000 * 1 + 500 * 10) / 1e6
N = ((2000 - 600 - 400) * 2 + 600 * 0.5 + 400 * 2.5 + (300 - 100) * 20 + 100 * 40) / 1e6
E = (4 * 1 + 3 * 10) / 1e6  # read: hi, three little words; wrote: three little words


def df(name, facts, prices):
    rows, columns = getattr(frames, f"{name}_rows"), getattr(frames, name.upper())
    return frames.frame(list(rows(facts, prices)), frames.with_prices(columns, prices))


def test_costs_by_hand(facts):
    priced = df("tokens", facts, PRICES)
    assert priced.cost.tolist() == pytest.approx([M + N, M + E])
    assert priced.unpriced_tokens.tolist() == [77, 44]
    assert priced.shared_cost.tolist() == pytest.approx([M, M])
    assert priced.own_cost.tolist() == pytest.approx([N, E])
    priced = df("checkpoints", facts, PRICES)
    assert priced.cost.isna().tolist() == [True, False, False, True, False, True]
    assert priced.cost.dropna().tolist() == pytest.approx([M, N, E])
    assert priced.unpriced_tokens.isna().tolist() == [True, False, False, False, False, False]
    assert priced.unpriced_tokens.dropna().tolist() == [0, 0, 77, 0, 44]
    priced = df("messages", facts, PRICES)
    assert priced.cost.sum() == pytest.approx(M + N + E)
    assert priced.unpriced_tokens.sum() == 77 + 44


def test_without_a_price_there_is_no_cost(facts):
    priced = df("tokens", facts, {"other": PRICES["small"]})
    assert priced.cost.isna().all()
    assert (priced.unpriced_tokens == priced.total_tokens).all()


def test_a_part_without_any_price_costs_nothing_of_what_is_known(facts):
    priced = df("tokens", facts, {"large": PRICES["large"]})
    assert priced[["shared_cost", "own_cost", "cost"]].iloc[0].tolist() == pytest.approx([0, N, N])
    assert priced[["shared_cost", "own_cost", "cost"]].iloc[1].isna().all()


def test_messages_without_a_models_name_have_the_price_under_none(facts):
    priced = df("tokens", facts, {**PRICES, None: {"input": 100, "output": 1000}})
    assert priced.cost.tolist() == pytest.approx([M + N, M + E + (40 * 100 + 4 * 1000) / 1e6])
    assert priced.unpriced_tokens.tolist() == [77, 0]


def test_the_columns_come_with_prices_alone_and_keep_their_dtypes(facts):
    assert "cost" not in df("tokens", facts, None)
    for name in ("tokens", "checkpoints", "messages"):
        full, empty = df(name, facts, PRICES), df(name, facts_of(), {})
        assert full.dtypes[["cost", "unpriced_tokens"]].astype(str).tolist() == ["Float64", "Int64"]
        assert empty.columns.tolist() == full.columns.tolist()
        assert empty.dtypes.cost == full.dtypes.cost


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        (3, "not 3"),
        ("gpt-prices", "genai-prices"),
        ({"m": 3}, "'input' and 'output'"),
        ({"m": {"input": 1}}, "lacks 'output'"),
        ({"m": {"input": 1, "output": 1, "cached": 1}}, "'cached'"),
        ({"m": {"input": -1, "output": 1}}, "-1"),
        ({"m": {"input": "1", "output": 1}}, "'1'"),
        ({"m": {"input": True, "output": 1}}, "True"),
        ({"m": {"input": float("nan"), "output": 1}}, "nan"),
        ({"m": {"input": float("inf"), "output": 1}}, "inf"),
        ({3: {"input": 1, "output": 1}}, "by 3"),
    ],
    ids=str,
)
def test_bad_prices_are_told(prices, says, facts):
    with pytest.raises(fb.InvalidInput, match=says):
        df("tokens", facts, prices)


def test_the_model_is_what_the_response_says():
    assert model_of(by("a", "m", (1, 1), "ls_model_name")) == "a"
    assert model_of(ai("m", response_metadata={"model_name": "", "model": "b"})) == "b"
    assert [model_of(ai("m", response_metadata=said)) for said in (None, {}, {"model": 3}, "gpt-4")] == [None] * 4
    assert model_of(ai("m")) is None


def test_details_larger_than_their_whole_do_not_make_a_negative_cost():
    odd = by("large", "m", (10, 5), input_token_details={"cache_read": 99, "cache_creation": 99},
             output_token_details={"reasoning": 99})  # fmt: skip
    facts = facts_of(state("1", values={"messages": [odd]}))
    assert df("tokens", facts, PRICES).cost[0] == pytest.approx((10 * 0.5 + 5 * 40) / 1e6)


def spend_of(message):
    facts = facts_of(state("1", values={"messages": [message]}))
    return ledger(facts.tree, [s["values"] for s in facts.states]).spends([0])[0]


def test_the_table_of_genai_prices_knows_models_and_makes_none_up():
    rate = rate_of("genai-prices")
    when = datetime(2026, 1, 1, tzinfo=UTC)
    spend = spend_of(by("gpt-4o-2024-08-06", "m", (1_000_000, 100_000)))
    assert rate(spend, "gpt-4o-2024-08-06", when) == pytest.approx(2.5 + 1.0)
    assert rate(spend, "fake-model", when) is None
    cached = spend_of(by("gpt-4o", "m", (1_000_000, 0), input_token_details={"cache_read": 1_000_000}))
    assert rate(cached, "gpt-4o", when) == pytest.approx(1.25)


def test_the_table_of_genai_prices_opens_no_connection(monkeypatch, facts):
    def connect(*args):
        raise AssertionError(f"connected to {args}")

    monkeypatch.setattr("socket.socket.connect", connect)
    assert df("tokens", facts, "genai-prices").cost.isna().all()


def test_a_history_takes_prices(book, demo_threads):
    history = book[demo_threads["branches"]]
    tokens = history.tokens_df(prices=PRICES)
    assert (tokens.unpriced_tokens == tokens.total_tokens).all()
    assert "cost" in history.checkpoints_df(prices=PRICES)
    assert "cost" in history.messages_df(prices=PRICES)
    with pytest.raises(fb.InvalidInput):
        history.tokens_df(prices={"m": {}})
