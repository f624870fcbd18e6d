"""Threads whose run was given secrets."""

import uuid

from agents import graphs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_sync_client

import forkbook as fb

CANARY = "canary-7f3a91"


CONFIGURABLE = {
    "api_key": CANARY,
    "openai": {"token": CANARY},
    "providers": [{"secret": CANARY}],
    "user_id": "7",
    "max_tokens": 100,
}


def begun_with_secrets(place):
    """A thread whose run was given secrets, on a server or on a graph in this process."""
    thread_id = str(uuid.uuid4())
    config = {"configurable": dict(CONFIGURABLE), "metadata": {"auth_token": CANARY, "why": "x"}}
    if place is None:
        graph = graphs.build_fanout().compile(checkpointer=InMemorySaver(), name="fanout")
        graph.invoke({"items": ["x"]}, {**config, "configurable": config["configurable"] | {"thread_id": thread_id}})
        return fb.connect(graph)[thread_id]
    client = get_sync_client(url=place, api_key=None)
    client.threads.create(thread_id=thread_id, metadata={"db_password": CANARY, "owner": "ada", "token": {"n": CANARY}})
    client.runs.wait(thread_id, "fanout", input={"items": ["x"]}, config=config)
    return fb.connect(place)[thread_id]
