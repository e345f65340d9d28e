"""Models that write: what is alike in their answers. A path of tokens parts at the first near tie, whatever changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from burnish.metrics._texts import TextOutcome
from burnish.tasks._contract import Answered, Task
from burnish.tasks._writing import N_FACTS, told

MOST_NATS = 0.1
"""How far apart a token of the gold answer may be in both models, as mean of an answer: a tenth of its likelihood."""


def writes(task: Task) -> bool:
    """Whether its answers are texts that are written token by token."""
    return issubclass(task.judged_as, TextOutcome)


def are_as_likely(a: Answered, b: Answered) -> bool:
    """Whether both models find the gold answer about as likely, so that near ties alone tell their texts apart. Where
    there is no gold answer, nothing is told.
    """
    for first, second in zip(a.outputs, b.outputs, strict=True):
        one, other = told(first), told(second)
        if not abs(one.nll - other.nll) <= MOST_NATS * max(one.n_tokens, 1):
            return False
    return True


def facts(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is a number of an output, without the text, whose length is its own."""
    return output[:N_FACTS]
