import json

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.evaluation.calibrations._contract import Calibration
from burnish.metrics._probabilities import probabilities


@pytest.fixture(params=Shelf("calibrations").names())
def calibration(request):
    return Shelf("calibrations").get(request.param)()


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(size=(300, 4)) * 6


def golds(kind, logits):
    draw = np.random.default_rng(1)
    return draw.integers(4, size=300) if kind == "softmax" else draw.random((300, 4)) < 0.5


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_its_parameters_are_plain_numbers_that_serve_without_this_room(calibration, logits, kind):
    assert isinstance(calibration, Calibration)
    parameters = calibration.fit(logits, golds(kind, logits), kind)
    assert "temperature" in parameters
    assert json.loads(json.dumps(parameters)) == parameters
    served = probabilities(logits, kind=kind, **parameters)
    assert np.array_equal(served, calibration.apply(logits, parameters, kind))


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_it_keeps_which_label_wins_and_gives_probabilities(calibration, logits, kind):
    parameters = calibration.fit(logits, golds(kind, logits), kind)
    given = calibration.apply(logits, parameters, kind)
    assert np.array_equal(given.argmax(axis=1), logits.argmax(axis=1))
    assert ((given >= 0) & (given <= 1)).all()
    if kind == "softmax":
        assert given.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_without_rows_it_changes_nothing(calibration, kind):
    gold = np.zeros(0, int) if kind == "softmax" else np.zeros((0, 4), bool)
    parameters = calibration.fit(np.zeros((0, 4)), gold, kind)
    logits = np.array([[1.0, 0.0, -2.0, 3.0]])
    assert calibration.apply(logits, parameters, kind) == pytest.approx(probabilities(logits, 1.0, kind))
