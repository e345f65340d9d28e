"""The core that computes with torch: a network on one device, in float32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from burnish.bundle.core import Outputs, run_batches
from burnish.models.network import Network
from burnish.tasks._contract import Batch, Feature, Task


class TorchCore:
    """A network on one device, in float32 and evaluation mode."""

    def __init__(self, network: Network, task: Task, pad_id: int, n_labels: int) -> None:
        self.network = network
        self.task = task
        self.pad_id = pad_id
        self.n_labels = n_labels

    def asking(self, task: Task) -> TorchCore:
        """The same network, asked by another state of the task."""
        return TorchCore(self.network, task, self.pad_id, self.n_labels)

    def run(self, features: Sequence[Feature]) -> Outputs:
        """The outputs of each feature."""
        self.network.eval()
        with torch.inference_mode():
            return run_batches(features, self._collate, self._ask)

    def stream(self, feature: Feature) -> Iterator[str]:
        """The text that a task which writes gives for one feature, piece by piece."""
        self.network.eval()
        return self.task.stream(self.network, self._collate([feature]))

    def _collate(self, features: Sequence[Feature]) -> Batch:
        device = next(self.network.parameters()).device
        return self.task.collate(features, self.pad_id, self.n_labels).to(device)

    def _ask(self, batch: Batch) -> NDArray[np.float32]:
        return self.task.ask(self.network, batch).float().cpu().numpy()
