"""What training is asked to do, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.events import Listener, ignore
from burnish.recipe.schema import TrainSection
from burnish.training.loop import Batches, Loss
from burnish.training.origin import Origin
from burnish.training.state import Epoch

if TYPE_CHECKING:
    from torch.nn import Module


@dataclass(frozen=True)
class TrainingJob:
    """One run with one seed. Several seeds are several jobs, each with a folder of its own."""

    network: Module
    """Trained in place, and left on the run's device, in eval mode, with the kept weights in it."""
    batches: Batches
    loss: Loss
    evaluate: Callable[[], Mapping[str, float]]
    """Scores on dev. Called with the network in eval mode, without gradients, in fp32, on the run's device."""
    metric: str
    """Name of the score among them that chooses the best epoch."""
    settings: TrainSection
    work: Path
    """The run's folder: checkpoints, best weights, observers' files."""
    key: str
    """Hash of recipe and data; a checkpoint with another one is refused."""
    head_prefixes: tuple[str, ...] = ()
    """Names of the modules that make the head, which has its own rate."""
    origin: Origin | None = None
    """Where the network comes from a finished model: what `settings.anchor` holds on to."""
    is_better_high: bool = True
    is_resumed: bool = False
    """Go on from the newest checkpoint in `work`. Otherwise those that are there are deleted."""
    is_kept: bool = True
    """Whether `work` outlives the run, so that another one can go on from a checkpoint in it."""
    listen: Listener = ignore


@dataclass(frozen=True)
class TrainingResult:
    """How a run went. The network holds the weights of epoch `kept_epoch`."""

    epochs: tuple[Epoch, ...]
    kept_epoch: int
    """Number, from 1, of the epoch whose weights are kept."""
    n_steps: int
    n_rows: int
    """Rows trained on, all epochs together."""
    n_tokens: int
    seconds: float
    """In steps, over all the parts of a resumed run; judging left out."""
    machine: dict[str, str]
    """Device, precision, threads, versions."""
    is_stopped_early: bool
    """`train.patience` ran out before the last epoch."""
    resumed_at: int | None
    """Step of the checkpoint that this run went on from."""

    @property
    def scores(self) -> dict[str, float]:
        """On dev, of the weights that are kept."""
        return self.epochs[self.kept_epoch - 1].scores
