"""Corrected inputs get the vectors by which the guard knows their like."""

import numpy as np
import pytest
from tests.flows.conftest import ask, correct

import burnish
from burnish.flows import recording
from burnish.flows.nearness import fill_vectors


@pytest.fixture
def bare(home, monkeypatch):
    """Three answers that were kept without vectors, of which two are corrected."""
    monkeypatch.setattr(recording, "SHARE_WITH_VECTOR", -1.0)
    found = ask(home, ["good good", "bad bad", "good bad"])
    assert [one.vector for one in found] == [None] * 3
    correct(home, found[:2], ["good", "good"])
    return found


def predictor_of(home):
    return burnish.load(home.bundles.get(home.releases.find("intent").digest))


def test_what_was_corrected_gets_its_shares_and_the_rest_stays_bare(home, bare):
    predictor = predictor_of(home)
    fill_vectors(home, "intent", predictor)
    first, second, third = (home.predictions.find(one.id) for one in bare)
    assert third.vector is None
    for one, text in ((first, "good good"), (second, "bad bad")):
        [row] = predictor.answer([predictor.task.read({"text": text}, is_labelled=False)])
        logits = np.asarray(row.outputs[0], np.float64)
        shares = np.exp(logits) / np.exp(logits).sum()  # softmax, written apart from ours
        assert one.vector == pytest.approx(shares.tolist(), abs=1e-4)


def test_a_vector_that_is_there_stays(home, bare):
    home.predictions.put_vectors({bare[0].id: [0.5, 0.5]})
    fill_vectors(home, "intent", predictor_of(home))
    assert home.predictions.find(bare[0].id).vector == [0.5, 0.5]


def test_inputs_that_were_not_kept_are_passed_over(home):
    found = ask(home, ["good good"], keep="hashed")
    home.predictions.put_vectors({})
    correct(home, found, ["good"])
    fill_vectors(home, "intent", predictor_of(home))
    assert home.predictions.find(found[0].id).input is None
