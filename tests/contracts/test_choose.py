"""Every part of the shelf `choose`: distinct inputs that can be shown, at most as many as asked, drawn alike again."""

import numpy as np
import pytest
from tests.feedback.said import classified, predicted

from burnish.core.shelves import Shelf
from burnish.feedback.choose._contract import Chooser

SHELF = Shelf("choose")
every_chooser = pytest.mark.parametrize("name", SHELF.names())


def answers(n=40):
    """Every third input was answered by a shadow too, every fifth came twice, and of one nothing was kept."""
    draw = np.random.default_rng(0)
    made = []
    for i in range(n):
        p = float(draw.random())
        more = {"input_digest": f"d{i - i % 5 // 4}", "vector": [p, 1 - p], "confidence": max(p, 1 - p)}
        label, other = ("a", "b") if p > 0.5 else ("b", "a")
        row = None if i == 7 else {"text": f"text {i}"}
        made.append(predicted(classified(label, others=(other,)), row, id=f"p{i}", **more))
        if i % 3 == 0:
            shadow = {**more, "traffic": "shadow", "version": 2}
            made.insert(0, predicted(classified("a", others=("b",)), row, id=f"s{i}", **shadow))
    return made


def digests(predictions, chosen):
    return [predictions[index].input_digest for index in chosen]


@every_chooser
@pytest.mark.parametrize("n", [0, 1, 5, 1000])
def test_it_chooses_distinct_inputs_that_were_kept(name, n):
    predictions = answers()
    chosen = SHELF.build(name).choose(predictions, n, np.random.default_rng(1))
    assert len(chosen) <= n
    assert all(type(index) is int for index in chosen)
    assert len(set(digests(predictions, chosen))) == len(chosen)
    assert all(predictions[index].input is not None for index in chosen)
    assert all(predictions[index].traffic == "live" for index in chosen)


@every_chooser
def test_the_same_draw_chooses_the_same_again(name):
    predictions = answers()
    once, again = (SHELF.build(name).choose(predictions, 7, np.random.default_rng(3)) for _ in range(2))
    assert once == again


@every_chooser
def test_it_is_a_chooser_that_says_where_it_does_not_fit(name):
    chooser = SHELF.build(name)
    assert isinstance(chooser, Chooser)
    assert chooser.refusal(answers()) is None
    assert SHELF.build(chooser.as_recipe()) == chooser


@every_chooser
def test_where_nothing_was_kept_nothing_is_chosen_or_it_says_why(name):
    predictions = [predicted(classified(), None)]
    chooser = SHELF.build(name)
    if chooser.refusal(predictions) is None:
        assert chooser.choose(predictions, 5, np.random.default_rng(0)) == []
