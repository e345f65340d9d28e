"""How far a run is, as JSON holds it: position, totals, and what each epoch brought."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from burnish.training.steps import Position, Step


@dataclass(frozen=True)
class Epoch:
    """One epoch that was trained and judged. Numbers count from 1."""

    number: int
    step: int
    """The last step of the epoch."""
    loss: float
    """Mean over its rows."""
    scores: dict[str, float]
    """On dev, after the epoch."""


@dataclass
class State:
    """Everything about a run that is not a tensor."""

    position: Position = field(default_factory=Position)
    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    """Number of the best epoch so far; 0 before the first is judged."""
    loss_sum: float = 0.0
    """Over the rows of the epoch under way."""
    n_rows_of_epoch: int = 0
    n_rows: int = 0
    n_tokens: int = 0
    seconds: float = 0.0
    """In steps, judging left out."""

    def add(self, step: Step) -> None:
        self.position = step.end
        self.loss_sum += step.loss * step.n_rows
        self.n_rows_of_epoch += step.n_rows
        self.n_rows += step.n_rows
        self.n_tokens += step.n_tokens
        self.seconds += step.seconds

    def close_epoch(self, scores: dict[str, float], is_best: bool) -> Epoch:
        """The epoch under way is judged; the next begins."""
        number = self.position.epoch + 1
        epoch = Epoch(number, self.position.step, self.loss_sum / self.n_rows_of_epoch, scores)
        self.epochs.append(epoch)
        self.best_epoch = number if is_best else self.best_epoch
        self.position = replace(self.position, epoch=number, batch=0)
        self.loss_sum, self.n_rows_of_epoch = 0.0, 0
        return epoch

    @property
    def best(self) -> Epoch | None:
        return self.epochs[self.best_epoch - 1] if self.best_epoch else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(value: dict[str, Any]) -> State:
        return TypeAdapter(State).validate_python(value)
