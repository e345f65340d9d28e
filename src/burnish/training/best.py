"""The weights of the best epoch so far, written once and shared by every later checkpoint."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.files import disk_faults
from burnish.models.weights import write_weights
from burnish.training import tensors

if TYPE_CHECKING:
    from torch.nn import Module

NAME = "best.safetensors"


@dataclass(frozen=True)
class BestWeights:
    """One file in the run's folder. On disk, because a copy in memory would cost as much as the network.

    It is replaced, never written over, so checkpoints can hold it as a hard link: a checkpoint a minute costs
    nothing for weights that did not change, and the file goes when the last folder that has it goes.
    """

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / NAME

    def keep(self, network: Module) -> None:
        """Remember the weights as they are now. Not fsynced: the checkpoint that links it does that."""
        draft = self.folder / f".{NAME}.tmp-{uuid.uuid4().hex}"
        with disk_faults(self.path):
            try:
                write_weights(tensors.weights_of(network), draft)
                draft.replace(self.path)
            finally:
                draft.unlink(missing_ok=True)

    def link_into(self, checkpoint: Path) -> None:
        _link(self.path, checkpoint / NAME)

    def restore(self, checkpoint: Path) -> None:
        """Go back to the best weights that a checkpoint knew of: those of a later epoch are not reached yet."""
        draft = self.folder / f".{NAME}.tmp-{uuid.uuid4().hex}"
        _link(checkpoint / NAME, draft)
        draft.replace(self.path)

    def load(self, network: Module) -> None:
        tensors.load_weights(network, self.path)

    def sweep(self) -> None:
        """Delete drafts that a crash left behind."""
        for draft in self.folder.glob(f".{NAME}.tmp-*"):
            draft.unlink()


def _link(source: Path, target: Path) -> None:
    """A hard link, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
