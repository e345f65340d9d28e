"""Importance of what goes into linear layers: how much the loss would change without it, to first order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from burnish.compression.subject import Material
from burnish.models.network import Network


def importances(
    network: Network, linears: Sequence[nn.Linear], size: int, material: Material, n_rows: int
) -> list[Tensor]:
    """For each layer, [n]: E over rows of |∂L/∂gate| for a gate of 1 before every `size` neighbouring inputs.

    With `size` that of an attention head it is the importance of heads (Michel et al. 2019, arXiv 1905.10650, §4.1);
    with 1 that of single neurons (Molchanov et al. 2017, arXiv 1611.06440, §2.2). The first `n_rows` training rows
    are read. No weight gets a gradient.
    """
    network.eval()
    totals = [torch.zeros(linear.in_features // size) for linear in linears]
    seen = 0
    with ExitStack() as hooks:
        gates = _gated(linears, size, hooks)
        for batch in material.batches():
            if seen >= n_rows:
                break
            with torch.enable_grad():
                loss = material.loss(network(**batch.inputs).float(), batch)
            # the loss is a mean over rows, and so is small for each by their number
            for total, gradient in zip(totals, torch.autograd.grad(loss, gates), strict=True):
                total += gradient.abs().sum(0).cpu() * batch.n_rows
            seen += batch.n_rows
    return [total / max(seen, 1) for total in totals]


def _gated(linears: Sequence[nn.Linear], size: int, hooks: ExitStack) -> list[Tensor]:
    """Gates [B, n], one for each row, before each layer; they are new in every forward pass."""
    gates = [torch.empty(0)] * len(linears)

    def gate(index: int, states: Tensor) -> Tensor:
        groups = states.reshape(*states.shape[:-1], -1, size)  # [B, T, n, size]
        gates[index] = torch.ones(len(states), groups.shape[-2], device=states.device, requires_grad=True)
        return (groups * gates[index][:, None, :, None]).reshape(states.shape)

    for index, linear in enumerate(linears):
        hook = linear.register_forward_pre_hook(lambda _, inputs, index=index: (gate(index, inputs[0]),))
        hooks.callback(hook.remove)
    return gates


def most_important(scores: Tensor, n_kept: int) -> Tensor:
    """Indices of the `n_kept` highest scores, in their order."""
    return scores.argsort(descending=True, stable=True)[:n_kept].sort().values


def columns_of(units: Tensor, size: int) -> Tensor:
    """The columns of units of `size` neighbouring columns each."""
    return (units[:, None] * size + torch.arange(size)).flatten()
