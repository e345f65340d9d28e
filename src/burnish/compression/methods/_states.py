"""What layers give inside a network, and how far those of a student are from its teacher's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from burnish.compression.methods._blocks import Stack


@contextmanager
def watching(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Within, the list holds what each module gave in the forward pass just done."""
    given: list[Tensor] = [torch.empty(0)] * len(modules)

    def kept(index: int) -> Any:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            given[index] = output[0] if isinstance(output, tuple) else output

        return hook

    handles = [module.register_forward_hook(kept(index)) for index, module in enumerate(modules)]
    try:
        yield given
    finally:
        for handle in handles:
            handle.remove()


def matched_layers(n_student: int, n_teacher: int) -> list[int]:
    """For each layer of the student the teacher's at the same share of the way up; the last for the last.

    The uniform map of TinyBERT (Jiao et al. 2019, arXiv 1909.10351, §3.1).
    """
    return [round((index + 1) * n_teacher / n_student) - 1 for index in range(n_student)]


def projections(stack: Stack) -> list[nn.Linear]:
    """The last layer's query, key and value."""
    return [stack.linears(part)[-1] for part in ("query", "key", "value")]


def state_loss(student: Sequence[Tensor], teacher: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Mean squared difference of hidden states [B, T, H] at real tokens, mean over layers."""
    real = mask.bool()
    apart = [
        functional.mse_loss(own[real].float(), other[real].float()) for own, other in zip(student, teacher, strict=True)
    ]
    return torch.stack(apart).mean()


def relation_loss(student: Sequence[Tensor], teacher: Sequence[Tensor], mask: Tensor, n_heads: int) -> Tensor:
    """KL of how tokens relate by their queries, keys and values [B, T, H], summed over the three.

    MiniLMv2 (Wang et al. 2020, arXiv 2012.15828, §3): softmax(A Aᵀ / √d) for A split into `n_heads` relation heads;
    mean over heads and real tokens. Widths of student and teacher may differ.
    """
    apart = [
        _relation_divergence(_relations(own, mask, n_heads), _relations(other, mask, n_heads), mask)
        for own, other in zip(student, teacher, strict=True)
    ]
    return torch.stack(apart).sum()


def _relations(states: Tensor, mask: Tensor, n_heads: int) -> Tensor:
    """[B, heads, T, T] log of each token's relation to all real ones."""
    heads = states.float().reshape(*states.shape[:2], n_heads, -1).transpose(1, 2)
    scores = heads @ heads.transpose(-1, -2) / heads.shape[-1] ** 0.5
    return functional.log_softmax(scores.masked_fill(mask[:, None, None] == 0, -1e4), dim=-1)


def _relation_divergence(given: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    each = (wanted.exp() * (wanted - given)).sum(-1).mean(1)
    return each[mask.bool()].mean()
