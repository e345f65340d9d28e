"""How likely a model finds what is written: nothing is labelled, and nothing is right or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome


@dataclass(frozen=True)
class LikelihoodOutcome(Outcome):
    """nll [N]: the negative log-likelihood of a row's judged tokens, in nats; n_tokens [N]: how many these are."""

    kind = "likelihood"
    headline = ("perplexity",)
    grouped = ("perplexity",)

    nll: Floats
    n_tokens: Ints

    def __len__(self) -> int:
        return len(self.nll)

    def take(self, rows: Ints) -> Self:
        return type(self)(self.nll[rows], self.n_tokens[rows])

    def gold_of(self, row: int) -> object:
        """How many tokens were judged: two models can be compared where these are the same."""
        return int(self.n_tokens[row])

    def distance(self) -> Floats:
        return np.asarray(self.nll / np.maximum(self.n_tokens, 1))

    def is_wrong(self) -> Bools:
        return np.zeros(len(self), bool)

    @classmethod
    def toy(cls) -> Self:
        return cls(np.zeros(2), np.ones(2, np.int64))
