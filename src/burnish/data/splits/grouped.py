"""Rows with one value in a column, e.g. an author, stay on one side, and so do duplicates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.seeds import generator
from burnish.data.disjoint import DisjointSets
from burnish.data.splits._allocation import Ints, deal, fill_empty_sides, units_of, wanted_rows
from burnish.data.splits._contract import Divisible, Split


class Grouped(Split):
    """Deals whole groups. A text that stands in two groups ties them together."""

    column: str
    """The column that names the group of each row, e.g. author or conversation."""

    @property
    def column_name(self) -> str:
        return self.column

    def assign(self, rows: Divisible, dev: float, test: float, seed: int) -> NDArray[np.int8]:
        groups = self._codes(rows.column)
        n_groups = int(groups.max(initial=-1)) + 1
        if n_groups < 2:
            raise UserError(
                f"data.split: the column '{self.column}' has one value only, so its rows cannot be on two sides; "
                "name another column, or set data.split: random."
            )
        units = units_of(_tied(groups, rows.clusters, n_groups)[groups])
        wanted = wanted_rows(units, dev, test, self._what(len(units.sizes), n_groups))
        sides = deal(units.sizes, wanted, generator(seed, "split", "grouped"))
        fill_empty_sides(sides, units.sizes, wanted)
        return sides[units.of_row]

    def _codes(self, column: NDArray[Any] | None) -> Ints:
        """[N] the number of each row's group."""
        if column is None:
            raise UserError(f"data.split: grouped needs the column '{self.column}', which the data does not have.")
        seen: dict[str, int] = {}
        codes = np.empty(len(column), np.int64)
        for at, value in enumerate(column.tolist()):
            codes[at] = -1 if _is_missing(value) else seen.setdefault(str(value), len(seen))
        n_missing = int(np.count_nonzero(codes < 0))
        if n_missing:
            raise UserError(
                f"data.split: {n_missing:,} rows have no value in the column '{self.column}' that groups them "
                f"(the first is row {int(np.argmin(codes)) + 1:,}); give each row a value."
            )
        return codes

    def _what(self, n_units: int, n_groups: int) -> str:
        if n_units == n_groups:
            return f"values of '{self.column}'"
        return (
            f"independent groups (the {n_groups:,} values of '{self.column}' share duplicate texts, "
            "which data.duplicates: off ignores)"
        )


def _is_missing(value: object) -> bool:
    return value is None or value == "" or value != value  # noqa: PLR0124  # NaN alone differs from itself


def _tied(groups: Ints, clusters: Ints, n_groups: int) -> Ints:
    """[groups] the smallest group that each is tied to by clusters that reach over several."""
    order = np.lexsort((groups, clusters))
    ordered, owners = groups[order], clusters[order]
    is_tie = (owners[1:] == owners[:-1]) & (ordered[1:] != ordered[:-1])
    ties = np.unique(np.stack([ordered[:-1][is_tie], ordered[1:][is_tie]]), axis=1)
    sets = DisjointSets(n_groups, cap=n_groups)
    for one, other in ties.T.tolist():
        sets.join(one, other)
    return sets.roots(np.arange(n_groups))
