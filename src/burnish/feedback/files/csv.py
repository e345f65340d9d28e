"""Spreadsheets: a row for each answer, with empty cells to be filled in; no cell is ever taken for a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError, hint, listed
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources._json import BadJson, parse_line
from burnish.data.sources.csv import Csv
from burnish.feedback.files.cells import guarded, plain
from burnish.feedback.files.drafts import Draft
from burnish.feedback.files.said import KINDS, PREDICTION, columns_shown, draft_of, shown, told
from burnish.feedback.golds import LIST_FORMS, gold_column
from burnish.store.records import Feedback, Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task

BOM = "\ufeff"
"""Without it a spreadsheet in China reads UTF-8 as GBK."""
SEPARATOR = "|"
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def lines(task: Task, items: Iterator[tuple[Prediction, Feedback | None]]) -> Iterator[str]:
    """The lines of the file, the header first."""
    header = [PREDICTION, *columns_shown(task), *told(task, None)]
    yield BOM + _line(header)
    for prediction, feedback in items:
        row = {PREDICTION: prediction.id, **shown(task, prediction), **told(task, feedback)}
        yield _line([_cell(row.get(name)) for name in header])


def rows(path: Path, task: Task) -> Iterator[Draft | BadRow | None]:
    """The drafts in a file; any other columns than ours are passed over.

    Raises:
        UserError: the file cannot be read at all, or has no column that names the answers.
    """
    for row in Csv(path=path).rows():
        if isinstance(row, BadRow):
            yield row
            continue
        values = {plain(name): plain(cell) for name, cell in row.values.items()}
        if PREDICTION not in values:
            raise UserError(
                f"{path}: there is no column '{PREDICTION}', which names the answers.{hint(PREDICTION, values)} "
                f"It has: {listed(values)}."
            )
        yield _draft(row, values, task)


def _draft(row: Row, values: dict[str, str], task: Task) -> Draft | BadRow | None:
    try:
        read = {kind: _read(kind, values[kind], task) for kind in KINDS if values.get(kind, "").strip()}
    except ValueError as error:
        return BadRow(row.line, str(error))
    return draft_of(row, {**{name: cell for name, cell in values.items() if name not in KINDS}, **read})


def _read(kind: str, cell: str, task: Task) -> Any:
    """The value in a cell, as the kind and the task's form of gold have it."""
    if task.joint is not None or kind == "spans":
        return _json(kind, cell)
    if kind == "accepted":
        return TRUTH.get(cell.strip().lower(), cell)
    return _number(cell) if kind == "score" else _label(cell, task)


def _label(cell: str, task: Task) -> Any:
    """One name or text as it stands; where there may be several, a list in JSON, or names with | between them."""
    column = gold_column(task)
    if column is None or column.form.name not in LIST_FORMS:
        return cell
    if cell.lstrip().startswith("["):
        return _json("label", cell)
    return [name.strip() for name in cell.split(SEPARATOR) if name.strip()]


def _json(kind: str, cell: str) -> Any:
    try:
        return parse_line(cell.strip())
    except BadJson as error:
        raise ValueError(f"'{kind}' must be JSON: {error.problem}.") from None


def _number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell  # which the check refuses, with the range that is allowed


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    return guarded(json.dumps(value, ensure_ascii=False))


def _line(cells: list[str]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerow(cells)
    return stream.getvalue()
