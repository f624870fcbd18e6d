"""The threads of the demo, made by real runs of the sample agent; the same shapes and numbers every time.

In the drawings a line is a checkpoint and says what is new in it; an AI message has its tokens as input + output, any
other message its words. A token is a word, and input is the whole conversation so far, so every number can be checked
by hand:

    thread        checkpoints   branches   spent tokens
    time travel         6         A B           39
    branches           25         A B C        247
    approval            3         A              6
    memory              3         A             17
    trouble             3         A              8

time travel: the topic is changed before the joke is written; the request for a joke is six words.

    0 input
    1 ·
    2 ├ topic=cats                            fork point, before write_joke
    3 │ joke             6 + 15 = 21    tip A
    4 └ update topic=chickens
    5   joke             6 + 12 = 18    tip B

    A: shared 0, own 21.  B: shared 0, own 18.

branches: user 123 chats; message 2 is edited (B), and half-way B another message is sent instead (C).

     0 input
     1 "Hi, my name is Ada"                                     5
     2 remember(my name is Ada)      5 +  4 =  9
     3 Saved!                                                   1
     4 Done: Saved!                 10 +  2 = 12
     5 input
     6 ├ "what is 6 * 7?"                                       5    fork point
     7 │ calculate(6 * 7)           17 +  3 = 20
     8 │ 42.0                                                   1
     9 │ Done: 42.0                 21 +  2 = 23
    10 │ input
    11 │ "tell me about myself"                                 4
    12 │ You said: … Ada.           27 + 14 = 41    tip A
    13 └ update "I like chess"                                  3    in place of message 2
    14   remember(I like chess)     15 +  3 = 18
    15   Saved!                                                 1
    16   ├ Done: Saved!             19 +  2 = 21                     fork point
    17   │ input
    18   │ "what is 10 / 4?"                                    5
    19   │ calculate(10 / 4)        26 +  3 = 29
    20   │ 2.5                                                  1
    21   │ Done: 2.5                30 +  2 = 32    tip B
    22   └ input
    23     "tell me about myself"                               4
    24     You said: … chess.       25 + 17 = 42    tip C

    A: shared  9 + 12           =  21, own 20 + 23 + 41 = 84, total 105.
    B: shared  9 + 12 + 18 + 21 =  60, own 29 + 32      = 61, total 121.
    C: shared  9 + 12 + 18 + 21 =  60, own 42                , total 102.
    The thread: 21 + 84 + 39 + 61 + 42 = 247.

approval: input, "please publish the study" (4), publish(the study) 4 + 2 = 6; waits in `approve` for an answer.

memory: input, "good morning" (2), "You said: good morning. I know about you: my name is Ada; I like chess."
2 + 15 = 17; user 123 again, so the agent knows what the user said in another thread, on two of its branches.

trouble: input, "what is 1 / 0?" (5), calculate(1 / 0) 5 + 3 = 8; `tools` fails with a ZeroDivisionError.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from langgraph_sdk.client import SyncLangGraphClient
from langgraph_sdk.errors import ConflictError, LangGraphError
from langgraph_sdk.schema import Config

from ..errors import ConnectionFailed, ServerFault
from ..model.reserved import START

ASSISTANT = "agent"
CONFIG: Config = {"configurable": {"user_id": "123"}}

TITLES = {
    "time travel": "Time travel: a joke about cats, and one about chickens",
    "branches": "Branches: one conversation, three ways on",
    "approval": "Approval: waits for a yes before it publishes",
    "memory": "Memory: a new conversation that knows the old one",
    "trouble": "Trouble: a tool that fails",
}
THREADS = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"forkbook/demo/{name}")) for name in TITLES}
"""The thread ids; the same on every server."""


def seed(url: str) -> dict[str, str]:
    """Make the demo's threads; one that is already there is left alone.

    Args:
        url: An Agent Server that runs the sample agent as `agent`.

    Returns:
        The thread ids by name: `time travel`, `branches`, `approval`, `memory`, `trouble`.

    Raises:
        ConnectionFailed: The server cannot be reached, or the connection broke.
        ServerFault: The server refused, or a run that should succeed failed.
    """
    http = httpx.Client(base_url=url, timeout=60, trust_env=False)
    try:
        with SyncLangGraphClient(http) as client, ThreadPoolExecutor() as pool:
            fill = {"time travel": _time_travel, "approval": _approval, "trouble": _trouble}
            missing = [name for name in THREADS if _create(client, name)]
            chats = pool.submit(_chats, client, missing)
            others = [pool.submit(fill[name], client, THREADS[name]) for name in missing if name in fill]
            for work in (chats, *others):
                work.result()
    except LangGraphError as error:
        raise ServerFault(f"the demo's threads could not be made at {url}: the server says {error}") from error
    except httpx.HTTPError as error:
        raise ConnectionFailed(f"the demo's threads could not be made at {url}: {error or repr(error)}") from error
    return dict(THREADS)


def _create(client: SyncLangGraphClient, name: str) -> bool:
    try:
        client.threads.create(thread_id=THREADS[name], metadata={"title": TITLES[name]})
    except ConflictError:
        return False
    return True


def _chats(client: SyncLangGraphClient, missing: list[str]) -> None:
    """One after the other: the second remembers what the user said in the first."""
    for name, fill in (("branches", _branches), ("memory", _memory)):
        if name in missing:
            fill(client, THREADS[name])


def _time_travel(client: SyncLangGraphClient, thread_id: str) -> None:
    _finish(client, thread_id, _begin(client, thread_id, {}))
    before = _find(client, thread_id, lambda state: state["next"] == ["write_joke"])
    edited = _update(client, thread_id, before, {"topic": "chickens"})
    _finish(client, thread_id, _begin(client, thread_id, None, edited))


def _branches(client: SyncLangGraphClient, thread_id: str) -> None:
    texts = ("Hi, my name is Ada", "what is 6 * 7?", "tell me about myself")
    _finish(client, thread_id, *(_begin(client, thread_id, _human(n, text)) for n, text in enumerate(texts, 1)))

    asked = _find(client, thread_id, lambda state: state["next"] == ["chat"] and _last(state)["id"] == "message-2")
    edited = _update(client, thread_id, asked, _human(2, "I like chess"), as_node=START)
    _finish(client, thread_id, _begin(client, thread_id, None, edited))

    saved = _head(client, thread_id)
    branch_b = _begin(client, thread_id, _human(4, "what is 10 / 4?"))
    branch_c = _begin(client, thread_id, _human(5, "tell me about myself"), saved)
    _finish(client, thread_id, branch_b, branch_c)


def _approval(client: SyncLangGraphClient, thread_id: str) -> None:
    _finish(client, thread_id, _begin(client, thread_id, _human(1, "please publish the study")))


def _memory(client: SyncLangGraphClient, thread_id: str) -> None:
    _finish(client, thread_id, _begin(client, thread_id, _human(1, "good morning")))


def _trouble(client: SyncLangGraphClient, thread_id: str) -> None:
    _finish(client, thread_id, _begin(client, thread_id, _human(1, "what is 1 / 0?")), ends="error")


def _human(number: int, text: str) -> dict[str, Any]:
    return {"messages": [{"type": "human", "content": text, "id": f"message-{number}"}]}


def _begin(
    client: SyncLangGraphClient, thread_id: str, input: dict[str, Any] | None, checkpoint_id: str | None = None
) -> str:
    """Hand in a run; those of one thread run in the order they came, without the server's pause between two."""
    return client.runs.create(thread_id, ASSISTANT, input=input, config=CONFIG, checkpoint_id=checkpoint_id)["run_id"]


def _finish(client: SyncLangGraphClient, thread_id: str, *run_ids: str, ends: str = "success") -> None:
    for run_id in run_ids:
        client.runs.join(thread_id, run_id)
        status = client.runs.get(thread_id, run_id)["status"]
        if status not in (ends, "interrupted"):
            raise ServerFault(
                f"run {run_id} of the demo's thread {thread_id} ended with {status!r}, not {ends!r}; "
                "is this a server of the sample agent?",
                thread_id=thread_id,
            )


def _update(
    client: SyncLangGraphClient, thread_id: str, checkpoint_id: str, values: dict[str, Any], as_node: str | None = None
) -> str:
    answer = client.threads.update_state(thread_id, values, checkpoint_id=checkpoint_id, as_node=as_node)
    return str(answer["checkpoint"]["checkpoint_id"])


def _find(client: SyncLangGraphClient, thread_id: str, wanted: Callable[[Any], bool]) -> str:
    history = client.threads.get_history(thread_id, limit=100)
    return next(str(state["checkpoint"]["checkpoint_id"]) for state in history if wanted(state))


def _head(client: SyncLangGraphClient, thread_id: str) -> str:
    return str(client.threads.get_state(thread_id)["checkpoint"]["checkpoint_id"])


def _last(state: Any) -> Any:
    return state["values"]["messages"][-1]
