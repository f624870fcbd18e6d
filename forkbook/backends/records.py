"""What a backend is asked with and answers, apart from threads and states: graphs, and how runs are run and end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..model.secrets import MaskedDict, masked, veiled
from ..model.text import shown

Update = Mapping[str, Any]  # one of a superstep: `{"values": …, "as_node": …}`


@dataclass(frozen=True, slots=True)
class Graph:
    """What forkbook knows of the graph that an assistant runs.

    Attributes:
        assistant_id: The assistant.
        graph_id: The name under which the graph is deployed; None: unknown.
        nodes: Names of its nodes, `__start__` and `__end__` left out; None: unknown.
        channels: Names of the state's channels; None: unknown.
        schema: JSON Schema of the state; None: unknown.
        hidden: What a server answered that does not show the graph, or a part of it, to this user.
        whole: The one channel that is the whole state, `__root__` or, of a functional graph, `__end__`; None: the state
            is a mapping of channels.
    """

    assistant_id: str
    graph_id: str | None
    nodes: tuple[str, ...] | None
    channels: tuple[str, ...] | None = None
    schema: Mapping[str, Any] | None = None
    hidden: str | None = None
    whole: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What an act that is checked against the graph is to say where that is not shown."""
        unknown = [what for what, known in (("nodes", self.nodes), ("channels", self.channels)) if known is None]
        if not (self.hidden and unknown):
            return ()
        return (
            f"the server does not show the {' and '.join(unknown)} of graph {self.graph_id or self.assistant_id} to "
            f"this user ({self.hidden}), so names of {' and '.join(unknown)} were not checked",
        )


@dataclass(frozen=True, slots=True, repr=False)
class RunSettings:
    """How a run is to be run; as LangGraph names it. What may be a secret shows as `***`, and is there all the same.

    Attributes:
        assistant: Assistant id or graph name.
        config: Run config, its `configurable` without what the server adds itself.
        context: Run context.
        interrupt_before: Nodes to stop before; "*" is all.
        interrupt_after: Nodes to stop after; "*" is all.
        metadata: What each checkpoint of the run is to carry in its metadata.
        guessed: Whether there is no record of the run, so that this comes from the checkpoint's metadata.
    """

    assistant: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] | None = None
    interrupt_before: tuple[str, ...] | str | None = None
    interrupt_after: tuple[str, ...] | str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    guessed: bool = False

    def __post_init__(self) -> None:
        config = MaskedDict({name: veiled(value) for name, value in self.config.items()})
        object.__setattr__(self, "config", config)
        for name in ("context", "metadata"):
            object.__setattr__(self, name, veiled(getattr(self, name)))

    @shown
    def __repr__(self) -> str:
        shown = (f"{field.name}={masked(getattr(self, field.name))!r}" for field in fields(self))
        return f"RunSettings({', '.join(shown)})"


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        run_id: The run.
        status: `success`, `error`, `interrupted` or `timeout`.
        error: The exception that ended it.
        stopped: Whether it was cancelled.
    """

    run_id: str
    status: str
    error: str | None = None
    stopped: bool = False
