"""Where threads are read: one folder per kind of place, each behind the contract in `contract`."""
