"""Formats: forms in which a report is written. The contract is in `_contract`."""
