"""Threads on the move: copy, migrate, verify; nothing lost, nothing twice, all of it proven."""

from .copying import CopyReport, copy_thread, differences
from .reports import MigrateReport, Move
from .unequal import Difference, unequal

__all__ = ["CopyReport", "Difference", "MigrateReport", "Move", "copy_thread", "differences", "unequal"]
