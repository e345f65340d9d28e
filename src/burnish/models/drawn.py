"""Which weights of a network were drawn at random: those that neither a file nor words and rows have given.

A network with such weights can be trained. It must not answer: what it says would be noise that looks like an answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

_MARK = "_burnish_given"
_BESIDE = "pooler."
"""Of a base whose states are read, the layer that transformers puts on the first of them, which nothing then reads."""


def mark_given(module: nn.Module, but: Iterable[str] = ()) -> None:
    """Say that the weights of `module` are there on purpose, but for those that `but` names."""
    lacking = set(but)
    given = frozenset(name for name, _ in module.named_parameters() if name not in lacking)
    object.__setattr__(module, _MARK, given)


def drawn_weights(network: nn.Module) -> list[str]:
    """Names of the parameters that count and that nobody gave, in the network's order."""
    given: set[int] = set()
    for module in network.modules():
        own = dict(module.named_parameters())
        given |= {id(own[name]) for name in getattr(module, _MARK, ()) if name in own}
    has_readout = getattr(network, "readout", None) is not None
    return [
        name
        for name, parameter in network.named_parameters(remove_duplicate=True)
        if id(parameter) not in given and not (has_readout and name.startswith(f"trunk.{_BESIDE}"))
    ]
