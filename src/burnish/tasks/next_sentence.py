"""Does the second sentence follow the first, or does it come from another text? BERT's second pretraining.

The source `sentences` with `pairs: true` makes rows of plain text, half of them neighbours. In training the others get
another second sentence in every pass, one of the batch. What is learnt is how texts go on; the result is a base for
tasks on pairs.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._single import SingleOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._choices import add_targets, choice_evidence, choice_loss, choice_outcome, choices, stacked_targets
from burnish.tasks._contract import (
    Answered,
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
from burnish.tasks._rows import encode_rows, is_missing, pad_inputs, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

NO, YES = LABELS = ("no", "yes")
WORDS = {"yes": YES, "true": YES, "1": YES, "no": NO, "false": NO, "0": NO}


class Following(Prediction):
    """The answer for two sentences."""

    follows: bool
    """Whether the second follows the first."""
    probability: float
    """Calibrated probability that it does, 0 to 1."""
    abstained: bool
    """Whether the answer is not sure enough to keep the wanted precision."""

    def lines(self) -> list[Line]:
        sure = self.probability if self.follows else 1 - self.probability
        return [Line("follows" if self.follows else "does not follow", sure, self.abstained)]


class NextSentence(Task):
    """Softmax over no and yes (Devlin et al. 2019, arXiv 1810.04805, §3.1, task 2)."""

    wanted = (
        Wanted("text", True, "the first sentence"),
        Wanted("text_pair", True, "the second sentence"),
        Wanted("follows", True, "whether the second follows: yes or no"),
        Wanted("document", False, "what text the first is from, so that no other second is drawn from it"),
    )
    texts = ("text", "text_pair")
    gold = frozenset({"follows", "document"})
    judged_as = SingleOutcome
    best_by = "accuracy"
    stratify_by = "label"
    answer = Following
    text_source = MappingProxyType({"name": "sentences", "pairs": True})

    head: Annotated[Part, Shelf("heads"), giving("rows")] = Field(default="cls", validate_default=True)
    """cls (the architecture's own), mean, max."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(labels)

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "text_pair": "string", "label": "string", "document": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        if values.get("text_pair") is None and not is_labelled:
            raise ValueError(
                "'text_pair' is missing: this task tells whether a second text follows (--pair on the command line)."
            )
        texts = {name: text_of(values, name, is_labelled) for name in self.texts}
        if not is_labelled:
            return {**texts, "label": None, "document": None}
        said = values.get("follows")
        label = WORDS.get(str(said).strip().lower()) if not is_missing(said) else None
        if label is None:
            raise ValueError(f"'follows' must be yes or no; got {said!r}.")
        document = values.get("document")
        return {**texts, "label": label, "document": None if is_missing(document) else str(document)}

    def labels_of(self, example: Example) -> Iterable[str]:
        return (example["label"],)

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = encode_rows(examples, tokenizer)
        add_targets(encoded, examples, labels)
        pairs = tokenizer.ids([(example["text"], example["text_pair"]) for example in examples])
        for example, one, pair in zip(examples, encoded, pairs, strict=True):
            feature = one.features[0]
            feature["second"] = _second(pair.sequence_ids)
            name = example["document"] or example["text"]
            feature["document"] = np.array([zlib.crc32(name.encode()) >> 1], np.int32)
        return encoded

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        """Every second sentence that does not follow changed for one that stands in another row of the batch."""
        most = max(len(feature["input_ids"]) for feature in features)
        return [feature if feature["label"][0] else _with_other(feature, features, most, draw) for feature in features]

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        return Collated(inputs, stacked_targets(features), len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return choice_loss(logits, batch, weights, smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return choice_evidence(answered, labels)

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SingleOutcome:
        return choice_outcome(answered, labels, decision)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Following]:
        return [
            Following(
                follows=one.label == YES,
                probability=one.confidence if one.label == YES else 1 - one.confidence,
                abstained=one.abstained,
            )
            for one in choices(answered, labels, decision)
        ]


def _second(sequence_ids: Sequence[int | None]) -> NDArray[np.int32]:
    """[2] start and end of the second sentence among the tokens of a pair."""
    places = [at for at, number in enumerate(sequence_ids) if number == 1] or [len(sequence_ids)]
    return np.array([places[0], places[-1] + 1], np.int32)


def _with_other(feature: Feature, batch: Sequence[Feature], most: int, draw: np.random.Generator) -> Feature:
    """The feature with a second sentence of another document, as far as the batch has one; at most `most` tokens."""
    others = [one for one in batch if one["document"][0] != feature["document"][0]]
    if not others:
        return feature
    other = others[int(draw.integers(len(others)))]
    (start, end), (from_, to) = feature["second"].tolist(), other["second"].tolist()
    to = min(to, from_ + most - (len(feature["input_ids"]) - (end - start)))
    changed = dict(feature)
    for name in ("input_ids", "token_type_ids"):
        if name in feature:
            changed[name] = np.concatenate([feature[name][:start], other[name][from_:to], feature[name][end:]])
    changed["second"] = np.array([start, start + to - from_], np.int32)
    return changed
