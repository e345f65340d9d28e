"""One label for a text or a pair of texts: intent, topic, sentiment, entailment; from many rows, few, or none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import Field, field_validator, model_validator

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._single import SingleOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._contract import Answered, Batch, Decision, Encoded, Evidence, Example, Feature, Prediction, Task
from burnish.tasks._naming import refuse_unclear_words, spelled
from burnish.tasks._rows import encode_rows, pad_inputs, stack_outputs, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

N_RUNNERS_UP = 3
FEW_ROWS = 64
"""Rows of the median label up to which the head is `cosine` where the recipe leaves it open."""


class Choice(Prediction):
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


class Classification(Task):
    """Softmax over L labels."""

    wanted = (
        Wanted("text", True, "the text to classify"),
        Wanted("text_pair", False, "the second text of a pair"),
        Wanted("label", True, "the label's name"),
    )
    gold = frozenset({"label"})
    judged_as = SingleOutcome
    best_by = "accuracy"
    stratify_by = "label"
    answer = Classified

    head: Annotated[Part, Shelf("heads"), giving("rows", "cosines")] | None = None
    """cls (the architecture's own; the bundle loads in AutoModelForSequenceClassification), mean, max, or cosine (a
    vector for each label); null takes cosine with `labels` or with 64 rows a label or fewer, else cls."""

    labels: dict[str, str | None] = Field(default_factory=dict)
    """Labels told in words, e.g. `{refund: customer wants money back}`; null, or a list of labels, takes the label's
    own name. With them no training rows are needed; where there are rows, the words count as one more of each label."""

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_are_text(cls, value: Any) -> Any:
        """Labels as the data has them: numbers are labels too, and a list of labels tells their names only."""
        named = dict.fromkeys(value) if isinstance(value, list | tuple) else value
        return {str(label).strip(): words for label, words in named.items()} if isinstance(named, dict) else named

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        refuse_unclear_words(value)
        return value

    @model_validator(mode="after")
    def _head_reads_words(self) -> Classification:
        if self.labels and self.head is not None and self.head_part.gives != "cosines":
            raise ValueError(
                f"labels are told in words, which the head '{self.head.part_name}' cannot start from; "
                "leave the head out, or set head: cosine"
            )
        return self

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head or Shelf("heads").build("cosine" if self.labels else "cls"))

    @property
    def told(self) -> Mapping[str, str]:
        return {label: spelled(label, words) for label, words in self.labels.items()}

    def suited(self, counts: Mapping[str, int]) -> Classification:
        if self.head is not None:
            return self
        is_cosine = self.labels or median(counts.values()) <= FEW_ROWS
        return self.model_copy(update={"head": Shelf("heads").build("cosine" if is_cosine else "cls")})

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(labels)

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "text_pair": "string", "label": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        pair = text_of(values, "text_pair", is_labelled) if values.get("text_pair") is not None else None
        label = one_label(values) if is_labelled else None
        return {"text": text_of(values, "text", is_labelled), "text_pair": pair, "label": label}

    def labels_of(self, example: Example) -> Iterable[str]:
        return (example["label"],)

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = encode_rows(examples, tokenizer)
        index = {label: i for i, label in enumerate(labels)}
        for example, one in zip(examples, encoded, strict=True):
            if example.get("label") is not None:
                one.features[0]["label"] = np.asarray([index[example["label"]]], np.int32)
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Batch:
        import torch

        inputs, n_tokens = pad_inputs(features, pad_id)
        has_labels = "label" in features[0]
        targets = {"labels": torch.tensor([int(f["label"][0]) for f in features])} if has_labels else {}
        return Batch(inputs, targets, len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        from torch.nn.functional import cross_entropy

        return cross_entropy(logits.float(), batch.targets["labels"], weight=weights, label_smoothing=smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return Evidence(stack_outputs(answered), gold_indices(answered, labels), "softmax")

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SingleOutcome:
        scores = decision.probabilities(stack_outputs(answered), "softmax")
        return SingleOutcome(gold_indices(answered, labels), scores, labels)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Classified]:
        if not answered:
            return []
        scores = decision.probabilities(stack_outputs(answered), "softmax")
        ranked = np.argsort(-scores, axis=1, kind="stable")[:, : 1 + N_RUNNERS_UP]
        return [_classified(row, order, labels, decision) for row, order in zip(scores, ranked, strict=True)]


def _classified(row: Any, order: Any, labels: tuple[str, ...], decision: Decision) -> Classified:
    best, *others = (Choice(label=labels[i], confidence=float(row[i])) for i in order)
    return Classified(
        label=best.label,
        confidence=best.confidence,
        abstained=best.confidence < decision.abstain_below,
        runners_up=tuple(others),
    )


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


def gold_indices(answered: Sequence[Answered], labels: tuple[str, ...]) -> Any:
    """[N] index of each example's gold label."""
    index = {label: i for i, label in enumerate(labels)}
    return np.asarray([index[row.example["label"]] for row in answered], np.int64)
