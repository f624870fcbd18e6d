"""Where histories live: one module a kind of place, behind the contract in `base`."""
