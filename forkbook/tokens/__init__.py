"""Tokens of messages, checkpoints and paths: who counts, what is spent where, what it costs. Pure."""

from .counting import Counter, counter_of, default_counter
from .kinship import ancestry
from .ledger import Ledger, New, branches_holding, ledger
from .origins import Writings, brought
from .spending import Known, Spend, Totals, amount

__all__ = [
    "Counter",
    "Known",
    "Ledger",
    "New",
    "Spend",
    "Totals",
    "Writings",
    "amount",
    "ancestry",
    "branches_holding",
    "brought",
    "counter_of",
    "default_counter",
    "ledger",
]
