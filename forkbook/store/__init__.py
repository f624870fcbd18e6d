"""The memory that threads share, LangGraph's Store: read it, compare it over time, write to it with care."""

from .memory import Store, user_of
from .recording import Recording
from .snapshot import ItemChange, Snapshot, StoreDiff
from .write_item import Write

__all__ = ["ItemChange", "Recording", "Snapshot", "Store", "StoreDiff", "Write", "user_of"]
