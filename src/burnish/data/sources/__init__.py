"""Sources: where rows come from. One file a format; the contract is in `_contract`."""
