"""Small histories made by hand, in LangGraph's `ThreadState` shape."""

from forkbook.facts import Facts
from forkbook.model.states import head_of
from forkbook.model.tree import Head, Tree

START = 1_700_000_000


def tree_of(parents):
    """A tree whose n-th checkpoint has the n-th of these positions as parent (None: a root)."""
    return Tree([Head(f"{n:08x}", None if p is None else f"{p:08x}") for n, p in enumerate(parents)])


def human(id_, text="hi"):
    return {"type": "human", "id": id_, "content": text}


def ai(id_, text="hello", usage=None, **more):
    reported = usage and {"input_tokens": usage[0], "output_tokens": usage[1], "total_tokens": sum(usage)}
    return {"type": "ai", "id": id_, "content": text, "usage_metadata": reported} | more


def state(id_, parent=None, values=None, *, source="loop", step=0, next=(), tasks=(), thread="t", second=None):
    second = int(id_, 16) if second is None else second
    at = {"checkpoint_ns": "", "thread_id": thread}
    return {
        "values": {} if values is None else values,
        "next": None if next is None else list(next),
        "tasks": [
            {"id": f"task-{id_}", "error": None, "interrupts": [], "result": None, "path": [], **t} for t in tasks
        ],
        "metadata": {"source": source, "step": step, "thread_id": thread, "run_id": "run"},
        "created_at": f"2026-01-01T00:{second // 60:02d}:{second % 60:02d}+00:00",
        "checkpoint": {"checkpoint_id": id_, **at},
        "parent_checkpoint": None if parent is None else {"checkpoint_id": parent, **at},
        "interrupts": [],
    }


def facts_of(*states):
    tree = Tree([head_of(s) for s in states])
    by_id = {s["checkpoint"]["checkpoint_id"]: s for s in states}
    return Facts("t", tree, [by_id[head.id] for head in tree.heads])
