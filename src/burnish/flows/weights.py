"""Class weights of a recipe as a number for each output of the head."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from burnish.core.errors import UserError, hint, listed
from burnish.flows.ingest import Ingested
from burnish.tasks._contract import Task


def output_weights(
    asked: Literal["none", "balanced"] | dict[str, float], task: Task, labels: tuple[str, ...], train: Ingested
) -> list[float] | None:
    """[K] weights, or None when all weigh the same; the outputs B-x and I-x of a tagger share the weight of x.

    Raises:
        UserError: the task has no labels, or a weight is given for a label that the data does not have.
    """
    if asked == "none":
        return None
    if not labels:
        raise UserError(f"train.class_weights: the task '{task.part_name}' has no labels to weigh; take it out.")
    if isinstance(asked, dict):
        for label in asked:
            if label not in labels:
                raise UserError(
                    f"train.class_weights: there is no label '{label}'.{hint(label, labels)} "
                    f"The data has: {listed(labels)}."
                )
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
