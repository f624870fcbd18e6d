"""What an interrupt asks, as text and as a form where its value has a shape that is known. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..model.meaning import line
from ..model.questions import Question
from ..model.text import json_text
from . import decisions
from .blocks import Block, shorter
from .labels import call_text

SHOWN = 2_000  # characters of a question
WORDS = ("question", "message", "prompt", "text", "query", "description", "instructions", "title")
CHOICES = ("choices", "options", "enum", "allowed")
SCHEMAS = ("response_schema", "schema", "requestedSchema", "json_schema")
TYPES = {
    "boolean": "boolean", "bool": "boolean", "confirm": "boolean", "confirmation": "boolean", "approval": "boolean",
    "integer": "integer", "int": "integer", "number": "number", "float": "number",
    "string": "text", "str": "text", "text": "text", "object": "json", "array": "json",
}  # fmt: skip
BY_DEFAULT = {bool: "boolean", int: "integer", float: "number", str: "text"}


def question_item(asked: Question, raised: Mapping[str, Any]) -> Block:
    """A question as the page shows it.

    Args:
        asked: The question.
        raised: The interrupt as the place has it, which may hold the schema of its answer.
    """
    schema = raised.get("response_schema")
    return {
        "id": asked.id,
        "node": asked.node,
        "text": shorter(question_text(asked.value, schema), SHOWN),
        "open": asked.open,
        "value": json_text(asked.value, pretty=True),
        "form": form_of(asked.value, schema),
    }


def question_text(value: Any, schema: Any = None) -> str:
    """What is asked, in words: the question first, then what else the value holds."""
    if isinstance(value, str):
        return value
    if found := decisions.requests(value, schema):
        return "\n".join(_call_in_question(request) for request in found[1])
    if isinstance(value, Mapping):
        named = next((name for name in WORDS if isinstance(value.get(name), str) and value[name]), None)
        if named is not None:
            rest = {key: item for key, item in value.items() if key != named}
            return f"{value[named]}\n{line(rest)}" if rest else str(value[named])
    return line(value)


def form_of(value: Any, schema: Any = None) -> Block | None:
    """A field for the answer; None: any text or JSON will do.

    Its `choices` are answers as they would be sent. Where calls are decided on, its text is the answer that lets them
    pass.

    Args:
        value: The interrupt's value.
        schema: The JSON Schema of the answer, where the interrupt has one.
    """
    if found := decisions.requests(value, schema):
        possible, common = decisions.answers(*found), decisions.allowed(found[1])
        return _field("json", possible[0], possible, _may(common))
    if not isinstance(schema, Mapping):
        if not isinstance(value, Mapping):
            return None
        schema = next((value[name] for name in SCHEMAS if isinstance(value.get(name), Mapping)), value)
    about, begin = "" if schema is value else schema.get("description"), schema.get("default")
    if choices := next((known for name in CHOICES if (known := _choices(schema.get(name)))), None):
        return _field("choice", begin if begin in choices else None, choices, about)
    kind = schema.get("type")
    named = TYPES.get(kind.lower()) if isinstance(kind, str) else None
    named = named or (None if begin is None else BY_DEFAULT.get(type(begin)))
    if named == "json" and begin is None:
        begin = _empty(schema)
    return _field(named, begin, None, about) if named else None


def _field(kind: str, begin: Any, choices: Sequence[Any] | None, about: Any) -> Block:
    text = "" if begin is None else json_text(begin, pretty=kind == "json")
    return {
        "channel": "",
        "type": kind,
        "choices": None if choices is None else list(choices),
        "text": text,
        "size": len(text),
        "cut": False,
        "unknown": "",
        "description": about if isinstance(about, str) else "",
    }


def _choices(value: Any) -> list[Any]:
    """The values to choose from; of those that are dicts what they stand for."""
    if not isinstance(value, list):
        return []
    named = [item.get("value", item.get("id")) if isinstance(item, Mapping) else item for item in value]
    return named if all(isinstance(item, str | int | float | bool) for item in named) else []


def _empty(schema: Mapping[str, Any]) -> Any:
    """An empty value to fill in."""
    properties = schema.get("properties")
    if schema.get("type") == "array" or not isinstance(properties, Mapping):
        return [] if schema.get("type") == "array" else {}
    return {str(name): part.get("default") if isinstance(part, Mapping) else None for name, part in properties.items()}


def _call_in_question(request: decisions.Request) -> str:
    call = call_text({"name": request.name, "args": request.args})
    return "\n".join(filter(None, [call, request.description, _may(request.allowed)]))


def _may(words: Sequence[str]) -> str:
    return f"it may be decided: {', '.join(words)}" if words else ""
