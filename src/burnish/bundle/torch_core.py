"""The core that computes with torch: a network on one device, in float32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from burnish.bundle.core import TOKENS_PER_BATCH, TOKENS_PER_GPU_BATCH, Outputs, run_batches
from burnish.bundle.trunks import Trunk
from burnish.models.network import Network
from burnish.tasks._contract import Collated, Feature, Task


def tokens_at_once(device: torch.device) -> int:
    """Most tokens of a batch that is judged or answered on `device`."""
    return TOKENS_PER_BATCH if device.type == "cpu" else TOKENS_PER_GPU_BATCH


class TorchCore:
    """A network on one device, in float32 and evaluation mode."""

    n_streams = 1
    has_threads = False

    def __init__(self, network: Network, task: Task, pad_id: int, n_labels: int, trunk: Trunk | None = None) -> None:
        self.network = network
        self.task = task
        self.pad_id = pad_id
        self.n_labels = n_labels
        self.trunk = trunk

    def asking(self, task: Task) -> TorchCore:
        """The same network, asked by another state of the task."""
        return TorchCore(self.network, task, self.pad_id, self.n_labels)

    def run(self, features: Sequence[Feature]) -> Outputs:
        """The outputs of each feature."""
        self.network.eval()
        with torch.inference_mode():
            return run_batches(features, self.collate, self._ask, tokens_at_once(self.device))

    def stream(self, feature: Feature) -> Iterator[str]:
        """The text that a task which writes gives for one feature, piece by piece."""
        self.network.eval()
        return self.task.stream(self.network, self.collate([feature]).to(self.device))

    @property
    def device(self) -> torch.device:
        """Where the weights are; a network whose weights another library holds has none."""
        return next((one.device for one in self.network.parameters()), torch.device("cpu"))

    def collate(self, features: Sequence[Feature]) -> Collated:
        """Features as one padded batch."""
        return self.task.collate(features, self.pad_id, self.n_labels)

    def _ask(self, collated: Collated) -> NDArray[np.float32]:
        return self.task.ask(self.network, collated.to(self.device)).float().cpu().numpy()
