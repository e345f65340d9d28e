"""Words hidden in plain text, told from both sides: the pretraining of BERT, and its going on with your own texts.

Nothing is labelled. What is learnt is the language of the texts; the result is a base that every other task can start
from. Other words are hidden in every pass (Liu et al. 2019, arXiv 1907.11692, §4.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import Field

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._blocks import BlockReader
from burnish.tasks._contract import (
    Answered,
    AnswerPart,
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
from burnish.tasks._hiding import (
    ask_hidden,
    collate_hidden,
    encode_hidden,
    hidden_loss,
    load_masking_reader,
    masked_anew,
    said_of,
)
from burnish.tasks._rows import text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network


class Guess(AnswerPart):
    """A word that may stand in a blank."""

    word: str
    """The word, or the piece of one that the tokenizer knows."""
    probability: float
    """Its probability, 0 to 1, as the network gives it."""


class Blank(AnswerPart):
    """A mask in the text."""

    start: int
    """First character of it, counted from 0 in the text as it was given."""
    end: int
    """Character after the last."""
    words: tuple[Guess, ...]
    """What may stand there, the likeliest first."""


class Filled(Prediction):
    """The answer for one text."""

    blanks: tuple[Blank, ...]
    """Its masks, with what may stand there; empty for a text without any."""
    perplexity: float | None
    """Of a text without masks: how far the network is torn over words of it that are hidden; 1 is not at all."""

    def lines(self) -> list[Line]:
        if self.perplexity is not None:
            return [Line(f"perplexity {self.perplexity:.2f}")]
        return [
            Line(f"{one.word}  [{blank.start}:{blank.end}]", one.probability)
            for blank in self.blanks
            for one in blank.words
        ]


class MaskedLm(Task):
    """Cross-entropy of hidden tokens. Judged by perplexity, on words that are the same in every run."""

    wanted = (Wanted("text", True, "the text to learn from; [MASK] in it is filled when predicting"),)
    gold = frozenset()
    judged_as = LikelihoodOutcome
    best_by = "perplexity"
    least_labels = 0
    answer = Filled
    text_source = MappingProxyType({"name": "text"})

    head: Annotated[Part, Shelf("heads"), giving("hidden_words")] = Field(default="masked", validate_default=True)
    """masked (the architecture's own; the bundle loads in AutoModelForMaskedLM)."""

    share: float = Field(default=0.15, gt=0, lt=1)
    """Share of the words that are hidden."""

    whole_words: bool = True
    """Whether all pieces of a word are hidden together (Chinese words too), or each token by itself."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(("token",))

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        return {"text": text_of(values, "text", is_labelled)}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def load_reader(self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False) -> BlockReader:
        from burnish.models.tokenizer import load_tokenizer

        return load_masking_reader(folder, load_tokenizer(folder, max_length, prompt=prompt))

    def encode(self, examples: Sequence[Example], reader: BlockReader, labels: tuple[str, ...]) -> list[Encoded]:
        return encode_hidden([example["text"] for example in examples], reader, self.share, self.whole_words)

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        return [masked_anew(feature, self.share, draw) for feature in features]

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        return collate_hidden(features, pad_id)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return hidden_loss(logits, batch, smoothing)

    def ask(self, network: Network, batch: Batch) -> Tensor:
        return ask_hidden(network, batch)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # nothing is chosen

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> LikelihoodOutcome:
        said = [said_of(row.outputs) for row in answered]
        return LikelihoodOutcome(
            np.array([one.nll for one in said], float), np.array([one.n_tokens for one in said], np.int64)
        )

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Filled]:
        return [_filled(row) for row in answered]


def _filled(row: Answered) -> Filled:
    said = said_of(row.outputs)
    spans = np.concatenate([feature["blanks"] for feature in row.features]).reshape(-1, 2).tolist()
    blanks = tuple(
        Blank(start=start, end=end, words=tuple(Guess(word=word, probability=share) for word, share in words))
        for (start, end), words in zip(spans, said.words, strict=True)
    )
    perplexity = None if blanks or not said.n_tokens else math.exp(said.nll / said.n_tokens)
    return Filled(blanks=blanks, perplexity=perplexity)
