"""Every anchor: costs nothing where training starts, pulls back from elsewhere, and is the same whenever it is made."""

import numpy as np
import pytest
import torch
from tiny_training import CPU, TinyBatches, TinyBert, fingerprint, tiny_job

from burnish.core.events import ignore
from burnish.core.settings import settings
from burnish.core.shelves import Shelf
from burnish.recipe.schema import TrainSection
from burnish.training.anchors._contract import Past
from burnish.training.origin import Origin
from burnish.training.run import run
from burnish.training.steps import Position
from burnish.training.tensors import weights_of

SHELF = Shelf("anchors")
HOLDING = [name for name in SHELF.names() if name != "none"]


@pytest.fixture(autouse=True)
def _one_thread_of_a_cpu(monkeypatch):
    """Two threads on matrices of 32 × 32 mostly wait for each other."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    monkeypatch.setenv("BURNISH_THREADS", "1")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(params=SHELF.names())
def name(request):
    return request.param


@pytest.fixture(params=HOLDING)
def anchor(request):
    return SHELF.build(request.param)


def origin(old=(4, 3)):
    return Origin("choice", old=TinyBatches(old))


def held_by(anchor, network, old=(4, 3)):
    return anchor.hold(Past(network, origin((1,) * 6 if anchor.is_row_by_row else old), CPU, 7, ignore))


def moved(network, by=0.01):
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            parameter += by * torch.sign(torch.sin(torch.arange(parameter.numel()) + number)).view_as(parameter)
    return network


def test_the_shelf_has_the_anchors_that_the_recipe_promises():
    assert SHELF.names() == ["ewc", "l2sp", "none", "replay"]


def test_an_anchor_is_written_in_the_recipe_and_read_back(name):
    part = SHELF.build(name)
    assert SHELF.build(part.as_recipe()) == part
    assert TrainSection(start="bundle", anchor=part.as_recipe()).anchor == part


def test_only_an_anchor_that_reads_rows_asks_for_some(name):
    assert SHELF.build(name).most_rows == {"none": 0, "l2sp": 0, "ewc": 200, "replay": 500}[name]


def test_the_start_costs_nothing_and_every_way_from_it_something(anchor):
    network = TinyBert(dropout=0).eval()
    held = held_by(anchor, network)
    assert held.penalty(network, Position()).item() == pytest.approx(0, abs=1e-10)
    near, far = (held.penalty(moved(network), Position()).item() for _ in range(2))
    assert 0 < near < far


def test_a_small_step_against_its_gradient_costs_less(anchor):
    network = TinyBert(dropout=0).eval()
    held = held_by(anchor, network)
    moved(network)
    before = held.penalty(network, Position())
    before.backward()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.grad is not None:
                parameter -= 1e-3 * parameter.grad / max(1, float(parameter.grad.norm()))
    assert held.penalty(network, Position()).item() < before.item()


def test_the_weight_is_how_dear_it_is(anchor):
    costs = []
    for factor in (1, 3, 0):
        network = TinyBert(dropout=0).eval()
        held = held_by(anchor.model_copy(update={"weight": factor * anchor.weight}), network)
        costs.append(held.penalty(moved(network), Position()).item())
    assert costs[1] == pytest.approx(3 * costs[0], rel=1e-5)
    assert costs[2] == 0


def test_taking_stock_changes_no_weight_no_gradient_and_no_generator(anchor):
    network = TinyBert(dropout=0.5)
    before, random = fingerprint(weights_of(network)), torch.get_rng_state().tolist()
    numpy_before = str(np.random.get_state())  # noqa: NPY002
    held_by(anchor, network)
    assert fingerprint(weights_of(network)) == before
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.get_rng_state().tolist() == random
    assert str(np.random.get_state()) == numpy_before  # noqa: NPY002


def test_it_is_the_same_whenever_it_is_made(anchor):
    network = TinyBert(dropout=0.5)
    one, other = held_by(anchor, network), held_by(anchor, network)
    network.eval()
    moved(network)
    for place in (Position(), Position(9, 2, 1)):
        assert one.penalty(network, place).item() == other.penalty(network, place).item()


def trained(work, anchor):
    network = TinyBert(dropout=0)
    old = TinyBatches((1,) * 6) if anchor.is_row_by_row else TinyBatches()
    asked = {"epochs": 4, "learning_rate": 2e-3, "start": "bundle", "anchor": anchor.as_recipe()}
    run(tiny_job(work, network=network, settings=asked, origin=Origin("choice", old=old)))
    return network.eval()


def test_a_great_weight_keeps_the_start(tmp_path, anchor):
    """Whatever it holds on to, weights or answers, moves far less than it would."""
    measure = held_by(anchor.model_copy(update={"weight": 1.0}), TinyBert(dropout=0), old=(4, 3, 5))
    far = []
    for name, one in (("held", anchor.model_copy(update={"weight": 100.0})), ("free", SHELF.build("none"))):
        network = trained(tmp_path / name, one)
        far.append(sum(measure.penalty(network, Position(batch=batch)).item() for batch in range(9)))
    assert far[0] < 0.2 * far[1]


@pytest.mark.parametrize("asked", ["none", "l2sp"])
def test_without_a_start_nothing_is_held(tmp_path, asked):
    """Whoever trains without an origin, as shrinking does, gets no penalty whatever the settings say."""
    plain, other = TinyBert(), TinyBert()
    run(tiny_job(tmp_path / "plain", network=plain))
    said = {"start": "bundle", "anchor": asked, "head_learning_rate": 10 * 2e-4}
    run(tiny_job(tmp_path / "other", network=other, settings=said))
    assert fingerprint(weights_of(plain)) == fingerprint(weights_of(other))


def test_none_adds_nothing_bit_for_bit(tmp_path):
    plain, held = TinyBert(dropout=0.3), TinyBert(dropout=0.3)
    run(tiny_job(tmp_path / "plain", network=plain, settings={"start": "bundle"}))
    run(tiny_job(tmp_path / "held", network=held, settings={"start": "bundle", "anchor": "none"}, origin=origin()))
    assert fingerprint(weights_of(plain)) == fingerprint(weights_of(held))
