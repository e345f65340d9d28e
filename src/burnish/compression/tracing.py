"""A network as formats hold it: a module with a fixed order of named inputs, some of whose axes may have any extent.

The convention that every export follows, and that runtimes rely on:

- Inputs are named as `Task.collate` names them (`input_ids`, `attention_mask`, `starts` …), all int64. A format may
  leave out inputs that its graph does not read: whoever runs it feeds those that the file lists.
- There is one output, `logits`, float32: what the network gives, with pooling, head and normalisation inside.
- Axis 0 of every input and of the output is the batch. The other axes that may have any extent are those that differ
  between two batches of the task's own features, such as the length T of `input_ids` [B, T]; others, such as the 2 of
  `starts` [B, 2], are fixed.
- Weights and arithmetic are float32.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.export import Dim
from torch.jit._trace import TracerWarning

from burnish.compression.subject import Subject
from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.core.telemetry import need_silent
from burnish.models.network import Network, quiet_transformers
from burnish.tasks._contract import Feature

OUTPUT = "logits"
BATCH = "batch"

Int64s = NDArray[np.int64]
Axes = dict[str, dict[int, str]]
"""Input → axis → name of the extent; axes of one name always have the same extent."""


class Ordered(nn.Module):
    """A network called with its inputs in order: arrays as `names` say → logits in float32."""

    def __init__(self, network: Network, names: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.names = tuple(names)

    def forward(self, *arrays: Tensor) -> Tensor:
        logits: Tensor = self.network(**dict(zip(self.names, arrays, strict=True)))
        return logits.float()


@dataclass(frozen=True)
class Traced:
    """What converters need of a network, on the CPU and in evaluation mode."""

    module: Ordered
    names: tuple[str, ...]
    arrays: tuple[Int64s, ...]
    """One batch of real features that holds padding, in the order of `names`."""
    axes: Axes
    longest: int
    """Most tokens of a text: no extent but the batch is larger."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(array) for array in self.arrays)

    @cached_property
    def program(self) -> torch.export.ExportedProgram:
        """The graph that torch itself exports.

        Raises:
            UserError: what the network computes cannot be told without running it.
        """
        extents = {name: Dim(name, max=None if name == BATCH else self.longest) for name in self.extents}
        shapes = tuple({axis: extents[name] for axis, name in self.axes[one].items()} for one in self.names)
        with quiet(), told("torch.export"):
            return torch.export.export(self.module, self.tensors, dynamic_shapes=(shapes,), strict=False)

    def fixed(self) -> Traced:
        """The same for formats that hold one size alone: a batch of one, every free axis as long as a text may be."""
        sizes = [
            (1, *(self.longest if axis in self.axes[name] else array.shape[axis] for axis in range(1, array.ndim)))
            for name, array in zip(self.names, self.arrays, strict=True)
        ]
        arrays = tuple(np.resize(array, size) for array, size in zip(self.arrays, sizes, strict=True))
        return Traced(self.module, self.names, arrays, {name: {} for name in self.names}, self.longest)

    @property
    def extents(self) -> list[str]:
        """Names of the extents that may vary, the batch first."""
        return list(dict.fromkeys(name for axes in self.axes.values() for name in axes.values()))


def traced(subject: Subject, examples: Sequence[Feature]) -> Traced:
    """The subject's network, as a copy, with what two batches of its features tell about its inputs.

    Raises:
        UserError: there are no examples, or all are of one length, so that it cannot be seen which axis is the length.
    """
    few, many = _two_batches(subject, examples)
    names = tuple(many)
    network = copy.deepcopy(subject.network).cpu().eval()
    longest = max(subject.reader.max_length, *(max(array.shape[1:]) for array in many.values()))
    return Traced(Ordered(network, names), names, tuple(many.values()), _free_axes(few, many), longest)


def batch_of(subject: Subject, features: Sequence[Feature]) -> dict[str, Int64s]:
    """What the network reads of a batch of features, by name."""
    batch = subject.task.collate(features, subject.reader.pad_id, len(subject.labels))
    return {name: torch.as_tensor(array).cpu().numpy().astype(np.int64) for name, array in batch.inputs.items()}


def _two_batches(subject: Subject, examples: Sequence[Feature]) -> tuple[dict[str, Int64s], dict[str, Int64s]]:
    """Batches that differ in number and in length; the second holds padding, so that a graph cannot do without it."""

    def extent(feature: Feature) -> int:
        """What one row of its batch holds: of texts that are encoded apart, the longest decides."""
        return sum(array[0].size for array in batch_of(subject, [feature]).values())

    if not examples:
        raise UserError("there are no texts to trace the model with.")
    short, long = min(examples, key=extent), max(examples, key=extent)
    if extent(short) == extent(long):
        raise UserError(f"all {len(examples)} texts to trace with are of one length; give some of another length too.")
    return batch_of(subject, [short, short]), batch_of(subject, [long, short, long])


def _free_axes(few: dict[str, Int64s], many: dict[str, Int64s]) -> Axes:
    """The axes whose extents differ between two batches, named; those that differ in the same way share a name."""
    names: dict[tuple[int, int], str] = {}
    axes: Axes = {}
    for name in many:
        axes[name] = {0: BATCH}
        for axis, pair in enumerate(zip(few[name].shape, many[name].shape, strict=True)):
            if axis and pair[0] != pair[1]:
                axes[name][axis] = names.setdefault(pair, "length" if not names else f"length_{len(names) + 1}")
    return axes


def to_onnx(traced: Traced, file: Path) -> Path:
    """Write an ONNX file and check it. Above 2 GB its weights lie in a second file beside it.

    Raises:
        UserError: a library is missing, or the network has an operation that the format lacks.
    """
    onnx = need("onnx", "onnx")
    need("onnxscript", "onnx")
    with quiet(), told("onnx"):
        torch.onnx.export(
            traced.program, (), file, input_names=list(traced.names), output_names=[OUTPUT], dynamo=True,
            verbose=False, external_data=_is_large(traced),
        )  # fmt: skip
        model = onnx.load(file, load_external_data=False)
        _name_extents(model.graph, traced)
        onnx.save(model, file)
        onnx.checker.check_model(str(file))
    return file


def _name_extents(graph: Any, traced: Traced) -> None:
    """Call extents as `axes` does, in place of the symbols that torch made up for them."""
    symbols = {}
    for value in graph.input:
        for axis, name in traced.axes[value.name].items():
            symbols[value.type.tensor_type.shape.dim[axis].dim_param] = name
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = symbols.get(dim.dim_param, dim.dim_param)


def to_openvino(source: Traced | Path, file: Path | None = None) -> Any:
    """An `openvino.Model` of a traced network or of an ONNX file; with `file` (….xml) it is written too, in float32.

    OpenVINO computes in bfloat16 where the processor has it, unless whoever compiles the model says
    `{"INFERENCE_PRECISION_HINT": "f32"}`.

    Raises:
        UserError: the library is missing, or the network has an operation that the format lacks.
    """
    openvino = need_silent("openvino", "openvino")
    with quiet(), told("openvino"):
        model = openvino.convert_model(source) if isinstance(source, Path) else _converted(source, openvino)
        if file is not None:
            openvino.save_model(model, file, compress_to_fp16=False)
    return model


def _converted(traced: Traced, openvino: Any) -> Any:
    """The network as OpenVINO itself traces it; where that meets an operation without a rule, by torch's own graph,
    in which such operations are taken apart. That takes five times as long.
    """
    shapes = [
        openvino.PartialShape([-1 if axis in traced.axes[name] else extent for axis, extent in enumerate(array.shape)])
        for name, array in zip(traced.names, traced.arrays, strict=True)
    ]
    try:
        model = openvino.convert_model(traced.module, example_input=traced.tensors, input=shapes)
    except openvino.frontend.OpConversionFailure:
        model = openvino.convert_model(traced.program)
    for port, name in zip(model.inputs, traced.names, strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
    model.outputs[0].get_tensor().set_names({OUTPUT})
    return model


def _is_large(traced: Traced) -> bool:
    """Whether the weights would not fit into one protocol buffer, which ends at 2 GB."""
    n_bytes: int = sum(value.numel() * value.element_size() for value in traced.module.state_dict().values())
    return n_bytes > 1_900_000_000


@contextlib.contextmanager
def told(name: str) -> Iterator[None]:
    """Within, what a converter cannot do is told as one sentence that names it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # converters raise whatever their graph passes happen to raise
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise UserError(f"{name}: the model cannot be written in this format ({reason}).") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within, converters tell no deprecations and no progress: nobody who exports a model can act on them."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with quiet_transformers(), warnings.catch_warnings():
            for category in (TracerWarning, DeprecationWarning, FutureWarning, UserWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
