"""Rows at random; duplicates stay on one side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burnish.core.seeds import generator
from burnish.data.splits._allocation import deal, fill_empty_sides, units_of, wanted_rows
from burnish.data.splits._contract import Divisible, Split


class Random(Split):
    """Deals clusters at random, without a look at labels."""

    @property
    def column_name(self) -> None:
        return None

    def assign(self, rows: Divisible, dev: float, test: float, seed: int) -> NDArray[np.int8]:
        units = units_of(rows.clusters)
        wanted = wanted_rows(units, dev, test, "different texts")
        sides = deal(units.sizes, wanted, generator(seed, "split", "random"))
        fill_empty_sides(sides, units.sizes, wanted)
        return sides[units.of_row]
