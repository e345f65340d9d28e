"""contrastive: a text twice in training, its halves when judged."""

import numpy as np
import pytest
import torch

from burnish.core.shelves import Shelf
from burnish.tasks._contract import Answered, Batch, Decision
from burnish.tasks.contrastive import Vector, halves_of


@pytest.fixture
def task():
    return Shelf("tasks").build("contrastive")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("good day all bad", ["good day", "all bad"]),
        ("决定下调利率", ["决定", "下调利率"]),
        ("abcd", ["ab", "cd"]),
        ("a", ["a", ""]),
        ("", ["", ""]),
    ],
)
def test_a_text_is_cut_at_a_word_near_its_middle(text, wanted):
    assert halves_of(text) == wanted


def test_training_reads_a_text_twice_and_not_its_halves(task, tiny_base):
    reader = task.load_reader(tiny_base, None, "")
    (one,) = task.encode([task.read({"text": "good day"}, True)], reader, ())
    feature = one.features[0]
    assert feature["n_each"].tolist() == [4, 3, 3]
    (twice,) = task.varied([feature], np.random.default_rng(0))
    assert twice["n_each"].tolist() == [4, 4]
    assert twice["input_ids"].tolist() == feature["input_ids"][:4].tolist() * 2


def test_the_loss_is_the_cross_entropy_of_the_own_second_reading(task):
    # readings (1,0), (1,0) and (0,1), (0,1): cosines 1 to the own, 0 to the other, over a temperature of 0.05
    vectors = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    loss = task.loss(vectors, Batch({}, {}, 2, 8, [2, 2]), None, 0.0)
    assert float(loss) == pytest.approx(np.log(1 + np.exp(-20)), abs=1e-6)
    crossed = task.loss(vectors[[0, 2, 2, 0]], Batch({}, {}, 2, 8, [2, 2]), None, 0.0)
    assert float(crossed) == pytest.approx(20, abs=1e-3)


def test_first_halves_look_for_second_ones_and_equal_ones_are_one(task):
    def row(halves, *vectors):
        return Answered({"text": "", "halves": halves}, [], [np.array(vectors, np.float32).reshape(-1)])

    rows = [
        row(["a", "x"], [0, 1], [1, 0], [1, 0]),
        row(["b", "y"], [0, 1], [1, 0], [0, 1]),  # its first half is nearer to x
        row(["c", "x"], [0, 1], [1, 0], [0, 1]),  # the same second half as the first row's
    ]
    outcome = task.outcome(rows, (), Decision())
    assert outcome.reciprocal_rank().tolist() == [1, 0.5, 1]


def test_an_answer_reads_as_a_line():
    answer = Vector(vector=tuple(np.full(16, 0.25)))
    assert answer.lines()[0].answer == "16 numbers: " + "0.2500 " * 8 + "…"
