"""Stored values as plain data: they are decoded without importing a class, and equal ones become one object."""
