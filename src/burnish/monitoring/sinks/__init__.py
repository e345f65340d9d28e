"""Sinks: where alerts are sent. The contract is in `_contract`."""
