"""What a bundle's own test rows looked like when it answered them: what a released model is held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from burnish.monitoring.summary import Summary
from burnish.store.records import Prediction


@dataclass(frozen=True)
class Reference:
    """The summary of the answers to test rows, and how many of these were right."""

    answers: Summary
    accuracy: float | None = None
    """Share of the test rows that were answered right; None where the task has no such share."""

    @classmethod
    def of(cls, predictions: Iterable[Prediction], accuracy: float | None = None) -> Self:
        """One pass, in constant memory: some kilobytes and at most 500 vectors."""
        return cls(Summary.of(predictions), accuracy)

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"answers": self.answers.to_dict(), "accuracy": self.accuracy}

    @classmethod
    def of_dict(cls, found: Mapping[str, Any]) -> Self:
        """What `to_dict` gave."""
        return cls(Summary.of_dict(found["answers"]), found["accuracy"])
