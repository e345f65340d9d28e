"""Several tasks on one shared trunk, trained together and answered in one reading of the text.

Three decisions. *Each task is prepared, calibrated and judged as if it were alone*, from a `data` section of its own:
its label space, splits, thresholds and report are those that a model of its own would have, and only what trains and
answers is shared. *A batch holds rows of one task*, whose head alone computes and learns (Liu et al. 2019,
arXiv 1901.11504, §3); how often each task is seen is its share of an epoch. *A text is read once*: tasks that make the
same tokens of it share the reading, and all of their heads answer from it. A task whose columns a row lacks gives no
answer for it; the others do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from burnish.core.errors import UserError, listed
from burnish.core.events import Listener
from burnish.core.members import joined, owned
from burnish.data.columns import Wanted
from burnish.data.features import kind_of
from burnish.metrics._joint import JointOutcome
from burnish.models.heads._contract import Head, HeadPlan
from burnish.models.heads._shared import SharedTrunk
from burnish.models.reader import Reader
from burnish.tasks._contract import (
    Answered,
    Batch,
    Collated,
    Decision,
    Encoded,
    Example,
    Feature,
    Prediction,
    Run,
    Task,
)
from burnish.tasks._joint import Joint, Member
from burnish.tasks._members import COLUMNS, GOLD, MemberSection, Together, filled, is_askable, row_of, texts_of
from burnish.tasks._sampling import Sampling, quotas, window
from burnish.tasks._shared import ORDER, PLACE, Layout, SameTexts, field_of, own_feature, united

if TYPE_CHECKING:
    from torch import Tensor

MOST_TASKS = 30  # a bit of a 32-bit kind each
ROOM = f"at most {MOST_TASKS} can share a model"
MEMBERS, MEMBER = "members", "task"


class Multitask(Task):
    """A head for each task, on one trunk."""

    wanted = (*COLUMNS, Wanted(MEMBER, False, "the task that a labelled row is for"))
    texts = ("text", "text_pair")
    gold = frozenset({*GOLD, MEMBER})
    judged_as = JointOutcome
    best_by = "task_mean"
    answer = Together

    tasks: dict[str, MemberSection]
    """Name → `task`, `data`, `weight` and `texts`, e.g. `{mood: {task: classification, data: {train: a.csv}}, …}`."""

    sampling: Sampling = "proportional"
    """Each task's share of an epoch: `proportional` to its rows (every row once), `even`, or by `temperature`."""

    temperature: float = Field(default=2.0, gt=0)
    """T of the sampling `temperature`: shares are in proportion to n^(1/T); 1 is proportional, large is even."""

    start: Path | None = None
    """A bundle of this task. Its trunk and its tasks stay exactly as they are; `tasks` are new ones beside them."""

    @field_validator("tasks")
    @classmethod
    def _names_are_words(cls, value: dict[str, MemberSection]) -> dict[str, MemberSection]:
        for name in value:
            if not re.fullmatch(r"\w[\w-]*", name):
                raise ValueError(f"has the task '{name}'; a name is letters, digits, _ and -, such as topic")
        if len(value) > MOST_TASKS:
            raise ValueError(f"has {len(value)} tasks; {ROOM}")
        return value

    @model_validator(mode="after")
    def _are_several(self) -> Multitask:
        if len(self.tasks) < 2 and (self.start is None or not self.tasks):
            raise ValueError(
                f"tasks must name at least two tasks; got {listed(self.tasks) or 'none'}. A single one needs no "
                "multitask; one beside those of a finished bundle names that bundle as `start`"
            )
        return self

    # What flows see of the members.

    @property
    def joint(self) -> Joint:
        return self

    @property
    def members(self) -> Mapping[str, Member]:
        return {name: Member(one.own_task, one.data) for name, one in self.tasks.items()}

    def beside(self, new: Task) -> Multitask:
        assert isinstance(new, Multitask)
        tasks = {**self.tasks, **new.tasks}
        if len(tasks) > MOST_TASKS:
            raise UserError(f"task.tasks: together with those of the bundle there are {len(tasks)}; {ROOM}.")
        return self.model_copy(update={"tasks": tasks, "start": None})

    def settled(self, tasks: Mapping[str, Task], texts: Mapping[str, Sequence[str]]) -> Multitask:
        changed = {
            name: one.model_copy(update={"task": tasks[name], "texts": one.texts or tuple(texts[name])})
            for name, one in self.tasks.items()
        }
        return self.model_copy(update={"tasks": changed})

    def example_of(self, member: str, example: Example) -> Example:
        return self._example({member: example})

    def texts_of(self, example: Example) -> dict[str, str]:
        own = self._own_example(example[MEMBERS][0], example)
        return {name: own[name] for name in self.texts if own.get(name) is not None}

    def answered_by(self, member: str, answered: Sequence[Answered], labels: tuple[str, ...]) -> list[Answered]:
        layout, bit, rows = self._layout(labels), self._bits[member], []
        for row in answered:
            if member not in row.example[MEMBERS]:
                continue
            pairs = [pair for pair in zip(row.features, row.outputs, strict=True) if kind_of(pair[0]) & bit]
            if len(pairs) > 1 and field_of(member, ORDER) in pairs[0][0]:
                pairs.sort(key=lambda pair: int(pair[0][field_of(member, ORDER)][0]))
            features = [own_feature(feature, member) for feature, _ in pairs]
            outputs = [
                layout.piece(outputs, self._asked(kind_of(feature)), member, len(feature["input_ids"]))
                for feature, outputs in pairs
            ]
            rows.append(Answered(self._own_example(member, row.example), features, outputs))
        return rows

    # The task itself.

    @property
    def head_part(self) -> Head:
        return SharedTrunk(heads={name: one.own_task.head_part for name, one in self.tasks.items()})

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        plans = {name: one.own_task.head_plan(owned(name, labels)) for name, one in self.tasks.items()}
        outputs = tuple(joined(name, output) for name, plan in plans.items() for output in plan.labels)
        return HeadPlan(outputs, members=tuple(plans.items()))

    def arrow_fields(self) -> dict[str, str]:
        return {
            MEMBERS: "list<string>",
            "text": "string",
            **{
                field_of(name, field): kind
                for name, one in self.tasks.items()
                for field, kind in one.own_task.arrow_fields().items()
            },
        }

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        if not is_labelled:
            return self._example(self._asked_of(values))
        name = values.get(MEMBER)
        if name not in self.tasks:
            raise ValueError(f"'task' must name the task that the row is for: {listed(self.tasks)}; got {name!r}.")
        return self.example_of(name, self.tasks[name].own_task.read(row_of(values, self.tasks[name]), True))

    def _asked_of(self, values: Mapping[str, Any]) -> dict[str, Example]:
        """Each task that the input has all columns for → its example."""
        asked = {
            name: one.own_task.read(row_of(values, one), is_labelled=False)
            for name, one in self.tasks.items()
            if is_askable(values, one)
        }
        if not asked:
            needs = "; ".join(f"{name} reads {listed(texts_of(one))}" for name, one in self.tasks.items())
            raise ValueError(f"no task can be answered from {listed(filled(values)) or 'an empty row'}: {needs}.")
        return asked

    def _example(self, of_members: Mapping[str, Example]) -> Example:
        example: Example = dict.fromkeys(self.arrow_fields())
        for name, one in of_members.items():
            example |= {field_of(name, field): one[field] for field in self.tasks[name].own_task.arrow_fields()}
        return {**example, MEMBERS: list(of_members), "text": next(iter(of_members.values()))["text"]}

    def _own_example(self, member: str, example: Example) -> Example:
        fields = self.tasks[member].own_task.arrow_fields()
        carried = {name: value for name, value in example.items() if name.startswith("column.")}
        return {**carried, **{field: example[field_of(member, field)] for field in fields}}

    def labels_of(self, example: Example) -> Iterable[str]:
        return [
            joined(name, label)
            for name in example[MEMBERS]
            for label in self.tasks[name].own_task.labels_of(self._own_example(name, example))
        ]

    def load_reader(self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False) -> Reader:
        """Every task reads the same tokens, so that Chinese is cut for all of them as one of them needs it."""
        from burnish.models.tokenizer import load_tokenizer

        is_split = any(one.own_task.is_cjk_split for one in self.tasks.values())
        return load_tokenizer(folder, max_length, is_split and not is_bundle, prompt)

    def encode(self, examples: Sequence[Example], reader: Any, labels: tuple[str, ...]) -> list[Encoded]:
        made: list[dict[str, Encoded]] = [{} for _ in examples]
        shared, start = SameTexts(reader), 0
        for name, one in self.tasks.items():
            own_labels = owned(name, labels)
            own = [number for number, example in enumerate(examples) if name in example[MEMBERS]]
            found = one.own_task.encode([self._own_example(name, examples[n]) for n in own], shared, own_labels)
            stop = start + len(one.own_task.head_plan(own_labels).labels)
            for number, encoded in zip(own, found, strict=True):
                made[number][name] = encoded
                for feature in encoded.features if len(examples[number][MEMBERS]) == 1 else ():
                    feature[PLACE] = np.asarray([len(own_labels), start, stop], np.int32)
            start = stop
        return [united(of_members, self._bits) for of_members in made]

    def drawn(self, kinds: NDArray[np.int32], seed: int, epoch: int) -> NDArray[np.int64] | None:
        if self.sampling == "proportional":
            return None
        present, sizes = np.unique(kinds, return_counts=True)
        counts = quotas(sizes, self.sampling, self.temperature)
        pieces = []
        for kind, size, quota in zip(present.tolist(), sizes.tolist(), counts.tolist(), strict=True):
            [name] = self._asked(kind)
            pieces.append(np.flatnonzero(kinds == kind)[window(size, quota, seed, name, epoch)])
        return np.concatenate(pieces)

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        """Rows of one kind: of one task, with what it learns from; or of several, which read the same tokens."""
        from burnish.models.asked import asking

        asked = self._asked(kind_of(features[0]))
        name = asked[0]
        own, place = [own_feature(feature, name) for feature in features], features[0].get(field_of(name, PLACE))
        batch = self.tasks[name].own_task.collate(own, pad_id, 0 if place is None else int(place[0]))
        batch.inputs |= asking(asked)
        if place is not None:
            batch.outputs = slice(int(place[1]), int(place[2]))
        return batch

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        from burnish.models.asked import asked_in

        [name] = asked_in(batch.inputs, self.tasks)
        own = None if weights is None else weights[batch.outputs]
        return self.tasks[name].own_task.loss(logits, batch, own, smoothing) * self.tasks[name].weight

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # each member is calibrated on its own

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> JointOutcome:
        parts, names = {}, [row.example[MEMBERS][0] for row in answered]
        part = np.asarray([list(self.tasks).index(name) for name in names], np.int64)
        at = np.zeros(len(part), np.int64)
        for number, (name, one) in enumerate(self.tasks.items()):
            own = part == number
            at[own] = np.arange(own.sum())
            if own.any():
                rows = self.answered_by(name, answered, labels)
                parts[name] = one.own_task.outcome(rows, owned(name, labels), decision.members.get(name, Decision()))
        known = {name: number for number, name in enumerate(parts)}
        best_by = {name: self.tasks[name].own_task.best_by for name in parts}
        return JointOutcome(parts, best_by, np.asarray([known[name] for name in names], np.int64), at)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Together]:
        answers: list[dict[str, Prediction | None]] = [dict.fromkeys(self.tasks) for _ in answered]
        for name, one in self.tasks.items():
            own = [number for number, row in enumerate(answered) if name in row.example[MEMBERS]]
            rows, of_it = self.answered_by(name, answered, labels), decision.members.get(name, Decision())
            found = one.own_task.decode(rows, owned(name, labels), of_it)
            for number, answer in zip(own, found, strict=True):
                answers[number][name] = answer
        return [Together(**of_members) for of_members in answers]

    def completed(self, reader: Any, run: Run, listen: Listener) -> Multitask:
        """A finished model answers from no rows: where they are is said by the recipe alone."""
        return self.model_copy(
            update={"tasks": {name: one.model_copy(update={"data": None}) for name, one in self.tasks.items()}}
        )

    @property
    def _bits(self) -> dict[str, int]:
        return {name: 1 << number for number, name in enumerate(self.tasks)}

    def _asked(self, kind: int) -> list[str]:
        return [name for name, bit in self._bits.items() if kind & bit]

    def _layout(self, labels: tuple[str, ...]) -> Layout:
        sizes = {name: len(plan.labels) for name, plan in self.head_plan(labels).members}
        gives = {name: one.own_task.head_part.gives for name, one in self.tasks.items()}
        return Layout(sizes, frozenset(name for name, given in gives.items() if given == "tokens"))
