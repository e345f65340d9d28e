"""One number a row, between 0 and 1: how alike two texts are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome

MIDDLE = 0.5
WRONG_FROM = 0.25  # a quarter of the scale away from gold is what a reader would call a mistake


@dataclass(frozen=True)
class ScoreOutcome(Outcome):
    """gold [N] and predicted [N], both on a scale of 0 … 1; `scale` is the user's own, for showing."""

    kind = "scores"
    headline = ("spearman", "pearson", "mae", "auc", "best_f1")
    grouped = ("spearman", "mae")

    gold: Floats
    predicted: Floats
    scale: tuple[float, float] = (0.0, 1.0)

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: Ints) -> Self:
        return type(self)(self.gold[rows], self.predicted[rows], self.scale)

    @property
    def is_match(self) -> Bools:
        """[N] whether gold lies in the upper half of the scale: what AUC and the best F1 look for."""
        return np.asarray(self.gold > MIDDLE)

    def gold_of(self, row: int) -> object:
        return float(self.gold[row])

    def distance(self) -> Floats:
        return np.abs(self.gold - self.predicted)

    def is_wrong(self) -> Bools:
        return self.distance() >= WRONG_FROM

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return [self._shown(self.gold[row])], [self._shown(self.predicted[row])]

    def _shown(self, value: float) -> str:
        low, high = self.scale
        return f"{low + (high - low) * float(value):.2f}"

    def thresholded(self) -> tuple[Floats, Bools]:
        return self.predicted[:, None], self.is_match[:, None]

    @classmethod
    def toy(cls) -> Self:
        return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
