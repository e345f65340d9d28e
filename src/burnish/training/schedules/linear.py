"""Linear: the rate rises, then falls to 0 in a straight line (Devlin et al. 2019, arXiv 1810.04805, §A.2)."""

from __future__ import annotations

from pydantic import Field

from burnish.training.schedules._contract import Schedule, descent, rise


class Linear(Schedule):
    """What BERT was fine-tuned with."""

    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of training during which the rate rises."""

    def factor(self, progress: float) -> float:
        return rise(progress, self.warmup) - descent(progress, self.warmup)
