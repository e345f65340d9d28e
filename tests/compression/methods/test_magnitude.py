import pytest
import torch
from tests.compression.methods.conftest import logits_of, reloaded
from torch import nn

from burnish.compression.methods._masks import linear_layers, magnitude_masks
from burnish.core.shelves import Shelf


def method(**settings):
    return Shelf("methods").build({"name": "magnitude", "recovery_epochs": 0, **settings})


def zeros(subject):
    """Share of zeros in each linear layer of the blocks."""
    return [float((layer.weight == 0).float().mean()) for layer in linear_layers(subject.network)]


def layers_of(*rows):
    layers = []
    for row in rows:
        layer = nn.Linear(len(row), 1)
        layer.weight.data = torch.tensor([row])
        layers.append(layer)
    return layers


def test_the_smallest_go_in_each_layer_or_in_all():
    layers = layers_of([0.1, -5.0, 0.2, 4.0], [-10.0, 20.0, 30.0, 40.0])
    each, together = ([mask.tolist() for mask in magnitude_masks(layers, 0.5, scope)] for scope in (False, True))
    assert each == [[[False, True, False, True]], [[False, False, True, True]]]
    assert together == [[[False] * 4], [[True] * 4]]


def test_as_many_go_as_asked_though_all_are_equal():
    [mask] = magnitude_masks(layers_of([1.0, 1.0, 1.0, 1.0]), 0.25, is_global=False)
    assert mask.sum() == 3


def test_every_layer_of_the_blocks_loses_its_share_and_nothing_else_changes(subject, material):
    small = method(sparsity=0.75).apply(subject, material)
    assert zeros(small) == [0.75] * 12
    before, after = subject.network.state_dict(), small.network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name for name in changed if ".encoder.layer." in name and name.endswith("weight")} == changed
    assert len(changed) == 12


def test_over_all_layers_only_the_whole_loses_its_share(subject, material):
    with torch.no_grad():
        linear_layers(subject.network)[0].weight.mul_(100)
    small = method(scope="global").apply(subject, material)
    shares = zeros(small)
    assert shares[0] < 0.1
    assert max(shares) > 0.5
    sizes = [layer.weight.numel() for layer in linear_layers(small.network)]
    assert sum(share * size for share, size in zip(shares, sizes, strict=True)) == pytest.approx(sum(sizes) / 2)


def test_zeros_stay_zero_while_the_rest_learns(subject, material):
    still = method().apply(subject, material)
    trained = method(recovery_epochs=3, learning_rate=0.01).apply(subject, material)
    assert material.learn.calls == [(3, 0.01)]
    for own, other in zip(linear_layers(trained.network), linear_layers(still.network), strict=True):
        assert torch.equal(own.weight == 0, other.weight == 0)
        assert not torch.equal(own.weight, other.weight)
        assert not own.weight._post_accumulate_grad_hooks
    alone = method(recovery_epochs=3, learning_rate=0.01, teacher_share=0).apply(subject, material)
    assert not torch.allclose(logits_of(trained), logits_of(alone))


def test_zeros_are_zero_at_the_end_whatever_moved_them(subject, material):
    def learn(network, loss, **_):
        for layer in linear_layers(network):
            layer.weight.data += 1

    careless = type(material)(**{**vars(material), "learn": learn})
    assert zeros(method(recovery_epochs=1).apply(subject, careless)) == [0.5] * 12


def test_frozen_weights_are_pruned_too(subject, material):
    subject.network.trunk.bert.requires_grad_(False)
    assert zeros(method(recovery_epochs=1).apply(subject, material)) == [0.5] * 12


def test_the_plain_layout_comes_back(subject, material, tmp_path):
    small = method().apply(subject, material)
    again = reloaded(small, tmp_path / "saved")
    assert zeros(again) == zeros(small)
    torch.testing.assert_close(logits_of(again), logits_of(small), atol=1e-6, rtol=0)


def test_a_network_without_linear_layers_in_blocks_is_refused(subject, material):
    assert method().refusal(subject) is None
    static = Shelf("methods").build({"name": "static", "epochs": 0}).apply(subject, material)
    assert method().refusal(static) == "the network has no linear layers in blocks."
    made = type(subject)(**{**vars(subject), "runtime": Shelf("runtimes").build("torch")})
    assert method().refusal(made) == "the model was already made into files for torch; weights change before that."
