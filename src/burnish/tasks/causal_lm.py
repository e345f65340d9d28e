"""Plain text, each token told from all before it: the pretraining of writing models, and its going on with your texts.

Nothing is labelled. The result is a base for `generation` and `dialogue`, whose answers then sound like the texts.
A long text is read in blocks, each by itself: what stands before a block is not seen, so perplexity is a little higher
than one read in sliding windows.
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
from burnish.tasks._blocks import BlockReader, Ints, Tokens, cut_in_blocks, tokens_of
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
from burnish.tasks._rows import pad_inputs, text_of
from burnish.tasks._writing import Places, gold_nll, loss_of_answers, packed, targets_of, told

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network


class Rated(Prediction):
    """The answer for one text: how well the model could have told it."""

    perplexity: float | None
    """Among how many equally likely tokens the model was torn, on average; null for a text of one token."""
    n_tokens: int
    """How many tokens were told."""

    def lines(self) -> list[Line]:
        return [Line("too short to tell" if self.perplexity is None else f"perplexity {self.perplexity:.2f}")]


class CausalLm(Task):
    """Cross-entropy of every token but a block's first. Judged by perplexity."""

    wanted = (Wanted("text", True, "the text to learn from"),)
    gold = frozenset()
    judged_as = LikelihoodOutcome
    best_by = "perplexity"
    least_labels = 0
    answer = Rated
    text_source = MappingProxyType({"name": "text"})

    head: Annotated[Part, Shelf("heads"), giving("next_words")] = Field(default="causal", validate_default=True)
    """causal (the base's own; the bundle loads in AutoModelForCausalLM)."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(())

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        return {"text": text_of(values, "text", is_labelled)}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def load_reader(self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False) -> BlockReader:
        """Its mark is the token that ends a text, which is learnt too: so a model knows when to stop."""
        from burnish.models.lm import end_ids, refuse_unless_decoder
        from burnish.models.tokenizer import load_tokenizer

        refuse_unless_decoder(folder)
        tokenizer = load_tokenizer(folder, max_length, prompt=prompt)
        end = end_ids(folder)[0]
        return BlockReader(tokenizer, tokenizer.backend.id_to_token(end) or "", end)

    def encode(self, examples: Sequence[Example], reader: BlockReader, labels: tuple[str, ...]) -> list[Encoded]:
        texts = [example["text"] for example in examples]
        return [
            _encoded(text, one, reader) for text, one in zip(texts, tokens_of(texts, reader.tokenizer), strict=True)
        ]

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        width = inputs["input_ids"].shape[1]
        inputs["places"], targets = targets_of(
            [_places(one["input_ids"], row * width) for row, one in enumerate(features)]
        )
        return Collated(inputs, targets, len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return loss_of_answers(logits, batch, smoothing)

    def ask(self, network: Network, batch: Batch) -> Tensor:
        return packed(*gold_nll(network, batch), ())

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # nothing is chosen

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> LikelihoodOutcome:
        rated = [_rated(row) for row in answered]
        return LikelihoodOutcome(
            np.array([nll for nll, _ in rated], float), np.array([n_tokens for _, n_tokens in rated], np.int64)
        )

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Rated]:
        return [
            Rated(perplexity=math.exp(nll / n_tokens) if n_tokens else None, n_tokens=n_tokens)
            for nll, n_tokens in map(_rated, answered)
        ]


def _encoded(text: str, tokens: Tokens, reader: BlockReader) -> Encoded:
    """The blocks of a text, the last with the token that ends it."""
    blocks = [tokens.ids[block] for block in cut_in_blocks(text, tokens.offsets, reader.room - 1)]
    blocks[-1] = np.append(blocks[-1], np.int32(reader.mark_id))
    return Encoded([{"input_ids": reader.around(block)} for block in blocks], n_tokens=len(tokens.ids))


def _places(ids: Ints, offset: int) -> Places:
    """Each token is told from the one before it; a block's first never is."""
    at = np.arange(1, len(ids))
    return Places(offset + at - 1, ids[1:], np.ones(len(at), bool))


def _rated(row: Answered) -> tuple[float, int]:
    """Negative log-likelihood of a text's blocks in nats, and of how many tokens."""
    blocks = [told(output) for output in row.outputs]
    return sum(one.nll for one in blocks), sum(one.n_tokens for one in blocks)
