"""States as they stand in a JSON file."""

ID = "1f000000-0000-6000-8000-00000000000{}"


def state(number, parent=None, **more):
    return {
        "values": {"n": number},
        "next": [],
        "tasks": [],
        "metadata": {"source": "loop", "step": number},
        "created_at": f"2026-01-01T00:00:0{number}+00:00",
        "checkpoint": {"checkpoint_id": ID.format(number), "thread_id": "t", "checkpoint_ns": ""},
        "parent_checkpoint": parent and {"checkpoint_id": ID.format(parent), "thread_id": "t", "checkpoint_ns": ""},
        "interrupts": [],
    } | more
