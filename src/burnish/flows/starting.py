"""Where the label vectors of a cosine head start: where the base itself puts each label's words and first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from burnish.bundle.core import TorchCore
from burnish.flows.ground import Ground
from burnish.flows.prepare import Prepared
from burnish.models.network import Network
from burnish.models.pooling import CosineReadout
from burnish.tasks._contract import Example, Reader

ROWS_PER_LABEL = 64
"""Most rows of a label that its vector starts from: more would cost time and hardly move a mean."""


def start_label_vectors(network: Network, ground: Ground) -> None:
    """Each label's vector becomes the mean of the vectors of its words, where they are told, and of its rows.

    Without rows this is zero-shot classification by similarity; with rows, the class means of prototypical networks
    (Snell et al. 2017, arXiv 1703.05175, §2). Other heads stay as they are.
    """
    _start(network.trunk, network.readout, ground.prepared, ground.reader)
    for name, prepared in ground.prepared.members.items():
        assert network.readout is not None, "several tasks have a readout"
        _start(network.trunk, network.readout.get_submodule(f"head_{name}"), prepared, ground.reader)


def _start(trunk: nn.Module, readout: nn.Module | None, prepared: Prepared, reader: Reader) -> None:
    if not isinstance(readout, CosineReadout):
        return
    index = {label: number for number, label in enumerate(prepared.labels)}
    owned = [*_words(prepared), *_first_rows(prepared)]
    core = TorchCore(Network(trunk, readout.vector), prepared.task, reader.pad_id, len(index))
    encoded = prepared.task.encode([example for _, example in owned], reader, prepared.labels)
    vectors = np.stack(core.run([one.features[0] for one in encoded]))
    sums = np.zeros((len(index), vectors.shape[1]), np.float64)
    np.add.at(sums, [index[label] for label, _ in owned], vectors)
    readout.start_from(torch.from_numpy(sums.astype(np.float32)))


def _words(prepared: Prepared) -> Iterator[tuple[str, Example]]:
    for label, words in prepared.task.told.items():
        yield label, prepared.task.read({"text": words}, is_labelled=False)


def _first_rows(prepared: Prepared) -> Iterator[tuple[str, Example]]:
    """(label, example without gold) of the first rows of each label."""
    if prepared.train is None:
        return
    count: Counter[str] = Counter()
    for example in prepared.train.corpus:
        for label in prepared.task.labels_of(example):
            if count[label] < ROWS_PER_LABEL:
                count[label] += 1
                yield label, {name: value for name, value in example.items() if name not in prepared.task.gold}
