"""A frozen trunk reads each text once, whatever is trained on it: what it gives is kept on disk between runs.

Where nothing below a pooling readout is trained, a text's pooled vector never changes. So training and judging work
on vectors, in the same loop, in the same batches and with the same loss, and only texts that no run has seen yet go
through the trunk. A vector is known by the trunk's weights and config, by the pooling, and by the text's token ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from burnish.bundle.core import Outputs, run_batches
from burnish.bundle.torch_core import TorchCore, tokens_at_once
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, Progress
from burnish.core.files import sha256_of
from burnish.core.settings import settings
from burnish.data.vectors import Digests, VectorCache, VectorFile, Vectors, digests_of, store_vectors
from burnish.flows.encode import StoredBatches
from burnish.models.drawn import drawn_weights
from burnish.models.network import Network
from burnish.models.pooling import PooledHead, PooledReadout
from burnish.tasks._contract import Collated, Feature, Task
from burnish.tasks._shared import read_of
from burnish.training.hardware import open_hardware

if TYPE_CHECKING:
    from burnish.flows.ground import Ground

FORMAT = 1
TEXTS_AT_ONCE = 16_384  # 25 MB of vectors as wide as MiniLM's
FOLDER, FILE = "embeddings", "vectors.f32"


def can_be_pooled(network: Network, task: Task) -> bool:
    """Whether one vector a text is all that is ever read of the trunk, and no training changes it.

    A task that varies its rows, or that asks the network in a way of its own, goes through the trunk each time; so
    does a trunk with weights drawn at random, which no file names.
    """
    return (
        isinstance(network.readout, PooledReadout)
        and not any(parameter.requires_grad for parameter in network.trunk.parameters())
        and not any(name.startswith("trunk.") for name in drawn_weights(network))
        and type(task).varied is Task.varied
        and type(task).ask is Task.ask
    )


@dataclass(frozen=True)
class Trunk:
    """What a network's frozen trunk makes of features: from the cache, or computed and then kept there."""

    core: TorchCore
    cache: VectorCache
    device: torch.device
    listen: Listener
    held: dict[bytes, np.ndarray] = field(default_factory=dict)
    """Vectors of judged rows, which are asked for after every epoch; in memory, as their features are."""

    def vectors(self, features: Sequence[Feature]) -> Vectors:
        """[N, H] of rows that will be asked for again."""
        names = _digests(features).tolist()
        new = {name: feature for name, feature in zip(names, features, strict=True) if name not in self.held}
        self.held.update(zip(new, self._read(list(new.values())), strict=True))
        return np.stack([self.held[name] for name in names]) if names else np.zeros((0, self.cache.width), np.float32)

    def stored(self, batches: StoredBatches) -> VectorFile:
        """The vectors of the training rows, on disk beside their features."""
        store = batches.store

        def pieces() -> Iterator[Vectors]:
            for start in range(0, len(store), TEXTS_AT_ONCE):
                indices = range(start, min(start + TEXTS_AT_ONCE, len(store)))
                yield self._read(store.read(indices))
                self.listen(Progress("embed", indices.stop, len(store), "texts"))

        return store_vectors(store.folder / FILE, pieces(), self.cache.width)

    def _read(self, features: Sequence[Feature]) -> Vectors:
        digests = _digests(features)
        is_known, vectors = self.cache.find(digests)
        unknown, first, places = np.unique(digests[~is_known], return_index=True, return_inverse=True)
        if len(unknown):
            at = np.flatnonzero(~is_known)
            new = self._compute([features[i] for i in at[first]])
            vectors[at] = new[places]
            self._keep(unknown, new)
        return vectors

    def _compute(self, features: Sequence[Feature]) -> Vectors:
        network = self.core.network.to(self.device).eval()

        def pooled(collated: Collated) -> np.ndarray:
            return network.pooled(**collated.to(self.device).inputs).cpu().numpy()

        def collate(some: Sequence[Feature]) -> Collated:
            return self.core.task.collate(some, self.core.pad_id, self.core.n_labels)

        with torch.inference_mode():
            return np.stack(run_batches(features, collate, pooled, tokens_at_once(self.device)))

    def _keep(self, digests: Digests, vectors: Vectors) -> None:
        """A cache that cannot be written costs time, never a run."""
        try:
            self.cache.add(digests, vectors)
        except (UserError, OSError) as error:
            self.listen(Message(f"what the base made of the texts is not kept for later runs: {error}", "warning"))


@dataclass(frozen=True)
class PooledCore:
    """A core that answers from what a frozen trunk gave once."""

    whole: TorchCore
    trunk: Trunk

    @property
    def network(self) -> Network:
        return self.whole.network

    @property
    def task(self) -> Task:
        return self.whole.task

    @cached_property
    def head(self) -> PooledHead:
        """What is trained: the readout of the whole network, on vectors."""
        assert isinstance(self.network.readout, PooledReadout)
        return PooledHead(self.network.readout)

    def asking(self, task: Task) -> PooledCore:
        return replace(self, whole=self.whole.asking(task))

    def run(self, features: Sequence[Feature]) -> Outputs:
        """The outputs of each feature."""
        device = next(self.head.parameters()).device
        self.head.eval()
        with torch.inference_mode():
            vectors = torch.from_numpy(self.trunk.vectors(features)).to(device)
            return list(self.head(vectors).float().cpu().numpy())

    def batches(self, stored: StoredBatches) -> PooledBatches:
        return PooledBatches(stored, self.trunk.stored(stored))


@dataclass(frozen=True)
class PooledBatches:
    """The batches of a feature store with vectors where the trunk would have read tokens."""

    stored: StoredBatches
    vectors: VectorFile

    def n_batches(self, epoch: int) -> int:
        return self.stored.n_batches(epoch)

    def read(self, epoch: int, position: int) -> Collated:
        vectors = self.vectors.read(self.stored.indices(epoch, position))
        return replace(self.stored.read(epoch, position), inputs={"vectors": vectors})


def shortened(core: TorchCore, ground: Ground, listen: Listener) -> TorchCore | PooledCore:
    """The core that reads each text once, where that changes nothing but the time; else the core as it is."""
    limit_bytes = settings().embeddings_mb << 20
    if not (limit_bytes and ground.is_trained and can_be_pooled(core.network, core.task)):
        return core
    readout = core.network.readout
    assert isinstance(readout, PooledReadout)
    root = settings().cache_folder / FOLDER
    cache = VectorCache(root, _kind(ground, readout), readout.linear.in_features, limit_bytes)
    device = open_hardware(ground.recipe.train.precision).device
    return PooledCore(core, Trunk(core, cache, device, listen))


def _kind(ground: Ground, readout: PooledReadout) -> str:
    """What vectors depend on beside the text; another version of transformers may compute a little differently."""
    import transformers

    config = sha256_of(ground.base.folder / "config.json")
    said = f"{FORMAT}/{ground.weights}/{config}/{readout.pool.__name__}/{transformers.__version__}"
    return hashlib.sha256(said.encode()).hexdigest()


def _digests(features: Sequence[Feature]) -> Digests:
    """[N] the SHA-256 of what the trunk reads of each feature: token ids and, where there are two texts, types."""
    return digests_of(np.int64(len(ids)).tobytes() + ids + types for ids, types in map(read_of, features))
