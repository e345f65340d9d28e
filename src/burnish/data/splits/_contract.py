"""What every split does: give each row a side, never tearing a cluster of duplicates apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.parts import Part

TRAIN, DEV, TEST = 0, 1, 2


@dataclass(frozen=True)
class Divisible:
    """What a split may look at; N rows. Small arrays, never the texts."""

    clusters: NDArray[np.int64]
    """[N] rows with one number are duplicates of each other and must end on one side."""
    strata: NDArray[np.int32]
    """[N] label codes; all 0 when the task has no single label."""
    column: NDArray[Any] | None
    """[N] values of the column that `Split.column_name` names; None when it names none."""
    earlier: NDArray[np.int64] | None = None
    """[N - `Split.n_later`] clusters of the rows before those that came later, as they were without them: a later row
    may stand between two that were not near each other, and make them one. None where none came later.
    """


class Split(Part, ABC):
    """A way to cut a data set. `column_name` is the user's column that it needs, or None."""

    @property
    @abstractmethod
    def column_name(self) -> str | None: ...

    @property
    def n_later(self) -> int:
        """How many of the rows, at their end, came after the others were split."""
        return 0

    @abstractmethod
    def assign(self, rows: Divisible, dev: float, test: float, seed: int) -> NDArray[np.int8]:
        """[N] of TRAIN, DEV, TEST. `dev` and `test` are shares of all rows, 0 for none.

        Raises:
            UserError: the rows cannot be split so (too few, one group only, a time that is not a time, …).
        """
