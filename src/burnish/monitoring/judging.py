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
    value, answer, label = feedback.value, prediction.answer, prediction.label
    if isinstance(value, Mapping) and len(value) == 1 and (member := next(iter(value))) in (answer or ()):
        value, answer = value[member], answer[member]  # of several tasks that answer, what is said is of one
        label = _field(answer, "label")
    if feedback.kind == "spans":
        return _spans(value) == _spans(_field(answer, "spans"))
    several = _field(answer, "labels")
    return _labels(value) == _labels(label if several is None else several)


def _field(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, Mapping) else None


def _labels(value: Any) -> frozenset[str] | None:
    """One label, or several in any order, each a name or `{label: …}`."""
    if value is None:
        return None
    several = value if isinstance(value, list | tuple) else [value]
    return frozenset(str(one["label"] if isinstance(one, Mapping) and "label" in one else one) for one in several)


def _spans(value: Any) -> frozenset[tuple[Any, ...]] | None:
    """Each `{start, end, label, …}` or `[start, end, label]`."""
    if not isinstance(value, list | tuple):
        return None
    return frozenset(
        tuple(one.get(key) for key in ("start", "end", "label")) if isinstance(one, Mapping) else tuple(one)
        for one in value
    )
