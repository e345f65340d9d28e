"""A few fixed shapes for every batch, for runtimes that compile code for each shape that they meet, and keep it.

Lengths go up in steps of an eighth to a quarter, so that little is padded; rows in powers of four, or as many as the
budget of tokens allows. A text alone takes steps of eight at least: its time goes into operators rather than tokens,
and each shape takes some 2 MB and 20 ms once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.bundle.core import Lengths
from burnish.tasks._contract import Arrays

STEPS = ((16, 2), (32, 4), (64, 8), (128, 16), (256, 32))
"""Up to this length → in steps of so many tokens; above, in steps of 64."""
LAST_STEP = 64
STEP_ALONE = 8


def rounded_lengths(lengths: Lengths, least_step: int = 1) -> Lengths:
    """[N] lengths, each rounded up to one that is computed."""
    steps = np.full(len(lengths), LAST_STEP, np.int32)
    for most, step in reversed(STEPS):
        steps[lengths <= most] = step
    steps = np.maximum(steps, least_step)
    return (-(-lengths // steps) * steps).astype(np.int32)


def rounded_rows(n_rows: int, most: int) -> int:
    """The number of rows that is computed for `n_rows`: a power of four, or a multiple of `most`.

    More than `most` come where a feature holds several texts, of which only the sum of lengths keeps to the budget.
    """
    if n_rows > most:
        return -(-n_rows // most) * most
    power = 1
    while power < n_rows:
        power *= 4
    return min(power, most)


class Longest(NamedTuple):
    """Most tokens of a text, for which a model has positions, and of a batch."""

    text: int
    batch: int


def filled(inputs: Arrays, free: Collection[str], pad_id: int, longest: Longest) -> Arrays:
    """A batch's inputs brought to one of the shapes. `free` names those whose axis 1 is a length.

    Rows are added by repeating the first, so that every row can be computed; what they give is of no use.
    """
    n_rows, length = inputs["input_ids"].shape
    [rounded] = rounded_lengths(np.array([length], np.int32), STEP_ALONE if n_rows == 1 else 1).tolist()
    wanted = max(length, min(rounded, longest.text))
    rows = rounded_rows(n_rows, max(1, longest.batch // wanted))
    found = {}
    for name, array in inputs.items():
        if name in free:
            array = np.pad(array, ((0, 0), (0, wanted - length)), constant_values=pad_id if name == "input_ids" else 0)
        found[name] = _with_rows(array, rows)
    return found


def _with_rows(array: NDArray[np.generic], rows: int) -> NDArray[np.generic]:
    return array if len(array) == rows else np.concatenate([array, np.repeat(array[:1], rows - len(array), axis=0)])
