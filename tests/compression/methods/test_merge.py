import torch
from tests.compression.methods.conftest import assert_same_weights, logits_of, reloaded, weights_of

from burnish.core.shelves import Shelf

METHOD = Shelf("methods").build("merge")


def test_adapters_go_into_the_weights_and_the_answers_stay(subject, material, tmp_path):
    plain = list(subject.network.state_dict())
    Shelf("peft").build("lora").put_on(subject.network)
    assert METHOD.refusal(subject) is None
    material.learn(subject.network, material.loss, epochs=2, learning_rate=0.01)
    before = weights_of(subject.network)
    merged = METHOD.apply(subject, material)
    torch.testing.assert_close(logits_of(merged), logits_of(subject), atol=1e-4, rtol=0)
    assert list(merged.network.state_dict()) == plain
    assert_same_weights(subject.network, before)
    torch.testing.assert_close(logits_of(reloaded(merged, tmp_path / "m")), logits_of(subject), atol=1e-4, rtol=0)


def test_a_model_without_adapters_is_refused(subject):
    assert METHOD.refusal(subject) == (
        "the model has no adapters; those that were trained are folded in when a bundle is written."
    )
