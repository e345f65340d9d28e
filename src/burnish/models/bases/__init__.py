"""Bases: pretrained models that a run can start from by name. The contract is in `_contract`."""
