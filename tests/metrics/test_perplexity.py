import math

import numpy as np
import pytest

from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.metrics.perplexity import Perplexity


def test_perplexity_weighs_tokens_not_rows():
    # 1 token at probability 1/2 and 3 at 1/8 each: e^((ln 2 + 3 ln 8) / 4) = 2^(10/4)
    outcome = LikelihoodOutcome(np.array([math.log(2), 3 * math.log(8)]), np.array([1, 3]))
    assert Perplexity().score(outcome) == {"perplexity": pytest.approx(2**2.5)}
    assert outcome.distance().tolist() == pytest.approx([math.log(2), math.log(8)])


def test_rows_without_tokens_change_nothing():
    outcome = LikelihoodOutcome(np.array([math.log(4), 0.0]), np.array([1, 0]))
    assert Perplexity().score(outcome)["perplexity"] == pytest.approx(4)
    assert not outcome.is_wrong().any()
    assert [outcome.gold_of(row) for row in (0, 1)] == [1, 0]
