"""The languages that snippets are written in, one row each. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import curl, graph, javascript, python
from .steps import Gesture, Place


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        label: What people call it.
        write: Gives the snippet of a gesture at a place.
        highlighted_as: The name of the language by which pygments and Markdown highlight it.
        in_process: Whether it runs in the process that has the graph; else it speaks JSON to a server.
    """

    label: str
    write: Callable[[Place, Gesture], str]
    highlighted_as: str
    in_process: bool = False


LANGUAGES: Mapping[str, Language] = {
    "python": Language("Python", python.code, "python"),
    "javascript": Language("JavaScript", javascript.code, "javascript"),
    "curl": Language("cURL", curl.code, "bash"),
    "graph": Language("in this process", graph.code, "python", in_process=True),
}
