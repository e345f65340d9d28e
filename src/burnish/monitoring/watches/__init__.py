"""Watches: each looks at one thing in a window. The contract is in `_contract`."""
