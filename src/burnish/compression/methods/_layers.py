"""Fewer layers: which stay, and a network that has those only."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from burnish.compression.methods._blocks import stack_of, tell_config
from burnish.models.network import Network


def spread(n_layers: int, n_kept: int) -> list[int]:
    """Indices of `n_kept` of `n_layers` layers, as evenly apart as can be, the first and the last among them.

    Of 12 layers 6 are 0, 2, 4, 7, 9, 11, those from which DistilBERT started (Sanh et al. 2019, arXiv 1910.01108).
    """
    if n_kept == 1:
        return [0]
    return [round(index * (n_layers - 1) / (n_kept - 1)) for index in range(n_kept)]


def keep_layers(network: Network, indices: Sequence[int]) -> None:
    """Leave the layers `indices`, which grow, and say so in the config."""
    stack = stack_of(network)
    kept = nn.ModuleList([stack.blocks[index] for index in indices])
    owner = next(module for module in network.modules() if stack.blocks in list(module.children()))
    name = next(name for name, child in owner.named_children() if child is stack.blocks)
    setattr(owner, name, kept)
    tell_config(network, **{stack.layout.n_layers: len(kept)})
