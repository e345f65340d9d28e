"""Texts told from each other by their vectors, learnt from plain text alone: the base of search and similarity.

A text is read twice, and dropout makes the two readings differ; each must be nearer to the other than to every other
text of the batch (unsupervised SimCSE: Gao, Yao and Chen 2021, arXiv 2104.08821, §3). Without answers, what can be
judged is whether a text's first half finds its second half among those of all judged texts (inverse cloze: Lee, Chang
and Toutanova 2019, arXiv 1906.00300, §4), which training never sees as a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.data.segmentation import word_ends
from burnish.metrics._ranked import DEPTH, RankedOutcome
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
from burnish.tasks._pairs import choice_loss, pad_apart, side_by_side
from burnish.tasks._rows import text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

N_SHOWN = 8
QUERIES_AT_ONCE = 256


class Vector(Prediction):
    """The answer for one text."""

    vector: tuple[float, ...]
    """Where the text lies: numbers whose squares add up to 1. The more alike two texts, the larger their product."""

    def lines(self) -> list[Line]:
        first = " ".join(f"{number:.4f}" for number in self.vector[:N_SHOWN])
        return [Line(f"{len(self.vector)} numbers: {first} …")]


class Contrastive(Task):
    """A vector a text; each is told from those of the other texts of its batch."""

    wanted = (Wanted("text", True, "the text, best a sentence or a short paragraph"),)
    gold = frozenset()
    judged_as = RankedOutcome
    best_by = "mrr"
    least_labels = 0
    answer = Vector
    text_source = MappingProxyType({"name": "sentences"})

    head: Annotated[Part, Shelf("heads"), giving("vectors")] = Field(default="vector", validate_default=True)
    """A head that gives a vector a text: vector."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(("vector",), problem="regression")

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "halves": "list<string>"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        text = text_of(values, "text", is_labelled)
        return {"text": text, "halves": halves_of(text) if is_labelled else []}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        """The text, and behind it its halves where it is judged."""
        texts = [[example["text"], *example["halves"]] for example in examples]
        encodings = iter(tokenizer.ids([text for each in texts for text in each]))
        return [side_by_side([next(encodings) for _ in each]) for each in texts]

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        """What training reads: the text alone, twice."""
        return [_twice(feature) for feature in features]

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_apart(features, pad_id)
        rows_each = [len(feature["n_each"]) for feature in features]
        return Collated(inputs, {}, len(features), n_tokens, rows_each)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        """Cross-entropy of each text's last reading among those of the batch, by the reading before it."""
        import torch

        assert batch.rows_each is not None
        last = torch.tensor(batch.rows_each, device=logits.device).cumsum(0) - 1
        vectors = logits.float()
        own = torch.arange(len(last), device=logits.device)
        return choice_loss(vectors[last - 1] @ vectors[last].T, own, smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # a place in a ranking is no probability

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> RankedOutcome:
        """Each text's first half as a query, all second halves as what is searched."""
        halves = [[str(half) for half in row.example["halves"]] for row in answered]
        found = [np.split(row.outputs[0], 3) for row in answered]
        first = {second: row for row, (_, second) in reversed(list(enumerate(halves)))}  # equal halves are one
        names, ranked = list(first), list[list[str]]()
        seconds = np.stack([found[row][2] for row in first.values()]) if first else np.zeros((0, 1))
        for start in range(0, len(found), QUERIES_AT_ONCE):
            cosines = np.stack([vectors[1] for vectors in found[start : start + QUERIES_AT_ONCE]]) @ seconds.T
            order = np.argsort(-cosines, axis=1, kind="stable")[:, :DEPTH]
            ranked += [[names[at] for at in row] for row in order]
        return RankedOutcome.of([[second] for _, second in halves], ranked)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Vector]:
        return [Vector(vector=tuple(_whole(row).tolist())) for row in answered]


def halves_of(text: str) -> list[str]:
    """The text cut at the end of a word, as near to its middle as may be; a lone word is cut in itself."""
    inner = word_ends(text)[:-1]
    at = int(inner[np.abs(inner - len(text) / 2).argmin()]) if len(inner) else (len(text) + 1) // 2
    return [text[:at].strip(), text[at:].strip()]


def _twice(feature: Feature) -> Feature:
    n = int(feature["n_each"][0])
    return {"input_ids": np.tile(feature["input_ids"][:n], 2), "n_each": np.array([n, n], np.int32)}


def _whole(row: Answered) -> NDArray[np.float32]:
    """[H] the vector of the whole text: the first of the feature's."""
    return np.split(row.outputs[0], len(row.features[0]["n_each"]))[0]
