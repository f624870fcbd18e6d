"""Small histories made by hand, in LangGraph's `ThreadState` shape."""

from hypothesis import strategies as st

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


parents = st.lists(st.integers(0, 10**6), max_size=60).map(
    lambda picks: [None if n == 0 or pick % 11 == 0 else pick % n for n, pick in enumerate(picks)]
)


USAGE = ("usage_metadata", "additional_kwargs")


def shape(history):
    """The tree from its roots; of each checkpoint step, next, values and writes.

    Left out is the usage that a server moves, and the ids of messages in what tasks wrote: whether a message has its id
    there depends on whether it was written down before or after the state took it up.
    """

    def plain(value, written=False):
        if isinstance(value, list):
            return [plain(item, written) for item in value]
        if isinstance(value, dict):
            empty = [key for key in ("invalid_tool_calls",) if not value.get(key)]  # a write may leave it out
            left_out = (*USAGE, *empty, *(["id"] if written and "content" in value else []))
            kept = {key: plain(item, written) for key, item in value.items() if key not in left_out}
            usage = value.get("usage_metadata") or (value.get("additional_kwargs") or {}).get("usage_metadata")
            return kept | ({"usage": usage} if usage else {})
        return value

    def below(positions):
        return [
            (
                history[at].step,
                history[at].next,
                plain(history[at].values),
                [plain(task["result"], written=True) for task in history[at].tasks],
                below(history.tree.children[at]),
            )
            for at in positions
        ]

    return below(history.tree.roots)
