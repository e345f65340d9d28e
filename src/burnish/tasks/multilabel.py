"""Any number of labels for a text, none included: topics, tags, kinds of complaint."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._multi import MultiOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._contract import (
    Adopted,
    Answered,
    AnswerPart,
    Batch,
    Collated,
    Decision,
    Encoded,
    Evidence,
    Example,
    Feature,
    Line,
    Prediction,
    Task,
)
from burnish.tasks._rows import encode_rows, pad_inputs, stack_outputs, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer


class GivenLabel(AnswerPart):
    """One label that the text was given."""

    label: str
    """Name of the label."""
    confidence: float
    """Its calibrated probability, 0 to 1."""
    abstained: bool
    """Whether the confidence is below the threshold that keeps the wanted precision."""


class Labelled(Prediction):
    """The answer for one text."""

    labels: tuple[GivenLabel, ...]
    """Every label whose probability reaches its threshold, most probable first."""

    def lines(self) -> list[Line]:
        return [Line(one.label, one.confidence, one.abstained) for one in self.labels]


class Multilabel(Task):
    """A sigmoid for each of L labels."""

    wanted = (
        Wanted("text", True, "the text to label"),
        Wanted("text_pair", False, "the second text of a pair"),
        Wanted("labels", True, "the labels: a list, or names joined by the separator"),
    )
    texts = ("text", "text_pair")
    gold = frozenset({"labels"})
    judged_as = MultiOutcome
    best_by = "f1"
    least_labels = 1
    answer = Labelled

    head: Annotated[Part, Shelf("heads"), giving("rows")] = Field(default="cls", validate_default=True)
    """cls (the architecture's own; the bundle loads in AutoModelForSequenceClassification), mean, max."""

    separator: str = "|"
    """Between labels where a cell holds several as text; commas and semicolons are part of a name."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def adopted(self, outputs: tuple[str, ...]) -> Adopted:
        return Adopted(outputs)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(labels, problem="multi_label_classification")

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "text_pair": "string", "labels": "list<string>"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        pair = text_of(values, "text_pair", is_labelled) if values.get("text_pair") is not None else None
        names = self._names(values.get("labels")) if is_labelled else None
        return {"text": text_of(values, "text", is_labelled), "text_pair": pair, "labels": names}

    def _names(self, value: Any) -> list[str]:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return []
        if isinstance(value, str):
            value = [name for name in re.split(re.escape(self.separator), value) if name.strip()]
        if not isinstance(value, list | tuple):
            raise ValueError(f"'labels' must be a list or text; got {type(value).__name__}.")
        names = [str(name).strip() for name in value]
        if "" in names:
            raise ValueError("'labels' holds an empty label; take it out.")
        return sorted(set(names))

    def labels_of(self, example: Example) -> Iterable[str]:
        return cast("list[str]", example["labels"])

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = encode_rows(examples, tokenizer)
        index = {label: i for i, label in enumerate(labels)}
        for example, one in zip(examples, encoded, strict=True):
            if example.get("labels") is not None:
                one.features[0]["labels"] = np.asarray([index[name] for name in example["labels"]], np.int32)
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        targets = {}
        if "labels" in features[0]:
            wanted = np.zeros((len(features), n_labels), np.float32)
            for row, feature in enumerate(features):
                wanted[row, feature["labels"]] = 1
            targets["labels"] = wanted
        return Collated(inputs, targets, len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        from torch.nn.functional import binary_cross_entropy_with_logits

        wanted = batch.targets["labels"] * (1 - smoothing) + smoothing / 2
        return binary_cross_entropy_with_logits(logits.float(), wanted, pos_weight=weights)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return Evidence(stack_outputs(answered), gold_matrix(answered, labels).astype(np.int64), "sigmoid")

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> MultiOutcome:
        scores = decision.probabilities(stack_outputs(answered), "sigmoid")
        return MultiOutcome(gold_matrix(answered, labels), scores, _thresholds(labels, decision), labels)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Labelled]:
        if not answered:
            return []
        scores = decision.probabilities(stack_outputs(answered), "sigmoid")
        thresholds = _thresholds(labels, decision)
        return [_labelled(row, thresholds, labels, decision) for row in scores]


def _labelled(
    row: NDArray[np.float64], thresholds: NDArray[np.float64], labels: tuple[str, ...], decision: Decision
) -> Labelled:
    given = sorted(np.flatnonzero(row >= thresholds), key=lambda i: -row[i])
    return Labelled(
        labels=tuple(
            GivenLabel(label=labels[i], confidence=float(row[i]), abstained=bool(row[i] < decision.abstain_below))
            for i in given
        )
    )


def _thresholds(labels: tuple[str, ...], decision: Decision) -> NDArray[np.float64]:
    return np.asarray(decision.label_thresholds or [0.5] * len(labels), np.float64)


def gold_matrix(answered: Sequence[Answered], labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """[N, L] which labels each example carries."""
    index = {label: i for i, label in enumerate(labels)}
    gold = np.zeros((len(answered), len(labels)), bool)
    for row, one in enumerate(answered):
        gold[row, [index[name] for name in one.example["labels"]]] = True
    return gold
