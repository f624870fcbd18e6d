"""Threads on the move: copy, migrate, export, verify; what is written is read back and compared."""

from .copy import copy_thread
from .equality import Difference, differences, unequal
from .outcome import CopyReport, ExportReport, MigrateReport, Move

__all__ = ["CopyReport", "Difference", "ExportReport", "MigrateReport", "Move", "copy_thread", "differences", "unequal"]
