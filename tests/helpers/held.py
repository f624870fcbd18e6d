"""A backend whose threads are at hand, and conversations to put there."""

import random

from forkbook.backends.archive import verify
from forkbook.backends.contract import Backend
from forkbook.errors import ThreadNotFound


class Memory(Backend):
    """Threads that are at hand: `{thread id: states}`."""

    kind, address = "the memory", "here"

    def __init__(self, threads):
        self.held = threads

    def threads(self, **search):
        return iter([self.thread(thread_id) for thread_id in self.held])

    def thread(self, thread_id):
        if thread_id not in self.held:
            raise ThreadNotFound(thread_id)
        return {"thread_id": thread_id, "created_at": "2026-01-01", "status": "idle", "metadata": {"n": len(thread_id)}}

    def pages(self, thread_id, *, ns="", page_size=None):
        states = self.held[thread_id]
        if isinstance(states, Exception):
            raise states
        yield [state for state in states if state["checkpoint"]["checkpoint_ns"] == ns]

    def state(self, thread_id, checkpoint_id=None):
        raise NotImplementedError


def state_of(number, values, thread_id="t", ns="", **more):
    return {
        "values": values,
        "next": ["chat"],
        "tasks": [],
        "metadata": {"source": "loop", "step": number, "parents": {}},
        "created_at": "2026-01-01T00:00:00+00:00",
        "checkpoint": {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": f"{number:08x}"},
        "parent_checkpoint": None,
        "interrupts": [],
    } | more


def conversation(thread_id, checkpoints, size=40, seed=0):
    """States, newest first, whose messages grow by one; the texts do not shrink."""
    dice = random.Random(f"{thread_id}{seed}")
    messages, states = [], []
    for number in range(checkpoints):
        states.append(state_of(number, {"messages": list(messages), "topic": f"topic {number}"}, thread_id))
        messages.append({"type": "human", "content": dice.randbytes(size).hex(), "id": f"{number}"})
        states[-1]["tasks"] = [{"id": str(number), "name": "chat", "result": {"messages": messages[-1:]}}]
    return states[::-1]


def everything(backend, thread_id, ns=""):
    return [state for page in backend.pages(thread_id, ns=ns) for state in page]


def digests(path):
    report = verify(path)
    assert report, report
    return {verdict.thread_id: verdict.digest for verdict in report.threads}


def content(path):
    """What a file or folder holds, by name; of an archive its digests."""
    if path.suffix == ".forkbook":
        return digests(path)
    files = [path] if path.is_file() else [item for item in path.rglob("*") if item.is_file()]
    return {str(item.relative_to(path)): item.read_bytes() for item in files}
