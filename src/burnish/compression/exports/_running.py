"""What torch loads of an export, run as cores run a network: to hold it against the judged one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burnish.bundle.core import Outputs, run_batches
from burnish.compression.exports._contract import Answering
from burnish.core.files import read_json
from burnish.tasks._contract import Collated, Feature, Run

if TYPE_CHECKING:
    from torch import Tensor


def run_called(model: Callable[..., Tensor], subject: Answering, folder: Path) -> Run:
    """Features → outputs of a model that is called with its inputs in the order that `labels.json` tells."""
    names = read_json(folder / "labels.json")["inputs"]
    pad_id, n_labels = subject.reader.pad_id, len(subject.labels)

    def ask(collated: Collated) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            rows: NDArray[np.float32] = model(*(torch.from_numpy(collated.inputs[name]) for name in names)).numpy()
        return rows

    def run(features: Sequence[Feature]) -> Outputs:
        return run_batches(features, lambda some: subject.task.collate(some, pad_id, n_labels), ask)

    return run
