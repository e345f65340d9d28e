"""What a piece of feedback says of an answer: whether it can be said, what is right then, and the row to learn from.

There is one rule for every task: its gold column says which kind of feedback corrects it, and of what form. Where
several tasks share a model, the value names the one that is meant: `{"mood": "good"}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.core.errors import UserError, hint, listed
from burnish.core.members import owned
from burnish.feedback.golds import TALK, Asked, Gold, GoldColumn, gold_column, gold_in, refuse_unknown, talk_of
from burnish.store.records import Feedback, Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task

ACCEPTED = "accepted"
MEMBER = "task"


class Aim(NamedTuple):
    """The one task that feedback is about, its part of the answer and of the value; `member` is its name among several
    that share a model.
    """

    task: Task
    answer: Any
    value: Any
    member: str = ""

    @property
    def column(self) -> GoldColumn | None:
        return gold_column(self.task)


def kinds_of(task: Task) -> tuple[str, ...]:
    """The kinds of feedback that a task takes: `accepted`, and the one that says what is right where there is one."""
    if task.joint is not None:
        inner = [kinds_of(one.task) for one in task.joint.members.values()]
        return tuple(dict.fromkeys(kind for kinds in inner for kind in kinds))
    column = gold_column(task)
    return (ACCEPTED,) if column is None else (column.kind, ACCEPTED)


def check(
    kind: str, value: Any, task: Task, labels: Sequence[str], prediction: Prediction, *, allow_new_labels: bool = False
) -> None:
    """Refuse feedback that could not be meant, or that could not be learned from.

    Raises:
        ValueError: one sentence: a kind that the task does not take, a value of another form, a label that does not
            exist, spans that overlap or leave the text, a score outside the task's range.
    """
    known = kinds_of(task)
    if kind not in known:
        raise ValueError(
            f"an answer of the task '{task.part_name}' takes feedback of the kinds: {listed(known)}; got '{kind}'."
            f"{hint(kind, known)}"
        )
    aim = aim_of(task, prediction.answer, value)
    column = aim.column
    if kind == ACCEPTED:
        if not isinstance(aim.value, bool):
            raise ValueError(f"accepted must be true or false; got {aim.value!r}.")
        return
    if column is None or column.kind != kind:
        raise ValueError(f"'{aim.member}' takes feedback of the kinds: {listed(kinds_of(aim.task))}; got '{kind}'.")
    gold = column.form.read(aim.value, asked(prediction, aim.task))
    own = owned(aim.member, labels) if aim.member else labels
    refuse_unknown(column.labels_in(gold), own, allow_new_labels)
    refuse_unreadable(row_with(prediction, gold, task, aim.member), aim.task)


def gold_of(prediction: Prediction, feedback: Feedback, task: Task) -> Gold | None:
    """What feedback says is right; None where it only says that the answer is wrong.

    Raises:
        ValueError: the value cannot be read, which `check` would have refused.
    """
    aim = aim_of(task, prediction.answer, feedback.value)
    column = aim.column
    if feedback.kind == ACCEPTED:
        return gold_in(aim.answer, column) if aim.value is True and column is not None else None
    if column is None:
        raise ValueError(f"an answer of the task '{aim.task.part_name}' cannot be corrected by '{feedback.kind}'.")
    return column.form.read(aim.value, asked(prediction, aim.task))


def row_of(prediction: Prediction, feedback: Feedback, task: Task) -> dict[str, Any] | None:
    """The training row that feedback makes: the task's columns with the gold one filled.

    None where nothing can be learned: it says only that the answer is wrong, or the input was not kept.
    """
    gold = gold_of(prediction, feedback, task)
    return None if gold is None else row_with(prediction, gold, task, aim_of(task, {}, feedback.value).member)


def row_with(prediction: Prediction, gold: Gold, task: Task, member: str = "") -> dict[str, Any] | None:
    """The training row of an input whose right answer is known; None where the input was not kept."""
    own = task.joint.members[member].task if task.joint is not None else task
    row, column = asked(prediction, own).row, gold_column(own)
    if row is None or column is None:
        return None
    if column is TALK:
        return {"messages": [*talk_of(row), {"role": "assistant", "content": column.form.written(gold)}]}
    if row.get("messages") is not None:
        row = {**row, "messages": list(talk_of(row))}
    return {**row, column.column: column.form.written(gold), **({MEMBER: member} if member else {})}


def asked(prediction: Prediction, task: Task) -> Asked:
    """What an answer was asked about: those columns of the kept input that the task reads and that hold no gold."""
    scale = getattr(task, "scale", None)
    if not isinstance(prediction.input, Mapping):
        return Asked(None, prediction.n_characters, scale)
    names = [one.name for one in task.wanted if one.name not in task.gold]
    row = {name: prediction.input[name] for name in names if prediction.input.get(name) is not None}
    if row.get("tokens") is not None:  # its spans count the characters of the words as they are joined
        from burnish.tasks._words import join_words

        row = {"text": join_words([str(token) for token in row["tokens"]])[0]}
    return Asked(row, prediction.n_characters, scale)


def aim_of(task: Task, answer: Any, value: Any) -> Aim:
    """The task that a value is about: the one there is, or that of several which the value names.

    Raises:
        ValueError: several tasks share the model, and the value does not name exactly one of them.
    """
    if task.joint is None:
        return Aim(task, answer, value)
    members = task.joint.members
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError(f"several tasks share this model; name one: {{task: value}}. They are: {listed(members)}.")
    [(name, inner)] = value.items()
    if name not in members:
        raise ValueError(f"the model has no task '{name}'.{hint(str(name), members)} It has: {listed(members)}.")
    return Aim(members[name].task, answer.get(name) if isinstance(answer, Mapping) else None, inner, name)


def refuse_unreadable(row: dict[str, Any] | None, task: Task) -> None:
    """Let the task read a row as training will; what names files is not opened for that.

    Raises:
        ValueError: it cannot be read.
    """
    if row is None or task.files:
        return
    try:
        task.read(row, is_labelled=True)
    except UserError as error:
        raise ValueError(str(error)) from None
