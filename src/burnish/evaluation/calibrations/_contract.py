"""What every calibration does: fit a few numbers on dev, then turn logits into honest probabilities.

Shapes: M decisions (rows; for tokens, words), L labels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from burnish.core.parts import Part
from burnish.metrics._contract import Bools, Floats, Ints
from burnish.metrics._probabilities import Kind


class Calibration(Part, ABC):
    """A way to calibrate. Its parameters are plain numbers: they are stored in the bundle as JSON."""

    @abstractmethod
    def fit(self, logits: Floats, gold: Ints | Bools, kind: Kind) -> dict[str, float]:
        """Parameters fitted on logits [M, L] and gold: [M] label indices (softmax) or [M, L] booleans (sigmoid).

        They are arguments of `burnish.metrics._probabilities.probabilities`, so that a bundle can apply them without
        this room; `temperature` is always among them.

        Raises:
            SickRun: some logits are not finite.
        """

    @abstractmethod
    def apply(self, logits: Floats, parameters: dict[str, float], kind: Kind) -> Floats:
        """[…, L] calibrated probabilities of logits [..., L]."""
