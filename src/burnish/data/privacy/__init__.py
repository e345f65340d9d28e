"""Privacy: what finds personal data and secrets in a text. The contract is in `_contract`."""
