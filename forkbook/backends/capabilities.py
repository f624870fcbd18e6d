"""What places can do beyond reading threads, and which kinds of place can."""

from enum import Enum

SERVER = "an Agent Server (fb.connect('http://…'))"
GRAPH = "a compiled graph with its checkpointer (fb.connect(graph))"


class Capability(Enum):
    """What a place can do beyond reading threads; the methods that it takes are in `methods`.

    A backend that overrides these methods has the capability; see `Backend.capabilities`.
    """

    WRITE = "write"
    """Edit a checkpoint, copy a thread, change a thread's metadata, delete a thread."""
    CREATE = "create"
    """Make a thread out of supersteps, which the graph's reducers write."""
    PLANT = "plant"
    """Write checkpoints as they are, under their own ids."""
    RUN = "run"
    """Run the graph from a checkpoint on, and say how a run was run."""
    GRAPHS = "graphs"
    """Know the nodes and channels of the graphs that write the threads."""
    STORE = "store"
    """Hold the memory that threads share, LangGraph's Store."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of `Backend` that a place with this capability overrides."""
        return METHODS[self]

    @property
    def places(self) -> tuple[str, ...]:
        """The kinds of place that forkbook opens and that have this capability, in words."""
        return PLACES[self]


METHODS = {
    Capability.WRITE: ("update", "copy", "tag", "delete"),
    Capability.CREATE: ("create",),
    Capability.PLANT: ("plant",),
    Capability.RUN: ("run", "run_settings"),
    Capability.GRAPHS: ("graph",),
    Capability.STORE: ("memory",),
}
PLACES = {
    Capability.WRITE: (SERVER, GRAPH),
    Capability.CREATE: (SERVER,),
    Capability.PLANT: (GRAPH,),
    Capability.RUN: (SERVER, GRAPH),
    Capability.GRAPHS: (SERVER, GRAPH),
    Capability.STORE: (
        SERVER,
        "a graph that was compiled with store=…",
        "a SQLite or Postgres store with the table that LangGraph's store makes",
    ),
}


def overridden(cls: type, base: type) -> frozenset[Capability]:
    """The capabilities whose methods a class overrides, all of them.

    Args:
        cls: A backend's class.
        base: The class whose own methods only refuse.
    """
    return frozenset(
        capability
        for capability, names in METHODS.items()
        if all(getattr(cls, name) is not getattr(base, name) for name in names)
    )
