"""Parity: whether an artefact answers as the judged model does, on held-out texts and on texts at the edge.

A float32 artefact must give the same numbers (|Δ| ≤ 1e-4) and so the same answers on all texts; a quantised one the
same answers on 99 of 100. Two answers are the same when nothing but confidences and scores differs in them: labels,
spans with their offsets, the first hit of a search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from burnish.bundle.predictor import Predictor
from burnish.bundle.proof import told
from burnish.tasks._contract import Answered, Decision, Example, Task

LARGEST_DIFFERENCE = 1e-4
LEAST_AGREEMENT = 0.99
LEAST_COSINE = 0.98
"""Between the vectors of one text, where vectors are what a model gives."""

Kind = Literal["float32", "quantised", "changed"]
"""What an artefact may differ by: rounding, int8, or all that the budget allows, as the network was changed."""


class Parity(BaseModel):
    """What was compared, and how far apart it was."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    n_held_out: int
    n_edge: int
    largest_difference: float
    """Largest |Δ| of any output: logits, or numbers of a vector."""
    agreement: float
    """Share of the texts with the same answer."""
    edge_agreement: float
    """The same of those at the edge alone."""

    @property
    def fault(self) -> str | None:
        """Why it is refused; None where it is not."""
        if self.kind == "float32" and not self.largest_difference <= LARGEST_DIFFERENCE:
            return f"its outputs differ by up to {self.largest_difference:.2g}; {LARGEST_DIFFERENCE} is allowed"
        least = {"float32": 1.0, "quantised": LEAST_AGREEMENT, "changed": 0.0}[self.kind]
        if not self.agreement >= least:
            return f"it answers {self.agreement:.2%} of the texts as the judged model does; {least:.0%} is asked"
        return None


def parity(
    judged: Sequence[Answered],
    found: Sequence[Answered],
    knowledge: tuple[Task, tuple[str, ...]],
    kind: Kind,
    n_edge: int,
) -> Parity:
    """Both models' outputs for the same texts, of which the last `n_edge` are at the edge."""
    task, labels = knowledge
    same = agreements(judged, found, task, labels)
    pairs = [pair for a, b in zip(judged, found, strict=True) for pair in zip(a.outputs, b.outputs, strict=True)]
    largest = max((float(np.max(np.abs(a - b), initial=0.0)) for a, b in pairs if a.shape == b.shape), default=0.0)
    if any(a.shape != b.shape or not np.isfinite(b).all() for a, b in pairs):
        largest = float("inf")
    return Parity(
        kind=kind,
        n_held_out=len(same) - n_edge,
        n_edge=n_edge,
        largest_difference=largest,
        agreement=float(np.mean(same)),
        edge_agreement=float(np.mean(same[len(same) - n_edge :])) if n_edge else 1.0,
    )


def agreements(
    judged: Sequence[Answered], found: Sequence[Answered], task: Task, labels: tuple[str, ...]
) -> list[bool]:
    """For each text whether both give the same answer."""
    if task.head_part.gives == "vectors":
        return [_are_near(a, b) for a, b in zip(judged, found, strict=True)]
    members = () if task.joint is None else task.joint.members
    decision = Decision(members={name: Decision() for name in members})
    sound = [all(np.isfinite(one).all() for one in row.outputs) for row in found]
    some = [row if is_sound else other for row, other, is_sound in zip(found, judged, sound, strict=True)]
    first, second = (task.decode(rows, labels, decision) for rows in (judged, some))
    return [is_sound and told(a) == told(b) for a, b, is_sound in zip(first, second, sound, strict=True)]


def _are_near(a: Answered, b: Answered) -> bool:
    return all(_cosine(x.ravel(), y.ravel()) >= LEAST_COSINE for x, y in zip(a.outputs, b.outputs, strict=True))


def _cosine(a: Any, b: Any) -> float:
    if a.shape != b.shape:  # a model with shorter vectors
        return 0.0
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm else 1.0


def examples_at_the_edge(predictor: Predictor, texts: Sequence[str], like: Example) -> list[Example]:
    """Examples for texts at the edge; what else the task reads, such as a second text, is taken from `like`. None
    where a text is the name of a file.
    """
    task = predictor.task
    found: list[Example] = []
    for text in () if task.texts[0] in task.files else texts:
        try:
            found.append(task.read(task.edge_row(text, like), is_labelled=False))
        except ValueError:  # the task refuses such a text, so nobody is answered one
            continue
    return found
