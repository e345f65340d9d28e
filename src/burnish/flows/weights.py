"""Class weights of a recipe as a number for each output of the head."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.members import owned_items
from burnish.flows.ingest import Ingested
from burnish.tasks._contract import Task

if TYPE_CHECKING:
    from burnish.flows.prepare import Prepared

Asked = Literal["none", "balanced"] | dict[str, float]


def refuse_unknown_weights(asked: Asked, task: Task, labels: tuple[str, ...]) -> None:
    """Raise `UserError` where the task has no labels, or naming every label that has a weight but no row."""
    faults = Faults()
    if asked != "none" and not labels:
        raise UserError(f"train.class_weights: the task '{task.part_name}' has no labels to weigh; take it out.")
    for label in asked if isinstance(asked, dict) else ():
        if label not in labels:
            faults.add(
                f"train.class_weights: there is no label '{label}'.{hint(label, labels)} "
                f"The data has: {listed(labels)}."
            )
    faults.raise_if_any()


def output_weights(asked: Asked, prepared: Prepared) -> list[float] | None:
    """[K] weights, or None when all weigh the same; the outputs B-x and I-x of a tagger share the weight of x."""
    if asked == "none":
        return None
    if prepared.members:
        return [weight for name, one in prepared.members.items() for weight in _of_member(asked, name, one)]
    task, labels, train = prepared.task, prepared.labels, prepared.train
    assert train is not None, "only what has training rows is trained"
    if isinstance(asked, dict):
        by_label = {label: asked.get(label, 1.0) for label in labels}
    else:
        by_label = _balanced(task, labels, train)
    plan = task.head_plan(labels)
    return [by_label.get(output, by_label.get(output[2:], 1.0)) for output in plan.labels]


def _of_member(asked: Asked, name: str, prepared: Prepared) -> list[float]:
    """The weights of one of several tasks, where `topic/price` weighs its label `price`."""
    own = owned_items(name, asked) if isinstance(asked, dict) else asked
    is_plain = not own or not prepared.labels
    weights = None if is_plain else output_weights(own, prepared)
    return weights or [1.0] * len(prepared.task.head_plan(prepared.labels).labels)


def _balanced(task: Task, labels: tuple[str, ...], train: Ingested) -> dict[str, float]:
    """Rows / (labels × rows of the label), as scikit-learn balances; for yes-or-no labels, noes for each yes."""
    count = Counter(label for example in train.corpus for label in task.labels_of(example))
    n = len(train.corpus)
    if task.head_plan(labels).problem == "multi_label_classification":
        return {label: (n - count[label]) / max(count[label], 1) for label in labels}
    n = sum(count.values())
    return {label: n / (len(labels) * max(count[label], 1)) for label in labels}
