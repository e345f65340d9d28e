"""JSON lines: an object for each answer, and everything as it is; the form for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.data.sources._contract import BadRow
from burnish.data.sources.jsonl import Jsonl
from burnish.feedback.corrections import asked
from burnish.feedback.files.drafts import Draft
from burnish.feedback.files.said import NOT_SAID, PREDICTION, draft_of, told
from burnish.store.records import Feedback, Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task


def lines(task: Task, items: Iterator[tuple[Prediction, Feedback | None]]) -> Iterator[str]:
    """A line for each item."""
    for prediction, feedback in items:
        said = {name: value for name, value in told(task, feedback).items() if value not in NOT_SAID}
        row = {
            PREDICTION: prediction.id,
            "input": asked(prediction, task).row,
            "answer": prediction.answer,
            "confidence": prediction.confidence,
            **said,
        }
        yield json.dumps(row, ensure_ascii=False) + "\n"


def rows(path: Path, task: Task) -> Iterator[Draft | BadRow | None]:
    """The drafts in a file; further keys are passed over."""
    for row in Jsonl(path=path).rows():
        yield row if isinstance(row, BadRow) else draft_of(row, row.values)
