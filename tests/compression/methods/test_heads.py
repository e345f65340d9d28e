import pytest
import torch
from tests.compression.methods.conftest import build_subject, logits_of

from burnish.compression.methods._blocks import stack_of
from burnish.compression.methods._head_pruning import chosen_heads, heads_of
from burnish.core.shelves import Shelf


def method(**settings):
    return Shelf("methods").build({"name": "heads", "keep": 0.5, "recovery_epochs": 0, **settings})


@pytest.fixture(params=["tiny_base", "tiny_xlmr", "tiny_distilbert"])
def subject(request):
    """Two layers of two heads, 16 columns each."""
    return build_subject(request.getfixturevalue(request.param))


def silence(network, layer, head):
    """Make a head say nothing to what follows."""
    with torch.no_grad():
        stack_of(network).linears("output")[layer].weight[:, head * 16 : (head + 1) * 16] = 0


@pytest.mark.parametrize("is_even", [True, False])
def test_heads_that_say_nothing_go_and_the_logits_stay(subject, material, is_even):
    silence(subject.network, 0, 1)
    silence(subject.network, 1, 0)
    small = method(is_even=is_even).apply(subject, material)
    assert heads_of(stack_of(small.network)) == [1, 1]
    torch.testing.assert_close(logits_of(small), logits_of(subject), atol=1e-5, rtol=0)
    for part in ("query", "key", "value"):
        first, second = stack_of(small.network).linears(part)
        own, other = stack_of(subject.network).linears(part)
        assert torch.equal(first.weight, own.weight[:16])
        assert torch.equal(second.bias, other.bias[16:])
    assert stack_of(small.network).linears("output")[0].weight.shape == (32, 16)


def test_layers_may_keep_unlike_numbers_of_heads(subject, material):
    silence(subject.network, 1, 0)
    small = method(keep=0.75).apply(subject, material)
    assert heads_of(stack_of(small.network)) == [2, 1]
    torch.testing.assert_close(logits_of(small), logits_of(subject), atol=1e-5, rtol=0)
    assert not small.is_plain


def test_heads_can_go_twice(subject, material):
    once = method(keep=0.75).apply(subject, material)
    twice = method(keep=0.67).apply(once, material)
    assert heads_of(stack_of(twice.network)) == [1, 1]
    assert twice.steps == ("heads", "heads")


def test_the_best_heads_of_all_layers_stay_and_at_least_one_in_each():
    scores = [torch.tensor([3.0, 4.0, 0.0]), torch.tensor([0.0, 0.0, 5.0])]  # of length 5 each: .6 .8 0 · 0 0 1
    found = [heads.tolist() for heads in chosen_heads(scores, 0.5, is_even=False)]
    assert found == [[0, 1], [2]]
    assert [heads.tolist() for heads in chosen_heads(scores, 0.01, is_even=False)] == [[1], [2]]
    assert [heads.tolist() for heads in chosen_heads(scores, 0.67, is_even=True)] == [[0, 1], [0, 2]]


def test_a_layer_of_large_gradients_does_not_outweigh_the_others():
    scores = [torch.tensor([300.0, 400.0]), torch.tensor([0.004, 0.003])]
    assert [heads.tolist() for heads in chosen_heads(scores, 0.5, is_even=False)] == [[1], [0]]


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


def test_a_share_that_takes_no_head_is_refused(tiny_base):
    subject = build_subject(tiny_base)
    assert method().refusal(subject) is None
    assert method(keep=0.99).refusal(subject) == "the model has 4 heads in 2 layers, so none would go."
    assert method(keep=0.75, is_even=True).refusal(subject) == "the model has 4 heads in 2 layers, so none would go."
