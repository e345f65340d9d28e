"""What is kept of feedback that was checked: masked where somebody wrote freely, as it is where it is known.

Labels of the model, ids that the task has looked up, scores, and pieces of the kept text are nobody's personal data,
and masked they could not be learned. The surfaces of spans are not kept: their places in the kept text say the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from burnish.core.members import owned
from burnish.data.masking import Mask
from burnish.feedback.corrections import ACCEPTED, aim_of, asked
from burnish.feedback.golds import Asked, Form, name_of
from burnish.store.records import Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task


def kept(kind: str, value: Any, task: Task, labels: Sequence[str], prediction: Prediction, mask: Mask) -> Any:
    """What is kept of a value that `check` has let pass."""
    aim = aim_of(task, prediction.answer, value)
    if kind == ACCEPTED or aim.column is None:
        return value
    own = owned(aim.member, labels) if aim.member else labels
    found = _kept(aim.value, aim.column.form, asked(prediction, aim.task), own, mask)
    return {aim.member: found} if aim.member else found


def _kept(value: Any, form: Form, about: Asked, labels: Collection[str], mask: Mask) -> Any:
    match form.name:
        case "one":
            return _label(value, labels, mask)
        case "several":
            return [_label(one, labels, mask) for one in value]
        case "spans":
            spans = form.written(form.read(value, about))
            return [[start, end, _label(label, labels, mask)] for start, end, label in spans]
        case "pieces":
            pieces = form.written(form.read(value, about))
            return [one if one["start"] is not None else {**one, "text": mask(one["text"]).text} for one in pieces]
    is_free = form.name == "text" or (form.name == "names" and about.row is None)  # then nobody has looked them up
    return mask.values(value)[0] if is_free else value


def _label(name: Any, labels: Collection[str], mask: Mask) -> Any:
    """A label that is new is nobody's name, but may hold what has a form, such as a telephone number."""
    return name if name_of(name) in labels else replace(mask, names=None).values(name)[0]
