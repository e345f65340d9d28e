"""Each way of choosing, on inputs whose right choice can be told by hand."""

import re

import numpy as np
import pytest
from tests.feedback.said import classified, found, predicted

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.feedback.choose.diverse import k_centers, side_by_side

SHELF = Shelf("choose")


def chosen(name, predictions, n, seed=0, **settings):
    picked = SHELF.build({"name": name, **settings}).choose(predictions, n, np.random.default_rng(seed))
    return [predictions[index].id for index in picked]


def made(name, label="a", **more):
    row = more.pop("row", {"text": name})
    answer = more.pop("answer", classified(label, others=("b",)))
    return predicted(answer, row, id=name, **{"input_digest": f"of {name}", **more})


# least_confident


def test_the_least_confident_come_first_and_those_without_confidence_last():
    predictions = [made("sure", confidence=0.9), made("none"), made("torn", confidence=0.5), made("so", confidence=0.7)]
    assert chosen("least_confident", predictions, 3) == ["torn", "so", "sure"]
    assert chosen("least_confident", predictions, 9)[-1] == "none"


def test_ties_are_broken_by_the_draw():
    predictions = [made(f"p{i}", confidence=0.5) for i in range(10)]
    firsts = {chosen("least_confident", predictions, 1, seed)[0] for seed in range(40)}
    assert len(firsts) > 5


# margin


def test_the_nearest_first_and_second_choice_come_first():
    predictions = [
        made("wide", confidence=0.6, answer=classified("a", 0.6, ("b", "c", "d", "e"))),  # 0.6 − 0.1
        made("near", confidence=0.7, answer={**classified(), "runners_up": [{"label": "b", "confidence": 0.68}]}),
        made("told", confidence=0.9, answer={"labels": []}, vector=[0.5, 0.4, 0.1]),  # 0.1
        made("no probabilities", answer={"text": "x"}, vector=[3.0, 2.9, -1.0]),
        made("nothing", answer={"text": "x"}),
    ]
    assert chosen("margin", predictions, 3) == ["near", "told", "wide"]
    assert set(chosen("margin", predictions, 5)[3:]) == {"no probabilities", "nothing"}


# disagreement


def versions(name, *labels):
    """The answers of versions 1, 2, … to one input; the first is live."""
    traffic = ("live", "shadow", "canary", "shadow")
    return [
        made(f"{name}{version}", label, input_digest=name, version=version, traffic=traffic[version - 1])
        for version, label in enumerate(labels, 1)
    ]


def test_inputs_on_which_versions_disagree_most_come_first():
    # entropies: 2 against 1: 0.637; all three differ: ln 3 = 1.099; one mind: 0
    predictions = versions("agreed", "a", "a", "a") + versions("split", "a", "a", "b") + versions("torn", "a", "b", "c")
    assert chosen("disagreement", predictions, 9) == ["torn1", "split1"]
    assert chosen("disagreement", predictions, 1) == ["torn1"]


def test_a_version_has_one_vote_its_newest_answer():
    two = versions("x", "a", "b")
    later = made("late", "a", input_digest="x", version=2, traffic="shadow", at=200.0)
    assert chosen("disagreement", two, 9) == ["x1"]
    assert chosen("disagreement", [*two, later], 9) == []


@pytest.mark.parametrize(
    ("one", "other", "is_split"),
    [
        (found((0, 3, "PER")), found((0, 3, "PER")), False),
        (found((0, 3, "PER")), found((0, 4, "PER")), True),
        ({"score": 0.71}, {"score": 0.74}, False),
        ({"score": 0.71}, {"score": 0.91}, True),
        (
            {"mood": classified("a"), "topic": classified("x")},
            {"mood": classified("a"), "topic": classified("y")},
            True,
        ),
        ("一", "二", True),
    ],
)
def test_answers_of_every_form_are_compared_without_their_confidence(one, other, is_split):
    predictions = [made("x", answer=one), made("y", answer=other, input_digest="of x", version=2, traffic="shadow")]
    assert chosen("disagreement", predictions, 9) == (["x"] if is_split else [])


def test_without_a_second_version_there_is_no_disagreement():
    with pytest.raises(UserError, match=re.escape("disagreement needs inputs that at least two versions answered;")):
        chosen("disagreement", versions("x", "a"), 1)


# diverse


def test_centers_are_the_farthest_from_all_before():
    # on a line: from 0 the farthest is 10, then 4 (4 from 0, 6 from 10, against 1 and 9, each 1 away)
    points = np.array([[0.0], [1.0], [4.0], [9.0], [10.0]])
    assert k_centers(points, 3, 0) == [0, 4, 2]
    assert k_centers(points, 9, 0)[:3] == [0, 4, 2]
    assert sorted(k_centers(np.zeros((4, 2)), 9, 2)) == [0, 1, 2, 3]


def test_the_first_center_is_drawn():
    predictions = [made(f"p{i}", vector=[float(i), 1.0]) for i in range(10)]
    assert len({chosen("diverse", predictions, 1, seed)[0] for seed in range(40)}) > 5


def test_one_of_each_heap_is_chosen_before_any_heap_gives_two():
    draw = np.random.default_rng(0)
    centres = [[10, 0], [0, 10], [-10, 0], [0, -10]]
    predictions = [
        made(f"{heap}-{i}", vector=(np.array(centre) + draw.normal(size=2) * 0.1).tolist())
        for heap, centre in enumerate(centres)
        for i in range(20)
    ]
    assert {name.split("-")[0] for name in chosen("diverse", predictions, 4)} == {"0", "1", "2", "3"}


def test_a_label_that_an_older_version_did_not_know_has_no_probability_there():
    assert side_by_side([(0.5, 0.5), (0.2, 0.3, 0.5)]).tolist() == [[0.5, 0.5, 0], [0.2, 0.3, 0.5]]
    assert side_by_side([]).shape == (0, 0)


def test_answers_without_a_vector_are_passed_over_and_without_any_it_refuses():
    assert chosen("diverse", [made("x"), made("y", vector=[1.0])], 5) == ["y"]
    with pytest.raises(UserError, match=r"diverse needs the vectors of answers, and none was kept; choose another way"):
        chosen("diverse", [made("x")], 5)


# random


def test_an_input_is_drawn_as_often_as_users_meet_it():
    often = [made(f"often{i}", input_digest="often") for i in range(3)]
    predictions = [*often, made("seldom")]
    firsts = [chosen("random", predictions, 1, seed)[0] for seed in range(400)]
    assert firsts.count("often0") / 400 == pytest.approx(0.75, abs=0.07)  # 3 standard errors
    assert set(chosen("random", predictions, 5)) == {"often0", "seldom"}


# mixed


def crowd(n=100):
    draw = np.random.default_rng(5)
    return [made(f"p{i}", confidence=0.5 + i / (2 * n), vector=draw.normal(size=3).tolist()) for i in range(n)]


def test_shares_are_kept_and_the_random_ones_come_first_untouched_by_the_others():
    predictions = crowd()
    parts = SHELF.build("mixed").parts(predictions, 10, np.random.default_rng(2))
    assert {name: len(own) for name, own in parts.items()} == {"random": 3, "diverse": 3, "least_confident": 4}
    alone = SHELF.build("random").choose(predictions, 3, np.random.default_rng(2))
    assert parts["random"] == alone
    assert [predictions[i].id for i in [*parts["random"], *parts["diverse"], *parts["least_confident"]]] == chosen(
        "mixed", predictions, 10, seed=2
    )


def test_other_shares_choose_otherwise():
    predictions = crowd()
    assert chosen("mixed", predictions, 4, shares={"least_confident": 1.0}) == ["p0", "p1", "p2", "p3"]
    parts = SHELF.build({"name": "mixed", "shares": {"random": 0.5, "margin": 0.5}}).parts(
        predictions, 10, np.random.default_rng(0)
    )
    assert {name: len(own) for name, own in parts.items()} == {"random": 5, "margin": 5}


def test_the_share_of_a_way_that_does_not_fit_goes_to_the_others():
    predictions = [made(f"p{i}", confidence=i / 100) for i in range(50)]  # no vectors: diverse does not fit
    parts = SHELF.build("mixed").parts(predictions, 14, np.random.default_rng(0))
    assert {name: len(own) for name, own in parts.items()} == {"random": 6, "least_confident": 8}  # 3 : 4 of 14


def test_what_a_way_cannot_fill_the_others_fill_but_never_chance():
    predictions = [*versions("x", "a", "b"), *(made(f"p{i}", confidence=i / 100) for i in range(50))]
    shares = {"random": 0.2, "disagreement": 0.5, "margin": 0.3}
    parts = SHELF.build({"name": "mixed", "shares": shares}).parts(predictions, 10, np.random.default_rng(0))
    assert len(parts["random"]) == 2
    assert len(parts["disagreement"]) <= 1
    assert sum(map(len, parts.values())) == 10


@pytest.mark.parametrize(
    ("shares", "sentence"),
    [
        ({"margn": 1.0}, "has no way 'margn'. Did you mean 'margin'? The ways are: "),
        ({"mixed": 1.0}, "has no way 'mixed'."),
        ({"random": 0.5}, "must make 1 together; got 0.5"),
        ({"random": 1.5, "margin": -0.5}, "must be above 0 for each way; got -0.5 for 'margin'; leave it out"),
        ({"random": float("nan")}, "must be above 0 for each way; got nan for 'random'"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        SHELF.build({"name": "mixed", "shares": shares})
