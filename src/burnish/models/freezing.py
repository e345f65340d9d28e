"""What of a network is trained, and how much of it is dropped: freezing by layers, dropout of a base."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from burnish.core.errors import UserError
from burnish.models.heads._contract import HeadPlan
from burnish.models.inspection import read_config
from burnish.models.network import Network
from burnish.recipe.schema import FreezeSection


def freeze(network: Network, what: FreezeSection) -> None:
    """Turn gradients off as the recipe says.

    Raises:
        UserError: more layers are to be frozen than the base has.
    """
    for body in network.bodies():
        if what.all_but_head:
            body.requires_grad_(False)
        elif what.embeddings or what.layers:
            _freeze_bottom(body, what.layers)


def _freeze_bottom(body: nn.Module, n_layers: int) -> None:
    layers = layers_of(body)
    if n_layers > len(layers):
        raise UserError(f"train.freeze.layers: this base has {len(layers)} layers; got {n_layers}.")
    for part in [*_below_layers(body), *layers[:n_layers]]:
        part.requires_grad_(False)


CONVOLUTIONS = ("feature_extractor", "conv1", "conv2")
"""What speech encoders call the convolutions under their layers: Wav2Vec2 and its family, Whisper."""


def layers_of(body: nn.Module) -> list[nn.Module]:
    """The base's layers, bottom first: its longest list of modules that lies in no other, so that a network of stages
    has these for layers; convolutions under them are left out.
    """
    below = {id(module) for block in _convolutions(body) for module in block.modules()}
    lists = {
        name: list(module)
        for name, module in body.named_modules()
        if isinstance(module, nn.ModuleList) and id(module) not in below
    }
    outer = [found for name, found in lists.items() if not any(name.startswith(f"{other}.") for other in lists)]
    return max(outer, key=len, default=[])


def _below_layers(body: nn.Module) -> list[nn.Module]:
    """Everything below the first layer: convolutions or the `embeddings` block, where there are any, else the token
    table.
    """
    for name in ("embeddings", "embedder"):
        if isinstance(block := getattr(body, name, None), nn.Module):
            return [block]
    if blocks := _convolutions(body):
        return blocks
    try:
        return [body.get_input_embeddings()]  # type: ignore[operator]
    except NotImplementedError:
        raise UserError(
            "train.freeze: this base has no layers that can be told apart; set all_but_head: true, or freeze nothing."
        ) from None


def _convolutions(body: nn.Module) -> list[nn.Module]:
    blocks = [getattr(body, name, None) for name in CONVOLUTIONS]
    return [block for block in blocks if isinstance(block, nn.Module)]


def with_dropout(plan: HeadPlan, folder: Path, rate: float | None) -> HeadPlan:
    """The plan with every dropout of the base in `folder`, and of further towers, set to `rate`."""
    if rate is None:
        return plan
    towers = tuple(
        replace(tower, config_changes=tower.config_changes + dropout_changes(read_config(tower.folder or folder), rate))
        for tower in plan.towers
    )
    return replace(plan.changed(dropout_changes(read_config(folder), rate)), towers=towers)


def dropout_changes(config: dict[str, Any], rate: float | None) -> tuple[tuple[str, Any], ...]:
    """Config entries that set every dropout of a base to `rate`; none when `rate` is None."""
    if rate is None:
        return ()
    keys = [
        key for key, value in config.items() if "dropout" in key and (value is None or isinstance(value, int | float))
    ]
    return tuple((key, rate) for key in keys)
