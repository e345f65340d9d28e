"""What a run that goes on from a finished model is told of that model: which answers it knew, and rows that it knew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from burnish.training.loop import Batches

Answers = Literal["choice", "choices", "places", "values"]
"""What logits say: one of the outputs, each output or not, a token for each of the two outputs, or numbers."""


@dataclass(frozen=True)
class Origin:
    """The finished model, whose weights are in the network when training begins."""

    answers: Answers
    outputs: tuple[int, ...] | None = None
    """Where its outputs stand among those of the network; None: it had them all."""
    by_output: frozenset[str] = frozenset()
    """Names of the weights with a row for each output, of which the rows of `outputs` came from it and the rest is
    new."""
    old: Batches | None = None
    """Rows that it knew, in the batches that the anchor asks for; None where that reads none."""
