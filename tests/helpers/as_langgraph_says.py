"""States that forkbook derives, against those that LangGraph's own `get_state_history` gives."""

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from forkbook.backends.values.decode import decode


def plain(value):
    return decode(*JsonPlusSerializer().dumps_typed(value))


def address(config):
    keys = ("thread_id", "checkpoint_ns", "checkpoint_id")
    return {key: config["configurable"][key] for key in keys} if config else None


def theirs(snapshot, namespaces):
    """A snapshot as a server shows it, in plain data."""

    def shown(task):
        below = task.state["configurable"] if task.state else None
        return {
            "id": task.id, "name": task.name, "path": plain(task.path), "error": plain(task.error),
            "interrupts": plain(task.interrupts), "result": plain(task.result), "state": None,
            "checkpoint": below if below and below["checkpoint_ns"] in namespaces else None,
        }  # fmt: skip

    return {
        "values": plain(snapshot.values),
        "next": list(snapshot.next),
        "tasks": [shown(task) for task in snapshot.tasks],
        "metadata": plain(snapshot.metadata),
        "created_at": snapshot.created_at,
        "checkpoint": address(snapshot.config),
        "parent_checkpoint": address(snapshot.parent_config),
        "interrupts": plain(snapshot.interrupts),
    }


def compare(mine, other, unknown):
    """Both in all that is known; counts what is not."""
    for key, value in other.items():
        if mine[key] is None and key in ("next", "tasks", "interrupts"):
            unknown.append(key)
        elif key == "values":
            compare_values(mine[key], value)
        elif key == "tasks":
            for task, task_there in zip(mine[key], value, strict=True):
                if task["id"] is None:
                    unknown.append("task id")
                    task_there = task_there | {"id": None}
                assert task == task_there
        else:
            assert mine[key] == value, key


def compare_values(mine, other):
    """A store holds no channel that nothing was written to yet; LangGraph shows the empty list of its type there."""
    if isinstance(other, dict):
        assert mine == {key: value for key, value in other.items() if key in mine}
        assert not any(value for key, value in other.items() if key not in mine)
    else:
        assert mine == other or not (mine or other)
