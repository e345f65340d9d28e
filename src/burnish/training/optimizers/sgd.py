"""SGD: stochastic gradient descent with Nesterov's momentum (Sutskever et al. 2013, ICML, §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from burnish.training.optimizers._contract import Optimizer

if TYPE_CHECKING:
    import torch


class SGD(Optimizer):
    """One running mean per weight. Wants a far larger learning rate than AdamW (0.01 to 0.1)."""

    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Share of the last change that goes on; 0 keeps no state at all."""

    nesterov: bool = True
    """Look ahead along the momentum before the gradient is added; needs `momentum` above 0."""

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum above 0; set nesterov: false, or a momentum such as 0.9")
        return self

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        import torch

        return torch.optim.SGD(groups, lr=groups[0]["lr"], momentum=self.momentum, nesterov=self.nesterov)
