"""Where the label vectors of a cosine head start: where the base itself puts each label's words and first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch

from burnish.bundle.core import TorchCore
from burnish.flows.ground import Ground
from burnish.models.network import Network
from burnish.models.pooling import CosineReadout
from burnish.tasks._contract import Example

ROWS_PER_LABEL = 64
"""Most rows of a label that its vector starts from: more would cost time and hardly move a mean."""


def start_label_vectors(network: Network, ground: Ground) -> None:
    """Each label's vector becomes the mean of the vectors of its words, where they are told, and of its rows.

    Without rows this is zero-shot classification by similarity; with rows, the class means of prototypical networks
    (Snell et al. 2017, arXiv 1703.05175, §2). Other heads stay as they are.
    """
    readout = network.readout
    if not isinstance(readout, CosineReadout):
        return
    index = {label: number for number, label in enumerate(ground.labels)}
    owned = [*_words(ground), *_first_rows(ground)]
    core = TorchCore(Network(network.trunk, readout.vector), ground.task, ground.reader.pad_id, len(index))
    encoded = ground.task.encode([example for _, example in owned], ground.reader, ground.labels)
    vectors = np.stack(core.run([one.features[0] for one in encoded]))
    sums = np.zeros((len(index), vectors.shape[1]), np.float64)
    np.add.at(sums, [index[label] for label, _ in owned], vectors)
    readout.start_from(torch.from_numpy(sums.astype(np.float32)))


def _words(ground: Ground) -> Iterator[tuple[str, Example]]:
    for label, words in ground.task.told.items():
        yield label, ground.task.read({"text": words}, is_labelled=False)


def _first_rows(ground: Ground) -> Iterator[tuple[str, Example]]:
    """(label, example without gold) of the first rows of each label."""
    if ground.prepared.train is None:
        return
    count: Counter[str] = Counter()
    for example in ground.prepared.train.corpus:
        for label in ground.task.labels_of(example):
            if count[label] < ROWS_PER_LABEL:
                count[label] += 1
                yield label, {name: value for name, value in example.items() if name not in ground.task.gold}
