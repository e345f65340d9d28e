"""Parity: whether an artefact answers as the judged model does, on held-out texts and on texts at the edge.

A float32 artefact must give the same numbers (|Δ| ≤ 1e-4) and the same answers on all texts; a quantised one the same
answers on 99 of 100 held-out texts. Texts at the edge mean nothing to most models, which then are near a boundary: a
quantised artefact must answer them with numbers, and how often it answers alike is told. Two answers are the same when
nothing but confidences and scores differs in them (labels, spans with their offsets, the first hit of a search), and
when both are withheld; where each word has an answer of its own, such as a tag, each counts. A written text leaves the
other's path at the first near tie, so of models that write the gold answers must be as likely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from burnish.bundle.bundle import Knowledge
from burnish.bundle.predictor import Predictor
from burnish.bundle.proof import told
from burnish.compression.written import are_as_likely, facts, writes
from burnish.tasks._contract import Answered, Example, Prediction, Task

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
    """Share of the held-out texts with the same answer; of their words, where each has one."""
    edge_agreement: float
    """The same of those at the edge."""

    @property
    def fault(self) -> str | None:
        """Why it is refused; None where it is not."""
        if self.kind == "float32" and not self.largest_difference <= LARGEST_DIFFERENCE:
            return f"its outputs differ by up to {self.largest_difference:.2g}; {LARGEST_DIFFERENCE} is allowed"
        if not math.isfinite(self.largest_difference):
            return "it gives outputs that are no numbers, or as many as it should not"
        least = {"float32": 1.0, "quantised": LEAST_AGREEMENT, "changed": 0.0}[self.kind]
        if not self.agreement >= least:
            return f"{self.agreement:.2%} of its answers are those of the judged model; {least:.0%} is asked"
        return None


def parity(
    judged: Sequence[Answered], found: Sequence[Answered], knowledge: Knowledge, kind: Kind, n_edge: int
) -> Parity:
    """Both models' outputs for the same texts, of which the last `n_edge` are at the edge."""
    same = agreements(judged, found, knowledge)
    n_held_out = len(same) - n_edge
    pairs = [pair for a, b in zip(judged, found, strict=True) for pair in zip(a.outputs, b.outputs, strict=True)]
    if writes(knowledge.task):
        pairs = [(facts(a), facts(b)) for a, b in pairs]
    return Parity(
        kind=kind,
        n_held_out=n_held_out,
        n_edge=n_edge,
        largest_difference=max((_difference(a, b) for a, b in pairs), default=0.0),
        agreement=float(np.mean(same[:n_held_out])) if n_held_out else 1.0,
        edge_agreement=float(np.mean(same[n_held_out:])) if n_edge else 1.0,
    )


def agreements(judged: Sequence[Answered], found: Sequence[Answered], knowledge: Knowledge) -> list[float]:
    """For each text what share of its answer both give, decided as the judged model decides: all or nothing, but where
    it is made of several decisions.
    """
    task, labels, decision = knowledge.task, knowledge.labels, knowledge.decision
    if writes(task):
        return [are_as_likely(a, b) for a, b in zip(judged, found, strict=True)]
    if task.head_part.gives == "vectors":
        return [_are_near(a, b) for a, b in zip(judged, found, strict=True)]
    sound = [all(np.isfinite(one).all() for one in row.outputs) for row in found]
    some = [row if is_sound else other for row, other, is_sound in zip(found, judged, sound, strict=True)]
    first, second = (task.decode(rows, labels, decision) for rows in (judged, some))
    answers = zip(judged, first, second, strict=True)
    shares = [_share_alike(task, row.example, a, b) for row, a, b in answers]
    return [share if is_sound else 0.0 for share, is_sound in zip(shares, sound, strict=True)]


def _share_alike(task: Task, example: Example, a: Prediction, b: Prediction) -> float:
    mine, theirs = (task.decisions(example, one) for one in (a, b))
    if not mine or not theirs:
        return float(_are_alike(a, b))
    return sum(x == y for x, y in zip(mine, theirs, strict=True)) / len(mine)


def _are_alike(a: Prediction, b: Prediction) -> bool:
    is_withheld = [bool(getattr(one, "abstained", False)) for one in (a, b)]
    return told(a) == told(b) or all(is_withheld)


def _difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Largest |a − b|; infinite where shapes differ or something is not a number."""
    if a.shape != b.shape or not np.isfinite(b).all():
        return math.inf
    return float(np.max(np.abs(a - b), initial=0.0))


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
