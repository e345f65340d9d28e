"""Stops a run that has gone wrong, before anything of it is published."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from burnish.core.errors import SickRun
from burnish.training.steps import Step

EXPLOSION = 10.0
"""A loss of this many times the lowest so far is an explosion, if it lasts."""
LEAST = 1.0
"""Nats; no lowest loss counts as less: a run that is nearly solved may well meet batches of 10 times its tiny loss."""
N_HIGH = 10
"""Exploded steps in a row after which the run is sick; single spikes heal."""
N_SKIPPED = 25
"""Overflows in a row after which an fp16 loss scale will find no footing: it has been halved 25 times."""


@dataclass
class Health:
    """What must be remembered of past steps to judge the next. Kept in checkpoints, so a resumed run judges alike."""

    lowest_loss: float | None = None
    n_high: int = 0
    n_skipped: int = 0

    def check_step(self, step: Step, precision: str) -> None:
        """Raises `SickRun` when the loss or the gradient is not a number, or the loss has exploded."""
        self.n_skipped = self.n_skipped + 1 if step.is_skipped else 0
        if not math.isfinite(step.loss) and precision != "fp16":
            raise _sick(step, f"the loss is {step.loss}")
        if step.is_skipped and precision != "fp16":
            raise _sick(step, f"the gradient is {step.grad_norm}")
        if self.n_skipped >= N_SKIPPED:
            raise _sick(step, f"{N_SKIPPED} steps in a row overflowed fp16; set train.precision: bf16 or fp32")
        self._check_explosion(step)

    def _check_explosion(self, step: Step) -> None:
        if step.is_skipped:
            return
        self.lowest_loss = step.loss if self.lowest_loss is None else min(step.loss, self.lowest_loss)
        self.n_high = self.n_high + 1 if step.loss > EXPLOSION * max(self.lowest_loss, LEAST) else 0
        if self.n_high >= N_HIGH:
            raise _sick(step, f"the loss has exploded: it is {step.loss:.3g} and was {self.lowest_loss:.3g} before")


def check_epoch(number: int, epochs: int, scores: Mapping[str, float], metric: str) -> None:
    """Raises `SickRun` when the dev score is not a number, or all answers on dev are the same class.

    A network that has barely begun may well answer with the most frequent class, so that is forgiven in the first
    half of the epochs. `scores` says how many classes were predicted (`n_predicted_classes`) and, where dev may
    hold one class only, how many it has (`n_gold_classes`).
    """
    if not math.isfinite(scores[metric]):
        raise SickRun(
            f"training stopped after epoch {number}: the dev score {metric} is {scores[metric]}. "
            "Nothing was published. Look for empty texts or labels in dev, or lower train.learning_rate."
        )
    is_late = number > epochs / 2
    if is_late and scores.get("n_predicted_classes") == 1 and scores.get("n_gold_classes", 2) > 1:
        raise SickRun(
            f"training stopped after epoch {number} of {epochs}: the network gives every dev row the same class. "
            "Nothing was published. Lower train.learning_rate, add epochs or rows, "
            "or set train.class_weights: balanced if one class is most of the data."
        )


def _sick(step: Step, what: str) -> SickRun:
    return SickRun(
        f"training stopped at step {step.step} (epoch {step.epoch}): {what}. Nothing was published. "
        f"Lower train.learning_rate (the rate was {step.learning_rate:.2g}), keep train.clip_norm at 1, "
        "or set train.precision: fp32."
    )
