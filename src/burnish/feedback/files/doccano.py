"""doccano: JSON lines for projects of text classification, sequence labelling and sequence to sequence.

What doccano imports and exports is `{"text": …, "label": […], …}`; keys that it does not know it keeps as metadata and
gives back, which is how the answer is found again. `label` holds names, `[start, end, label]`, or texts; a project with
relations writes `entities` with `start_offset` and `end_offset` in its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError, hint
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.jsonl import Jsonl
from burnish.feedback.corrections import asked
from burnish.feedback.files.drafts import Draft
from burnish.feedback.files.said import PREDICTION, gold_said
from burnish.feedback.golds import GoldColumn, gold_column, gold_in
from burnish.store.records import Feedback, Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task

FORMS = ("one", "several", "yes_no", "spans", "text")
SINGLE = ("one", "yes_no", "text")
LABELS = ("label", "labels", "entities")


def lines(task: Task, items: Iterator[tuple[Prediction, Feedback | None]]) -> Iterator[str]:
    """A line for each item whose input was kept: labelled as somebody said, else as the model answered."""
    column = fitting(task)
    for prediction, feedback in items:
        row = asked(prediction, task).row
        if row is None:
            continue
        gold = gold_in(prediction.answer, column) if feedback is None else gold_said(prediction, feedback, task)
        written = [] if gold is None else column.form.written(gold)
        text, *others = task.texts
        line = {
            "text": row.get(text, ""),
            "label": [written] if column.form.name in SINGLE and gold is not None else written,
            PREDICTION: prediction.id,
            **{name: row[name] for name in others if name in row},
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"


def rows(path: Path, task: Task) -> Iterator[Draft | BadRow | None]:
    """The drafts in an export. A row without labels was not looked at, as far as doccano tells."""
    column = fitting(task)
    for row in Jsonl(path=path).rows():
        yield row if isinstance(row, BadRow) else _draft(row, column)


def fitting(task: Task) -> GoldColumn:
    """The task's gold, if doccano can hold it."""
    column = gold_column(task) if task.joint is None else None
    if column is None or column.form.name not in FORMS:
        raise UserError(
            f"doccano holds labels, spans and texts, and answers of the task '{task.part_name}' are none of these; "
            "use csv, jsonl or label_studio."
        )
    return column


def _draft(row: Row, column: GoldColumn) -> Draft | BadRow | None:
    name = next((name for name in LABELS if name in row.values), None)
    if name is None:
        return BadRow(row.line, f"the row has no 'label'.{hint('label', row.values)}")
    labels, prediction = row.values[name], row.values.get(PREDICTION)
    if not isinstance(labels, list):
        return BadRow(row.line, f"'{name}' must be a list, as doccano exports it in JSONL; got {labels!r:.80}.")
    if not labels:
        return None
    if not isinstance(prediction, str) or not prediction:
        return BadRow(row.line, f"the row has no '{PREDICTION}'; label rows that were exported from here.")
    if column.form.name in SINGLE and len(labels) > 1:
        return BadRow(row.line, f"has {len(labels)} labels where the task takes one; keep one of them.")
    value = labels[0] if column.form.name in SINGLE else labels
    return Draft(row.line, prediction, column.kind, value, _comment(row.values))


def _comment(values: Mapping[str, Any]) -> str:
    said = values.get("Comments") or values.get("comments") or []
    return "\n".join(map(str, said)) if isinstance(said, list) else str(said)
