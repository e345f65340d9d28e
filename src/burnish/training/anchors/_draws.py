"""Answers drawn from what a network's logits say, and how unlikely they were: what Fisher information is made of."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from burnish.training.origin import Answers


def surprise(logits: Tensor, answers: Answers, draw: torch.Generator) -> Tensor:
    """−log p(y) of answers y that are drawn from the logits [1, …, K] of one row, summed over all of them.

    Numbers are drawn from a normal distribution of variance 1 around the logits. `draw` is a generator of the CPU.
    """
    if answers == "places":
        logits = logits.transpose(1, 2)  # [1, T, 2] → [1, 2, T]
    if answers == "values":
        noise = torch.randn(logits.shape, generator=draw).to(logits.device)
        return 0.5 * (logits - logits.detach() - noise).square().sum()
    if answers == "choices":
        given = torch.bernoulli(torch.sigmoid(logits.detach()).cpu(), generator=draw).to(logits.device)
        return functional.binary_cross_entropy_with_logits(logits, given, reduction="sum")
    flat = logits.flatten(0, -2)
    chosen = torch.multinomial(torch.softmax(flat.detach(), dim=-1).cpu(), 1, generator=draw).to(logits.device)
    return functional.cross_entropy(flat, chosen[:, 0], reduction="sum")
