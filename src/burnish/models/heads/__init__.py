"""Heads: what turns hidden states into logits. The contract is in `_contract`."""
