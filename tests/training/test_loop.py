import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_training import CPU, TinyBatches, TinyBert, cross_entropy, fingerprint, tiny_plan
from torch import nn

from burnish.tasks._contract import Collated
from burnish.training.hardware import Hardware
from burnish.training.loop import train_epoch
from burnish.training.steps import Position
from burnish.training.tensors import weights_of


def gradient_of_one_step(plan, start=Position()):  # noqa: B008
    """Rate 0.1 and plain descent: gradient = (before − after) / 0.1."""
    before = {name: tensor.detach().clone() for name, tensor in weights_of(plan.network).items()}
    step = next(iter(train_epoch(plan, start)))
    return {name: (before[name] - tensor.detach()) / 0.1 for name, tensor in weights_of(plan.network).items()}, step


class OneBatch(TinyBatches):
    """The rows of all batches of `TinyBatches` as one."""

    def n_batches(self, epoch):
        return 1

    def read(self, epoch, position):
        parts = [TinyBatches.read(self, epoch, place) for place in range(len(self.n_rows))]
        inputs = {name: np.concatenate([part.inputs[name] for part in parts]) for name in parts[0].inputs}
        return Collated(inputs, {"labels": np.concatenate([part.targets["labels"] for part in parts])}, 12, 72)


def test_accumulating_batches_of_unequal_size_gives_the_gradient_of_one_batch_of_all_rows():
    together, large = gradient_of_one_step(tiny_plan(TinyBert(dropout=0), batches=OneBatch()))
    apart, small = gradient_of_one_step(tiny_plan(TinyBert(dropout=0), accumulate=3))
    for name, gradient in together.items():
        torch.testing.assert_close(apart[name], gradient, atol=2e-6, rtol=1e-4)
    assert small.loss == pytest.approx(large.loss, rel=1e-6)
    assert (small.n_rows, small.n_tokens) == (12, 72)


def test_the_gradient_is_that_of_plain_torch():
    network = TinyBert(dropout=0)
    twin = copy.deepcopy(network)
    batch = TinyBatches().read(0, 0).to("cpu")
    cross_entropy(twin(**batch.inputs), batch).backward()
    gradient, step = gradient_of_one_step(tiny_plan(network))
    norm = math.sqrt(sum(float((p.grad.double() ** 2).sum()) for p in twin.parameters() if p.grad is not None))
    assert step.grad_norm == pytest.approx(norm, rel=1e-5)
    for name, parameter in twin.named_parameters():
        torch.testing.assert_close(gradient[name], parameter.grad, atol=2e-6, rtol=1e-4)


def test_the_last_partial_group_of_an_epoch_steps_too():
    steps = list(train_epoch(tiny_plan(TinyBert(), accumulate=2), Position()))
    assert [(s.step, s.epoch, s.position, s.n_rows, s.is_epoch_end) for s in steps] == [
        (1, 1, 2, 7, False),
        (2, 1, 3, 5, True),
    ]
    assert steps[-1].end == Position(step=2, epoch=0, batch=3)


def test_a_start_at_the_end_of_an_epoch_yields_nothing():
    assert list(train_epoch(tiny_plan(TinyBert()), Position(step=3, epoch=0, batch=3))) == []


def test_clipping_scales_the_gradient_to_the_norm_that_was_asked_for():
    free, step = gradient_of_one_step(tiny_plan(TinyBert(dropout=0)))
    clipped, same = gradient_of_one_step(tiny_plan(TinyBert(dropout=0), clip_norm=step.grad_norm / 2))
    assert same.grad_norm == step.grad_norm  # as it was before clipping
    torch.testing.assert_close(clipped["classifier.weight"], free["classifier.weight"] / 2, atol=2e-6, rtol=1e-3)


def test_a_norm_below_the_limit_is_left_alone():
    free, step = gradient_of_one_step(tiny_plan(TinyBert(dropout=0)))
    same, _ = gradient_of_one_step(tiny_plan(TinyBert(dropout=0), clip_norm=step.grad_norm * 2))
    assert fingerprint(free) == fingerprint(same)


def test_the_schedule_is_asked_for_the_middle_of_each_step():
    asked = []
    plan = tiny_plan(TinyBert(), accumulate=2, schedule=lambda progress: asked.append(progress) or 0.5)
    steps = [step for epoch in range(2) for step in train_epoch(plan, Position(epoch=epoch))]
    # epoch 0: batches 0–2 and 2–3 of 3, middles 1/3 and 5/6; over two epochs half of that, then plus 1/2
    np.testing.assert_allclose(asked, [1 / 6, 5 / 12, 1 / 2 + 1 / 6, 1 / 2 + 5 / 12])
    assert {step.learning_rate for step in steps} == {0.05}


def test_each_group_follows_its_own_peak():
    network = TinyBert()
    groups = [
        {"params": list(network.encoder.parameters()), "lr": 1.0, "peak_rate": 0.1},
        {"params": list(network.classifier.parameters()), "lr": 1.0, "peak_rate": 1.0},
    ]
    plan = tiny_plan(network, optimizer=torch.optim.SGD(groups), schedule=lambda progress: 0.25)
    step = next(iter(train_epoch(plan, Position())))
    assert [group["lr"] for group in plan.optimizer.param_groups] == [0.025, 0.25]
    assert step.learning_rate == 0.025


def test_dropout_depends_on_seed_epoch_and_batch_but_not_on_how_batches_are_grouped():
    first, _ = gradient_of_one_step(tiny_plan(TinyBert(dropout=0.5)))
    again, _ = gradient_of_one_step(tiny_plan(TinyBert(dropout=0.5)))
    other, _ = gradient_of_one_step(tiny_plan(TinyBert(dropout=0.5), seed=8))
    assert fingerprint(first) == fingerprint(again) != fingerprint(other)
    losses = [[], []]
    for found, accumulate in zip(losses, (1, 3), strict=True):
        # a rate of 0 keeps the weights, so only the dropout could make a difference
        plan = tiny_plan(TinyBert(dropout=0.5), accumulate=accumulate, schedule=lambda progress: 0.0)
        found += [step.loss * step.n_rows for step in train_epoch(plan, Position())]
    assert sum(losses[0]) == pytest.approx(sum(losses[1]), rel=1e-6)


def test_training_leaves_every_global_generator_as_it_was():
    import random

    states = lambda: (random.getstate(), torch.get_rng_state().tolist(), str(np.random.get_state()))  # noqa: E731, NPY002
    before = states()
    list(train_epoch(tiny_plan(TinyBert(dropout=0.5)), Position()))
    assert states() == before


def test_training_does_not_depend_on_any_global_generator():
    hashes = set()
    for number in (1, 2):
        with torch.random.fork_rng([]):
            torch.manual_seed(number)
            network = TinyBert(dropout=0.5)
            list(train_epoch(tiny_plan(network), Position()))
        hashes.add(fingerprint(weights_of(network)))
    assert len(hashes) == 1


def test_a_gradient_that_is_not_finite_moves_no_weight():
    network = TinyBert()
    before = fingerprint(weights_of(network))
    plan = tiny_plan(network, loss=lambda logits, batch: cross_entropy(logits, batch) * float("nan"), clip_norm=1.0)
    step = next(iter(train_epoch(plan, Position())))
    assert step.is_skipped
    assert math.isnan(step.loss)
    assert math.isnan(step.grad_norm)
    assert fingerprint(weights_of(network)) == before


def test_bf16_trains_fp32_weights_and_the_loss_sees_fp32_logits():
    seen = []

    def loss(logits, batch):
        seen.append(logits.dtype)
        return cross_entropy(logits, batch)

    exact, rough = TinyBert(dropout=0), TinyBert(dropout=0)
    list(train_epoch(tiny_plan(exact), Position()))
    list(train_epoch(tiny_plan(rough, loss=loss, hardware=replace(CPU, precision="bf16")), Position()))
    assert set(seen) == {torch.float32}
    assert {tensor.dtype for tensor in rough.parameters()} == {torch.float32}
    assert fingerprint(weights_of(exact)) != fingerprint(weights_of(rough))
    for one, other in zip(exact.parameters(), rough.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=0)


class Overflowing(nn.Module):
    """A weight whose loss is so steep that the first fp16 loss scale, 65,536, takes the gradient out of range."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, 1))

    def forward(self, input_ids, attention_mask):
        return nn.functional.linear(torch.ones(1, 1), self.weight)


def test_an_fp16_overflow_skips_the_step_and_halves_the_scale_until_steps_are_taken():
    # gradient of 8 × weight in fp16, scaled by 2^16, is 2^19 > 65,504: four halvings bring it to 2^15
    network = Overflowing()
    hardware = Hardware(torch.device("cpu"), "fp16", torch.amp.GradScaler("cpu"))
    plan = tiny_plan(
        network, batches=TinyBatches((1,) * 6), loss=lambda logits, batch: 8 * logits.sum(), hardware=hardware
    )
    steps = list(train_epoch(plan, Position()))
    assert [step.is_skipped for step in steps] == [True] * 4 + [False] * 2
    assert steps[-1].grad_norm == pytest.approx(8.0)  # the scale is taken out again
    assert network.weight.item() == pytest.approx(1 - 2 * 0.1 * 8)
