"""`compare`: two bundles on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from burnish.bundle.bundle import Bundle, open_bundle
from burnish.core.errors import UserError
from burnish.core.events import Listener, ignore
from burnish.evaluation.compare import Comparison
from burnish.evaluation.compare import compare as compare_outcomes
from burnish.flows.judge import answer_rows, bundle_recipe


def compare(first: str | Path, second: str | Path, data: Any = None, *, listen: Listener = ignore) -> Comparison:
    """Two bundles on the same rows, with a paired test of their difference.

    Raises:
        UserError: they do different tasks or know different labels, or the data cannot be used.
    """
    bundles = [open_bundle(first), open_bundle(second)]
    refuse_unlike(*bundles)
    outcomes = []
    for opened in bundles:
        knowledge = opened.knowledge
        rows = answer_rows(opened, bundle_recipe(bundles[0]), data, listen)
        outcomes.append(knowledge.task.outcome(rows, knowledge.labels, knowledge.decision))
    return compare_outcomes(outcomes[0], outcomes[1], seed=0)


def refuse_unlike(first: Bundle, second: Bundle) -> None:
    """Raise `UserError` unless both bundles do the same task with the same labels."""
    tasks = [bundle.knowledge.task.part_name for bundle in (first, second)]
    if tasks[0] != tasks[1]:
        raise UserError(
            f"{first.folder} does {tasks[0]} and {second.folder} does {tasks[1]}; compare bundles of one task."
        )
    labels = [set(bundle.knowledge.labels) for bundle in (first, second)]
    if labels[0] != labels[1]:
        odd = sorted(labels[0] ^ labels[1])[0]
        raise UserError(
            f"{first.folder} and {second.folder} know different labels (e.g. '{odd}'); judge each on its own."
        )
