"""Masks: which weights of linear layers become zero, and how they stay so while the others learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from burnish.models.network import Network


def linear_layers(network: Network) -> list[nn.Linear]:
    """Those inside lists of blocks: embeddings, poolers and heads are left whole."""
    found: dict[int, nn.Linear] = {}
    for body in network.bodies():
        lists = [module for module in body.modules() if isinstance(module, nn.ModuleList)]
        linears = [one for blocks in lists for one in blocks.modules() if isinstance(one, nn.Linear)]
        found |= {id(one.weight): one for one in linears}
    return list(found.values())


def magnitude_masks(layers: Sequence[nn.Linear], sparsity: float, is_global: bool) -> list[Tensor]:
    """For each layer's weight which entries stay: all but the `sparsity` of least magnitude, in each or in all."""
    sizes = [layer.weight.detach().abs().flatten() for layer in layers]
    if is_global:
        kept = torch.split(_largest(torch.cat(sizes), sparsity), [len(one) for one in sizes])
    else:
        kept = tuple(_largest(one, sparsity) for one in sizes)
    return [mask.view_as(layer.weight) for mask, layer in zip(kept, layers, strict=True)]


def _largest(sizes: Tensor, sparsity: float) -> Tensor:
    """[n] all but the smallest, exactly as many as the share says, whatever is equal."""
    kept = torch.ones_like(sizes, dtype=torch.bool)
    kept[sizes.argsort(stable=True)[: round(sparsity * len(sizes))]] = False
    return kept


@contextmanager
def held_at_zero(layers: Sequence[nn.Linear], masks: Sequence[Tensor]) -> Iterator[None]:
    """Within, masked weights are zero and get no gradient, so no optimiser moves them; at the end they are zero."""
    with ExitStack() as hooks:
        for layer, mask in zip(layers, masks, strict=True):
            _apply(layer, mask)
            _hold(layer.weight, mask, hooks)
        yield
    for layer, mask in zip(layers, masks, strict=True):
        _apply(layer, mask)


def _hold(weight: Any, mask: Tensor, hooks: ExitStack) -> None:
    if weight.requires_grad:
        hook = weight.register_post_accumulate_grad_hook(lambda held: _apply_to(held.grad, mask))
        hooks.callback(hook.remove)


def _apply(layer: nn.Linear, mask: Tensor) -> None:
    _apply_to(layer.weight.data, mask)


def _apply_to(values: Tensor | None, mask: Tensor) -> None:
    if values is not None:
        values.mul_(mask.to(values.device))
