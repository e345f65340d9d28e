"""Class weights of a recipe as a number for each output of the head."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from burnish.core.errors import Faults, UserError, hint, listed
from burnish.flows.ingest import Ingested
from burnish.tasks._contract import Task

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


def output_weights(asked: Asked, task: Task, labels: tuple[str, ...], train: Ingested) -> list[float] | None:
    """[K] weights, or None when all weigh the same; the outputs B-x and I-x of a tagger share the weight of x."""
    if asked == "none":
        return None
    if isinstance(asked, dict):
        by_label = {label: asked.get(label, 1.0) for label in labels}
    else:
        by_label = _balanced(task, labels, train)
    plan = task.head_plan(labels)
    return [by_label.get(output, by_label.get(output[2:], 1.0)) for output in plan.labels]


def _balanced(task: Task, labels: tuple[str, ...], train: Ingested) -> dict[str, float]:
    """Rows / (labels × rows of the label), as scikit-learn balances; for yes-or-no labels, noes for each yes."""
    count = Counter(label for example in train.corpus for label in task.labels_of(example))
    n = len(train.corpus)
    if task.head_plan(labels).problem == "multi_label_classification":
        return {label: (n - count[label]) / max(count[label], 1) for label in labels}
    n = sum(count.values())
    return {label: n / (len(labels) * max(count[label], 1)) for label in labels}
