"""The dtypes of the frames' columns, and the columns whose cells are lists or dicts."""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
Columns = Mapping[str, str | tuple[str, ...]]

TIME, TEXT, INT, BOOL, FLOAT, OBJECT = "datetime64[us, UTC]", "string", "Int64", "boolean", "Float64", "object"
NAMES = ("next", "branches", "unknown_channels")  # columns of lists of text
JSON = frozenset({"metadata", "tool_calls", "path", "interrupts", "writes", "value", "old", "new", "answer", "input"})
