"""Keeps a run safe while it goes on: checkpoints at their time, the best weights, and the way back to both."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from burnish.core.events import Message
from burnish.core.files import disk_faults
from burnish.training.best import BestWeights
from burnish.training.checkpoint import Checkpoints
from burnish.training.health import Health
from burnish.training.job import TrainingJob
from burnish.training.loop import Plan
from burnish.training.snapshot import read_snapshot, write_snapshot
from burnish.training.state import State

REST = 20.0
"""Seconds of training for each that the last checkpoint took: a large model on a slow disk would do little but save."""
LONGEST_REST = 10.0
"""Most that this makes of the interval which was asked for."""


@dataclass
class Keeper:
    """Of several processes only the main one writes; all of them read."""

    job: TrainingJob
    plan: Plan
    last_save: float = field(default_factory=time.monotonic)
    save_s: float = 0.0
    """How long the last checkpoint took."""

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.job.work / "checkpoints", self.job.key)

    @property
    def best(self) -> BestWeights:
        return BestWeights(self.job.work)

    def begin(self) -> tuple[State, Health]:
        """Where to start: at a checkpoint when the job is resumed and has one, else from nothing."""
        if self.plan.hardware.is_main:
            with disk_faults(self.job.work):
                self.job.work.mkdir(parents=True, exist_ok=True)
            self.checkpoints.sweep()
            self.best.sweep()
            if not self.job.is_resumed:
                self.checkpoints.clear()
        self.plan.hardware.wait()
        return self._resume() if self.job.is_resumed else (State(), Health())

    def _resume(self) -> tuple[State, Health]:
        path, damaged = self.checkpoints.newest()
        self.plan.hardware.wait()  # no process may still be looking when the main one deletes
        self._drop(damaged)
        if path is None:
            self._warn(
                f"{self.checkpoints.folder}: there is no complete checkpoint; training starts from the beginning."
            )
            return State(), Health()
        state, health, changed = read_snapshot(path, self.plan)
        if state.best_epoch and self.job.settings.keep == "best" and self.plan.hardware.is_main:
            self.best.restore(path)
        if changed:
            self._warn(
                f"{path}: made on another machine or setting ({', '.join(changed)}): training goes on, "
                "but the result will not equal the uninterrupted run's bit for bit."
            )
        return state, health

    def _drop(self, damaged: list[Path]) -> None:
        for path in damaged:
            self._warn(f"{path}: the checkpoint is damaged (a file is cut or changed) and was passed over.")
            if self.plan.hardware.is_main:
                shutil.rmtree(path)

    def _warn(self, text: str) -> None:
        if self.plan.hardware.is_main:
            self.job.listen(Message(text, "warning"))

    def is_due(self) -> bool:
        every_s = self.job.settings.checkpoint_every_s
        rest_s = min(REST * self.save_s, LONGEST_REST * every_s)
        return time.monotonic() - self.last_save >= max(every_s, rest_s)

    def save(self, state: State, health: Health) -> None:
        """Publish a checkpoint of the run as it is now.

        Raises:
            UserError: the disk is full or cannot be written.
        """
        began = time.monotonic()
        if self.plan.hardware.is_main:
            self.checkpoints.save(state.position.step, lambda folder: self._fill(folder, state, health))
        self.last_save = time.monotonic()
        self.save_s = self.last_save - began

    def _fill(self, folder: Path, state: State, health: Health) -> None:
        write_snapshot(folder, self.plan, state, health)
        if state.best_epoch and self.job.settings.keep == "best":
            self.best.link_into(folder)

    def keep_best(self) -> None:
        """The weights as they are now are the best so far."""
        if self.job.settings.keep == "best" and self.plan.hardware.is_main:
            self.best.keep(self.plan.network)

    def load_kept(self, state: State) -> int:
        """Put the weights that the recipe wants kept into the network, in eval mode; returns their epoch's number."""
        self.plan.network.eval()
        last = state.epochs[-1].number
        if self.job.settings.keep == "last" or state.best_epoch == last:
            return last
        self.plan.hardware.wait()
        self.best.load(self.plan.network)
        return state.best_epoch
