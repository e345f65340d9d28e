"""L2-SP: α / 2 × the squared distance from the start (Li, Grandvalet & Davoine 2018, arXiv 1802.01483, eq. 2)."""

import pytest
import torch
from tests.training.anchors.linear_past import HERE, Linear, past_of, penalty

from burnish.core.shelves import Shelf

START = [[1.0, 2.0], [3.0, 4.0]]


def test_the_penalty_is_half_the_weight_times_the_squared_distance():
    network = Linear(START)
    held = Shelf("anchors").build({"name": "l2sp", "weight": 0.1}).hold(past_of(network))
    assert penalty(held, network) == 0
    network.move([[0.0, 1.0], [2.0, 0.0]])
    assert penalty(held, network) == pytest.approx(0.1 / 2 * (1 + 4))


def test_its_gradient_leads_back_to_the_start():
    network = Linear(START)
    held = Shelf("anchors").build({"name": "l2sp", "weight": 0.1}).hold(past_of(network))
    network.move([[0.0, 1.0], [2.0, 0.0]])
    held.penalty(network, HERE).backward()
    torch.testing.assert_close(network.weight.grad, 0.1 * torch.tensor([[0.0, 1.0], [2.0, 0.0]]))


def test_rows_of_new_labels_are_free():
    network = Linear(START)
    held = Shelf("anchors").build({"name": "l2sp", "weight": 0.1}).hold(past_of(network, outputs=(1,)))
    network.move([[5.0, 5.0], [2.0, 0.0]])  # the first row is that of a label which the start did not have
    assert penalty(held, network) == pytest.approx(0.1 / 2 * 4)


def test_frozen_weights_are_left_out():
    network = torch.nn.Sequential(Linear(START), Linear(START))
    network[0].weight.requires_grad_(False)
    held = Shelf("anchors").build("l2sp").hold(past_of(network))
    assert list(held.weights) == ["1.weight"]
