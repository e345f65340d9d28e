"""Cosine: the rate rises, then falls to 0 along half a cosine (Loshchilov & Hutter 2017, arXiv 1608.03983, §3)."""

from __future__ import annotations

import math

from pydantic import Field

from burnish.training.schedules._contract import Schedule, descent, rise


class Cosine(Schedule):
    """Stays near the peak for longer than a straight line, and ends more gently."""

    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of training during which the rate rises."""

    def factor(self, progress: float) -> float:
        return rise(progress, self.warmup) * (1 + math.cos(math.pi * descent(progress, self.warmup))) / 2
