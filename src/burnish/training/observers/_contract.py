"""What every observer does: open a recorder for one run, which is then told of each step and each epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from burnish.core.files import write_bytes
from burnish.core.parts import Part
from burnish.training.steps import Position, Step


@dataclass(frozen=True)
class RunInfo:
    """What a recorder may know of the run."""

    folder: Path
    """The run's own folder; files of a recorder go below it."""
    start: Position
    """Where the run starts. A resumed run gives the steps after it again, so what was recorded of them must go."""
    settings: dict[str, Any]
    """How the run trains, as JSON allows it; no secrets."""

    @property
    def is_resumed(self) -> bool:
        return self.start != Position()


class Recorder(Protocol):
    """Told of what happens, in order. It must not touch the network or any random generator."""

    def step(self, step: Step) -> None: ...

    def epoch(self, number: int, scores: Mapping[str, float]) -> None:
        """Epoch `number`, counted from 1, was judged on dev."""

    def close(self) -> None:
        """The run is over, or failed, or was interrupted. Called once."""


class Observer(Part, ABC):
    """A place where the course of training is written down. A missing library is told when `open` is called."""

    @abstractmethod
    def open(self, run: RunInfo) -> Recorder:
        """Start recording `run`, or go on with it when it is resumed.

        Raises:
            UserError: the library is missing, or the service refuses.
        """


def remembered(run: RunInfo, name: str) -> str | None:
    """The id under which a service knows this run, if it is resumed and `remember` was told."""
    path = run.folder / f"{name}.id"
    return path.read_text("utf-8") if run.is_resumed and path.exists() else None


def remember(run: RunInfo, name: str, identity: str) -> None:
    write_bytes(run.folder / f"{name}.id", identity.encode())


def scalars(step: Step) -> dict[str, float]:
    """A step as the names and numbers that dashboards plot."""
    return {
        "train/loss": step.loss,
        "train/learning_rate": step.learning_rate,
        "train/grad_norm": step.grad_norm,
        "train/tokens_per_second": step.n_tokens / step.seconds,
    }
