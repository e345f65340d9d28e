"""What every optimiser does: build the torch optimiser for given parameter groups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from burnish.core.parts import Part

if TYPE_CHECKING:
    import torch


class Optimizer(Part, ABC):
    """A rule that turns gradients into new weights. Its settings are the rule's own; rates and decay come from outside.

    The state that the rule keeps per parameter must be tensors, numbers or None: checkpoints hold nothing else.
    """

    @abstractmethod
    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """A torch optimiser. Each group has `params`, `lr`, `weight_decay` and keys that the rule must leave alone."""
