"""Weights are drawn back as the start's answers hang on them (Kirkpatrick et al. 2017, arXiv 1612.00796)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from burnish.training.anchors._contract import Anchor, Past

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from burnish.training.steps import Position


class EWC(Anchor):
    """Elastic weight consolidation: weight / 2 × Σ F (w − w₀)² (eq. 3), F the diagonal of the Fisher information.

    F is the mean, over rows that the start knew, of the squared gradient of log p(y) of an answer y that is drawn from
    the start's own: with gold answers it would be no Fisher information (Kunstner et al. 2019, arXiv 1905.12558). It is
    divided by its mean, so that `weight` means what it means in l2sp, whatever the model and its sureness.
    """

    holds_weights: ClassVar[bool] = True
    is_row_by_row: ClassVar[bool] = True

    weight: float = Field(default=0.01, ge=0)
    """How dear it is to move the average weight away: λ of the paper, times the mean of F."""

    rows: int = Field(default=200, ge=1)
    """Most rows that the start knew from which F is estimated, one after the other."""

    @property
    def most_rows(self) -> int:
        return self.rows

    def hold(self, past: Past) -> _Consolidated:
        return _Consolidated(self.weight, past.weights(), _importance(past))


@dataclass(frozen=True)
class _Consolidated:
    weight: float
    weights: dict[str, Tensor]
    importance: dict[str, Tensor]

    def penalty(self, network: Module, position: Position) -> Tensor:
        now = dict(network.named_parameters())
        pulls = [(self.importance[name] * (now[name] - start).square()).sum() for name, start in self.weights.items()]
        return self.weight / 2 * sum(pulls[1:], pulls[0])


def _importance(past: Past) -> dict[str, Tensor]:
    """The diagonal of the Fisher information of each trained weight, 1 on average over what the start had.

    Rows of outputs that the start did not have get nothing: no answer that it could give hangs on them.
    """
    import torch

    from burnish.core.seeds import derive
    from burnish.training.anchors._draws import surprise

    named = {name: one for name, one in past.network.named_parameters() if one.requires_grad}
    found = {name: torch.zeros_like(one) for name, one in named.items()}
    past.network.eval()  # as it answers, without dropout
    for number, batch in enumerate(past.old_batches()):
        draw = torch.Generator().manual_seed(derive(past.seed, "fisher", number))
        logits = past.known_logits(past.network(**batch.inputs).float())
        loss = surprise(logits, past.origin.answers, draw)
        gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
        for name, gradient in zip(named, gradients, strict=True):
            if gradient is not None:
                found[name] += gradient.square()
    total = sum(float(one.double().sum()) for one in found.values())
    n_known = sum(past.known_rows(name, one).numel() for name, one in found.items())
    return {name: one * (n_known / total) for name, one in found.items()} if total else found
