"""Adafactor: Adam's second mean kept as one row and one column per matrix (Shazeer & Stern 2018, arXiv 1804.04235)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from burnish.training.optimizers._contract import Optimizer

if TYPE_CHECKING:
    import torch


class Adafactor(Optimizer):
    """Almost no memory beside the weights.

    The implementation is that of transformers, with its own rate schedule switched off. torch's always multiplies
    the rate by the size of the weights and caps it (§8 of the paper), so that `train.learning_rate` would mean
    something else than with AdamW: 2e-4 would hardly train. Here that scaling is a setting.
    """

    decay_exponent: float = Field(default=-0.8, lt=0)
    """The second mean forgets by 1 − step**decay_exponent (§7.2)."""

    clip_threshold: float = Field(default=1.0, gt=0)
    """Largest root mean square of one matrix's update, before the rate (§6)."""

    scale_by_weights: bool = False
    """Multiply the rate by the root mean square of each matrix (§8): then rates near 0.01 are right."""

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        from transformers.optimization import Adafactor as Rule

        rule: torch.optim.Optimizer = Rule(  # type: ignore[no-untyped-call]
            groups,
            decay_rate=self.decay_exponent,
            clip_threshold=self.clip_threshold,
            scale_parameter=self.scale_by_weights,
            relative_step=False,
            warmup_init=False,
        )
        return rule
