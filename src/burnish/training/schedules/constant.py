"""Constant: the rate rises during the warm-up and then stays at its peak."""

from __future__ import annotations

from pydantic import Field

from burnish.training.schedules._contract import Schedule, rise


class Constant(Schedule):
    """For runs whose length is not known beforehand."""

    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of training during which the rate rises."""

    def factor(self, progress: float) -> float:
        return rise(progress, self.warmup)
