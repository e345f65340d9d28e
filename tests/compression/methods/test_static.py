import numpy as np
import pytest
import torch
from tests.compression.methods.conftest import batch_of, build_material, build_subject, encoded, logits_of

from burnish.compression.methods._token_vectors import led_to, static_network, token_vectors, weights
from burnish.core.events import Progress, ignore
from burnish.core.shelves import Shelf
from burnish.models.drawn import drawn_weights


def method(**settings):
    return Shelf("methods").build({"name": "static", "dimensions": 8, "epochs": 2, **settings})


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True))


@pytest.mark.parametrize("head", ["cls", "mean", "cosine"])
def test_a_token_has_the_mean_state_of_the_text_that_it_is_alone(tiny_base, head):
    subject = build_subject(tiny_base, head)
    found = token_vectors(subject, ignore)
    batch = batch_of(subject, encoded(subject, [("good", "good"), ("z", "good")]))
    with torch.no_grad():
        states = subject.network.body(**batch.inputs).last_hidden_state
    numbers = [subject.reader.backend.token_to_id(token) for token in ("good", "z")]
    torch.testing.assert_close(found[numbers], states.mean(1), atol=1e-5, rtol=0)
    assert len(found) == subject.reader.backend.get_vocab_size()


def test_vectors_are_led_to_their_main_directions():
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(50, 4)) * [1, 10, 0.1, 5] + 3
    _, lengths, directions = np.linalg.svd(vectors - vectors.mean(0))
    expected = (vectors - vectors.mean(0)) @ directions[:2].T
    found = led_to(torch.from_numpy(vectors).float(), 2)
    np.testing.assert_allclose(found.abs().numpy(), np.abs(expected), atol=1e-3)
    assert found.square().sum(0).sqrt().tolist() == pytest.approx(lengths[:2].tolist(), rel=1e-4)


def test_vectors_keep_their_width_where_no_other_is_asked():
    vectors = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    for width in (None, 2, 700):
        assert led_to(vectors, width).tolist() == [[-1.0, -2.0], [1.0, 2.0]]


def test_frequent_tokens_weigh_less():
    features = [{"input_ids": np.array([2, 2, 2, 1], np.int32)}]
    assert weights("counts", 3, features, 0.25).tolist() == pytest.approx([1, 0.5, 0.25])
    assert weights("none", 3, features, 0.25).tolist() == [1, 1, 1]
    total = 1 + 1 / 2 + 1 / 3
    expected = [0.25 / (0.25 + 1 / rank / total) for rank in (1, 2, 3)]
    assert weights("zipf", 3, features, 0.25).tolist() == pytest.approx(expected)


def test_a_text_is_the_mean_of_its_tokens_without_padding():
    vectors = torch.tensor([[9.0, 9.0], [1.0, 3.0], [3.0, 5.0]])
    network = static_network(vectors, 2, learns_vectors=True).eval()
    found = network(
        input_ids=torch.tensor([[1, 2, 0]]),
        attention_mask=torch.tensor([[1, 1, 0]]),
        token_type_ids=torch.zeros(1, 3, dtype=torch.long),
    )
    linear = network.readout.linear
    torch.testing.assert_close(found, torch.tensor([[2.0, 4.0]]) @ linear.weight.T + linear.bias)


def test_the_new_network_learns_what_the_words_tell(tiny_base, tmp_path):
    subject = build_subject(tiny_base)
    material = build_material(subject, tmp_path)
    small = method(epochs=60, learning_rate=0.01, teacher_share=0).apply(subject, material)
    gold = [batch.targets["labels"] for batch in material.batches()]
    assert logits_of(small).argmax(-1).tolist() == torch.cat(gold).tolist()
    assert not small.is_plain
    assert small.steps == ("static",)
    assert not drawn_weights(small.network)


def test_epochs_and_rate_are_those_that_were_asked_for(subject, material):
    method(epochs=1, learning_rate=0.03).apply(subject, material)
    method(epochs=0).apply(subject, material)
    assert material.learn.calls == [(1, 0.03)]


@pytest.mark.parametrize(
    "settings",
    [{"weighting": "zipf"}, {"weighting": "none"}, {"smoothing": 0.1}, {"learns_vectors": False}, {"teacher_share": 0}],
    ids=str,
)
def test_every_setting_changes_the_network(subject, material, settings):
    plain = method().apply(subject, material)
    assert same(plain, method().apply(subject, material))
    assert not same(plain, method(**settings).apply(subject, material))


def test_the_width_is_the_one_asked_for(subject, material):
    assert method(dimensions=5).apply(subject, material).network.trunk.vectors.embedding_dim == 5
    assert method(dimensions=None).apply(subject, material).network.trunk.vectors.embedding_dim == 32


def test_vectors_that_do_not_learn_stay_as_they_were_distilled(subject, material):
    def vectors(**settings):
        return method(learns_vectors=False, **settings).apply(subject, material).network.trunk.vectors.weight

    assert torch.equal(vectors(epochs=3), vectors(epochs=0))


def test_it_tells_how_far_it_is(subject, material):
    heard = []
    token_vectors(subject, heard.append)
    n_tokens = subject.reader.backend.get_vocab_size()
    assert heard == [Progress("static", n_tokens, n_tokens, "tokens")]


def test_models_that_need_order_are_refused(tiny_base, subject, material):
    assert method().refusal(subject) is None
    tagging = build_subject(tiny_base, "token", "tokens", labels=("O", "B-x"))
    assert method().refusal(tagging) == (
        "token vectors give one row of logits a text, and the head 'token' something else."
    )
    small = method(epochs=0).apply(subject, material)
    assert method().refusal(small) == "the network reads no text, or consists of token vectors already."
    made = type(subject)(**{**vars(subject), "runtime": Shelf("runtimes").build("torch")})
    assert method().refusal(made) == "the model was already made into files for torch; weights change before that."
