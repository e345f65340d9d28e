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
    else is decided there is decided on rows that are new to it. A later row that repeats earlier ones is on their side;
    one that stands between rows of several sides is trained on.
    """

    n_new: int = Field(default=0, ge=0)
    """How many of the rows, at their end, came later."""

    before: Annotated[Part, Shelf("splits")] = Field(default="stratified", validate_default=True)
    """How the rows before them are split: stratified, random, grouped, time."""

    @property
    def column_name(self) -> str | None:
        return cast("Split", self.before).column_name

    @property
    def n_later(self) -> int:
        return self.n_new

    def assign(self, rows: Divisible, dev: float, test: float, seed: int) -> NDArray[np.int8]:
        n_before = len(rows.clusters) - self.n_new
        if n_before < 1:
            raise UserError(
                f"data.split: of {len(rows.clusters):,} rows {self.n_new:,} cannot have come later; set n_new to less."
            )
        column = None if rows.column is None else rows.column[:n_before]
        clusters = rows.clusters[:n_before] if rows.earlier is None else rows.earlier
        sides = cast("Split", self.before).assign(Divisible(clusters, rows.strata[:n_before], column), dev, test, seed)
        side_of: dict[int, int] = {}
        for cluster, side in zip(rows.clusters[:n_before].tolist(), sides.tolist(), strict=True):
            side_of[cluster] = side if side_of.get(cluster, side) == side else TRAIN
        later = [side_of.get(cluster, TRAIN) for cluster in rows.clusters[n_before:].tolist()]
        return np.concatenate([sides, np.array(later, np.int8)])
