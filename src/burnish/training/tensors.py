"""The tensors of a run as safetensors files and back: weights by name, optimiser state by parameter and field.

Nothing here is pickled: a checkpoint is tensors in safetensors and everything else in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError, listed

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module


def weights_of(network: Module) -> dict[str, Tensor]:
    """Trained parameters and persistent buffers by name, tied ones once. Views: they change when the network does.

    Frozen parameters are left out: the base has them, and a checkpoint belongs to one base.
    """
    from torch.nn import Parameter

    named = network.state_dict(keep_vars=True)
    names = {id(tensor): name for name, tensor in reversed(named.items())}
    return {
        name: tensor
        for name, tensor in named.items()
        if names[id(tensor)] == name and (tensor.requires_grad or not isinstance(tensor, Parameter))
    }


def load_weights(network: Module, path: Path) -> None:
    """Copy the weights of a file into `network`, in place, so that ties and the optimiser's references stay.

    Raises:
        UserError: the file holds other parameters than the network.
    """
    import torch
    from safetensors.torch import load_file

    saved, own = load_file(path), weights_of(network)
    if saved.keys() != own.keys():
        raise UserError(
            f"{path}: holds the weights of another network (one has {listed(sorted(saved.keys() ^ own.keys())[:3])}, "
            "the other has not); was the base replaced? Run without --resume to start anew."
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(saved[name])


def optimizer_state(optimizer: torch.optim.Optimizer, network: Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What the optimiser keeps per parameter: (tensors, everything else), both by `parameter:field`.

    Rates and decay are not in it: they are set anew from the recipe.
    """
    import torch

    tensors: dict[str, Tensor] = {}
    rest: dict[str, Any] = {}
    for name, parameter in network.named_parameters():
        for field, value in optimizer.state.get(parameter, {}).items():
            (tensors if torch.is_tensor(value) else rest)[f"{name}:{field}"] = value
    return tensors, rest


def load_optimizer(optimizer: torch.optim.Optimizer, network: Module, path: Path, rest: Mapping[str, Any]) -> None:
    """Give the optimiser what `optimizer_state` took from one like it.

    The tensors are copied: safetensors maps the file into memory, and the checkpoint will be deleted.
    """
    import torch
    from safetensors.torch import load_file

    numbers = {
        parameter: index
        for index, parameter in enumerate(p for group in optimizer.param_groups for p in group["params"])
    }
    names = {name: numbers[parameter] for name, parameter in network.named_parameters() if parameter in numbers}
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**load_file(path), **rest}.items():
        name, field = key.rsplit(":", 1)
        state.setdefault(names[name], {})[field] = value.clone() if torch.is_tensor(value) else value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
