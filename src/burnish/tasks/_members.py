"""One of the tasks that share a model: what it learns, from which rows, and which columns of an input it reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import ConfigDict, Field, SerializeAsAny, field_validator

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.recipe.schema import DataSection, Section
from burnish.tasks._contract import Line, Prediction, Task

SHARED_GIVES = ("rows", "cosines", "tokens")
OWN_WAYS = ("joint", "load_reader", "ask", "varied", "drawn", "watched", "opened", "completed", "keep", "restored")
"""What a task of texts and one head leaves as it is."""
GOLD = ("label", "labels", "score", "spans", "tags")
COLUMNS = (
    Wanted("text", False, "the text that the tasks read", ("tokens",)),
    Wanted("text_pair", False, "the second text, for those that read pairs"),
    Wanted("tokens", False, "the words, where a text comes as words"),
    *(Wanted(name, False, "the answer of a task that has it") for name in GOLD),
)
"""All that tasks which share a model can read of a row."""


class Together(Prediction):
    """The answers for one text: each task's own, under its name; null where the input lacks what that task reads."""

    model_config = ConfigDict(frozen=True, extra="allow")

    __pydantic_extra__: dict[str, SerializeAsAny[Prediction] | None]

    def __getitem__(self, name: str) -> Prediction | None:
        return self.__pydantic_extra__[name]

    def lines(self) -> list[Line]:
        answers = self.__pydantic_extra__.items()
        return [
            line._replace(answer=f"{name}: {line.answer}")
            for name, answer in answers
            if answer is not None
            for line in answer.lines() or [Line("–")]
        ]


class MemberSection(Section):
    """One of the tasks."""

    task: Annotated[Part, Shelf("tasks")]
    """What it learns: classification, multilabel, tokens, or matching with a cross-encoder."""

    data: DataSection | None = None
    """Its rows, as `data` names them for a task alone; `max_length` and `prompt` are the whole recipe's."""

    weight: float = Field(default=1.0, gt=0)
    """What its loss is multiplied with."""

    texts: tuple[str, ...] | None = None
    """Which of the columns `text` and `text_pair` it reads of an input; null: those that its training rows fill."""

    @field_validator("task")
    @classmethod
    def _can_share(cls, value: Part) -> Part:
        task = cast("Task", value)
        known = {item.name for item in COLUMNS}
        is_plain = all(getattr(type(task), way) is getattr(Task, way) for way in OWN_WAYS)
        if not is_plain or not {item.name for item in task.wanted} <= known:
            raise ValueError(
                f"cannot be '{task.part_name}', which does more than read a text and answer from a head of its own; "
                "it can be classification, multilabel, tokens, or matching with a cross-encoder"
            )
        if task.head_part.gives not in SHARED_GIVES:
            raise ValueError(
                f"cannot be '{task.part_name}' with the head '{task.head_part.part_name}', which does not answer from "
                "one reading that others share; name another head"
            )
        return value

    @field_validator("data")
    @classmethod
    def _reads_as_all_do(cls, value: DataSection | None) -> DataSection | None:
        for name, unset in (("max_length", None), ("prompt", "")):
            if value is not None and getattr(value, name) != unset:
                raise ValueError(f"has {name}, but all tasks share one reading of a text; set data.{name}")
        return value

    @property
    def own_task(self) -> Task:
        return cast("Task", self.task)


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def filled(values: Mapping[str, Any]) -> list[str]:
    return [name for name, value in values.items() if not _is_absent(value)]


def texts_of(one: MemberSection) -> tuple[str, ...]:
    """The columns of texts that a task reads of an input."""
    return one.texts or one.own_task.texts[:1]


def row_of(values: Mapping[str, Any], one: MemberSection) -> dict[str, Any]:
    """What a task reads of a row: all of its columns, but of texts only those that it was trained with."""
    task = one.own_task
    unread = set(task.texts) - set(texts_of(one)) if one.texts else set()
    return {item.name: values.get(item.name) for item in task.wanted if item.name not in unread}


def is_askable(values: Mapping[str, Any], one: MemberSection) -> bool:
    """Whether an input has the texts that a task reads, or the words that stand for them."""
    task = one.own_task
    others = [item.name for item in task.wanted if item.name not in {*task.texts, *task.gold}]
    has_texts = all(not _is_absent(values.get(name)) for name in texts_of(one))
    return has_texts or any(not _is_absent(values.get(name)) for name in others)
