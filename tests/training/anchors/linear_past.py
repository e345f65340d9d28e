"""A start so small that what an anchor makes of it can be derived by hand: logits = W x, or W h for each token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tiny_training import CPU
from torch import Tensor, nn

from burnish.core.events import Listener, ignore
from burnish.tasks._contract import Collated
from burnish.training.anchors._contract import Past
from burnish.training.origin import Answers, Origin
from burnish.training.steps import Position

HERE = Position()


class Linear(nn.Module):
    """`weight` [K, H]; x [B, H] → logits [B, K], or x [B, T, H] → [B, T, K]."""

    def __init__(self, weight: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return x @ self.weight.T

    def move(self, by: Sequence[Sequence[float]]) -> None:
        """What training would do."""
        with torch.no_grad():
            self.weight += torch.tensor(by)


class Rows:
    """Batches of given rows, the same in every epoch."""

    def __init__(self, *batches: Sequence[Any], mask: Sequence[Any] | None = None) -> None:
        self.batches = batches
        self.mask = mask

    def n_batches(self, epoch: int) -> int:
        return len(self.batches)

    def read(self, epoch: int, position: int) -> Collated:
        x = np.asarray(self.batches[position], np.float32)
        mask = {} if self.mask is None else {"attention_mask": np.asarray(self.mask, np.int64)}
        return Collated({"x": x, **mask}, {}, n_rows=len(x), n_tokens=len(x))


def past_of(
    network: nn.Module,
    old: Rows | None = None,
    answers: Answers = "choice",
    outputs: tuple[int, ...] | None = None,
    listen: Listener = ignore,
) -> Past:
    """The start with its rows; with `outputs`, `weight` has rows that the start did not have."""
    by_output = frozenset() if outputs is None else frozenset({"weight"})
    return Past(network, Origin(answers, outputs, by_output, old), CPU, 7, listen)


def penalty(held: Any, network: nn.Module, place: Position = HERE) -> float:
    return held.penalty(network, place).item()
