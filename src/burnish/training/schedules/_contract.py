"""What every schedule does: say, for each moment of training, which share of the peak rate holds."""

from __future__ import annotations

from abc import ABC, abstractmethod

from burnish.core.parts import Part


class Schedule(Part, ABC):
    """A pure function of progress: nothing to save, and resuming needs no state."""

    @abstractmethod
    def factor(self, progress: float) -> float:
        """Share of the peak rate, 0 … 1, at `progress`: 0 is the start of training, 1 its end."""


def rise(progress: float, warmup: float) -> float:
    """The straight line from 0 to 1 during the first `warmup` of training; 1 afterwards."""
    return progress / warmup if progress < warmup else 1.0


def descent(progress: float, warmup: float) -> float:
    """How far the part after the warm-up has gone: 0 … 1."""
    return max(0.0, (progress - warmup) / (1 - warmup))
