"""Every optimiser: built from groups, goes downhill, keeps the groups' keys, and comes from a recipe and goes back."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from burnish.core.shelves import Shelf

SHELF = Shelf("optimizers")


@pytest.fixture(params=SHELF.names())
def part(request):
    return SHELF.get(request.param)


def groups(parameter, rate, decay=0.0):
    return [{"params": [parameter], "lr": rate, "peak_rate": rate, "weight_decay": decay}]


def after_one_step(optimizer, rate, decay=0.0, n_steps=1):
    """The weight [[1, 2], [3, 4]] after steps with the gradient [[1, 2], [3, −1]], then, if wanted, its half."""
    weight = torch.nn.Parameter(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    rule = optimizer.build(groups(weight, rate, decay))
    for number in range(n_steps):
        weight.grad = torch.tensor([[1.0, 2.0], [3.0, -1.0]]) / (number + 1)
        rule.step()
    return weight.detach().numpy()


BEFORE = np.array([[1.0, 2.0], [3.0, 4.0]])
GRADIENT = np.array([[1.0, 2.0], [3.0, -1.0]])


def test_the_shelf_has_the_optimisers_that_the_recipe_promises():
    assert SHELF.names() == ["adafactor", "adamw", "sgd"]


def test_an_optimiser_goes_downhill(part):
    weight = torch.nn.Parameter(torch.ones(4, 4))
    rule = part().build(groups(weight, 0.05))
    for _ in range(30):
        loss = (weight**2).sum()
        rule.zero_grad()
        loss.backward()
        rule.step()
    assert (weight**2).sum().item() < 8  # it was 16


def test_a_step_goes_against_the_gradient(part):
    assert (np.sign(BEFORE - after_one_step(part(), 0.01)) == np.sign(GRADIENT)).all()


def test_the_rate_is_read_at_every_step_and_the_peak_is_left_alone(part):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    rule = part().build(groups(weight, 0.1))
    rule.param_groups[0]["lr"] = 0.0
    weight.grad = torch.ones(2, 2)
    rule.step()
    assert torch.equal(weight, torch.ones(2, 2))
    assert rule.param_groups[0]["peak_rate"] == 0.1


def test_decay_pulls_towards_nothing(part):
    assert (after_one_step(part(), 0.01, decay=0.5) < after_one_step(part(), 0.01)).all()


def test_what_an_optimiser_keeps_can_be_stored_without_pickle(part):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    rule = part().build(groups(weight, 0.1))
    weight.grad = torch.ones(2, 2)
    rule.step()
    assert all(
        value is None or torch.is_tensor(value) or isinstance(value, int | float)
        for value in rule.state[weight].values()
    )


def test_an_optimiser_is_written_in_the_recipe_and_read_back(part):
    assert SHELF.build(part().as_recipe()) == part()


def test_adamw_takes_the_steps_of_its_paper():
    """Loshchilov & Hutter 2019, algorithm 2, in numpy; bias-corrected means, decay apart from them."""
    first, second, weight = np.zeros((2, 2)), np.zeros((2, 2)), BEFORE.copy()
    for step, gradient in ((1, GRADIENT), (2, GRADIENT / 2)):
        first = 0.8 * first + 0.2 * gradient
        second = 0.95 * second + 0.05 * gradient**2
        corrected = (first / (1 - 0.8**step)) / (np.sqrt(second / (1 - 0.95**step)) + 1e-3)
        weight = weight - 0.1 * corrected - 0.1 * 0.5 * weight
    optimizer = SHELF.build({"name": "adamw", "betas": [0.8, 0.95], "epsilon": 1e-3})
    np.testing.assert_allclose(after_one_step(optimizer, 0.1, 0.5, n_steps=2), weight, rtol=1e-5)


def test_sgd_takes_the_steps_of_nesterov_momentum():
    """velocity = 0.9 × velocity + gradient; the step is gradient + 0.9 × velocity, or velocity without Nesterov."""
    velocity = 0.9 * GRADIENT + GRADIENT / 2
    ahead = BEFORE - 0.1 * (GRADIENT + 0.9 * GRADIENT) - 0.1 * (GRADIENT / 2 + 0.9 * velocity)
    heavy = BEFORE - 0.1 * GRADIENT - 0.1 * velocity
    np.testing.assert_allclose(after_one_step(SHELF.build("sgd"), 0.1, n_steps=2), ahead, rtol=1e-5)
    plain = SHELF.build({"name": "sgd", "nesterov": False})
    np.testing.assert_allclose(after_one_step(plain, 0.1, n_steps=2), heavy, rtol=1e-5)


def test_sgd_without_momentum_is_plain_descent_and_refuses_to_look_ahead():
    plain = SHELF.build({"name": "sgd", "momentum": 0, "nesterov": False})
    np.testing.assert_allclose(after_one_step(plain, 0.1), BEFORE - 0.1 * GRADIENT, rtol=1e-6)
    with pytest.raises(ValidationError, match="nesterov needs momentum above 0; set nesterov: false, or a momentum"):
        SHELF.build({"name": "sgd", "momentum": 0})


def adafactor_step(clip=1.0, scale=1.0):
    """Shazeer & Stern 2018, algorithm 4, first step (its mean forgets everything): V = R Cᵀ / ΣR, then clip by RMS."""
    square = GRADIENT**2 + 1e-30
    second = np.outer(square.sum(1), square.sum(0)) / square.sum()
    update = GRADIENT / np.sqrt(second)
    update /= max(1.0, np.sqrt((update**2).mean()) / clip)
    return BEFORE - 0.1 * scale * update


def test_adafactor_takes_the_first_step_of_its_paper():
    np.testing.assert_allclose(after_one_step(SHELF.build("adafactor"), 0.1), adafactor_step(), rtol=1e-5)
    tight = SHELF.build({"name": "adafactor", "clip_threshold": 0.5})
    np.testing.assert_allclose(after_one_step(tight, 0.1), adafactor_step(clip=0.5), rtol=1e-5)
    relative = SHELF.build({"name": "adafactor", "scale_by_weights": True})
    size = np.sqrt((BEFORE**2).mean())
    np.testing.assert_allclose(after_one_step(relative, 0.1), adafactor_step(scale=size), rtol=1e-5)


def test_how_fast_adafactor_forgets_is_a_setting():
    slow, quick = (SHELF.build({"name": "adafactor", "decay_exponent": e}) for e in (-0.8, -0.1))
    assert not np.allclose(after_one_step(slow, 0.1, n_steps=2), after_one_step(quick, 0.1, n_steps=2), rtol=1e-4)
