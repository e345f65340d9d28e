import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from burnish.evaluation.calibrations.beta import Beta
from burnish.evaluation.calibrations.temperature import Temperature
from burnish.metrics._probabilities import Bend
from burnish.metrics._single import SingleOutcome
from burnish.metrics.ece import Ece


def two_label_logits(p):
    """Logits whose softmax gives the first of two labels the probability p."""
    return np.stack([logit(p), np.zeros_like(p)], axis=1)


def bent_world(n_rows, seed, bend):
    """Winners with probabilities 0.7 … 0.99 that are right as often as the bend says."""
    draw = np.random.default_rng(seed)
    p = draw.uniform(0.7, 0.99, n_rows)
    truth = expit(bend.logit(p, 1 - p))
    return two_label_logits(p), (draw.random(n_rows) >= truth).astype(int)


def ece(calibration, parameters, logits, gold):
    given = calibration.apply(logits, parameters, "softmax")
    return Ece().score(SingleOutcome(gold, given, ("a", "b")))["ece"]


def test_the_curve_is_logistic_regression_on_both_logs():
    """With many rows the belief in no bend weighs nothing, so scikit-learn's unpenalised fit is the reference."""
    logits, gold = bent_world(100_000, 0, Bend(1.2, 1.8, -0.6))
    found = Beta().fit(logits, gold, "softmax")
    plain = Temperature().apply(logits, {"temperature": found["temperature"]}, "softmax")
    chosen = np.unique(np.linspace(0, len(logits) - 1, 50_000).astype(int))
    p, is_right = plain.max(axis=1)[chosen], (plain.argmax(axis=1) == gold)[chosen]
    model = LogisticRegression(C=np.inf, tol=1e-8).fit(np.stack([np.log(p), -np.log1p(-p)], axis=1), is_right)
    expected = Bend(*model.coef_[0], model.intercept_[0])
    ours = Bend(found["low"], found["high"], found["offset"])
    grid = np.linspace(0.7, 0.99, 30)
    assert expit(ours.logit(grid, 1 - grid)) == pytest.approx(expit(expected.logit(grid, 1 - grid)), abs=0.01)


def test_it_mends_what_one_temperature_cannot():
    bend = Bend(1.0, 2.0, -1.5)
    dev, test = bent_world(3000, 1, bend), bent_world(20_000, 2, bend)
    bent, plain = Beta().fit(*dev, "softmax"), Temperature().fit(*dev, "softmax")
    assert ece(Temperature(), plain, *test) > 0.025
    assert ece(Beta(), bent, *test) < 0.015


def test_a_small_dev_set_bends_little():
    logits, gold = bent_world(20, 3, Bend())
    found = Beta().fit(logits, gold, "softmax")
    assert abs(found["low"] - 1) < 1
    assert abs(found["high"] - 1) < 1
    assert abs(found["offset"]) < 1


def test_a_dev_set_without_mistakes_does_not_make_it_certain():
    logits = two_label_logits(np.full(30, 0.9))
    found = Beta().fit(logits, np.zeros(30, int), "softmax")
    assert Beta().apply(logits[:1], found, "softmax")[0, 0] < 0.9999
