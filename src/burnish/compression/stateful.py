"""A causal model as one OpenVINO graph that keeps keys and values between two calls: a stateful model.

Inputs: `input_ids` and `position_ids` [B, T]; `attention_mask` [B, P + T], the P tokens before counted in; `places`
[M], the tokens, counted through the batch's rows, whose logits are asked for; all int64; and `beam_idx` [B] int32, from
which of the rows before each goes on. Output: `logits` [1, M, V] in float32. A reset state has P = 0.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from burnish.compression.tracing import OUTPUT, quiet, told
from burnish.core.telemetry import need_silent
from burnish.models.network import Network, output_at

INPUTS = ("input_ids", "attention_mask", "position_ids", "places")
BEAMS = "beam_idx"
ROWS, BEFORE, NOW = 2, 3, 4  # extents of the batch that is traced, no two alike


class Continued(nn.Module):
    """A trunk called with its inputs and what it kept of the tokens before: keys and values [B, H, P, D] of each layer
    in turn → logits [1, M, V] and what it keeps now.
    """

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, places: Tensor, *kept: Tensor
    ) -> tuple[Tensor, ...]:
        with output_at(self.trunk, places):
            outputs = self.trunk(
                input_ids=input_ids,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=_cache(kept),
                use_cache=True,
            )
        return outputs.logits.float(), *_kept(outputs.past_key_values)


def to_stateful(network: Network) -> Any:
    """The `openvino.Model` of a network that writes, its weights in float32.

    Raises:
        UserError: a library is missing, or the network has an operation that the format lacks.
    """
    openvino = need_silent("openvino", "openvino")
    with quiet(), told("openvino"), torch.inference_mode():
        trunk = copy.deepcopy(network.trunk).cpu().eval()
        trunk.set_attn_implementation("sdpa")  # one operation, which OpenVINO runs together with what is kept
        shapes = _kept_shapes(trunk)
        model = openvino.convert_model(
            Continued(trunk),
            example_input=(*_examples(), *(torch.zeros(ROWS, n_heads, BEFORE, size) for n_heads, size in shapes)),
            input=[openvino.PartialShape(shape) for shape in ([-1, -1], [-1, -1], [-1, -1], [-1])]
            + [openvino.PartialShape([-1, n_heads, -1, size]) for n_heads, size in shapes],
        )
        _make_stateful(model, shapes)
    return model


def _cache(kept: Sequence[Tensor]) -> Any:
    from transformers.cache_utils import DynamicCache, DynamicLayer

    cache = DynamicCache()
    for keys, values in zip(kept[::2], kept[1::2], strict=True):
        layer = DynamicLayer()  # type: ignore[no-untyped-call]
        layer.dtype, layer.device = keys.dtype, keys.device
        layer.keys, layer.values, layer.is_initialized = keys, values, True
        cache.layers.append(layer)
    return cache


def _kept(cache: Any) -> list[Tensor]:
    return [one for layer in cache.layers for one in (layer.keys, layer.values)]


def _examples() -> tuple[Tensor, ...]:
    ids = torch.arange(ROWS * NOW).view(ROWS, NOW)
    mask = torch.ones(ROWS, BEFORE + NOW, dtype=torch.long)
    mask[0, 0] = 0  # a row that is filled up, so that the graph cannot do without the mask
    positions = torch.arange(BEFORE, BEFORE + NOW).repeat(ROWS, 1)
    return ids, mask, positions, torch.tensor([NOW - 1, ROWS * NOW - 1, 0])


def _kept_shapes(trunk: Any) -> list[tuple[int, int]]:
    """Heads and size of each key and value that is kept, layer by layer."""
    cache = trunk(input_ids=torch.zeros(1, 1, dtype=torch.long), use_cache=True).past_key_values
    return [(one.shape[1], one.shape[3]) for one in _kept(cache)]


def _make_stateful(model: Any, shapes: Sequence[tuple[int, int]]) -> None:
    """Name what goes in and out, and lead what is kept back in: each row from the row that it goes on from."""
    passes = need_silent("openvino._offline_transformations", "openvino")
    before = [f"before.{index}" for index in range(len(shapes))]
    after = [f"after.{index}" for index in range(len(shapes))]
    for port, name in zip(model.inputs, (*INPUTS, *before), strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
    for port, name in zip(model.outputs, (OUTPUT, *after), strict=True):
        port.get_tensor().set_names({name})
    _choose_rows(model, before)
    passes.apply_make_stateful_transformation(model, dict(zip(before, after, strict=True)))
    _begin_empty(model)


def _choose_rows(model: Any, names: Sequence[str]) -> None:
    ops = need_silent("openvino.opset13", "openvino")
    rows = ops.parameter([-1], dtype=np.int32, name=BEAMS)
    rows.output(0).get_tensor().set_names({BEAMS})
    model.add_parameters([rows])
    for name in names:
        port = model.input(name)
        readers = port.get_target_inputs()
        chosen = ops.gather(port, rows, ops.constant(0))
        for reader in readers:
            reader.replace_source_output(chosen.output(0))
    model.validate_nodes_and_infer_types()


def _begin_empty(model: Any) -> None:
    """A state that was reset has as many rows as the batch and no token."""
    ops = need_silent("openvino.opset13", "openvino")
    shape = ops.shape_of(model.input(INPUTS[0]), output_type="i64")
    n_rows = ops.gather(shape, ops.constant([0]), ops.constant(0))
    for node in model.get_ops():
        if node.get_type_name() == "ReadValue":
            _, n_heads, _, size = node.get_output_partial_shape(0)
            rest = ops.constant(np.array([n_heads.get_length(), 0, size.get_length()], np.int64))
            nothing = ops.constant(0.0, dtype=node.get_output_element_type(0))
            node.set_arguments([ops.broadcast(nothing, ops.concat([n_rows, rest], axis=0))])
    model.validate_nodes_and_infer_types()
