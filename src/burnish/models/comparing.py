"""Readout of two texts that were read at once: the mean state of each, compared, then a linear layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from burnish.models.heads._contract import HeadPlan
from burnish.models.network import Network, load_pretrained
from burnish.models.pooling import mean_pool, new_linear

FIRST, SECOND = 1, 2
SLOPE = 5.0  # logit for a cosine 1 above the middle, to start with: a base tuned for similarity begins near its cosine


class ComparingReadout(nn.Module):
    """hidden [B, T, H], sides [B, T] → logits [B, L] of [mean; |u - v|; u * v] and the cosine of u and v.

    `sides`, among the batch's inputs, is 1 at tokens of the first text, 2 at those of the second and 0 elsewhere; u and
    v [B, H] are the means of the two (the features of InferSent: Conneau et al. 2017, arXiv 1705.02364, §3.1).
    """

    def __init__(self, width: int, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = new_linear(3 * width, n_labels)
        self.slope = nn.Parameter(torch.full((n_labels,), SLOPE))

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        sides = inputs["sides"]
        first, second = (mean_pool(hidden, sides == side) for side in (FIRST, SECOND))
        parts = [mean_pool(hidden, inputs["attention_mask"]), (first - second).abs(), first * second]
        alike = cosine_similarity(first.float(), second.float(), dim=-1) - 0.5
        logits: Tensor = self.linear(self.dropout(torch.cat(parts, dim=-1))) + alike[:, None] * self.slope
        return logits


def attach_comparing(folder: Path, plan: HeadPlan, dropout: float) -> Network:
    """The base in `folder` with a new comparing readout on it."""
    trunk = load_pretrained("AutoModel", folder, plan.config_settings())
    return Network(trunk, ComparingReadout(trunk.config.hidden_size, len(plan.labels), dropout))
