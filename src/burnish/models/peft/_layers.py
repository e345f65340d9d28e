"""Layers of the library peft inside a base: which linear layers get one, how they come and how they go."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn

from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.shelves import need


def chosen_layers(body: nn.Module, names: Sequence[str] | None, setting: str) -> list[str]:
    """Paths of the linear layers of a base's transformer blocks, or of those whose last name is in `names`.

    Raises:
        UserError: there are none, or a name is no layer's.
    """
    paths = list(_linear_layers(body))
    if not paths:
        raise UserError("train.peft: this base has no linear layers in blocks; train it in full (train.peft: full).")
    if names is None:
        return paths
    known = list(dict.fromkeys(path.rpartition(".")[2] for path in paths))
    faults = Faults()
    for name in names:
        if name not in known:
            faults.add(
                f"{setting}: this base has no linear layer called '{name}' in its blocks.{hint(name, known)} "
                f"It has: {listed(known)}."
            )
    faults.raise_if_any()
    return [path for path in paths if path.rpartition(".")[2] in names]


def _linear_layers(body: nn.Module) -> Iterator[str]:
    """Paths of the linear layers below a list of modules: towers have several lists, pooler and embeddings none."""
    from transformers.pytorch_utils import Conv1D  # GPT-2's linear layer, its weight transposed

    blocks = tuple(f"{path}." for path, module in body.named_modules() if isinstance(module, nn.ModuleList))
    for path, module in body.named_modules():
        if path.startswith(blocks) and isinstance(module, nn.Linear | Conv1D):
            yield path


def put_beside(body: nn.Module, config: Any) -> None:
    """Put the layers that `config` describes in the places of those that it names. All other weights are frozen."""
    library = need("peft", "train")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fan_in_fan_out")  # told of each transposed layer, which it puts right itself
        library.inject_adapter_in_model(config, body)


def fold_in(body: nn.Module) -> None:
    """Fold every such layer into the one in whose place it stands, and put that one back."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for path, module in list(body.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge(safe_merge=True)
            body.set_submodule(path, module.get_base_layer())
    body.requires_grad_(True)
    vars(body).pop("peft_config", None)
