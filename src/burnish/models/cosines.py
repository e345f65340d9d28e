"""Readouts that compare vectors with one vector for each label by cosine; they start from what the base knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from burnish.models.drawn import mark_given
from burnish.models.heads._contract import Seen
from burnish.models.network import Network
from burnish.models.pooling import Pool

ToVectors = Callable[[Tensor, Tensor], Tensor]
"""hidden [B, T, H] and attention_mask [B, T] → vectors [B, H] or [B, T, H], of any length."""


class CosineReadout(nn.Module):
    """hidden [B, T, H] → logits [B, L] or [B, T, L]: scale × cosine of each vector and each label's."""

    def __init__(self, to_vectors: ToVectors, width: int, n_labels: int, scale: float) -> None:
        super().__init__()
        self.to_vectors = to_vectors
        self.scale = scale
        self.labels = nn.Parameter(torch.randn(n_labels, width))

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self.scale * self.vectors(hidden, inputs) @ normalize(self.labels, dim=-1).T
        return logits

    def vectors(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """What is compared, brought to length 1."""
        return normalize(self.to_vectors(hidden, inputs["attention_mask"]).float(), dim=-1)

    def start_from(self, vectors: Tensor) -> None:
        """Put the label vectors at `vectors` [L, H], each brought to length 1."""
        with torch.no_grad():
            self.labels.copy_(normalize(vectors, dim=-1))
        mark_given(self)


def token_states(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """[B, T, H]: every token by itself, as it stands in its text."""
    return hidden


def spread(pool: Pool) -> ToVectors:
    """[B, T, H]: the pooled text at each of its tokens, for texts that are one word."""

    def pooled(hidden: Tensor, attention_mask: Tensor) -> Tensor:
        return pool(hidden, attention_mask).unsqueeze(1).expand(-1, hidden.shape[1], -1)

    return pooled


def start_labels(network: Network, seen: Iterable[Seen]) -> None:
    """Put each label's vector at the mean of the vectors that its words and rows have in the base as it is.

    These are the class means of prototypical networks (Snell et al. 2017, arXiv 1703.05175, §2). Targets are `labels`
    [B] or [B, T]; what is below 0 counts for none. A label of which nothing is seen takes the vector of the label
    before it: a tag I-x then means what B-x does. Where nothing is seen at all, they stay as drawn.
    """
    readout = network.readout
    assert isinstance(readout, CosineReadout), "it is attached by the head that starts it"
    sums = torch.zeros_like(readout.labels, dtype=torch.float64)
    probe = Network(network.trunk, _Vectors(readout)).eval()
    with torch.no_grad():
        for inputs, targets in seen:
            wanted = targets["labels"].flatten()
            vectors = probe(**inputs).flatten(0, -2).double()
            sums.index_add_(0, wanted[wanted >= 0], vectors[wanted >= 0])
    if not sums.any():
        return
    for label in range(1, len(sums)):
        if not sums[label].any():
            sums[label] = sums[label - 1]
    readout.start_from(sums.float())


class _Vectors(nn.Module):
    """A cosine readout up to the vectors that it compares."""

    def __init__(self, readout: CosineReadout) -> None:
        super().__init__()
        self.readout = readout

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        return self.readout.vectors(hidden, inputs)
