"""The torch runtime: features in, logits out, in batches of like length so that little is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from burnish.data.features import cost_of, kind_of
from burnish.data.order import sorted_batches
from burnish.models.network import Network
from burnish.tasks._contract import Feature, Task

TOKENS_PER_BATCH = 4096


class Core(Protocol):
    """What every runtime does: features → one array of logits each, in the order given."""

    def run(self, features: Sequence[Feature]) -> list[NDArray[np.float32]]: ...

    def stream(self, feature: Feature) -> Iterator[str]: ...


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

    def run(self, features: Sequence[Feature]) -> list[NDArray[np.float32]]:
        """[K] each for heads that give rows or vectors (K = n H for n texts), [T, K] for heads that label tokens."""
        lengths = np.asarray([cost_of(feature) for feature in features], np.int32)
        kinds = np.asarray([kind_of(feature) for feature in features], np.int32)
        outputs: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(features)
        device = next(self.network.parameters()).device
        self.network.eval()
        with torch.inference_mode():
            for indices in sorted_batches(lengths, TOKENS_PER_BATCH, kinds=kinds):
                batch = self.task.collate([features[i] for i in indices], self.pad_id, self.n_labels).to(device)
                rows = self.task.ask(self.network, batch).float().cpu().numpy()
                for i, row in zip(indices, _by_feature(rows, batch.rows_each, len(indices)), strict=True):
                    outputs[i] = row[: lengths[i]] if row.ndim == 2 else row
        return outputs

    def stream(self, feature: Feature) -> Iterator[str]:
        """The text that a task which writes gives for one feature, piece by piece."""
        device = next(self.network.parameters()).device
        self.network.eval()
        return self.task.stream(self.network, self.task.collate([feature], self.pad_id, self.n_labels).to(device))


def _by_feature(
    rows: NDArray[np.float32], rows_each: Sequence[int] | None, n_features: int
) -> Sequence[NDArray[np.float32]]:
    """The outputs of each feature; where one holds several texts, their rows go side by side."""
    if rows.ndim != 2:
        return rows  # type: ignore[return-value]  # an array is a sequence of its rows
    if rows_each is None:
        return rows.reshape(n_features, -1)  # type: ignore[return-value]
    return [piece.reshape(-1) for piece in np.split(rows, np.cumsum(rows_each)[:-1])]
