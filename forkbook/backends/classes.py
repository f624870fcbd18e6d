"""Of which classes the objects in plain values were, and those of these classes that this process has."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from .values.plain import Fields

Classes = Literal["unknown", "named", "loaded"]  # what a place tells of objects; `loaded`: LangGraph has made them here


class ObjectSearch:
    """Finds the objects in values; looks into each shared dict once, so use one for values that are alive together."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, str]] = {}

    def objects(self, value: Any) -> dict[str, str]:
        """The class of each object in a value, by its path in the value: `.a[0]`, or "" for the value itself."""
        if isinstance(value, list):
            inner = {f"[{index}]": item for index, item in enumerate(value) if isinstance(item, list | Mapping)}
            return self._inside(inner)
        if not isinstance(value, Mapping):
            return {}
        if id(value) not in self._known:
            found = self._inside({f".{key}": item for key, item in value.items()})
            self._known[id(value)] = _own_class(value) | found
        return self._known[id(value)]

    def _inside(self, items: Mapping[str, Any]) -> dict[str, str]:
        return {
            step + path: of
            for step, item in items.items()
            if isinstance(item, list | Mapping)
            for path, of in self.objects(item).items()
        }


def _own_class(value: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(value, Fields):
        return {"": value.of}
    return {"": str(value["class"])} if value.get("__type__") == "enum" and "class" in value else {}


def loaded(paths: Iterable[str]) -> dict[str, type]:
    """The classes that have these paths, as `module.Name`, as far as this process has imported them already."""
    found = {}
    for path in set(paths):
        module, _, name = path.rpartition(".")
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            found[path] = kind
    return found
