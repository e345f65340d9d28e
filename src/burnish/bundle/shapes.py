"""A few fixed shapes for every batch, for runtimes that compile code for each shape that they meet, and keep it.

Lengths go up in steps of an eighth to a quarter, so that little is padded; rows in powers of four, or as many as the
budget of tokens allows. A text alone takes steps of eight at least: its time goes into operators rather than tokens,
and each shape takes some 2 MB and 20 ms once. Features are put together so that few of those rows are empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.data.features import cost_of, kind_of
from burnish.tasks._contract import Arrays, Feature

Lengths = NDArray[np.int32]

STEPS = ((16, 2), (32, 4), (64, 8), (128, 16), (256, 32))
"""Up to this length → in steps of so many tokens; above, in steps of 64."""
LAST_STEP = 64
STEP_ALONE = 8
TOKENS_PER_CALL = 24
"""What one more batch costs beside its tokens, in tokens: operators that start, and that are told of another shape.
Measured with MiniLM (6 layers of 384) in int8 on one thread: 1.0 ms + 0.8 ms, at 0.072 ms a token."""


def grouped(features: Sequence[Feature], tokens_per_batch: int) -> list[NDArray[np.int64]]:
    """[N] features → the features of each batch, of one kind, longest first: those batches that cost least in all, in
    the shapes that there are.
    """
    kinds = np.asarray([kind_of(feature) for feature in features])
    lengths = rounded_lengths(np.asarray([cost_of(feature) for feature in features], np.int32))
    groups = []
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        order = own[np.argsort(-lengths[own], kind="stable")]
        ends = _cheapest_ends(lengths[order].tolist(), tokens_per_batch)
        groups += np.split(order, ends[:-1])
    return groups


def _cheapest_ends(lengths: Sequence[int], most_tokens: int) -> list[int]:
    """Where batches end in lengths from long to short, by dynamic programming over what the first n cost at least."""
    n = len(lengths)
    cost, begin = [0.0, *[np.inf] * n], [0] * (n + 1)
    for at, length in enumerate(lengths):
        for rows in _rows_allowed(max(1, most_tokens // max(1, length))):
            end = min(at + rows, n)
            if (found := cost[at] + rows * length + TOKENS_PER_CALL) < cost[end]:
                cost[end], begin[end] = found, at
            if at + rows >= n:
                break
    ends = [n]
    while begin[ends[-1]]:
        ends.append(begin[ends[-1]])
    return ends[::-1]


def _rows_allowed(most: int) -> Iterator[int]:
    """Powers of four below the most, then the most."""
    rows = 1
    while rows < most:
        yield rows
        rows *= 4
    yield most


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
    return next(rows for rows in _rows_allowed(most) if rows >= n_rows)


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
