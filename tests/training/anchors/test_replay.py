"""Dark experience replay: α × the squared distance of logits (Buzzega et al. 2020, arXiv 2004.07211, eq. 5)."""

import pytest
import torch
from tests.training.anchors.linear_past import Linear, Rows, past_of, penalty

from burnish.core.errors import UserError
from burnish.core.seeds import generator
from burnish.core.shelves import Shelf
from burnish.training.steps import Position

START = [[1.0, 2.0], [3.0, 4.0]]
MOVED = [[1.0, 0.0], [0.0, 2.0]]
ROWS = Rows([[1, 0], [0, 1]])  # the logits of such rows are the columns of W


def held_of(network, old=ROWS, weight=0.5, **about):
    return Shelf("anchors").build({"name": "replay", "weight": weight}).hold(past_of(network, old, **about))


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, 0.5 * (1 + 0 + 0 + 4) / 4),  # the mean over rows and outputs
        ({"answers": "values"}, 0.5 * (1 + 4) / 2),  # of vectors the squared length of the difference
        ({"outputs": (1,)}, 0.5 * (0 + 4) / 2),  # the first output is new, and free
    ],
)
def test_the_penalty_is_the_weight_times_the_squared_distance_of_logits(about, expected):
    network = Linear(START)
    held = held_of(network, **about)
    assert penalty(held, network) == 0
    network.move(MOVED)
    assert penalty(held, network) == pytest.approx(expected)


def test_padding_is_not_rehearsed():
    network = Linear(START)
    rows = [[[1, 0], [0, 1]], [[1, 0], [9, 9]]]
    held = held_of(network, Rows(rows, mask=[[1, 1], [1, 0]]))
    network.move(MOVED)
    assert penalty(held, network) == pytest.approx(0.5 * (1 + 4 + 1) / 6)  # three real tokens of two outputs


def test_the_batch_is_drawn_by_seed_epoch_and_position_alone():
    network = Linear(START)
    held = held_of(network, Rows([[1, 0]], [[0, 1]], [[1, 1]]))
    network.move(MOVED)
    of_batch = [0.5 * 1 / 2, 0.5 * 4 / 2, 0.5 * (1 + 4) / 2]
    for epoch, batch in ((0, 0), (0, 1), (1, 0), (3, 9)):
        number = int(generator(7, "replay", epoch, batch).integers(3))
        for step in (0, 5):
            assert penalty(held, network, Position(step, epoch, batch)) == pytest.approx(of_batch[number])
    assert len({penalty(held, network, Position(0, 0, batch)) for batch in range(20)}) == 3


def test_the_start_answers_without_dropout():
    class Dropping(Linear):
        def forward(self, x):
            return super().forward(torch.nn.functional.dropout(x, 0.5, self.training))

    network = Dropping(START).train()
    assert held_of(network).wanted[0].tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_answers_that_would_fill_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr("burnish.training.anchors.replay.MOST_BYTES", 15)  # two rows of two numbers are 16
    with pytest.raises(UserError) as caught:
        held_of(Linear(START))
    assert str(caught.value) == (
        "train.anchor: the answers that replay would keep take more than 0 GB; set fewer rows, or name l2sp or ewc, "
        "which keep none."
    )
