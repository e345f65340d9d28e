"""Label Studio: JSON tasks, with our answers as predictions and what people said as annotations.

Choices, labels (spans), rating, number and textarea are read; a result is told by its `type`, not by the name of its
tag. Spans count characters; older versions counted UTF-16 units, which is seen by the surface that they give.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

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

FORMS = ("one", "several", "yes_no", "spans", "score", "text")
ANSWER = "answer"
"""Name of the tag that people answer with."""
TEXT = "text"
"""Name of the tag that shows the first text."""
MOST_STARS = 10
TYPES = {"choices": "choices", "labels": "labels", "rating": "rating", "number": "number", "textarea": "text"}
"""Type of a result → where its value lies."""


def lines(task: Task, items: Iterator[tuple[Prediction, Feedback | None]]) -> Iterator[str]:
    """The pieces of one JSON array: a task for each item whose input was kept."""
    column, stars, before = fitting(task), _stars(task), "[\n"
    for prediction, feedback in items:
        row = asked(prediction, task).row
        if row is None:
            continue
        found: dict[str, Any] = {"data": {**_shown(row, task), PREDICTION: prediction.id}, "predictions": []}
        answer = gold_in(prediction.answer, column)
        if answer is not None:
            version = f"{prediction.name}:{prediction.version}"
            result = _results(answer, column, row, stars)
            found["predictions"] = [{"model_version": version, "score": prediction.confidence, "result": result}]
        said = None if feedback is None else gold_said(prediction, feedback, task)
        if feedback is not None and said is not None:
            result = _results(said, column, row, stars)
            found["annotations"] = [{"completed_by": feedback.key, "result": result, "was_cancelled": False}]
        yield before + json.dumps(found, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def rows(path: Path, task: Task) -> Iterator[Draft | BadRow | None]:
    """The drafts in an export: one for each annotation that was not skipped."""
    column = fitting(task)
    for row in Jsonl(path=path).rows():
        if isinstance(row, BadRow):
            yield row
        else:
            yield from _drafts(row, column, task)


def config(task: Task, labels: tuple[str, ...]) -> str:
    """The labelling interface for a new project, to be pasted under Settings → Labeling Interface → Code."""
    form, stars = fitting(task).form.name, _stars(task)
    names = ("yes", "no") if form == "yes_no" else labels
    tags = {
        "one": _tag("Choices", "Choice", names, 'choice="single" '),
        "yes_no": _tag("Choices", "Choice", names, 'choice="single" '),
        "several": _tag("Choices", "Choice", names, 'choice="multiple" '),
        "spans": _tag("Labels", "Label", names, ""),
        "score": f'  <Rating name="{ANSWER}" toName="{TEXT}" maxRating="{stars}"/>\n'
        if stars
        else f'  <Number name="{ANSWER}" toName="{TEXT}"/>\n',
        "text": f'  <TextArea name="{ANSWER}" toName="{TEXT}" editable="true" maxSubmissions="1"/>\n',
    }
    shown = [(TEXT if place == 0 else name, name) for place, name in enumerate(task.texts)]
    texts = "".join(f"  <Text name={quoteattr(name)} value={quoteattr('$' + column)}/>\n" for name, column in shown)
    return f"<View>\n{texts}{tags[form]}</View>\n"


def fitting(task: Task) -> GoldColumn:
    """The task's gold, if Label Studio can hold it as we write it."""
    column = gold_column(task) if task.joint is None else None
    if column is None or column.form.name not in FORMS:
        raise UserError(
            f"Label Studio holds labels, spans, scores and texts, and answers of the task '{task.part_name}' are none "
            "of these; use csv or jsonl."
        )
    return column


def _tag(outer: str, inner: str, names: tuple[str, ...], how: str) -> str:
    items = "".join(f"    <{inner} value={quoteattr(name)}/>\n" for name in names)
    return f'  <{outer} name="{ANSWER}" toName="{TEXT}" {how}>\n{items}  </{outer}>\n'.replace(" >", ">")


def _shown(row: Mapping[str, Any], task: Task) -> dict[str, Any]:
    return {**row, **{name: row.get(name, "") for name in task.texts[:1]}}


def _stars(task: Task) -> int | None:
    """How many stars rate the task's scores; None where its scale is none of whole stars."""
    low, high = getattr(task, "scale", (0.0, 1.0))
    return int(high) if low in (0, 1) and float(high).is_integer() and 2 <= high <= MOST_STARS else None


def _results(gold: Any, column: GoldColumn, row: Mapping[str, Any], stars: int | None) -> list[dict[str, Any]]:
    form, written = column.form.name, column.form.written(gold)
    if form == "spans":
        text = str(row.get("text", ""))
        values = [{"start": s, "end": e, "text": text[s:e], "labels": [label]} for s, e, label in written]
        return [_result("labels", value, number) for number, value in enumerate(values)]
    if form == "score":
        kind = "number" if stars is None else "rating"
        return [_result(kind, {kind: written}, 0)]
    if form == "text":
        return [_result("textarea", {"text": [written]}, 0)]
    return [_result("choices", {"choices": [written] if isinstance(written, str) else written}, 0)]


def _result(kind: str, value: dict[str, Any], number: int) -> dict[str, Any]:
    return {"id": f"r{number}", "from_name": ANSWER, "to_name": TEXT, "type": kind, "value": value}


def _drafts(row: Row, column: GoldColumn, task: Task) -> Iterator[Draft | BadRow | None]:
    annotations, data = row.values.get("annotations", []), row.values.get("data")
    if not isinstance(annotations, list) or not isinstance(data, dict):
        near = hint("annotations", row.values)
        yield BadRow(row.line, f"the row is no task with 'data' and 'annotations'; export as JSON, not JSON-MIN.{near}")
        return
    done = [one for one in annotations if isinstance(one, dict) and not one.get("was_cancelled")]
    if not done:
        yield None
    for annotation in done:
        yield _draft(row, annotation, column, str(data.get(task.texts[0], "")))


def _draft(row: Row, annotation: dict[str, Any], column: GoldColumn, text: str) -> Draft | BadRow | None:
    prediction = row.values["data"].get(PREDICTION)
    if not isinstance(prediction, str) or not prediction:
        return BadRow(row.line, f"'data' has no '{PREDICTION}'; label tasks that were exported from here.")
    try:
        value = _value(annotation.get("result") or [], column.form.name, text)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        return BadRow(row.line, f"a result of annotation {annotation.get('id')} is not of its type ({error!r}).")
    except ValueError as error:
        return BadRow(row.line, str(error))
    return None if value is None else Draft(row.line, prediction, column.kind, value, "", _by(annotation))


def _value(results: list[dict[str, Any]], form: str, text: str) -> Any:
    """What an annotation's results say; None where none of them is an answer. Spans may be none at all."""
    own = [one for one in results if one.get("type") in TYPES]
    if form == "spans":
        return [_span(one["value"], text) for one in own if one["type"] == "labels"]
    said = [item for one in own if one["type"] != "labels" for item in _listed(one["value"][TYPES[one["type"]]])]
    if form == "several":
        return said
    if len(said) > 1:
        raise ValueError(f"an annotation has {len(said)} answers where the task takes one; keep one of them.")
    return said[0] if said else None


def _span(value: dict[str, Any], text: str) -> dict[str, Any]:
    """A span by characters, whatever units it came in: the surface decides."""
    start, end, surface = value["start"], value["end"], value.get("text")
    if surface is not None and text[start:end] != surface:
        units = text.encode("utf-16-le", "surrogatepass")
        places = [len(units[: 2 * unit].decode("utf-16-le", "replace")) for unit in (start, end)]
        start, end = places if text[slice(*places)] == surface else (start, end)
    return {"start": start, "end": end, "label": value["labels"], **({} if surface is None else {"text": surface})}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _by(annotation: dict[str, Any]) -> str:
    """Who annotated: an id, or an object with an e-mail address."""
    by = annotation.get("completed_by")
    return str(by.get("email") or by.get("id") or "") if isinstance(by, dict) else "" if by is None else str(by)
