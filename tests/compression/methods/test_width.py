import pytest
import torch
from tests.compression.methods.conftest import build_subject, logits_of, reloaded

from burnish.compression.methods._blocks import stack_of
from burnish.core.shelves import Shelf


def method(**settings):
    return Shelf("methods").build({"name": "width", "multiple": 1, "recovery_epochs": 0, **settings})


@pytest.fixture(params=["tiny_base", "tiny_xlmr", "tiny_distilbert"])
def subject(request):
    return build_subject(request.getfixturevalue(request.param))


def silence(network, neurons):
    """Make neurons of every layer say nothing to what follows."""
    with torch.no_grad():
        for down in stack_of(network).linears("down"):
            down.weight[:, neurons] = 0


def widths(subject):
    stack = stack_of(subject.network)
    return [(up.out_features, down.in_features) for up, down in zip(*map(stack.linears, ("up", "down")), strict=True)]


def test_neurons_that_say_nothing_go_and_the_logits_stay(subject, material):
    silence(subject.network, torch.arange(0, 64, 2))
    small = method(keep=0.5).apply(subject, material)
    assert widths(small) == [(32, 32)] * 2
    torch.testing.assert_close(logits_of(small), logits_of(subject), atol=1e-5, rtol=0)
    kept = stack_of(small.network).linears("up")[0].weight
    assert torch.equal(kept, stack_of(subject.network).linears("up")[0].weight[1::2])


def test_the_config_says_the_width_and_the_plain_layout_comes_back(subject, material, tmp_path):
    small = method(keep=0.25).apply(subject, material)
    config = small.network.trunk.config
    assert getattr(config, stack_of(small.network).layout.width) == 16
    assert small.is_plain
    torch.testing.assert_close(logits_of(reloaded(small, tmp_path / "saved")), logits_of(small), atol=1e-6, rtol=0)


def test_what_stays_is_a_multiple(subject, material):
    assert widths(method(keep=0.4, multiple=10).apply(subject, material)) == [(30, 30)] * 2  # 25.6 lies next to 30
    assert widths(method(keep=0.01, multiple=8).apply(subject, material)) == [(8, 8)] * 2


def test_importance_is_measured_on_as_many_rows_as_asked(subject, material):
    read = []

    def batches():
        for batch in material.batches():
            read.append(batch.n_rows)
            yield batch

    counted = type(material)(**{**vars(material), "batches": batches})
    method(n_rows=1).apply(subject, counted)
    assert sum(read) <= 8, "one batch, and the next that is not used"
    read.clear()
    method(n_rows=10**6).apply(subject, counted)
    assert sum(read) == 12


def test_recovery_trains_as_asked(subject, material):
    still = logits_of(method().apply(subject, material))
    trained = method(recovery_epochs=2, learning_rate=0.01).apply(subject, material)
    assert material.learn.calls == [(2, 0.01)]
    assert not torch.allclose(logits_of(trained), still)
    alone = method(recovery_epochs=2, learning_rate=0.01, teacher_share=0).apply(subject, material)
    assert not torch.allclose(logits_of(trained), logits_of(alone))


def test_a_multiple_as_wide_as_the_layers_is_refused(tiny_base):
    subject = build_subject(tiny_base)
    assert method().refusal(subject) is None
    assert method(multiple=64).refusal(subject) == (
        "the feed-forward parts are 64 wide; to the next multiple of 64 none would go."
    )
