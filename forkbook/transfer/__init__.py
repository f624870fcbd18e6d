"""Threads on the move: copy, migrate, verify; nothing lost, nothing twice, all of it proven."""

from .copy import CopyReport, copy_thread, differences
from .equality import Difference, unequal
from .outcome import MigrateReport, Move

__all__ = ["CopyReport", "Difference", "MigrateReport", "Move", "copy_thread", "differences", "unequal"]
