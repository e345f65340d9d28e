"""ONNX Runtime: int8 or float32 on a CPU, without torch; `model.onnx` in the model's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.bundle.core import Core, Outputs, run_batches
from burnish.bundle.runtimes._contract import Runtime, unwritten
from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.shelves import need
from burnish.models.reader import Reader
from burnish.tasks._contract import Collated, Feature, Task

MODEL_FILE = "model.onnx"


class Onnxruntime(Runtime):
    """One batch at a time, on all threads; these sleep while they wait, for others need the cores too."""

    def load(self, folder: Path, task: Task, reader: Reader, labels: tuple[str, ...]) -> Core:
        onnxruntime = need("onnxruntime", "onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings().n_threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(folder / MODEL_FILE, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library has an exception of its own for each reason, all of them bare
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{folder / MODEL_FILE}: ONNX Runtime cannot load it ({reason}).") from None
        return OnnxruntimeCore(session, task, reader.pad_id, len(labels))


class OnnxruntimeCore:
    """A session of ONNX Runtime."""

    n_streams = 1
    has_threads = False
    trunk = None

    def __init__(self, session: Any, task: Task, pad_id: int, n_labels: int) -> None:
        self.session = session
        self.task = task
        self.pad_id = pad_id
        self.n_labels = n_labels
        self._names = [one.name for one in session.get_inputs()]

    def run(self, features: Sequence[Feature]) -> Outputs:
        """The outputs of each feature."""
        return run_batches(features, lambda some: self.task.collate(some, self.pad_id, self.n_labels), self._ask)

    def stream(self, feature: Feature) -> Iterator[str]:
        """Always raises: what ONNX Runtime runs here writes no text."""
        return unwritten(self.task)

    def _ask(self, collated: Collated) -> NDArray[np.float32]:
        [logits] = self.session.run(None, {name: collated.inputs[name] for name in self._names})
        found: NDArray[np.float32] = logits
        return found
