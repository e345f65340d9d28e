"""A row of the files that we lay out ourselves: which prediction, what is said of it, by whom; for CSV and JSON lines.

What a person is to fill in are the columns of the kinds of feedback; whatever else a row holds is there to be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from burnish.core.errors import hint, listed
from burnish.data.sources._contract import BadRow, Row
from burnish.feedback.corrections import asked, gold_of, kinds_of
from burnish.feedback.files.drafts import Draft
from burnish.feedback.golds import Gold, gold_column, gold_in
from burnish.store.records import Feedback, Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task

KINDS = ("label", "spans", "score", "accepted")
PREDICTION = "prediction"
NOT_SAID = (None, "")


def shown(task: Task, prediction: Prediction) -> dict[str, Any]:
    """What a person looks at: the input by its columns, and the answer as the gold would be written."""
    column = gold_column(task)
    gold = None if column is None else gold_in(prediction.answer, column)
    answer = prediction.answer if column is None or gold is None else column.form.written(gold)
    return {**(asked(prediction, task).row or {}), "answer": answer, "confidence": prediction.confidence}


def columns_shown(task: Task) -> list[str]:
    """The names of what `shown` may give."""
    return [*(one.name for one in task.wanted if one.name not in task.gold), "answer", "confidence"]


def told(task: Task, feedback: Feedback | None) -> dict[str, Any]:
    """What was said, or the empty places where it is to be said."""
    kinds = dict.fromkeys(kinds_of(task))
    if feedback is None:
        return {**kinds, "comment": "", "by": "", "at": None, "feedback": "", "state": "", "reason": ""}
    return {
        **kinds,
        feedback.kind: feedback.value,
        "comment": feedback.comment,
        "by": feedback.key,
        "at": feedback.at,
        "feedback": feedback.id,
        "state": feedback.state,
        "reason": feedback.reason,
    }


def gold_said(prediction: Prediction, feedback: Feedback, task: Task) -> Gold | None:
    """What was said to be right; None where that is not said, or cannot be read any more."""
    try:
        return gold_of(prediction, feedback, task)
    except ValueError:
        return None


def draft_of(row: Row, values: Mapping[str, Any]) -> Draft | BadRow | None:
    """The draft in a row; None where nothing is said in it yet."""
    said = {kind: values[kind] for kind in KINDS if values.get(kind) not in NOT_SAID}
    if not said:
        return None
    prediction = values.get(PREDICTION)
    if not isinstance(prediction, str) or not prediction.strip():
        near = "" if PREDICTION in values else hint(PREDICTION, values)
        return BadRow(row.line, f"the row has no '{PREDICTION}', the id of the answer that it is about.{near}")
    if len(said) > 1:
        return BadRow(row.line, f"the row says several things: {listed(said)}; keep one of them.")
    [(kind, value)] = said.items()
    comment, by, name = (str(values.get(column) or "") for column in ("comment", "by", "feedback"))
    return Draft(row.line, prediction.strip(), kind, value, comment, by, name)
