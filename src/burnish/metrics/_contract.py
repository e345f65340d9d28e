"""What is judged, and what every metric does. Shapes: N rows, A answers, D decisions, L labels.

An outcome is all that metrics, reports and comparisons see of a task, and it says of itself what they need to know.
A task with a new kind of answer adds a class like those in `_single`, `_multi`, `_spans`, `_answers` and `_relations`;
metrics name the classes that they judge.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from burnish.core.parts import Part

if TYPE_CHECKING:
    from burnish.metrics._ranked import RankedOutcome
    from burnish.metrics._single import SingleOutcome

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """The units that a user acts on: a row's top label, a label given, a span found.

    confidence [A] in 0 … 1, is_correct [A], and the row [A] each belongs to. Risk, coverage and precision at a
    threshold are all about answers.
    """

    confidence: Floats
    is_correct: Bools
    row: Ints

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class Decisions:
    """What calibration is measured on: the probability given [D], whether it came true [D], the row [D] of each."""

    probability: Floats
    came_true: Floats
    row: Ints


class Outcome(ABC):
    """Gold and answers of N rows side by side."""

    kind: ClassVar[str]
    """One word for the kind of answer; reports are laid out by it."""
    headline: ClassVar[tuple[str, ...]]
    """Scores that a reader sees first; the first one decides a comparison."""
    grouped: ClassVar[tuple[str, ...]]
    """Scores by which lengths and slices are compared."""
    answer_noun: ClassVar[str] = "answers"
    """What answers are called in a sentence."""

    @abstractmethod
    def __len__(self) -> int:
        """N."""

    @abstractmethod
    def take(self, rows: Ints) -> Self:
        """The same outcome of some rows, in the order of `rows`; a row may be taken more than once."""

    @abstractmethod
    def gold_of(self, row: int) -> object:
        """What row `row` should have got, comparable between models (by label names, not by indices)."""

    @abstractmethod
    def distance(self) -> Floats:
        """[N] how far each row is from its gold; the larger, the worse."""

    @abstractmethod
    def is_wrong(self) -> Bools:
        """[N] whether anything in the row is wrong."""

    @classmethod
    @abstractmethod
    def toy(cls) -> Self:
        """A small perfect outcome: names of scores are found out by judging it."""

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        """Gold and answer of one row as words for a reader; none where spans mark the text instead."""
        return [], []

    def label_names(self) -> tuple[str, ...]:
        """L names, where answers are labels: precision, recall and F1 are then told for each."""
        return ()

    def members(self) -> Mapping[str, Outcome]:
        """The outcome of each task by its name, where it is one of several that were judged together."""
        return {}

    def single(self) -> SingleOutcome | None:
        """The same as one label a row; None where rows have several labels, spans or a score."""
        return None

    def ranking(self) -> RankedOutcome | None:
        """The first places of a ranking for each row; None where answers are no rankings."""
        return None

    def answers(self) -> Answers | None:
        """Its answers with their confidence; None where answers carry none."""
        return None

    def decisions(self) -> Decisions | None:
        """What calibration is measured on; None where there is no confidence."""
        return None

    def thresholded(self) -> tuple[Floats, Bools] | None:
        """Scores and truth [N, K] of what a threshold decides; None where the largest score wins."""
        return None

    def probability_of_gold(self) -> Floats | None:
        """[N] probability given to the truth; None where there is no such thing."""
        return None


class Metric(Part, ABC):
    """A score, or a few that belong together, of the outcome types in `judges`."""

    judges: ClassVar[Sequence[type[Outcome]]]
    is_better_high: ClassVar[bool] = True
    is_share: ClassVar[bool] = True
    """Whether its scores are shares of what was asked, from 0 to 1."""

    @abstractmethod
    def score(self, outcome: Outcome) -> dict[str, float]:
        """Name → value. The part's own name is among the names: that one can choose the best epoch."""
