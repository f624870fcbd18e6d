"""Sweeps: many variants tried from one checkpoint, a branch each.

Data runs one way: `variants` → `rows` → `scores` → `result` → `running` → `planning`; `found` reads what is
left of earlier ones.
"""
