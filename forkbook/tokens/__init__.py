"""Tokens of messages, checkpoints and paths: who counts, what is spent where, what it costs. Pure."""

from .counting import Counter, counter_of, default_counter
from .ledger import Ledger, New, ancestry, branches_holding, ledger
from .spending import Spend, Totals

__all__ = [
    "Counter",
    "Ledger",
    "New",
    "Spend",
    "Totals",
    "ancestry",
    "branches_holding",
    "counter_of",
    "default_counter",
    "ledger",
]
