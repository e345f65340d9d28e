"""A window: the predictions and the feedback of a period, as far as watches need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from burnish.monitoring.judging import is_right
from burnish.monitoring.summary import Summary
from burnish.store.records import Feedback, Prediction

HOUR_S = 3600.0


@dataclass(frozen=True)
class Window:
    """A period of [start, end) seconds since 1970: some kilobytes, however many predictions it holds."""

    start: float
    end: float
    answers: Summary
    n_errors: int
    """Requests that failed and so gave no prediction."""
    n_judged: int
    """Predictions that feedback of the period called right or wrong."""
    n_wrong: int

    @property
    def hours(self) -> float:
        return (self.end - self.start) / HOUR_S

    @classmethod
    def of(
        cls,
        predictions: Iterable[Prediction],
        feedback: Iterable[Feedback],
        start: float,
        end: float,
        n_errors: int = 0,
    ) -> Self:
        """One pass over predictions, in memory for the feedback alone.

        Predictions from outside of the period are not counted; give those that the period's feedback is about, so that
        corrections of older answers can be told from confirmations. Only accepted feedback counts, the last of each
        prediction.
        """
        said = {one.prediction: one for one in sorted(feedback, key=lambda one: one.at) if _counts(one, start, end)}
        about: dict[str, Prediction] = {}

        def inside() -> Iterator[Prediction]:
            for one in predictions:
                if one.id in said:
                    about[one.id] = one
                if start <= one.at < end:
                    yield one

        answers = Summary.of(inside())
        verdicts = [is_right(one, about.get(one.prediction)) for one in said.values()]
        judged = [verdict for verdict in verdicts if verdict is not None]
        return cls(start, end, answers, n_errors, len(judged), judged.count(False))

    def without_vectors(self) -> Self:
        """The same for the past, of which nobody looks at vectors: a kilobyte or two."""
        return replace(self, answers=replace(self.answers, vectors=self.answers.vectors[:0]))

    def to_dict(self) -> dict[str, Any]:
        """JSON: past windows may be kept rather than read from their predictions again."""
        own = {name: getattr(self, name) for name in ("start", "end", "n_errors", "n_judged", "n_wrong")}
        return {**own, "answers": self.answers.to_dict()}

    @classmethod
    def of_dict(cls, found: Mapping[str, Any]) -> Self:
        """What `to_dict` gave."""
        return cls(**{**found, "answers": Summary.of_dict(found["answers"])})


def _counts(feedback: Feedback, start: float, end: float) -> bool:
    return feedback.state == "accepted" and start <= feedback.at < end
