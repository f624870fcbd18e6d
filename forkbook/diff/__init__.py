"""What changed from one state to another: messages by their ids, everything else by its place and meaning. Pure."""

from .changes import Change, Diff, diff, path_text

__all__ = ["Change", "Diff", "diff", "path_text"]
