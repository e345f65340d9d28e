"""Tasks: one file says all about one task. The contract is in `_contract`."""
