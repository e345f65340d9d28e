"""How surprised the network is, a token: by the gold texts, or by the very text that it is to learn."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.metrics._resampling import ratio, score_once
from burnish.metrics._texts import TextOutcome

MOST_NATS = 80.0  # exp of it is still finite in a report; a network that is surer of nonsense is told as that


class Perplexity(Metric):
    """Gives `perplexity`, 1 (best) and up: exp of the mean negative log-likelihood of a token (Jelinek et al. 1977).

    Of several gold texts the first counts. Of hidden tokens it is no probability of the text, and is also called
    pseudo-perplexity (Salazar et al. 2020, arXiv 1910.14659). Tokens are the base's own: perplexities of bases with
    other vocabularies cannot be compared.
    """

    judges = (TextOutcome, LikelihoodOutcome)
    is_better_high = False
    is_share = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, TextOutcome | LikelihoodOutcome)
        mean = ratio(takes @ outcome.nll, takes @ outcome.n_tokens)
        return {"perplexity": np.exp(np.minimum(mean, MOST_NATS))}
