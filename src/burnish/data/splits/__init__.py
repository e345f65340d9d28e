"""Splits: how shares of one data set become train, dev and test. The contract is in `_contract`."""
