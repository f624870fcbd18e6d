"""How often the campaigns of kill -9 kill, and what may be there afterwards.

1,000 times in all, by `-m slow`; FORKBOOK_KILLS is another number.
"""

import os

from held import content

ALL = int(os.environ.get("FORKBOOK_KILLS", "1000"))
PARTS = {"export": 0.2, "files": 0.3, "cache": 0.1, "into a checkpointer": 0.3, "into a server": 0.1}


def share(part, cases=1):
    """How often a part of the campaign kills in each of its cases."""
    return max(round(ALL * PARTS[part] / cases), 1)


def left(path):
    """What a killed process left of a file or folder.

    In the moment between two names the old folder has another one; the next export puts it back.
    """
    return path if path.exists() else next(path.parent.glob(f".{path.name}.*.old"), path)


def lost(path, before, after, held_by=content):
    """What is wrong with a file or folder, by what it held and was to hold; {} is none.

    In an archive, and in a checkpointer's file, each thread or row may be the old or the new one, in another file all.
    """
    held = held_by(path) if path.exists() else {}
    if path.suffix in (".forkbook", ".sqlite"):
        each = (held.get(key) in (before.get(key), after.get(key)) for key in before | held)
        return [] if all(each) else ["a thread or a row was lost, or is wrong"]
    return [] if held in (before, after) else ["the file is neither the old one nor the new one"]
