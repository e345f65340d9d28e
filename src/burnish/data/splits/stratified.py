"""Each class's share is the same on every side; duplicates stay on one side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.seeds import generator
from burnish.data.splits._allocation import Ints, Sides, Units, deal, fill_empty_sides, units_of, wanted_rows
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible, Split


class Stratified(Split):
    """Deals the clusters of each class by themselves. Each class has rows on train; a lone cluster goes there."""

    @property
    def column_name(self) -> None:
        return None

    def assign(self, rows: Divisible, dev: float, test: float, seed: int) -> NDArray[np.int8]:
        units = units_of(rows.clusters)
        wanted = wanted_rows(units, dev, test, "different texts")
        strata = rows.strata[units.first]  # of copies under several labels, the first decides
        members = _by_class(strata)
        rng = generator(seed, "split", "stratified")
        members = [members[at] for at in rng.permutation(len(members))]  # nobody is rounded down for its name
        sides = _deal_classes(units, members, wanted, rng)
        fill_empty_sides(sides, units.sizes, wanted, strata)
        _refuse_empty(sides, wanted)
        return sides[units.of_row]


def _by_class(strata: NDArray[np.int32]) -> list[Ints]:
    """The units of each class."""
    order = np.argsort(strata, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(strata[order])) + 1)


def _deal_classes(units: Units, members: list[Ints], wanted: Ints, rng: np.random.Generator) -> Sides:
    """[U] sides. What a class is owed is rounded over the classes so far, so that the totals come out right."""
    sides = np.full(len(units.sizes), TRAIN, np.int8)
    shares = wanted[[DEV, TEST]] / len(units.of_row)
    n_rows = np.cumsum([units.sizes[some].sum() for some in members])
    owed = np.round(np.outer(n_rows, shares)).astype(np.int64)
    due = np.diff(owed, axis=0, prepend=0)  # [classes, 2]
    for some, (n_dev, n_test) in zip(members, due, strict=True):
        if len(some) == 1:
            continue
        sizes = units.sizes[some]
        sides[some] = deal(sizes, np.array([max(1, sizes.sum() - n_dev - n_test), n_dev, n_test]), rng)
        if not np.any(sides[some] == TRAIN):
            sides[some[np.argmin(sizes)]] = TRAIN
    return sides


def _refuse_empty(sides: Sides, wanted: Ints) -> None:
    if any(n and not np.any(sides == side) for side, n in enumerate(wanted)):
        raise UserError(
            "data: too few labels have different texts enough to be both in train and on the other sides; "
            "give more rows of each label, or set data.split: random."
        )
