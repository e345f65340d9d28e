"""OpenVINO: int8 or float32 on a CPU, without torch; `model.xml` and `model.bin` in the model's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.bundle.core import Core, Outputs, put
from burnish.bundle.runtimes._contract import Runtime, unwritten
from burnish.bundle.shapes import Longest, filled, grouped
from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.telemetry import need_silent
from burnish.models.reader import Reader
from burnish.tasks._contract import Arrays, Collated, Feature, Task

MODEL_FILE = "model.xml"
Indices = NDArray[np.int64]
Rows = NDArray[np.float32]


class Openvino(Runtime):
    """Texts are computed in a few fixed shapes: OpenVINO compiles code for each shape that it meets, and keeps it."""

    streams: int = Field(default=1, ge=1)
    """How many batches are computed side by side, each with an equal share of the threads. Several give more texts a
    second, one gives the quickest single answer."""

    tokens_per_batch: int = Field(default=480, ge=1)
    """Most tokens of a batch, padding included; taken down to a multiple of 480, or of 120: many lengths divide it."""

    def load(self, folder: Path, task: Task, reader: Reader, labels: tuple[str, ...]) -> Core:
        settings_of_device = {
            "INFERENCE_NUM_THREADS": settings().n_threads,
            "NUM_STREAMS": min(self.streams, settings().n_threads),
            "PERFORMANCE_HINT": "THROUGHPUT" if self.streams > 1 else "LATENCY",
            "ENABLE_CPU_PINNING": False,  # else a stream waits for its core while other threads or processes have it
            "INFERENCE_PRECISION_HINT": "f32",  # else bf16 where the processor has it: other answers than elsewhere
        }
        compiled = compile_model(folder / MODEL_FILE, settings_of_device)
        longest = Longest(reader.max_length, self.tokens_per_batch)
        return OpenvinoCore(compiled, task, reader.pad_id, len(labels), longest)


class Slot(NamedTuple):
    """What one caller at a time asks a compiled model by."""

    request: Any
    """For one batch."""
    queue: Any
    """For several: as many requests as there are streams."""


class OpenvinoCore:
    """A compiled model, and as many slots as it has streams."""

    trunk = None

    def __init__(self, compiled: Any, task: Task, pad_id: int, n_labels: int, longest: Longest) -> None:
        self.task = task
        self.pad_id = pad_id
        self.n_labels = n_labels
        self.longest = longest
        self._names = [port.get_any_name() for port in compiled.inputs]
        self._free = {port.get_any_name() for port in compiled.inputs if _has_length(port)}
        self.n_streams = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self.has_threads = self.n_streams > 1  # a lone stream computes in whichever thread asks
        self._slots: SimpleQueue[Slot] = SimpleQueue()
        for _ in range(self.n_streams):
            queue = need_silent("openvino", "serve").AsyncInferQueue(compiled, self.n_streams)
            queue.set_callback(_take)
            self._slots.put(Slot(compiled.create_infer_request(), queue))

    def run(self, features: Sequence[Feature]) -> Outputs:
        """The outputs of each feature."""
        outputs: Outputs = [np.zeros(0, np.float32)] * len(features)
        slot = self._slots.get()
        try:
            for indices, collated, rows in self._asked(slot, features):
                put(outputs, indices, rows[: len(collated.inputs["input_ids"])], collated, features)
        finally:
            self._slots.put(slot)
        return outputs

    def stream(self, feature: Feature) -> Iterator[str]:
        """Always raises: what OpenVINO runs here writes no text."""
        return unwritten(self.task)

    def _asked(self, slot: Slot, features: Sequence[Feature]) -> Iterator[tuple[Indices, Collated, Rows]]:
        """Batches of the features, and what the model gives for each. Of several, none waits for the others; a lone one
        is computed at once, which spares a text a fifth of its time.
        """
        groups = grouped(features, self.longest)
        asked: list[tuple[Indices, Collated, list[Rows]]] = []
        for indices in groups:
            collated = self.task.collate([features[i] for i in indices], self.pad_id, self.n_labels)
            found: list[Rows] = []
            if len(groups) == 1:
                slot.request.infer(self._inputs(collated))
                _take(slot.request, found)
            else:
                slot.queue.start_async(self._inputs(collated), found)
            asked.append((indices, collated, found))
        slot.queue.wait_all()
        return ((indices, collated, rows) for indices, collated, [rows] in asked)

    def _inputs(self, collated: Collated) -> Arrays:
        read = {name: collated.inputs[name] for name in self._names}
        return filled(read, self._free, self.pad_id, self.longest)


def compile_model(file: Path, settings_of_device: Mapping[str, Any]) -> Any:
    """An `openvino.CompiledModel` of a file.

    Raises:
        UserError: OpenVINO cannot load it, or is missing.
    """
    openvino = need_silent("openvino", "serve")
    if not _is_xml(file):
        raise UserError(f"{file}: OpenVINO cannot load it (it is missing, or no model in OpenVINO's own format).")
    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})  # weights are packed anew; pages of the file would stay beside them
    try:
        return core.compile_model(str(file), "CPU", dict(settings_of_device))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{file}: OpenVINO cannot load it ({reason}).") from None


def _is_xml(file: Path) -> bool:
    """Whether it begins as OpenVINO's own format does. Given anything else OpenVINO loads the readers of all formats
    that it knows, one after the other, and the process may crash later.
    """
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.read(5) == b"<?xml"


def _has_length(port: Any) -> bool:
    shape = port.partial_shape
    return len(shape) > 1 and bool(shape[1].is_dynamic)


def _take(request: Any, found: list[Rows]) -> None:
    found.append(request.get_output_tensor(0).data.copy())
