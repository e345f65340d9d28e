"""AdamW: Adam with decoupled weight decay, as one fused kernel (Loshchilov & Hutter 2019, arXiv 1711.05101)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from burnish.training.optimizers._contract import Optimizer

if TYPE_CHECKING:
    import torch

Beta = Annotated[float, Field(ge=0, lt=1)]


class AdamW(Optimizer):
    """Two running means per weight: memory of twice the trained weights."""

    betas: tuple[Beta, Beta] = (0.9, 0.999)
    """Decay of the running means of the gradient and of its square."""

    epsilon: float = Field(default=1e-8, gt=0)
    """Keeps the division by the root of the second mean away from zero."""

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        import torch

        return torch.optim.AdamW(groups, betas=self.betas, eps=self.epsilon, fused=True)
