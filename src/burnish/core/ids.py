"""Identifiers: unguessable, and in the order of time, so that an index on them grows at its end."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing in it is taken for another


def new_id(prefix: str) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, then 82 random bits."""
    number = int(time.time() * 1000) << 82 | secrets.randbits(82)
    return f"{prefix}_{''.join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))}"
