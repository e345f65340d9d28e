"""Rows that came later are trained on; those before them are split as they were without them."""

from __future__ import annotations

from typing import Annotated, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.splits._contract import TRAIN, Divisible, Split


class Grown(Split):
    """For a model that is trained further: what it was never trained on stays dev, so that the calibration and whatever
    else is decided there is decided on rows that are new to it. A later row that repeats an earlier one is on its side.
    """

    n_new: int = Field(default=0, ge=0)
    """How many of the rows, at their end, came later."""

    before: Annotated[Part, Shelf("splits")] = Field(default="stratified", validate_default=True)
    """How the rows before them are split: stratified, random, grouped, time."""

    @property
    def column_name(self) -> str | None:
        return cast("Split", self.before).column_name

    def assign(self, rows: Divisible, dev: float, test: float, seed: int) -> NDArray[np.int8]:
        n_before = len(rows.clusters) - self.n_new
        if n_before < 1:
            raise UserError(
                f"data.split: of {len(rows.clusters):,} rows {self.n_new:,} cannot have come later; set n_new to less."
            )
        column = None if rows.column is None else rows.column[:n_before]
        earlier = Divisible(rows.clusters[:n_before], rows.strata[:n_before], column)
        sides = cast("Split", self.before).assign(earlier, dev, test, seed)
        side_of = dict(zip(earlier.clusters.tolist(), sides.tolist(), strict=True))
        later = [side_of.setdefault(cluster, TRAIN) for cluster in rows.clusters[n_before:].tolist()]
        return np.concatenate([sides, np.array(later, np.int8)])
