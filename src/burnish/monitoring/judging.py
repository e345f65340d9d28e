"""Was an answer right? What a piece of feedback says of the prediction that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burnish.store.records import Feedback, Prediction


def is_right(feedback: Feedback, prediction: Prediction | None) -> bool | None:
    """Whether the feedback confirms the answer; None where it does not tell.

    `accepted` speaks for itself. A label or spans confirm an answer that says the same. A score has no right or wrong:
    how far is too far depends on its scale.
    """
    if feedback.kind == "accepted":
        return feedback.value if isinstance(feedback.value, bool) else None
    if prediction is None or feedback.kind == "score":
        return None
    if feedback.kind == "spans":
        return _spans(feedback.value) == _spans(_field(prediction.answer, "spans"))
    return _labels(feedback.value) == _given(prediction)


def _given(prediction: Prediction) -> frozenset[str] | None:
    several = _field(prediction.answer, "labels")
    return _labels(prediction.label if several is None else several)


def _field(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, Mapping) else None


def _labels(value: Any) -> frozenset[str] | None:
    """One label, or several in any order, each a name or `{label: …}`."""
    if value is None:
        return None
    several = value if isinstance(value, list | tuple) else [value]
    return frozenset(str(one["label"] if isinstance(one, Mapping) and "label" in one else one) for one in several)


def _spans(value: Any) -> frozenset[tuple[Any, ...]] | None:
    if not isinstance(value, list | tuple):
        return None
    return frozenset(
        tuple(one.get(key) for key in ("start", "end", "label")) for one in value if isinstance(one, Mapping)
    )
