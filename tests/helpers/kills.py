"""How often the campaigns of kill -9 kill: 1,000 times in all, by `-m slow`; FORKBOOK_KILLS is another number."""

import os

ALL = int(os.environ.get("FORKBOOK_KILLS", "1000"))
PARTS = {"export": 0.2, "files": 0.3, "cache": 0.1, "into a checkpointer": 0.3, "into a server": 0.1}


def share(part, cases=1):
    """How often a part of the campaign kills in each of its cases."""
    return max(round(ALL * PARTS[part] / cases), 1)
