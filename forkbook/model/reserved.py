"""Names that LangGraph keeps for itself, of nodes, channels and writes. Pure."""

START = "__start__"  # the node and the channel of an input
END = "__end__"  # the one channel of a functional graph; as an update's node: no task is to run any more
ROOT = "__root__"  # the one channel of a state that is no mapping
INPUT = "__input__"  # as an update's node: what it writes is an input
COPY = "__copy__"  # as an update's node: a checkpoint beside the one that is updated
PREVIOUS = "__previous__"  # the channel of what a functional graph remembers
SENDS = "__pregel_tasks"  # the channel of Sends
OVERWRITE = "__overwrite__"  # the key of a value that takes the place of a channel's
ERROR, INTERRUPT, RESUME = "__error__", "__interrupt__", "__resume__"  # the channels of writes that are no output
