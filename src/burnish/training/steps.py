"""What training says about itself: where it stands, and what one step did.

Numbers of steps and epochs count from 1, as people do; a `Position` counts what is done.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """How much is done. With the seed, all that the order of rows and the dropout depend on."""

    step: int = 0
    """Optimiser steps of the whole run."""
    epoch: int = 0
    """Epochs that are trained and judged."""
    batch: int = 0
    """Batches of the epoch under way."""


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step, and the place where it left off."""

    step: int
    """Its number in the run, from 1."""
    epoch: int
    """Number of its epoch, from 1."""
    position: int
    """Batches of its epoch that are done after it."""
    loss: float
    """Mean over its rows, before the step."""
    learning_rate: float
    """Rate of the first parameter group: the pretrained weights, or the head where only that is trained."""
    grad_norm: float
    """L2 norm of the gradient, before clipping."""
    n_rows: int
    n_tokens: int
    """Real tokens, without padding."""
    seconds: float
    """Wall time, reading the batches included."""
    is_epoch_end: bool
    is_skipped: bool
    """The gradient was not finite, so the weights stay as they were."""

    @property
    def end(self) -> Position:
        """Where training stands after this step."""
        return Position(self.step, self.epoch - 1, self.position)
