"""Writes TensorBoard event files to the folder tensorboard/ of the run: tensorboard --logdir <folder>."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from burnish.core.shelves import need
from burnish.training.observers._contract import Observer, Recorder, RunInfo, scalars
from burnish.training.steps import Step


class TensorBoard(Observer):
    """A resumed run purges the steps that it will give again."""

    def open(self, run: RunInfo) -> Recorder:
        need("tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        purge_step = run.start.step + 1 if run.is_resumed else None
        return _Events(SummaryWriter(run.folder / "tensorboard", purge_step=purge_step), run.start.step)


@dataclass
class _Events:
    writer: Any
    last_step: int

    def step(self, step: Step) -> None:
        self.last_step = step.step
        for name, value in scalars(step).items():
            self.writer.add_scalar(name, value, step.step)

    def epoch(self, number: int, scores: Mapping[str, float]) -> None:
        for name, value in {"epoch": number, **scores}.items():
            self.writer.add_scalar(f"dev/{name}", value, self.last_step)
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()
