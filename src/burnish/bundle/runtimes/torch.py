"""PyTorch: the network as it was trained, in float32, on an accelerator where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from burnish.bundle.core import Core
from burnish.bundle.runtimes._contract import Runtime
from burnish.bundle.trunks import Trunks
from burnish.core.settings import settings
from burnish.core.shelves import need
from burnish.models.reader import Reader
from burnish.tasks._contract import Task

if TYPE_CHECKING:
    from burnish.bundle.torch_core import TorchCore


class Torch(Runtime):
    """Reads the plain Hugging Face layout."""

    def load(self, folder: Path, task: Task, reader: Reader, labels: tuple[str, ...]) -> Core:
        torch = need("torch", "train")
        from burnish.bundle.torch_core import TorchCore
        from burnish.models.device import best_device

        if settings().threads:  # else torch takes every core itself, or as many as the program that loads has set
            torch.set_num_threads(settings().threads)
        network = task.head_part.attach(folder, task.head_plan(labels))
        network.load_readout(folder)
        return TorchCore(network.to(best_device()), task, reader.pad_id, len(labels))

    def shared(self, core: Core, trunks: Trunks) -> Core:
        from burnish.bundle.shared_trunk import share

        return share(cast("TorchCore", core), trunks)
