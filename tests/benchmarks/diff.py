"""How long two states take to compare: forkbook's diff beside deepdiff, on the same pair.

python tests/benchmarks/diff.py [messages] [edited]
"""

import copy
import random
import sys

import orjson
from layout import best

from forkbook.compare.diff import diff

WORDS = ("chickens", "cross", "roads", "when", "cats", "sleep", "because", "nobody", "told", "them", "where")
SLOWEST = 3  # runs of the other side


def text(dice: random.Random, words: int) -> str:
    """Some words."""
    return " ".join(dice.choices(WORDS, k=words))


def message(dice: random.Random, number: int) -> dict:
    """A message with all the fields that LangChain's have: human, ai with a tool call, tool, in turns."""
    common: dict = {
        "id": f"{dice.getrandbits(128):032x}",
        "name": None,
        "additional_kwargs": {},
        "response_metadata": {},
    }
    call_id = f"call_{number // 3}"
    if number % 3 == 0:
        return common | {"type": "human", "content": text(dice, 30), "example": False}
    if number % 3 == 2:
        found = {"content": text(dice, 60), "tool_call_id": call_id, "artifact": None, "status": "success"}
        return common | {"type": "tool"} | found
    input_tokens, output_tokens = dice.randrange(9_000), dice.randrange(500)
    return common | {
        "type": "ai",
        "content": text(dice, 80),
        "tool_calls": [{"name": "search", "args": {"query": text(dice, 5)}, "id": call_id, "type": "tool_call"}],
        "invalid_tool_calls": [],
        "response_metadata": {"model_name": "some-model-2026-01-01", "finish_reason": "stop", "logprobs": None},
        "usage_metadata": {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
            "input_token_details": {"cache_read": 0, "audio": 0},
            "output_token_details": {"reasoning": 0, "audio": 0},
        },
    }


def pair(messages: int, edited: int) -> tuple[dict, dict]:
    """Two states that share every object but the messages that differ, in one word each."""
    dice = random.Random(7)
    a: dict = {"topic": "cats", "messages": [message(dice, number) for number in range(messages)]}
    b: dict = a | {"messages": list(a["messages"])}
    for place in dice.sample(range(messages), edited):
        b["messages"][place] = copy.deepcopy(a["messages"][place])
        b["messages"][place]["content"] += " again"
    return a, b


def report(name: str, a: dict, b: dict) -> None:
    """Both sides and the ratio, on one pair."""
    ours = best(lambda: diff(a, b))
    print(f"  {name:<24} forkbook {ours * 1000:8.1f} ms, {len(diff(a, b))} changes", end="")
    try:
        from deepdiff import DeepDiff
    except ImportError:
        print("    deepdiff is not installed: not compared")
        return
    theirs = best(lambda: DeepDiff(a, b), SLOWEST)
    print(
        f"    deepdiff {theirs * 1000:8.1f} ms, {sum(map(len, DeepDiff(a, b).values()))}    ratio {theirs / ours:6.1f}x"
    )


def main(messages: int = 5_000, edited: int = 50) -> None:
    """Print both sides and the ratio, for states that share objects and for copies."""
    a, b = pair(messages, edited)
    written = orjson.dumps(b)
    print(f"{messages:,} messages ({len(written) / 1e6:.1f} MB), {edited} of them edited")
    report("shared objects", a, b)
    report("nothing shared", a, orjson.loads(written))
    report("the first one gone, too", a, b | {"messages": b["messages"][1:]})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
