"""Pooled readouts: one vector a text from its tokens' hidden states; it is read by a linear layer or compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Pool = Callable[[Tensor, Tensor], Tensor]


class PooledReadout(nn.Module):
    """hidden [B, T, H] → logits [B, L]: pool over the attention_mask [B, T] of the inputs, dropout, linear."""

    def __init__(self, pool: Pool, width: int, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.pool = pool
        self.dropout = nn.Dropout(dropout)
        self.linear = new_linear(width, n_labels)

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        return self.answer(self.pooled(hidden, inputs))

    def pooled(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """[B, H] all that it reads of a text: without weights of its own, so a frozen trunk gives it once for all."""
        return self.pool(hidden, inputs["attention_mask"])

    def answer(self, vectors: Tensor) -> Tensor:
        """[B, L] logits of what was pooled."""
        logits: Tensor = self.linear(self.dropout(vectors))
        return logits


class PooledHead(nn.Module):
    """vectors [B, H] → logits [B, L]: a readout on what was pooled before. The weights are the readout's own, under the
    names that they have in the whole network, so what is trained here is trained there.
    """

    def __init__(self, readout: PooledReadout) -> None:
        super().__init__()
        self.readout = readout

    def forward(self, vectors: Tensor) -> Tensor:
        return self.readout.answer(vectors)


def new_linear(width: int, n_labels: int) -> nn.Linear:
    """An untrained last layer, as BERT draws its own (Devlin et al. 2019; std 0.02, no bias at first)."""
    linear = nn.Linear(width, n_labels)
    nn.init.normal_(linear.weight, std=0.02)
    nn.init.zeros_(linear.bias)
    return linear


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """[B, H] mean over real tokens (Reimers & Gurevych 2019, arXiv 1908.10084, §3)."""
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def max_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """[B, H] largest value over real tokens."""
    lowest = torch.finfo(hidden.dtype).min
    return hidden.masked_fill(attention_mask.unsqueeze(-1) == 0, lowest).amax(1)


class VectorReadout(nn.Module):
    """hidden [B, T, H] → vectors of length 1 [B, H]: pool over real tokens, normalise. It has no weights."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        return nn.functional.normalize(self.pool(hidden, inputs["attention_mask"]).float(), dim=-1)


def first_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """[B, H] the first token's state."""
    return hidden[:, 0]


POOLS: dict[str, Pool] = {"mean": mean_pool, "cls": first_pool, "max": max_pool}
