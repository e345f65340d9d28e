"""How alike two texts are: similarity scores, duplicate questions, answers to questions.

Two ways, chosen by the head. A *cross-encoder* (`cls`, `mean`, `max`, `compare`) reads both texts at once and is the
more exact, `compare` by far on bases tuned for similarity. A *bi-encoder* (`vector`) turns each text into a vector and
compares vectors, so that a million texts can be read once and searched. Kinds of relation between two texts, such as
entailment, are labels: the task `classification` reads pairs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._scores import MIDDLE, ScoreOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._contract import (
    Answered,
    Batch,
    Collated,
    Decision,
    Encoded,
    Example,
    Feature,
    Line,
    Prediction,
    Task,
)
from burnish.tasks._pairs import encode_apart, encode_beside, pad_apart, pair_loss, pair_scores
from burnish.tasks._rows import encode_rows, pad_inputs, stack_outputs, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


class Matched(Prediction):
    """The answer for one pair of texts."""

    score: float
    """How alike they are, on the scale of the training data."""
    is_match: bool
    """Whether the score reaches the threshold that was best on dev."""

    def lines(self) -> list[Line]:
        return [Line(f"{self.score:.2f}  {'match' if self.is_match else 'no match'}")]


TURNED = "turned_"
"""Before the names of what a feature holds of the pair the other way round."""


class Matching(Task):
    """One score for a pair of texts."""

    wanted = (
        Wanted("text", True, "the first text"),
        Wanted("text_pair", True, "the second text"),
        Wanted("score", True, "how alike they are: a number on the scale, or yes / no"),
    )
    texts = ("text", "text_pair")
    gold = frozenset({"score"})
    judged_as = ScoreOutcome
    best_by = "spearman"
    least_labels = 0
    answer = Matched
    untrained_needs = ""

    head: Annotated[Part, Shelf("heads"), giving("rows", "pairs", "vectors")] = Field(
        default="cls", validate_default=True
    )
    """cls, mean, max: a cross-encoder, which reads both texts at once; compare: one that reads each for itself too;
    vector: a bi-encoder, a vector a text."""

    scale: tuple[float, float] = (0.0, 1.0)
    """Lowest and highest score in the data, e.g. [0, 5]; the upper half counts as a match."""

    objective: Literal["cosine", "contrastive", "in_batch"] = "cosine"
    """What a bi-encoder learns: `cosine` equals the score; `contrastive`: matches near, others at least 0.5 away;
    `in_batch`: a match is nearer than every other row's text of the batch (rows that do not match only serve as
    others)."""

    both_orders: bool = False
    """Whether cls, mean or max reads each pair in either order, learns both, and answers with the mean of both scores:
    likeness knows no order. Takes twice as long."""

    @model_validator(mode="after")
    def _settings_fit(self) -> Matching:
        if not self.scale[0] < self.scale[1]:
            raise ValueError(f"scale must rise, e.g. [0, 5]; got [{self.scale[0]:g}, {self.scale[1]:g}]")
        if self.both_orders and self.head_part.gives != "rows":
            name = self.head_part.part_name
            raise ValueError(f"both_orders is for the heads cls, mean and max; the head '{name}' knows no order")
        return self

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    @property
    def is_apart(self) -> bool:
        """Whether the two texts are encoded apart."""
        return self.head_part.gives == "vectors"

    def untrained_ways(self) -> Sequence[Matching]:
        """A cross-encoder where the base is one; else, unless the head was named, the cosine of its vectors."""
        if "head" in self.model_fields_set:
            return (self,)
        return (self, self.model_copy(update={"head": Shelf("heads").build("vector")}))

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(("score",), problem="regression")

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "text_pair": "string", "score": "double"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        if values.get("text_pair") is None and not is_labelled:
            raise ValueError("'text_pair' is missing: this task compares two texts (--pair on the command line).")
        texts = {name: text_of(values, name, is_labelled) for name in ("text", "text_pair")}
        return {**texts, "score": self._unit_score(values.get("score")) if is_labelled else None}

    def _unit_score(self, value: Any) -> float:
        """The score as 0 … 1 of the scale."""
        low, high = self.scale
        if isinstance(value, str) and value.strip().lower() in WORDS:
            return WORDS[value.strip().lower()]
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"'score' must be a number from {low:g} to {high:g}, or yes / no; got {value!r}."
            ) from None
        if math.isnan(number) or not low <= number <= high:
            raise ValueError(
                f"'score' must be a number from {low:g} to {high:g}; got {number:g}. The setting 'scale' of the task "
                "says what is allowed."
            )
        return (number - low) / (high - low)

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = self._encoded(examples, tokenizer)
        for example, one in zip(examples, encoded, strict=True):
            if example.get("score") is not None:
                one.features[0]["score_bits"] = np.asarray([example["score"]], np.float32).view(np.int32)
        return encoded

    def _encoded(self, examples: Sequence[Example], tokenizer: TextTokenizer) -> list[Encoded]:
        if self.is_apart:
            return encode_apart(examples, tokenizer)
        if self.head_part.gives == "pairs":
            return encode_beside(examples, tokenizer)
        encoded = encode_rows(examples, tokenizer)
        if self.both_orders:
            turned = [{"text": one["text_pair"], "text_pair": one["text"]} for one in examples]
            others = encode_rows(turned, tokenizer)
            for one, other in zip(encoded, others, strict=True):
                one.features[0] |= {f"{TURNED}{name}": values for name, values in other.features[0].items()}
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        read = [order for feature in features for order in _orders(feature)]
        inputs, n_tokens = (pad_apart if self.is_apart else pad_inputs)(read, pad_id)
        targets = {}
        if "score_bits" in features[0]:
            targets["scores"] = np.concatenate([one["score_bits"] for one in features]).view(np.float32)
        return Collated(inputs, targets, len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        from torch.nn.functional import binary_cross_entropy_with_logits

        wanted = batch.targets["scores"]
        if self.is_apart:
            return pair_loss(self.objective, logits.float(), wanted, smoothing)
        wanted = wanted.repeat_interleave(len(logits) // len(wanted))
        return binary_cross_entropy_with_logits(logits.float()[:, 0], wanted * (1 - smoothing) + smoothing / 2)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # a score of likeness is no probability

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> ScoreOutcome:
        gold = np.asarray([row.example["score"] for row in answered], float)
        return ScoreOutcome(gold, self._scores(answered), self.scale)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Matched]:
        low, high = self.scale
        (threshold,) = decision.label_thresholds or (MIDDLE,)
        return [
            Matched(score=low + (high - low) * float(np.clip(score, 0, 1)), is_match=bool(score >= threshold))
            for score in self._scores(answered)
        ]

    def _scores(self, answered: Sequence[Answered]) -> NDArray[np.float64]:
        """[N] scores, 0 … 1 (a cosine may lie a little below)."""
        if not answered:
            return np.zeros(0)
        outputs = stack_outputs(answered)
        if self.is_apart:
            return pair_scores(outputs)
        scores: NDArray[np.float64] = np.exp(-np.logaddexp(0.0, -outputs)).mean(1)
        return scores


def _orders(feature: Feature) -> list[Feature]:
    """The feature, and where it holds the pair the other way round too, that as one of its own."""
    turned = {name.removeprefix(TURNED): values for name, values in feature.items() if name.startswith(TURNED)}
    return [feature, turned] if turned else [feature]
