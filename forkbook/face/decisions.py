"""Questions whether a tool may be called, in the shapes of LangChain and LangGraph, and the answers that fit. Pure.

`HITLRequest` and `ToolApprovalRequest` are asked by LangChain's `HumanInTheLoopMiddleware` (for all calls of a message,
or for each), `HumanInterrupt` by agents that were made before it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Answer = Callable[["Request"], dict[str, Any]]
ALLOWED = {"allow_accept": "accept", "allow_edit": "edit", "allow_respond": "response", "allow_ignore": "ignore"}


@dataclass(frozen=True, slots=True)
class Request:
    """A call that is to be decided on.

    Attributes:
        name: The tool.
        args: Its arguments.
        description: What is said of it.
        allowed: The decisions that may be made; empty: unknown.
    """

    name: str
    args: Any
    description: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of question is answered.

    Attributes:
        usual: The decision that lets a call pass.
        parts: For a decision what its answer says beside its name.
        whole: The answers to all calls together.
        rest: What the others say.
    """

    usual: str
    parts: Mapping[str, Answer]
    whole: Callable[[list[Any]], Any]
    rest: Answer = lambda request: {}


NEW: Mapping[str, Answer] = {
    "edit": lambda request: {"edited_action": {"name": request.name, "args": request.args}},
    "reject": lambda request: {"message": ""},
    "respond": lambda request: {"message": ""},
}
OLD: Mapping[str, Answer] = {
    "edit": lambda request: {"args": {"action": request.name, "args": request.args}},
    "response": lambda request: {"args": ""},
}
BATCHED = Shape("approve", NEW, lambda decisions: {"decisions": decisions})
PER_CALL = Shape("approve", NEW, lambda decisions: decisions[0])
HUMAN_INTERRUPT = Shape("accept", OLD, lambda decisions: decisions, lambda request: {"args": None})


def requests(value: Any, schema: Any = None) -> tuple[Shape, list[Request]] | None:
    """The calls that an interrupt asks about; None: it asks something else.

    Args:
        value: The interrupt's value.
        schema: The JSON Schema of the answer, where the interrupt has one.
    """
    if isinstance(value, Mapping) and isinstance(value.get("action_requests"), list):
        found, shape = list(_batched(value)), BATCHED
    elif isinstance(value, Mapping) and value.get("type") == "tool_approval":
        found, shape = [_request(value, _types(schema))], PER_CALL
    else:
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, Mapping) and isinstance(item.get("action_request"), Mapping) for item in items):
            return None
        found, shape = [_old(item) for item in items], HUMAN_INTERRUPT
    return (shape, found) if found else None


def answers(shape: Shape, asked: Sequence[Request]) -> list[Any]:
    """For each decision that all calls allow the whole answer; first the one that lets them pass, where it may."""
    common = allowed(asked)
    words = [shape.usual] * (shape.usual in common or not common) + [word for word in common if word != shape.usual]
    return [
        shape.whole([{"type": word, **shape.parts.get(word, shape.rest)(request)} for request in asked])
        for word in words
    ]


def allowed(asked: Sequence[Request]) -> list[str]:
    """The decisions that may be made for all of these calls."""
    return [word for word in asked[0].allowed if all(word in request.allowed for request in asked)]


def _batched(value: Mapping[str, Any]) -> Iterator[Request]:
    configs = value.get("review_configs")
    may = {
        str(config.get("action_name")): _names(config.get("allowed_decisions"))
        for config in (configs if isinstance(configs, list) else ())
        if isinstance(config, Mapping)
    }
    for item in value["action_requests"]:
        if isinstance(item, Mapping):
            yield _request(item, may.get(str(item.get("name")), ()))


def _request(item: Mapping[str, Any], may: tuple[str, ...]) -> Request:
    return Request(str(item.get("name")), item.get("args"), _said(item.get("description")), may)


def _old(item: Mapping[str, Any]) -> Request:
    asked, config = item["action_request"], item.get("config")
    known = config if isinstance(config, Mapping) else {}
    may = tuple(word for key, word in ALLOWED.items() if known.get(key))
    return Request(str(asked.get("action")), asked.get("args"), _said(item.get("description")), may)


def _types(schema: Any) -> tuple[str, ...]:
    """The decisions that a JSON Schema allows, by the constant of their `type`."""
    if not isinstance(schema, Mapping):
        return ()
    definitions = schema.get("$defs")
    named = definitions if isinstance(definitions, Mapping) else {}
    branches = next((found for key in ("oneOf", "anyOf") if isinstance(found := schema.get(key), list)), [schema])
    types = []
    for branch in branches:
        part = branch if isinstance(branch, Mapping) else {}
        part = named.get(str(part.get("$ref")).removeprefix("#/$defs/"), part)
        properties = part.get("properties") if isinstance(part, Mapping) else None
        kind = properties.get("type") if isinstance(properties, Mapping) else None
        if isinstance(kind, Mapping):
            types += [kind["const"]] if "const" in kind else list(_names(kind.get("enum")))
    return tuple(word for word in types if isinstance(word, str))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ""
