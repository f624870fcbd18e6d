"""Code that fits its lines: what stands between brackets is on one line, or each part on its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 88


@dataclass(frozen=True, slots=True)
class Group:
    """Parts between brackets.

    Attributes:
        opening: The bracket, with what is before it.
        parts: Text or groups, each with its label, as `"topic": ` or `as_node=`.
        closing: The bracket.
        pad: What stands inside the brackets where all is on one line.
        last: What follows the last part where each is on its own.
        indent: By how many columns parts are moved in.
    """

    opening: str
    parts: tuple[tuple[str, Node], ...]
    closing: str
    pad: str = ""
    last: str = ","
    indent: int = 4


Node = str | Group


def flat(node: Node) -> str:
    """All of it on one line."""
    if isinstance(node, str):
        return node
    if not node.parts:
        return node.opening + node.closing
    inside = ", ".join(label + flat(part) for label, part in node.parts)
    return f"{node.opening}{node.pad}{inside}{node.pad}{node.closing}"


def laid(node: Node, before: str = "", after: str = "", column: int = 0) -> str:
    """It, with text before and after, on as few lines as its width allows."""
    space = " " * column
    line = f"{space}{before}{flat(node)}{after}"
    if isinstance(node, str) or not node.parts or len(line) <= WIDTH:
        return line
    ends = [","] * (len(node.parts) - 1) + [node.last]
    inside = [laid(part, label, end, column + node.indent) for (label, part), end in zip(node.parts, ends, strict=True)]
    return "\n".join([f"{space}{before}{node.opening}", *inside, f"{space}{node.closing}{after}"])


def call(name: str, *arguments: Node, options: Sequence[tuple[str, Node]] = ()) -> Group:
    """A call with its arguments, those with a name last."""
    return Group(f"{name}(", (*(("", argument) for argument in arguments), *options), ")")
