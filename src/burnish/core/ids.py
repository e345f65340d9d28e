"""Identifiers: unguessable, and in the order of time, so that an index on them grows at its end."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing in it is taken for another
_PAIRS = [one + other for one in _ALPHABET for other in _ALPHABET]


def new_id(prefix: str) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, then 82 random bits."""
    number = int(time.time() * 1000) << 82 | secrets.randbits(82)
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])}"


def made_at(identity: str, prefix: str) -> float | None:
    """When an identifier was made, in seconds since 1970; None for what is none of this prefix."""
    head, _, letters = identity.partition("_")
    if head != prefix or len(letters) != 26 or not set(letters) <= set(_ALPHABET):
        return None
    number = 0
    for letter in letters:
        number = number << 5 | _ALPHABET.index(letter)
    return (number >> 82) / 1000
