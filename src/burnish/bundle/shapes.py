"""A few fixed shapes for every batch, for runtimes that compile code for each shape that they meet, and keep it.

What they keep depends most on how many tokens a shape has, rows × length: for MiniLM OpenVINO keeps 3.3 MB for each
such number, and 0.6 MB for another shape of the same. So a batch has one of six numbers of tokens, in whatever rows and
even lengths give that number; a budget that many numbers divide has many of them, so that little is padded. A text
alone takes steps of eight at least: its time goes into operators rather than tokens. Features share batches as costs
least by that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.data.features import cost_of, kind_of
from burnish.tasks._contract import Arrays, Feature

STEPS_ALONE = ((64, 8), (128, 16), (256, 32))
"""Up to this length → in steps of so many tokens; above, in steps of 64."""
LAST_STEP = 64
THIRTIETHS = (30, 15, 6, 4, 3, 2)
"""A batch has the budget's tokens, or so many thirtieths of them: 32, 48, 64, 96, 240 or 480. Chosen by what batches of
1 to 512 texts cost, as long as those of CLINC150 or as sentences and titles are: from 16 texts on no more than with any
number of tokens, of which there were 22.
"""
SMOOTH = (480, 120)
"""The budget is rounded down to a multiple of one of these, which many lengths divide."""
TOKENS_PER_CALL = 24
"""What one more batch costs beside its tokens, in tokens: operators that start, and that are told of another shape.
Measured with MiniLM (6 layers of 384) in int8 on one thread: 1.0 ms + 0.8 ms, at 0.072 ms a token."""


class Longest(NamedTuple):
    """Most tokens of a text, for which a model has positions, and of a batch."""

    text: int
    batch: int


class Shape(NamedTuple):
    rows: int
    length: int

    @property
    def n_tokens(self) -> int:
        return self.rows * self.length


def grouped(features: Sequence[Feature], longest: Longest) -> list[NDArray[np.int64]]:
    """[N] features → the features of each batch, of one kind, longest first: those batches that cost least in all, in
    the shapes that there are.
    """
    kinds = np.asarray([kind_of(feature) for feature in features])
    lengths = np.asarray([cost_of(feature) for feature in features], np.int64)
    groups = []
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        order = own[np.argsort(-lengths[own], kind="stable")]
        ends = _cheapest_ends(lengths[order].tolist(), longest)
        groups += np.split(order, ends[:-1])
    return groups


def _cheapest_ends(lengths: Sequence[int], longest: Longest) -> list[int]:
    """Where batches end in lengths from long to short, by dynamic programming over what the first n cost at least."""
    n = len(lengths)
    cost, begin = [0.0, *[np.inf] * n], [0] * (n + 1)
    for at, length in enumerate(lengths):
        for shape in shapes_for(length, longest):
            end = min(at + shape.rows, n)
            if (found := cost[at] + shape.n_tokens + TOKENS_PER_CALL) < cost[end]:
                cost[end], begin[end] = found, at
            if at + shape.rows >= n:
                break
    ends = [n]
    while begin[ends[-1]]:
        ends.append(begin[ends[-1]])
    return ends[::-1]


@lru_cache(maxsize=4096)
def shapes_for(length: int, longest: Longest) -> tuple[Shape, ...]:
    """The shapes in which texts of up to this length are computed: a text alone, then ever more rows of more tokens in
    all. What costs no less than a shape of more rows is left out.
    """
    alone = Shape(1, min(length_alone(length), max(length, longest.text)))
    found: list[Shape] = []
    for shape in sorted((alone, *_of_several(longest)), key=lambda one: (-one.rows, one.length)):
        if shape.length >= length and (not found or shape.n_tokens < found[-1].n_tokens):
            found.append(shape)
    return tuple(reversed(found))


@lru_cache(maxsize=256)
def _of_several(longest: Longest) -> tuple[Shape, ...]:
    """The shapes of batches of several texts; the longest text that is read has one too."""
    budget = next((longest.batch // smooth * smooth for smooth in SMOOTH if longest.batch >= smooth), longest.batch)
    found = [Shape(budget // longest.text, longest.text)]
    for n_tokens in (budget * part // 30 for part in THIRTIETHS):
        found += [Shape(n_tokens // length, length) for length in range(2, longest.text, 2) if n_tokens % length == 0]
    return tuple(shape for shape in found if shape.rows > 1)


def length_alone(length: int) -> int:
    """The length in which a text of this one is computed alone."""
    step = next((step for most, step in STEPS_ALONE if length <= most), LAST_STEP)
    return -(-length // step) * step


def shape_of(n_rows: int, length: int, longest: Longest) -> Shape:
    """The cheapest shape that holds so many rows of this length; several times the largest one's rows where none does.

    More come where a feature holds several texts, of which only the sum of lengths keeps to the budget.
    """
    shapes = shapes_for(length, longest)
    rows, computed = shapes[-1]
    several = Shape(-(-n_rows // rows) * rows, computed)
    return next((shape for shape in shapes if shape.rows >= n_rows), several)


def filled(inputs: Arrays, free: Collection[str], pad_id: int, longest: Longest) -> Arrays:
    """A batch's inputs brought to one of the shapes. `free` names those whose axis 1 is a length.

    Rows are added by repeating the first, so that every row can be computed; what they give is of no use.
    """
    n_rows, length = inputs["input_ids"].shape
    shape = shape_of(n_rows, length, longest)
    found = {}
    for name, array in inputs.items():
        if name in free:
            added = ((0, 0), (0, shape.length - length))
            array = np.pad(array, added, constant_values=pad_id if name == "input_ids" else 0)
        found[name] = _with_rows(array, shape.rows)
    return found


def _with_rows(array: NDArray[np.generic], rows: int) -> NDArray[np.generic]:
    return array if len(array) == rows else np.concatenate([array, np.repeat(array[:1], rows - len(array), axis=0)])
