"""What the tabs of the inspector show. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from ..facts import Facts

VIEWS: Mapping[str, Callable[[Facts, int], list[dict[str, Any]]]] = {}
