"""One label for a text or a pair of texts: intent, topic, sentiment, entailment; from many rows, few, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field, model_validator

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._single import SingleOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._choices import (
    Classified,
    add_targets,
    choice_evidence,
    choice_loss,
    choice_outcome,
    choices,
    one_label,
    stacked_targets,
)
from burnish.tasks._contract import (
    Adopted,
    Answered,
    Batch,
    Collated,
    Decision,
    Encoded,
    Evidence,
    Example,
    Feature,
    Task,
)
from burnish.tasks._naming import ToldLabels, refuse_wordless_head, spelled
from burnish.tasks._rows import encode_rows, pad_inputs, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

FEW_ROWS = 64
"""Rows of the median label up to which the head is `cosine` where the recipe leaves it open."""


class Classification(Task):
    """Softmax over L labels."""

    wanted = (
        Wanted("text", True, "the text to classify"),
        Wanted("text_pair", False, "the second text of a pair"),
        Wanted("label", True, "the label's name"),
    )
    texts = ("text", "text_pair")
    gold = frozenset({"label"})
    judged_as = SingleOutcome
    best_by = "accuracy"
    stratify_by = "label"
    answer = Classified
    untrained_needs = "labels in words"

    head: Annotated[Part, Shelf("heads"), giving("rows", "cosines")] | None = None
    """cls (the architecture's own; the bundle loads in AutoModelForSequenceClassification), mean, max, or cosine (a
    vector for each label); null takes cosine with `labels` or with 64 rows a label or fewer, else cls."""

    labels: ToldLabels = Field(default_factory=dict)
    """Labels told in words, e.g. `{refund: customer wants money back}`; null, or a list of labels, takes the label's
    own name. With them no training rows are needed; where there are rows, the words count as one more of each label."""

    @model_validator(mode="after")
    def _head_reads_words(self) -> Classification:
        refuse_wordless_head(self.labels, cast("Head | None", self.head), "cosine")
        return self

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head or Shelf("heads").build("cosine" if self.labels else "cls"))

    @property
    def told(self) -> Mapping[str, str]:
        return {label: spelled(label, words) for label, words in self.labels.items()}

    def adopted(self, outputs: tuple[str, ...]) -> Adopted:
        return Adopted(outputs)

    def told_examples(self) -> Sequence[Example]:
        return [self.read({"text": words, "label": label}, is_labelled=True) for label, words in self.told.items()]

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
        add_targets(encoded, examples, labels)
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        return Collated(inputs, stacked_targets(features), len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return choice_loss(logits, batch, weights, smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return choice_evidence(answered, labels)

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SingleOutcome:
        return choice_outcome(answered, labels, decision)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Classified]:
        return choices(answered, labels, decision)
