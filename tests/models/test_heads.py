import json

import pytest
import torch

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.freezing import dropout_changes, freeze, layers_of
from burnish.models.heads._contract import HeadPlan
from burnish.models.network import load_pretrained
from burnish.models.pooling import max_pool, mean_pool
from burnish.recipe.schema import FreezeSection

PLAN = HeadPlan(("bad", "good", "so-so"))


def attach(name, folder, plan=PLAN, **settings):
    return Shelf("heads").build({"name": name, **settings}).attach(folder, plan).eval()


def inputs():
    ids = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
    starts = torch.tensor([[1, 3], [1, 1]])  # which only heads for entities read
    return {"input_ids": ids, "attention_mask": (ids > 0).long(), "starts": starts}


def plain_inputs():
    return {name: value for name, value in inputs().items() if name != "starts"}


@pytest.mark.parametrize("name", Shelf("heads").names())
def test_every_head_gives_the_logits_that_it_says(name, tiny_base):
    network = attach(name, tiny_base)
    expected = {
        **{"rows": (2, 3), "entities": (2, 3), "cosines": (2, 3), "vectors": (2, 32)},
        **{"tokens": (2, 5, 3), "words": (2, 5, 3), "spans": (2, 5, 2)},
    }
    assert network(**inputs()).shape == expected[Shelf("heads").get(name).gives]


@pytest.mark.parametrize("name", Shelf("heads").names())
def test_every_head_learns_and_comes_back_from_disk_with_the_same_logits(name, tiny_base, tmp_path):
    network = attach(name, tiny_base)
    network(**inputs()).square().mean().backward()
    assert all(p.grad is not None for n, p in network.named_parameters() if n.startswith(network.head_modules()))
    network.save(tmp_path)
    again = attach(name, tmp_path)
    again.load_readout(tmp_path)
    assert torch.equal(again(**inputs()), network(**inputs()))


@pytest.mark.parametrize(
    ("name", "auto_class"),
    [("cls", "AutoModelForSequenceClassification"), ("token", "AutoModelForTokenClassification")],
)
def test_native_heads_load_in_plain_transformers_with_the_same_logits(name, auto_class, tiny_base, tmp_path):
    import transformers

    network = attach(name, tiny_base)
    network.save(tmp_path)
    plain = getattr(transformers, auto_class).from_pretrained(tmp_path).eval()
    torch.testing.assert_close(plain(**plain_inputs()).logits, network(**inputs()), atol=1e-5, rtol=0)
    assert plain.config.id2label == {0: "bad", 1: "good", 2: "so-so"}


def test_the_head_for_answers_loads_in_plain_transformers_with_the_same_logits(tiny_base, tmp_path):
    from transformers import AutoModelForQuestionAnswering

    network = attach("span", tiny_base)
    network.save(tmp_path)
    plain = AutoModelForQuestionAnswering.from_pretrained(tmp_path).eval()(**plain_inputs())
    found = network(**inputs())
    torch.testing.assert_close(plain.start_logits, found[..., 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(plain.end_logits, found[..., 1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["cls", "mean", "max", "vector", "entities", "cosine"])
def test_padding_does_not_change_a_texts_logits(name, tiny_base):
    network = attach(name, tiny_base)
    short = {key: value[1:, :3] for key, value in inputs().items()}
    torch.testing.assert_close(network(**short)[0], network(**inputs())[1], atol=1e-5, rtol=1e-4)


def test_pools_look_at_real_tokens_only():
    hidden = torch.tensor([[[1.0], [3.0], [100.0]]])
    mask = torch.tensor([[1, 1, 0]])
    assert mean_pool(hidden, mask).item() == 2.0
    assert max_pool(hidden, mask).item() == 3.0


@pytest.mark.parametrize("pool", ["mean", "cls", "max"])
def test_a_vector_has_length_1_and_is_the_chosen_pool_of_the_last_states(pool, tiny_base):
    network = attach("vector", tiny_base, pool=pool)
    vectors = network(**inputs())
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    hidden = network.trunk(**plain_inputs()).last_hidden_state[1, :3]
    pooled = {"mean": hidden.mean(0), "cls": hidden[0], "max": hidden.amax(0)}[pool]
    torch.testing.assert_close(vectors[1], pooled / pooled.norm())


@pytest.mark.parametrize("pool", ["mean", "cls", "max"])
def test_a_cosine_logit_is_scale_times_the_cosine_of_the_pooled_text_and_the_labels_vector(pool, tiny_base):
    network = attach("cosine", tiny_base, pool=pool, scale=5.0)
    network.readout.start_from(torch.eye(3, 32) * 7)
    hidden = network.trunk(**inputs()).last_hidden_state[1, :3]
    pooled = {"mean": hidden.mean(0), "cls": hidden[0], "max": hidden.amax(0)}[pool]
    torch.testing.assert_close(network(**inputs())[1], 5.0 * pooled[:3] / pooled.norm())
    torch.testing.assert_close(network.readout.labels.norm(dim=1), torch.ones(3))


@pytest.mark.parametrize(
    ("task", "head", "fitting"),
    [
        ("classification", "token", "cls, cosine, max, mean"),
        ("tokens", "vector", "token, token_cosine, word_cosine"),
        ("multilabel", "entities", "cls"),
        ("multilabel", "cosine", "cls"),
        ("relations", "token", "cls, entities, max, mean"),
    ],
)
def test_a_head_that_does_not_fit_the_task_is_refused(task, head, fitting):
    with pytest.raises(ValueError, match=f"the head '{head}' does not fit this task; it takes: {fitting}"):
        Shelf("tasks").build({"name": task, "head": head})


@pytest.mark.parametrize("with_text", [False, True])
def test_a_head_for_entities_reads_the_states_at_both_starts_in_the_order_of_head_and_tail(with_text, tiny_base):
    network = attach("entities", tiny_base, with_text=with_text)
    given = inputs() | {"starts": torch.tensor([[3, 1], [1, 2]])}
    hidden = network.trunk(**plain_inputs()).last_hidden_state
    parts = [hidden[0, 3], hidden[0, 1], *([hidden[0].mean(0)] if with_text else [])]
    torch.testing.assert_close(network(**given)[0], network.readout.linear(torch.cat(parts)))


@pytest.mark.parametrize("name", ["mean", "max", "entities"])
def test_the_readouts_dropout_is_the_one_asked_for(name, tiny_base):
    assert attach(name, tiny_base, dropout=0.25).readout.dropout.p == 0.25


def test_freezing_layers_freezes_the_embeddings_and_those_layers_only(tiny_base):
    network = attach("cls", tiny_base)
    freeze(network, FreezeSection(layers=1))
    first, second = layers_of(network.body)
    assert not any(p.requires_grad for p in first.parameters())
    assert all(p.requires_grad for p in second.parameters())
    assert not any(p.requires_grad for p in network.body.embeddings.parameters())


def test_freezing_embeddings_leaves_every_layer_free(tiny_base):
    network = attach("cls", tiny_base)
    freeze(network, FreezeSection(embeddings=True))
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    assert frozen
    assert all("embeddings" in name for name in frozen)


def test_freezing_all_but_the_head_leaves_only_the_head(tiny_base):
    network = attach("cls", tiny_base)
    freeze(network, FreezeSection(all_but_head=True))
    free = [name for name, p in network.named_parameters() if p.requires_grad]
    assert free == ["trunk.classifier.weight", "trunk.classifier.bias"]


def test_more_layers_than_there_are_cannot_be_frozen(tiny_base):
    with pytest.raises(UserError) as caught:
        freeze(attach("cls", tiny_base), FreezeSection(layers=3))
    assert str(caught.value) == "train.freeze.layers: this base has 2 layers; got 3."


def test_a_dropout_override_reaches_every_dropout_of_the_base(tiny_base):
    config = json.loads((tiny_base / "config.json").read_text())
    network = attach("cls", tiny_base, PLAN.changed(dropout_changes(config, 0.3)))
    assert {module.p for module in network.modules() if isinstance(module, torch.nn.Dropout)} == {0.3}
    assert dropout_changes(config, None) == ()


def test_a_base_that_transformers_cannot_build_is_told_in_one_sentence(tiny_base, tmp_path):
    config = json.loads((tiny_base / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "no-such-type"}))
    with pytest.raises(UserError, match=r"^base: .* cannot be loaded by transformers as AutoModel \(.*\)\.$"):
        load_pretrained("AutoModel", tmp_path, {})
