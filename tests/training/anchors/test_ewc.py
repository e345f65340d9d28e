"""Elastic weight consolidation: λ / 2 Σ F (w − w₀)² (Kirkpatrick et al. 2017, arXiv 1612.00796, eq. 3).

For logits W x and an answer y drawn from them, the gradient of −log p(y) with respect to W[k] is (p_k − [y = k]) x. At
W = 0 with two outputs every p_k is a half, so its square is x² / 4 whichever answer is drawn.
"""

import pytest
import torch
from tests.training.anchors.linear_past import Linear, Rows, past_of, penalty

from burnish.core.events import Progress
from burnish.core.shelves import Shelf
from burnish.training.anchors._draws import surprise

NOTHING = [[0.0, 0.0], [0.0, 0.0]]


def held_of(network, old, weight=0.1, **about):
    return Shelf("anchors").build({"name": "ewc", "weight": weight}).hold(past_of(network, old, **about))


@pytest.mark.parametrize("answers", ["choice", "choices"])
def test_the_importance_of_a_weight_is_the_mean_square_of_its_gradient_divided_by_that_of_all(answers):
    # rows (1, 2) and (2, 0): squares [1/4, 1] and [1, 0] for either output, their sum [5/4, 1], on average 9/8
    network = Linear(NOTHING)
    held = held_of(network, Rows([[1, 2]], [[2, 0]]), answers=answers)
    torch.testing.assert_close(held.importance["weight"], torch.tensor([[10 / 9, 8 / 9]] * 2))
    network.move([[3.0, 0.0], [0.0, 1.0]])
    assert penalty(held, network) == pytest.approx(0.1 / 2 * (10 / 9 * 9 + 8 / 9 * 1), rel=1e-5)


def test_of_starts_and_ends_a_token_is_drawn_for_each():
    # tokens (1, 0) and (0, 4) are equally likely, so the gradient is ± half their difference (1, −4): squares 1/4, 4
    held = held_of(Linear(NOTHING), Rows([[[1, 0], [0, 4]]]), answers="places")
    torch.testing.assert_close(held.importance["weight"], torch.tensor([[0.25, 4.0]] * 2) / 2.125)


def test_of_numbers_the_importance_grows_with_what_they_are_made_of():
    # the gradient is the noise times x, so of x = (1, 2) the second weight counts four times as much as the first
    held = held_of(Linear(NOTHING), Rows([[1, 2]]), answers="values")
    importance = held.importance["weight"]
    torch.testing.assert_close(importance[:, 1], 4 * importance[:, 0])
    assert importance.mean() == pytest.approx(1)


def test_answers_are_drawn_from_the_logits():
    """Of 2,000 draws from softmax(0, log 3) three quarters are the second: the mean surprise is the entropy."""
    logits = torch.tensor([[0.0, 3.0]]).log1p().repeat(2000, 1)  # log 1 and log 4
    mean = surprise(logits, "choice", torch.Generator().manual_seed(1)) / 2000
    assert mean == pytest.approx(-(0.2 * torch.tensor(0.2).log() + 0.8 * torch.tensor(0.8).log()).item(), abs=0.03)


def test_outputs_that_the_start_did_not_have_are_free():
    network = Linear([*NOTHING, [0.0, 0.0]])
    held = held_of(network, Rows([[1, 2]]), outputs=(0, 2))
    # as if there were two outputs: squares 1/4 and 1; the new one, in the middle, gets nothing
    torch.testing.assert_close(held.importance["weight"], torch.tensor([[0.4, 1.6], [0.0, 0.0], [0.4, 1.6]]))
    network.move([[0.0, 0.0], [9.0, 9.0], [0.0, 0.0]])
    assert penalty(held, network) == 0


def test_a_start_that_nothing_can_change_is_held_by_nothing():
    network = Linear(NOTHING)
    held = held_of(network, Rows([[0, 0]]))
    network.move([[1.0, 1.0], [1.0, 1.0]])
    assert penalty(held, network) == 0


def test_dropout_plays_no_part_and_a_part_that_is_not_asked_has_no_importance():
    class Dropping(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.idle = Linear(NOTHING), Linear(NOTHING)

        def forward(self, x):
            return self.linear(torch.nn.functional.dropout(x, 0.5, self.training))

    network = Dropping().train()
    held = held_of(network, Rows(*([[1, 2]] for _ in range(8))))
    # 1 on average over the eight weights of both
    torch.testing.assert_close(held.importance["linear.weight"], 2 * torch.tensor([[0.4, 1.6]] * 2))
    assert not held.importance["idle.weight"].any()


def test_its_progress_is_told():
    told = []
    held_of(Linear(NOTHING), Rows([[1, 2]], [[2, 0]]), listen=told.append)
    assert told == [Progress("remember", 1, 2, "batches"), Progress("remember", 2, 2, "batches")]
