"""Where the loop asks the anchor: once a batch, with the batch's place, and never in what is told of the loss."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from tests.training.anchors.linear_past import Linear
from tiny_training import TinyBert, fingerprint, tiny_plan

from burnish.training.anchors._contract import Anchor
from burnish.training.loop import train_epoch
from burnish.training.steps import Position
from burnish.training.tensors import weights_of


class Pulling:
    """The penalty is the sum of the head's weights, so its gradient is 1 wherever they are."""

    def __init__(self):
        self.places = []

    def penalty(self, network, position):
        self.places.append(position)
        return network.classifier.weight.sum()


def head_after(plan, n_steps):
    steps = list(islice(train_epoch(plan, Position()), n_steps))
    return weights_of(plan.network)["classifier.weight"].detach().clone(), steps


@pytest.mark.parametrize("accumulate", [1, 3])
def test_the_penalty_counts_once_a_step_however_many_batches_that_has(accumulate):
    free, steps = head_after(tiny_plan(TinyBert(dropout=0), accumulate=accumulate), 1)
    held, same = head_after(tiny_plan(TinyBert(dropout=0), accumulate=accumulate, anchor=Pulling()), 1)
    torch.testing.assert_close(free - held, torch.full_like(free, 0.1), atol=1e-6, rtol=0)  # rate 0.1 × gradient 1
    assert steps[0].loss == same[0].loss


def test_it_is_told_the_place_of_each_batch():
    anchor = Pulling()
    plan = tiny_plan(TinyBert(), accumulate=2, anchor=anchor)
    list(train_epoch(plan, Position(step=5, epoch=1)))
    assert anchor.places == [Position(5, 1, 0), Position(5, 1, 1), Position(6, 1, 2)]


def test_what_it_draws_at_random_depends_on_the_place_alone():
    class Noisy(Pulling):
        def penalty(self, network, position):
            return (torch.rand_like(network.classifier.weight) * network.classifier.weight).sum()

    one, other = (head_after(tiny_plan(TinyBert(dropout=0.5), anchor=Noisy()), 3)[0] for _ in range(2))
    assert fingerprint({"": one}) == fingerprint({"": other})


def test_an_anchor_that_costs_no_number_moves_no_weight():
    class Broken(Pulling):
        def penalty(self, network, position):
            return super().penalty(network, position) * float("nan")

    network = TinyBert()
    before = fingerprint(weights_of(network))
    [step, *_] = head_after(tiny_plan(network, anchor=Broken()), 1)[1]
    assert step.is_skipped
    assert fingerprint(weights_of(network)) == before


def test_an_anchor_reads_no_rows_and_holds_no_weights_unless_it_says_so():
    class Idle(Anchor):
        def hold(self, past):
            return None

    assert (Idle().most_rows, Idle().holds_weights, Idle().is_row_by_row) == (0, False, False)
    assert replace(tiny_plan(Linear([[0.0]]))).anchor is None
