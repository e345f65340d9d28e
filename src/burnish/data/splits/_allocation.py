"""How whole clusters are dealt to sides so that each side comes as near to its share as they allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.data.splits._contract import DEV, TEST, TRAIN

Ints = NDArray[np.int64]
Sides = NDArray[np.int8]

SIDE_NAMES = ("train", "dev", "test")


@dataclass(frozen=True)
class Units:
    """What is never torn: clusters of duplicates, or groups of them. U units."""

    of_row: Ints
    """[N] the unit of each row, 0 … U-1 in order of first appearance."""
    first: Ints
    """[U] the smallest row of each unit."""
    sizes: Ints
    """[U] rows in each unit."""


def units_of(ids: Ints) -> Units:
    """Units of rows [N] that share a number."""
    _, first, of_row, sizes = np.unique(ids, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return Units(ranks[of_row], first[order], sizes[order])


def wanted_rows(units: Units, dev: float, test: float, what: str) -> Ints:
    """[3] rows wanted on train, dev and test: the nearest whole numbers, at least one where a share is asked for.

    `what` names the units in messages.

    Raises:
        UserError: the shares leave nothing to train on, or there are fewer units than sides.
    """
    if dev + test >= 1:
        raise UserError(
            f"data: dev ({dev:.0%}) and test ({test:.0%}) together leave no rows to train on; make them smaller."
        )
    n, n_units = len(units.of_row), len(units.sizes)
    asked = [TRAIN, *([DEV] if dev else []), *([TEST] if test else [])]
    if n_units < len(asked):
        names = " and ".join(SIDE_NAMES[side] for side in asked)
        raise UserError(
            f"data: {n:,} rows with {n_units} {what} cannot be split into {names}, which need at least one each; "
            "give more rows, or files of their own for dev and test."
        )
    n_dev, n_test = (max(1, round(share * n)) if share else 0 for share in (dev, test))
    return np.array([max(1, n - n_dev - n_test), n_dev, n_test], np.int64)


def deal(sizes: Ints, wanted: Ints, rng: np.random.Generator) -> Sides:
    """[units] sides: the largest units first, each to the side that misses most rows; units of one row fill up.

    `wanted` [3] rows. Units of one size are dealt in random order.
    """
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    sides = np.empty(len(sizes), np.int8)
    missing = wanted.tolist()
    n_large = int(np.count_nonzero(sizes > 1))
    for unit in order[:n_large].tolist():
        side = missing.index(max(missing))
        sides[unit] = side
        missing[side] -= int(sizes[unit])
    n_singles = len(order) - n_large
    n_dev = min(max(0, missing[DEV]), n_singles)
    n_test = min(max(0, missing[TEST]), n_singles - n_dev)
    fill = np.repeat(np.array([DEV, TEST, TRAIN], np.int8), [n_dev, n_test, n_singles - n_dev - n_test])
    sides[order[n_large:]] = fill
    return sides


def fill_empty_sides(sides: Sides, sizes: Ints, wanted: Ints, strata: NDArray[np.int32] | None = None) -> None:
    """Give each side that is wanted but empty the smallest unit of a side that has several. Changes `sides` [U].

    No class of `strata` [U] gives its last unit on train. Where nothing may move, the side stays empty.
    """
    classes = np.zeros(len(sides), np.int32) if strata is None else strata
    for side in np.flatnonzero(wanted):
        if np.any(sides == side):
            continue
        n_on_side = np.bincount(sides, minlength=3)
        n_on_train = np.bincount(classes[sides == TRAIN], minlength=int(classes.max()) + 1)
        is_free = (n_on_side[sides] > 1) & ((sides != TRAIN) | (n_on_train[classes] > 1))
        takeable = np.flatnonzero(is_free)
        if len(takeable):
            sides[takeable[np.argmin(sizes[takeable])]] = side
