"""One object for each distinct value: a message that 1,000 checkpoints hold is held once."""

from typing import Any

import orjson


class Interner:
    """Replaces equal parts of states by the first such part seen; equal is the same JSON, so 1, 1.0 and true differ."""

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}

    def one(self, value: Any) -> Any:
        """The first value with this JSON; a list is rebuilt from such elements."""
        if isinstance(value, list):
            return [self._container(item) for item in value]
        return self._container(value)

    def state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state with its channels and its tasks' writes interned, in place."""
        if isinstance(values := state.get("values"), dict):
            state["values"] = {channel: self.one(value) for channel, value in values.items()}
        for task in state.get("tasks") or ():
            if isinstance(result := task.get("result"), dict):
                task["result"] = {channel: self.one(value) for channel, value in result.items()}
        return state

    def _container(self, value: Any) -> Any:
        if not isinstance(value, dict | list | str):
            return value
        return self._known.setdefault(orjson.dumps(value), value)
