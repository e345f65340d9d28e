"""What the checks of the guard share: settings that are frozen, with a sentence each, and what a check is told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from burnish.feedback.golds import Gold
from burnish.feedback.opinions import Opinion

Reasons = dict[int, str]
"""Index in a batch → why that correction is held back."""


class Rule(BaseModel):
    """Base of the settings of one check."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True)
class Known:
    """Inputs whose labels are known to be right, such as those of the training data, by vectors."""

    vectors: NDArray[np.float64]
    """[M, D], of the same kind as `Prediction.vector`."""
    labels: Sequence[Gold]
    """[M]"""


@dataclass(frozen=True)
class Context:
    """What is known beside a batch. All of it may be left out; the more there is, the better the guard tells."""

    reviewers: frozenset[str] = frozenset()
    """Keys whose word is taken: they are never held back, and others are measured against them."""
    truths: Mapping[str, Gold] = field(default_factory=dict)
    """Input → what is right there: gold checks that were slipped among the requests."""
    earlier: Sequence[Opinion] = ()
    """What was accepted before this batch."""
    known: Known | None = None
    background: Sequence[str] = ()
    """Texts of requests in general, whoever sent them: what is common there is no trigger."""
    now: float = field(default_factory=time.time)
