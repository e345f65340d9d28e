import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax

from burnish.core.errors import SickRun
from burnish.evaluation.calibrations.none import NoCalibration
from burnish.evaluation.calibrations.temperature import HIGHEST, LOWEST, Temperature
from burnish.metrics._probabilities import probabilities
from burnish.metrics._single import SingleOutcome
from burnish.metrics.ece import Ece


def drawn(temperature, n_rows=4000, n_labels=6, seed=0):
    """Logits, and gold labels drawn from softmax(logits / temperature): calibrated at that temperature exactly."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(n_rows, n_labels)) * 5
    edges = probabilities(logits, temperature, "softmax").cumsum(axis=1)
    return logits, (draw.random((n_rows, 1)) > edges[:, :-1]).sum(axis=1)


def judged(calibration, parameters, logits, gold):
    shares = calibration.apply(logits, parameters, "softmax")
    return SingleOutcome(gold, shares, tuple(map(str, range(logits.shape[1]))))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5, 6.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature):
    found = Temperature().fit(*drawn(temperature), "softmax")["temperature"]
    assert found == pytest.approx(temperature, rel=0.06)


def test_many_rows_give_the_most_likely_temperature():
    logits, gold = drawn(2.5)

    def nll(log):
        return -log_softmax(logits / np.exp(log), axis=1)[np.arange(len(gold)), gold].mean()

    expected = float(np.exp(minimize_scalar(nll, bounds=(-3, 3), method="bounded").x))
    assert Temperature().fit(logits, gold, "softmax")["temperature"] == pytest.approx(expected, rel=2e-3)


def test_yes_or_no_decisions_share_one_temperature():
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(2000, 5)) * 5
    gold = draw.random((2000, 5)) < expit(logits / 3)
    assert Temperature().fit(logits, gold, "sigmoid")["temperature"] == pytest.approx(3, rel=0.06)


def test_the_calibration_error_of_new_rows_falls_below_two_percent():
    parameters = Temperature().fit(*drawn(3.0, seed=1), "softmax")
    logits, gold = drawn(3.0, n_rows=20_000, seed=2)
    before = Ece().score(judged(NoCalibration(), {"temperature": 1.0}, logits, gold))["ece"]
    after = Ece().score(judged(Temperature(), parameters, logits, gold))["ece"]
    assert before > 0.1
    assert after < 0.02


@pytest.mark.parametrize("n_rows", [1, 5, 20, 200])
def test_a_dev_set_without_errors_gives_the_confidence_of_the_rule_of_succession(n_rows):
    gap = np.linspace(3.0, 3.2, n_rows)
    logits = np.stack([gap, np.zeros(n_rows)], axis=1)
    parameters = Temperature().fit(logits, np.zeros(n_rows, int), "softmax")
    confidence = Temperature().apply(logits, parameters, "softmax")[:, 0].mean()
    assert confidence == pytest.approx(1 - 1 / (n_rows + 2), abs=2e-3)


def test_the_temperature_stays_within_its_bounds():
    always_wrong = np.array([[9.0, 0.0]] * 50)
    assert Temperature().fit(always_wrong, np.ones(50, int), "softmax")["temperature"] == pytest.approx(HIGHEST)
    hardly_apart = np.array([[1e-4, 0.0]] * 50)
    assert Temperature().fit(hardly_apart, np.zeros(50, int), "softmax")["temperature"] == pytest.approx(LOWEST)


def test_logits_that_say_nothing_leave_the_temperature_at_one():
    assert Temperature().fit(np.zeros((9, 3)), np.zeros(9, int), "softmax") == {"temperature": 1.0}


def test_logits_in_half_precision_are_taken():
    logits, gold = drawn(2.0)
    half = Temperature().fit(logits.astype(np.float16), gold, "softmax")["temperature"]
    assert half == pytest.approx(Temperature().fit(logits, gold, "softmax")["temperature"], rel=1e-3)


def test_a_broken_model_is_not_calibrated():
    logits = np.array([[1.0, 0.0], [np.nan, 0.0], [np.inf, 0.0]])
    with pytest.raises(SickRun) as caught:
        Temperature().fit(logits, np.zeros(3, int), "softmax")
    assert str(caught.value) == (
        "calibration: 2 of 3 dev rows have logits that are NaN or infinite, so the model is broken; "
        "train again with a lower train.learning_rate."
    )
