"""Calibrations: how confidences are made honest on dev. The contract is in `_contract`."""
