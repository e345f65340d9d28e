"""Pictures and their texts, each searched by the other: at which place what belongs together was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome


@dataclass(frozen=True)
class PairingOutcome(Outcome):
    """picture_places: for each row the places [n texts], from 1, at which its texts find its picture; text_places [N]:
    the place at which its picture finds the first of its texts.

    `gold` names each row's picture; `gold_texts` and `found_texts` are what a reader is shown of it.
    """

    kind = "pairings"
    headline = (
        *("picture_recall_at_1", "picture_recall_at_5", "picture_recall_at_10"),
        *("text_recall_at_1", "text_recall_at_5", "text_recall_at_10", "pairing_mrr"),
    )
    grouped = ("picture_recall_at_10", "pairing_mrr")

    picture_places: Sequence[Ints]
    text_places: Ints
    gold: Sequence[str] = ()
    gold_texts: Sequence[Sequence[str]] = field(default=(), repr=False)
    found_texts: Sequence[Sequence[str]] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.text_places)

    def take(self, rows: Ints) -> Self:
        def some(column: Sequence[Any]) -> Sequence[Any]:
            return [column[row] for row in rows.tolist()] if len(column) else ()

        shown = some(self.gold), some(self.gold_texts), some(self.found_texts)
        return type(self)(some(self.picture_places), self.text_places[rows], *shown)

    def picture_recall(self, k: int) -> Floats:
        """[N] share of a row's texts that find its picture among the first k."""
        return np.array([float((places <= k).mean()) for places in self.picture_places])

    def text_recall(self, k: int) -> Floats:
        """[N] whether a row's picture finds one of its texts among the first k."""
        return np.asarray(self.text_places <= k, float)

    def reciprocal_rank(self) -> Floats:
        """[N] mean of 1 ÷ place in both directions."""
        by_text = np.array([float((1 / places).mean()) for places in self.picture_places])
        return (by_text + 1 / np.maximum(self.text_places, 1)) / 2

    def gold_of(self, row: int) -> object:
        return self.gold[row]

    def distance(self) -> Floats:
        return 1.0 - self.reciprocal_rank()

    def is_wrong(self) -> Bools:
        """[N] whether a text of the row finds another picture first, or its picture another text."""
        return np.array([bool((places > 1).any()) for places in self.picture_places], bool) | (self.text_places > 1)

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return list(self.gold_texts[row]), list(self.found_texts[row])

    @classmethod
    def toy(cls) -> Self:
        one = np.ones(1, np.int64)
        return cls([one, one], np.ones(2, np.int64), ["a", "b"], [["a"], ["b"]], [["a"], ["b"]])
