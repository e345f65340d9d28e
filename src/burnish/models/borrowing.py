"""Networks that borrow one body: those whose pretrained parts are equal hold it once, and it reads for all of them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from burnish.models.network import Network

OF_HEADS = {"architectures", "id2label", "label2id", "num_labels", "problem_type", "transformers_version"}
"""Entries of a config that say nothing about what a body computes; in evaluation mode no dropout does either."""

Rows = Mapping[str, Tensor]
"""What a body reads, each [B, T]: input_ids, attention_mask and, where there are any, token_type_ids."""


class Borrowed(nn.Module):
    """Stands where a network has its body. It gives what was read before of the rows that it is asked for, and asks
    the body otherwise. The pooling layer, which only some heads read and which may be new, stays the network's own.
    """

    def __init__(self, body: Any, pooler: nn.Module | None) -> None:
        super().__init__()
        self.body = body
        self.pooler = pooler
        self._signature = inspect.signature(body.forward)
        self._read: tuple[Rows, Any] | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        outputs = self._given(args, kwargs) or self.body(*args, **kwargs)
        if self.pooler is not None:
            outputs["pooler_output"] = self.pooler(outputs.last_hidden_state)
        return outputs

    def rows_of(self, inputs: Rows) -> Rows:
        """What among the inputs of a network the body reads."""
        return {name: value for name, value in inputs.items() if name in self._signature.parameters}

    @contextlib.contextmanager
    def having_read(self, rows: Rows, outputs: Any) -> Iterator[None]:
        """Within, whoever asks for these very rows gets these outputs of the body."""
        self._read = rows, outputs
        try:
            yield
        finally:
            self._read = None

    def _given(self, args: Any, kwargs: Any) -> Any:
        if (read := self._read) is None:
            return None
        rows, outputs = read
        asked = self._signature.bind(*args, **kwargs).arguments
        tensors = {name: value for name, value in asked.items() if isinstance(value, Tensor)}
        is_same = tensors.keys() == rows.keys() and all(tensors[name] is rows[name] for name in rows)
        return outputs if is_same else None  # a head may have told its body more than the batch did


def body_to_lend(network: Network) -> nn.Module | None:
    """The body of a network, where its head reads the last hidden states of texts and nothing else; else None."""
    readout, trunk, body = network.readout, network.trunk, network.body
    if network.vocabulary is not None or hasattr(trunk, "bodies") or (readout is None and body is trunk):
        return None
    if getattr(readout, "reads_all", False) or hasattr(readout, "asked"):
        return None
    config = getattr(body, "config", None)
    is_encoder = getattr(body, "main_input_name", "") == "input_ids" and not getattr(config, "is_encoder_decoder", True)
    return body if is_encoder else None


def take_pooler(body: Any) -> nn.Module | None:
    """A body's pooling layer, taken off, where it is a module of its own kind that reads hidden states."""
    pooler: nn.Module | None = getattr(body, "pooler", None)
    if not type(pooler).__name__.endswith("Pooler"):
        return None
    body.pooler = None
    return pooler


def borrow(network: Network, body: nn.Module, pooler: nn.Module | None) -> None:
    """Let a network read through a body that is its own or equal to that, which it then gives up.

    What it keeps is copied: weights are views of one file in memory, all of which would stay for a view of a part.
    """
    borrowed = Borrowed(body, pooler).eval()
    if network.readout is not None:
        network.trunk = borrowed
    else:
        setattr(network.trunk, network.trunk.base_model_prefix, borrowed)
    lent = {id(weights) for weights in chain(body.parameters(), body.buffers())}
    for weights in chain(network.parameters(), network.buffers()):
        if id(weights) not in lent:
            weights.data = weights.data.clone()


def is_equal(one: Any, other: Any) -> bool:
    """Whether two bodies compute the same, bit for bit, on the same device: by architecture, config and weights."""
    if type(one) is not type(other) or _about(one.config) != _about(other.config):
        return False
    mine, theirs = one.state_dict(), other.state_dict()
    small_first = sorted(mine, key=lambda name: mine[name].numel())  # they tell soonest, without reading a large table
    return mine.keys() == theirs.keys() and all(_is_same(mine[name], theirs[name]) for name in small_first)


def _about(config: Any) -> dict[str, Any]:
    told = {name: value for name, value in config.to_dict().items() if name not in OF_HEADS and "dropout" not in name}
    return {**told, "_name_or_path": None, "attention": config._attn_implementation}


def _is_same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and one.device == other.device and torch.equal(one, other)
