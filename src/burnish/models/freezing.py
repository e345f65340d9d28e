"""What of a network is trained, and how much of it is dropped: freezing by layers, dropout of a base."""

from __future__ import annotations

from typing import Any

from torch import nn

from burnish.core.errors import UserError
from burnish.models.network import Network
from burnish.recipe.schema import FreezeSection


def freeze(network: Network, what: FreezeSection) -> None:
    """Turn gradients off as the recipe says.

    Raises:
        UserError: more layers are to be frozen than the base has.
    """
    if what.all_but_head:
        network.body.requires_grad_(False)
        return
    if what.embeddings or what.layers:
        _embeddings(network.body).requires_grad_(False)
    layers = layers_of(network.body)
    if what.layers > len(layers):
        raise UserError(f"train.freeze.layers: this base has {len(layers)} layers; got {what.layers}.")
    for layer in layers[: what.layers]:
        layer.requires_grad_(False)


def layers_of(body: nn.Module) -> list[nn.Module]:
    """The base's transformer layers, bottom first: its longest list of modules."""
    lists = [list(module) for module in body.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len, default=[])


def _embeddings(body: nn.Module) -> nn.Module:
    """Everything below the first layer: the `embeddings` block where there is one, else the token table."""
    block = getattr(body, "embeddings", None)
    return block if isinstance(block, nn.Module) else body.get_input_embeddings()  # type: ignore[operator]


def dropout_changes(config: dict[str, Any], rate: float | None) -> tuple[tuple[str, Any], ...]:
    """Config entries that set every dropout of a base to `rate`; none when `rate` is None."""
    if rate is None:
        return ()
    keys = [
        key for key, value in config.items() if "dropout" in key and (value is None or isinstance(value, int | float))
    ]
    return tuple((key, rate) for key in keys)
