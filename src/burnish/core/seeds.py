"""Named randomness: one seed, many independent streams, none of them global."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *names: object) -> int:
    """A 63-bit seed that depends on `seed` and on every name, and on nothing else."""
    text = "\x1f".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: object) -> np.random.Generator:
    """A numpy generator for one named purpose, e.g. `generator(7, "order", epoch)`."""
    return np.random.Generator(np.random.PCG64(derive(seed, *names)))
