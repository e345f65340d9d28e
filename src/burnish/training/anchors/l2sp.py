"""Weights are drawn back to those of the start, all alike (Li, Grandvalet and Davoine 2018, arXiv 1802.01483)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from burnish.training.anchors._contract import Anchor, Past

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from burnish.training.steps import Position


class L2SP(Anchor):
    """weight / 2 × Σ (w − w₀)² over every trained weight that the start had; the rows of new labels are free.

    Needs no rows that the start knew, and holds on to all weights alike. `train.weight_decay` still pulls towards 0.
    """

    holds_weights: ClassVar[bool] = True

    weight: float = Field(default=0.01, ge=0)
    """How dear it is to move away: α of the paper."""

    def hold(self, past: Past) -> _Start:
        return _Start(self.weight, past, past.weights())


@dataclass(frozen=True)
class _Start:
    weight: float
    past: Past
    weights: dict[str, Tensor]

    def penalty(self, network: Module, position: Position) -> Tensor:
        now = dict(network.named_parameters())
        moved = [self.past.known_rows(name, now[name] - start) for name, start in self.weights.items()]
        return self.weight / 2 * sum((one.square().sum() for one in moved[1:]), moved[0].square().sum())
