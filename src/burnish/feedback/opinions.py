"""Opinions: what each user says of each input, in a form in which users, inputs and answers can be compared."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.feedback.corrections import aim_of, asked, gold_of
from burnish.feedback.golds import Gold, gold_in
from burnish.store.records import Feedback, Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task

NAMED = ("one", "several", "yes_no")
"""Forms of gold that mean the same whatever the input is, so that what is said of one input tells of its like."""
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Opinion:
    """One user's word on one input. `gold` None: only that the answer is wrong. `item` tells inputs apart."""

    feedback: Feedback
    prediction: Prediction
    item: str
    gold: Gold | None
    answer: Gold | None
    form: str
    text: str = ""
    member: str = ""

    @property
    def user(self) -> str:
        return self.feedback.key

    @property
    def is_change(self) -> bool:
        """Whether it says that the model is wrong."""
        return self.gold is None or self.gold != self.answer

    @property
    def is_named(self) -> bool:
        """Whether its gold can be compared with that of another input."""
        return self.form in NAMED and self.gold is not None

    @property
    def pushes(self) -> frozenset[str]:
        """What the model would give more often if it learned this change: labels, ids, or a higher or lower score."""
        return _pushes(self) if self.gold is not None and self.is_change else frozenset()


class Unread(NamedTuple):
    """Feedback that says nothing any more, by its id, and one sentence why."""

    feedback: str
    reason: str


def told_unread(unread: Sequence[Unread]) -> str:
    """One line on what was passed over: the first few with their ids and reasons."""
    shown = [f"{one.feedback}: {one.reason}" for one in unread[:MOST_SHOWN]]
    more = [f"and {len(unread) - MOST_SHOWN:,} more"] if len(unread) > MOST_SHOWN else []
    return f"{len(unread):,} of what was said cannot be read and is passed over: {' '.join([*shown, *more])}"


def opinions(
    feedback: Iterable[Feedback],
    predictions: Mapping[str, Prediction],
    task: Task,
    unread: Callable[[Unread], object] = lambda one: None,
) -> list[Opinion]:
    """What feedback says, of those predictions (by id) that are still kept.

    What cannot be read, since it is of another time (a `scale` that was another, a task that no longer is one of
    several), is left out, and `unread` is told of it: one row must not keep all others from being read.
    """
    said = []
    for one in feedback:
        if one.prediction in predictions:
            try:
                said.append(_opinion(one, predictions[one.prediction], task))
            except ValueError as error:
                unread(Unread(one.id, str(error)))
    return said


def latest(said: Sequence[Opinion]) -> list[int]:
    """Indices of each user's newest opinion of each input, in their order: who changes his mind has one voice."""
    newest: dict[Hashable, int] = {}
    for number, one in enumerate(said):
        before = newest.get((one.user, one.item))
        if before is None or said[before].feedback.at <= one.feedback.at:
            newest[one.user, one.item] = number
    return sorted(newest.values())


def _opinion(feedback: Feedback, prediction: Prediction, task: Task) -> Opinion:
    aim = aim_of(task, prediction.answer, feedback.value)
    column = aim.column
    row = asked(prediction, aim.task).row or {}
    return Opinion(
        feedback=feedback,
        prediction=prediction,
        item="/".join(filter(None, (prediction.input_digest or prediction.id, aim.member))),
        gold=gold_of(prediction, feedback, task),
        answer=None if column is None else gold_in(aim.answer, column),
        form="" if column is None else column.form.name,
        text="\n".join(str(row[name]) for name in aim.task.texts if row.get(name) is not None),
        member=aim.member,
    )


def _pushes(said: Opinion) -> frozenset[str]:
    if said.form == "score":
        return frozenset({"a higher score" if _number(said.gold) > _number(said.answer) else "a lower score"})
    wanted, given = _set(said.gold), _set(said.answer)
    more, less = _names(wanted - given, said.form), _names(given - wanted, said.form)
    return more or frozenset(f"not {name}" for name in less)


def _set(gold: Gold | None) -> frozenset[Any]:
    return gold if isinstance(gold, frozenset) else frozenset() if gold is None else frozenset({gold})


def _names(items: frozenset[Any], form: str) -> frozenset[str]:
    """The names in a part of a gold; free texts have none."""
    if form == "spans":
        return frozenset(label for _, _, label in items)
    return items if form in ("one", "yes_no", "several", "names") else frozenset()


def _number(gold: Any) -> float:
    return float(gold) if isinstance(gold, float) else 0.0
