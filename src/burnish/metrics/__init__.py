"""Metrics: numbers in a report and conditions of a gate. The contract is in `_contract`."""
