import json

import numpy as np
import pytest
from tests.monitoring.made import drawn, prediction

from burnish.monitoring import summary as s
from burnish.monitoring.summary import OTHERS, Reservoir, Summary


def test_it_counts_what_was_answered():
    found = Summary.of(
        [
            prediction(1, label="退款", is_abstained=True, private={"phone": 2, "email": 1}),
            prediction(2, is_abstained=True, is_out_of_scope=True, private={"phone": 1}),
            prediction(3, label=None, is_out_of_scope=True),
        ]
    )
    assert (found.n_rows, found.n_abstained, found.n_out_of_scope, found.n_unsure) == (3, 2, 2, 3)
    assert found.labels == {"退款": 1, "refund": 1}
    assert (found.n_private, found.private) == (2, {"phone": 3, "email": 1})


def test_what_a_prediction_does_not_tell_is_not_counted_as_nothing():
    found = Summary.of([prediction(confidence=None, n_characters=0, n_tokens=0, ms=0.0)])
    names = ("confidence", "n_characters", "share_cjk", "share_unknown", "ms")
    assert [len(getattr(found, name)) for name in names] == [0] * 5


def test_memory_does_not_grow_with_rows(monkeypatch):
    monkeypatch.setattr(s, "PIECE", 64)
    found = Summary.of(prediction(n, vector=[n, 1.0]) for n in range(3000))
    assert found.n_rows == len(found.confidence) == 3000
    assert found.vectors.shape == (500, 2)
    assert 0.3 < (found.vectors[:, 0] < 1500).mean() < 0.7  # drawn evenly, not the first ones


def test_labels_beyond_a_bound_are_counted_together(monkeypatch):
    monkeypatch.setattr(s, "MOST_LABELS", 2)
    found = Summary.of(prediction(n, label=label) for n, label in enumerate("abcda"))
    assert found.labels == {"a": 2, "b": 1, OTHERS: 2}


def test_vectors_of_another_length_are_left_out():
    found = Summary.of(prediction(n, vector=[0.5] * (3 if n % 3 else 2)) for n in range(9))
    assert found.vectors.shape == (6, 3)


def test_the_generator_chooses_the_vectors():
    many = [prediction(n, vector=[n]) for n in range(2000)]
    first, again, other = (Summary.of(many, np.random.default_rng(seed)).vectors for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_reservoir_keeps_every_item_equally_often():
    kept = np.zeros(10)
    for seed in range(600):
        reservoir = Reservoir(3, np.random.default_rng(seed))
        for item in range(10):
            reservoir.add(item)
        kept[reservoir.items] += 1
    assert kept / 600 == pytest.approx(0.3, abs=0.07)


@pytest.mark.parametrize("n", [0, 50])
def test_json_gives_it_back(n):
    found = Summary.of(drawn(n))
    written = json.loads(json.dumps(found.to_dict()))
    assert Summary.of_dict(written).to_dict() == found.to_dict()
    assert Summary.of_dict(written).vectors.shape == found.vectors.shape
