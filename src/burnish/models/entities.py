"""Readout of two marked entities: the states at their start marks side by side, then a linear layer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from burnish.models.pooling import mean_pool, new_linear


class EntitiesReadout(nn.Module):
    """hidden [B, T, H], starts [B, 2] → logits [B, L] of [head's start; tail's start] [B, 2 H].

    `starts`, among the batch's inputs, are the tokens of the two start marks. With text: the mean of all real tokens
    is a third part [B, 3 H].
    """

    def __init__(self, width: int, n_labels: int, dropout: float, with_text: bool) -> None:
        super().__init__()
        self.with_text = with_text
        self.dropout = nn.Dropout(dropout)
        self.linear = new_linear((3 if with_text else 2) * width, n_labels)

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        rows = torch.arange(hidden.shape[0], device=hidden.device).unsqueeze(1)
        parts = hidden[rows, inputs["starts"]].flatten(1)  # [B, 2, H] → [B, 2 H]
        if self.with_text:
            parts = torch.cat([parts, mean_pool(hidden, inputs["attention_mask"])], dim=1)
        logits: Tensor = self.linear(self.dropout(parts))
        return logits
