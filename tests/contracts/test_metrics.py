import math

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.metrics._answers import AnswerOutcome
from burnish.metrics._contract import Metric
from burnish.metrics._joint import JointOutcome
from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._pairings import PairingOutcome
from burnish.metrics._ranked import RankedOutcome
from burnish.metrics._recommended import RecommendedOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._resampling import Resampled
from burnish.metrics._scores import ScoreOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome
from burnish.metrics._texts import TextOutcome
from burnish.metrics._transcripts import TranscriptOutcome

NAMES = Shelf("metrics").names()
KINDS = [
    SingleOutcome,
    RelationOutcome,
    MultiOutcome,
    SpanOutcome,
    ScoreOutcome,
    RankedOutcome,
    AnswerOutcome,
    TextOutcome,
    LikelihoodOutcome,
    TranscriptOutcome,
    RecommendedOutcome,
    PairingOutcome,
    JointOutcome,
]
BEST = {"perplexity": 1.0}
"""The best value of metrics that end elsewhere than at 0 or 1."""
CASES = [(name, kind) for name in NAMES for kind in KINDS if kind in Shelf("metrics").get(name).judges]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1].__name__}")
def case(request):
    name, kind = request.param
    return Shelf("metrics").get(name)(), kind


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_judges_something_and_says_what_it_is_in_one_line(name):
    metric = Shelf("metrics").get(name)()
    assert isinstance(metric, Metric)
    assert metric.part_name == name
    assert metric.judges
    assert set(metric.judges) <= set(KINDS)
    assert Shelf("metrics").summary(name).endswith(".")


def test_its_own_name_is_among_its_scores_and_all_are_finite(case, make_outcome):
    metric, kind = case
    scores = metric.score(make_outcome(kind))
    assert metric.part_name in scores
    assert all(math.isfinite(value) for value in scores.values())


def test_a_perfect_prediction_scores_at_least_as_well_as_any_other(case, make_outcome):
    metric, kind = case
    sign = 1 if metric.is_better_high else -1
    best = metric.score(make_outcome(kind, is_perfect=True))
    for seed in range(5):
        scores = metric.score(make_outcome(kind, seed=seed))
        assert all(sign * best[name] >= sign * value for name, value in scores.items())
    assert best[metric.part_name] == pytest.approx(BEST.get(metric.part_name, 1.0 if metric.is_better_high else 0.0))


def test_rows_in_another_order_score_the_same(case, make_outcome):
    metric, kind = case
    outcome = make_outcome(kind, seed=3)
    shuffled = outcome.take(np.random.default_rng(0).permutation(len(outcome)))
    assert metric.score(shuffled) == pytest.approx(metric.score(outcome), abs=1e-12)


def test_no_rows_score_without_a_warning(case, make_outcome):
    metric, kind = case
    scores = metric.score(make_outcome(kind).take(np.array([], dtype=np.int64)))
    assert all(math.isfinite(value) for value in scores.values())


def test_a_resample_by_counting_equals_the_score_of_copied_rows(case, make_outcome):
    metric, kind = case
    if not isinstance(metric, Resampled):
        pytest.skip("scores copied rows anyway")
    outcome = make_outcome(kind, seed=4)
    draw = np.random.default_rng(1)
    takes = np.stack([np.bincount(draw.integers(60, size=60), minlength=60) for _ in range(4)])
    fast = metric.resampled(outcome, takes)
    for resample, taken in enumerate(takes):
        copied = metric.score(outcome.take(np.repeat(np.arange(60), taken)))
        assert {name: values[resample] for name, values in fast.items()} == pytest.approx(copied, abs=1e-12)
