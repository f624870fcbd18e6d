"""A chat model that answers from a script: no key, no network, every token known."""

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr


class ScriptedError(Exception):
    """A failure that a script asks for."""


class Scripted(BaseChatModel):
    """Gives the next of its replies at each call; a `ScriptedError` among them is raised."""

    replies: list[Any]
    _given: int = PrivateAttr(0)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Scripted":
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        reply = self.replies[self._given]
        self._given += 1
        if isinstance(reply, ScriptedError):
            raise reply
        return ChatResult(generations=[ChatGeneration(message=reply.model_copy(deep=True))])


def script(*replies: AIMessage | ScriptedError) -> Scripted:
    """A model with these replies."""
    return Scripted(replies=list(replies))


def reply(text: str, usage: tuple[int, int] | None, **calls: dict[str, Any]) -> AIMessage:
    """What a model says, and the tools that it calls.

    Args:
        text: The text.
        usage: The input and output tokens that it reports; None: it reports none.
        **calls: The arguments of each call by tool; `search_2` calls `search` once more.
    """
    reported = usage and {"input_tokens": usage[0], "output_tokens": usage[1], "total_tokens": sum(usage)}
    made = [
        {"name": name.removesuffix("_2"), "args": args, "id": f"{text} {number}"}
        for number, (name, args) in enumerate(calls.items())
    ]
    return AIMessage(text, tool_calls=made, usage_metadata=reported)
