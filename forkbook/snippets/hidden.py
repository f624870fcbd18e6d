"""Secrets in code: each stands as the environment variable that is to hold it. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..model.secrets import MASK, Path, replaced
from .steps import Gesture, Run, Step

OUTER = ("configurable", "metadata")  # no part of a variable's name
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """What stands for a secret.

    Attributes:
        name: The environment variable that is to hold it.
    """

    name: str


def hidden(gesture: Gesture) -> Gesture:
    """A gesture with variables in the place of the secrets in its config, context and metadata."""
    return _each(gesture, lambda value: replaced(value, variable_of))


def masked_texts(gesture: Gesture) -> Gesture:
    """A gesture with `***` in the place of these secrets, but for those that an object's fields hold."""
    return _each(gesture, lambda value: replaced(value, lambda path: MASK, objects=0))


def _each(gesture: Gesture, change: Callable[[Any], Any]) -> Gesture:
    def changed(step: Step) -> Step:
        if not isinstance(step, Run):
            return step
        kept = {name: change(getattr(step.settings, name)) for name in ("config", "context", "metadata")}
        return dataclasses.replace(step, settings=dataclasses.replace(step.settings, **kept))

    new = None if gesture.new is None else change(gesture.new)
    return dataclasses.replace(gesture, steps=tuple(map(changed, gesture.steps)), new=new)


def variable_of(path: Path) -> Variable:
    """The variable for a secret, from the keys that lead to it: `OPENAI_API_KEY`."""
    keys = path[1:] if len(path) > 1 and path[0] in OUTER else path
    words = (CAMEL.sub("_", str(key)) for key in keys)
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(words).upper(), flags=re.ASCII).strip("_")
    return Variable(f"_{name}" if name[:1].isdigit() or not name else name)


def has_variables(gesture: Gesture) -> bool:
    """Whether a variable stands for anything in a gesture."""
    runs = [step.settings for step in gesture.steps if isinstance(step, Run)]
    return _is_in([gesture.new, *([how.config, how.context, how.metadata] for how in runs)])


def _is_in(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_in, value.values()))
    return any(map(_is_in, value)) if isinstance(value, list | tuple) else isinstance(value, Variable)
