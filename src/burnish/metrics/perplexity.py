"""Perplexity: among how many equally likely tokens a model is torn, on average, at each that it must tell."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.metrics._resampling import ratio, score_once


class Perplexity(Metric):
    """Gives `perplexity`, 1 (best) … : e to the mean negative log-likelihood of a token (Jelinek et al. 1977).

    Only models with the same tokenizer can be compared by it; of masked tokens it is no probability of the text, and is
    also called pseudo-perplexity (Salazar et al. 2020, arXiv 1910.14659).
    """

    judges = (LikelihoodOutcome,)
    is_better_high = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, LikelihoodOutcome)
        return {"perplexity": np.exp(ratio(takes @ outcome.nll, takes @ outcome.n_tokens))}
