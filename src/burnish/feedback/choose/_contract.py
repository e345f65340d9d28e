"""What every chooser does: of many answers, name those that people should look at next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from burnish.core.parts import Part
from burnish.store.records import Prediction


class Chooser(Part, ABC):
    """A way to choose. Inputs that were not kept cannot be shown to anybody, and are never chosen."""

    @abstractmethod
    def choose(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> list[int]:
        """Indices of at most `n` predictions, the most wanted first, and never two of one input.

        Where several models answered an input, its live answer stands for it. Ties are broken by `draw`.

        Raises:
            UserError: the answers lack what this way needs; see `refusal`.
        """

    def refusal(self, predictions: Sequence[Prediction]) -> str | None:
        """Why it cannot choose among these, as one sentence; None where it can."""
        return None
