"""A written text for each row, and the texts that would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome
from burnish.metrics._overlap import Tokens, lcs_f1, pieces

HALF = 0.5  # a text that shares less than half with every gold text is what a reader would call wrong


@dataclass(frozen=True)
class TextOutcome(Outcome):
    """gold [N] tuples of texts that would do, written [N] texts.

    nll [N] is the negative log-likelihood of the first gold text in nats, summed over its n_tokens [N] tokens;
    is_chinese [N] says how texts are cut into words.
    """

    kind = "texts"
    headline = ("rouge_l", "rouge_1", "rouge_2", "bleu", "chrf", "perplexity")
    grouped = ("rouge_l", "perplexity")
    answer_noun = "texts"

    gold: Sequence[tuple[str, ...]]
    written: Sequence[str]
    nll: Floats
    n_tokens: Ints
    is_chinese: Bools

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: Ints) -> Self:
        chosen = np.asarray(rows, np.int64)
        return type(self)(
            [self.gold[row] for row in chosen],
            [self.written[row] for row in chosen],
            self.nll[chosen],
            self.n_tokens[chosen],
            self.is_chinese[chosen],
        )

    @cached_property
    def words(self) -> list[tuple[list[Tokens], Tokens]]:
        """Of each row the words of its gold texts, and of the written one."""
        return [
            ([pieces(text, is_chinese) for text in gold], pieces(written, is_chinese))
            for gold, written, is_chinese in zip(self.gold, self.written, self.is_chinese.tolist(), strict=True)
        ]

    @cached_property
    def likeness(self) -> Floats:
        """[N] ROUGE-L F1 with the gold text that is most like it (Lin 2004, §3)."""
        return np.array([max(lcs_f1(gold, found) for gold in golds) for golds, found in self.words], float)

    def gold_of(self, row: int) -> object:
        return tuple(self.gold[row])

    def distance(self) -> Floats:
        return 1.0 - self.likeness

    def is_wrong(self) -> Bools:
        return np.asarray(self.likeness < HALF)

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return list(self.gold[row]), [self.written[row]]

    @classmethod
    def toy(cls) -> Self:
        text = "a text of five words"
        return cls([(text,)] * 2, [text] * 2, np.zeros(2), np.full(2, 5), np.zeros(2, bool))
