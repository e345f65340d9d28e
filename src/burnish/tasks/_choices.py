"""What tasks that choose one of L labels for a row share: reading the label, targets, loss, outcome, answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.metrics._single import SingleOutcome
from burnish.tasks._contract import (
    Answered,
    AnswerPart,
    Arrays,
    Batch,
    Decision,
    Encoded,
    Evidence,
    Example,
    Feature,
    Line,
    Prediction,
)
from burnish.tasks._rows import stack_outputs

if TYPE_CHECKING:
    from torch import Tensor

N_RUNNERS_UP = 3


class Choice(AnswerPart):
    """A label and its calibrated probability."""

    label: str
    """Name of the label."""
    confidence: float
    """Calibrated probability, 0 to 1."""


class Classified(Prediction):
    """The answer for one text."""

    label: str
    """The most probable label."""
    confidence: float
    """Its calibrated probability, 0 to 1."""
    abstained: bool
    """Whether the confidence is below the threshold that keeps the wanted precision."""
    runners_up: tuple[Choice, ...]
    """The next most probable labels."""
    out_of_scope: bool = False
    """Whether the text is unlike all that the model learned from, so that no label may fit."""

    def lines(self) -> list[Line]:
        return [Line(self.label, self.confidence, self.abstained)]


def one_label(values: Mapping[str, Any]) -> str:
    """The label of a row as text; numbers and booleans are labels too.

    Raises:
        ValueError: it is empty, or not one value.
    """
    value = values.get("label")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers with one gap is read as floats by pandas
    if value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip():
        raise ValueError("'label' is empty; give it a label or take the row out (data.bad_rows: drop skips such rows).")
    if isinstance(value, list | dict):
        raise ValueError("'label' holds several values; the task 'multilabel' reads such rows.")
    return str(value).strip()


def add_targets(encoded: Sequence[Encoded], examples: Sequence[Example], labels: tuple[str, ...]) -> None:
    """Put `label` [1], the gold label's index, into each labelled example's feature."""
    index = {label: i for i, label in enumerate(labels)}
    for example, one in zip(examples, encoded, strict=True):
        if example.get("label") is not None:
            one.features[0]["label"] = np.asarray([index[example["label"]]], np.int32)


def stacked_targets(features: Sequence[Feature]) -> Arrays:
    """`labels` [B] where features carry them."""
    if "label" not in features[0]:
        return {}
    return {"labels": np.concatenate([feature["label"] for feature in features]).astype(np.int64)}


def choice_loss(logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
    """Mean cross-entropy of logits [B, L]."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits.float(), batch.targets["labels"], weight=weights, label_smoothing=smoothing)


def choice_evidence(answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
    """What a calibration is fitted on."""
    return Evidence(stack_outputs(answered), _gold_indices(answered, labels), "softmax")


def choice_outcome(answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SingleOutcome:
    """Gold and calibrated probabilities side by side."""
    scores = decision.probabilities(stack_outputs(answered), "softmax")
    return SingleOutcome(_gold_indices(answered, labels), scores, labels)


def choices(answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> list[Classified]:
    """The most probable label of each row, and the next ones."""
    if not answered:
        return []
    logits = stack_outputs(answered)
    scores = decision.probabilities(logits, "softmax")
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, : 1 + N_RUNNERS_UP]
    is_out = energies(logits) < (-np.inf if decision.scope_below is None else decision.scope_below)
    answers = [_classified(row, order, labels, decision) for row, order in zip(scores, ranked, strict=True)]
    return [
        one.model_copy(update={"out_of_scope": True}) if out else one
        for one, out in zip(answers, is_out.tolist(), strict=True)
    ]


def energies(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] log-sum-exp of logits [N, L]: low for texts unlike those that the model learned from (Liu et al. 2020,
    "Energy-based Out-of-distribution Detection", arXiv 2010.03759, with the sign turned).
    """
    most = logits.max(axis=1, keepdims=True)
    return np.asarray(most[:, 0] + np.log(np.exp(logits - most).sum(axis=1)))


def _classified(row: Any, order: Any, labels: tuple[str, ...], decision: Decision) -> Classified:
    best, *others = (Choice(label=labels[i], confidence=float(row[i])) for i in order)
    return Classified(
        label=best.label,
        confidence=best.confidence,
        abstained=best.confidence < decision.abstain_below,
        runners_up=tuple(others),
    )


def _gold_indices(answered: Sequence[Answered], labels: tuple[str, ...]) -> NDArray[np.int64]:
    """[N] index of each example's gold label."""
    index = {label: i for i, label in enumerate(labels)}
    return np.asarray([index[row.example["label"]] for row in answered], np.int64)
