"""What the page is told of a checkpoint as numbers; `rows.js` has the same. Pure."""

# kinds
START, LOOP, EDIT, REPLAY, UNCLEAR = range(5)
KINDS = {"input": START, "loop": LOOP, "update": EDIT, "fork": REPLAY}

# flags
FAILED = 1  # a task raised, or a tool message with status "error" arrived here
WAITS = 2  # a question is open
EDITED = 4  # people wrote it
STARRED = 8
TIP = 16
INSIDE = 32  # of a subgraph
ASKED = 64  # a question that is no longer open
UNKNOWN = 128  # a part of the state is not known
