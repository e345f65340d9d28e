"""Which parameters share a learning rate and a weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError

if TYPE_CHECKING:
    from torch.nn import Module

    from burnish.recipe.schema import TrainSection

HEAD_FACTOR = 10.0
"""Rate of a new head ÷ rate of pretrained weights, when the recipe names none: random weights have farther to go. That
of a bundle which training goes on from is not new.
"""


def parameter_groups(
    network: Module, settings: TrainSection, head_prefixes: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Up to four groups for a torch optimiser: base and head, each with and without decay.

    Only matrices are decayed: pulling biases and the gains of norms towards 0 regularises nothing. Parameters
    that are frozen belong to no group. `peak_rate` is what a schedule's factor multiplies.

    Args:
        network: what is trained.
        settings: rates and decay.
        head_prefixes: names of the modules that make the head, e.g. `("classifier",)`.

    Raises:
        UserError: everything is frozen.
    """
    rate = settings.learning_rate
    factor = HEAD_FACTOR if settings.start is None else 1.0
    rates = {"base": rate, "head": settings.head_learning_rate or factor * rate}
    groups: dict[str, dict[str, Any]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        where = "head" if _is_in(name, head_prefixes) else "base"
        decay = settings.weight_decay if parameter.ndim >= 2 else 0.0
        group = {"params": [], "lr": rates[where], "peak_rate": rates[where], "weight_decay": decay}
        groups.setdefault(f"{where}{parameter.ndim >= 2}", group)["params"].append(parameter)
    if not groups:
        raise UserError("train.freeze: every weight is frozen, so there is nothing to train; freeze less.")
    return [groups[key] for key in sorted(groups)]


def _is_in(name: str, prefixes: Sequence[str]) -> bool:
    return any(name == prefix or name.startswith(prefix.rstrip(".") + ".") for prefix in prefixes)
