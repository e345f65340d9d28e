import json
from dataclasses import replace

import pytest
import torch

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.freezing import dropout_changes, freeze, layers_of
from burnish.models.heads._contract import HeadPlan, TowerPlan
from burnish.models.network import load_pretrained
from burnish.models.pooling import max_pool, mean_pool
from burnish.recipe.schema import FreezeSection

PLAN = HeadPlan(("bad", "good", "so-so"))
KEEPS = HeadPlan((), sizes=(("items", 5), ("categories", 3), ("most_categories", 2), ("numbers", 1)))
TOWERS = replace(PLAN, towers=(TowerPlan("picture"), TowerPlan("text")))
SEES = {"pictures", "fused", "space"}
HEARS = replace(PLAN, config_changes=(("max_source_positions", 50),))


def attach(name, folder, plan=PLAN, **settings):
    return Shelf("heads").build({"name": name, **settings}).attach(folder, plan).eval()


def inputs():
    ids = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
    starts = torch.tensor([[1, 3], [1, 1]])  # which only heads for entities read
    sides = torch.tensor([[0, 1, 1, 2, 0], [0, 1, 2, 0, 0]])  # and only heads for pairs
    before = torch.tensor([[0, 5, 6], [0, 7, 8]])  # and only decoders beside an encoder
    given = {"starts": starts, "sides": sides, "decoder_input_ids": before}
    return {"input_ids": ids, "attention_mask": (ids > 0).long(), **given}


BASES = {"causal": "tiny_causal_base", "seq2seq": "tiny_seq2seq_base"}


@pytest.fixture
def base_of(request):
    """`base_of("causal")`: a tiny base that a head for texts can be put on."""
    return lambda name: request.getfixturevalue(BASES.get(name, "tiny_base"))


@pytest.fixture
def made_for(tiny_towers, tiny_listener, base_of):
    """`made_for(head)`: the base, the plan and the inputs that a head is made for."""

    def make(name):
        gives = Shelf("heads").get(name).gives
        if gives == "preferences":
            return (
                base_of(name),
                KEEPS,
                {"history": torch.tensor([[1, 4], [-1, 2]]), "candidates": torch.tensor([0, 1, 3])},
            )
        if gives in ("recordings", "transcripts"):
            return tiny_listener, HEARS, sounds()
        if gives not in SEES:
            return base_of(name), PLAN, inputs()
        pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        if gives == "pictures":
            return tiny_towers, PLAN, {"pixel_values": pixels}
        texts = {f"text.{key}": value for key, value in plain_inputs().items()}
        return tiny_towers, TOWERS, {"picture.pixel_values": pixels, **texts}

    return make


def sounds():
    """One second of two recordings, of which the second holds half a second of sound."""
    bands = torch.randn(2, 16, 100, generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(50) < torch.tensor([[50], [25]])).long()
    return {"input_features": bands, "frame_mask": mask, "decoder_input_ids": torch.tensor([[1, 2, 5], [1, 2, 6]])}


def plain_inputs():
    return {name: value for name, value in inputs().items() if name in ("input_ids", "attention_mask")}


@pytest.mark.parametrize("name", Shelf("heads").names())
def test_every_head_gives_the_logits_that_it_says(name, made_for):
    base, plan, given = made_for(name)
    network = attach(name, base, plan)
    expected = {
        **{"rows": (2, 3), "pairs": (2, 3), "entities": (2, 3), "cosines": (2, 3), "vectors": (2, 32)},
        **{"tokens": (2, 5, 3), "words": (2, 5, 3), "spans": (2, 5, 2), "hidden_words": (2, 5, 97)},
        **{"next_words": (2, 5, 300), "other_words": (2, 3, 300), "transcripts": (2, 3, 31)},
        **{"preferences": (2, 3), "pictures": (2, 3), "recordings": (2, 3), "fused": (2, 3), "space": (4, 256)},
    }
    assert network(**given).shape == expected[Shelf("heads").get(name).gives]


@pytest.mark.parametrize("name", Shelf("heads").names())
def test_every_head_learns_and_comes_back_from_disk_with_the_same_logits(name, made_for, tmp_path):
    base, plan, given = made_for(name)
    network = attach(name, base, plan)
    network(**given).square().mean().backward()
    assert all(p.grad is not None for n, p in network.named_parameters() if n.startswith(network.head_modules()))
    network.save(tmp_path)
    again = attach(name, tmp_path, plan)
    again.load_readout(tmp_path)
    assert torch.equal(again(**given), network(**given))


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


@pytest.mark.parametrize(
    ("name", "auto_class"), [("causal", "AutoModelForCausalLM"), ("seq2seq", "AutoModelForSeq2SeqLM")]
)
def test_heads_that_write_load_in_plain_transformers_with_the_same_logits(name, auto_class, base_of, tmp_path):
    import transformers

    network = attach(name, base_of(name))
    network.save(tmp_path)
    plain = getattr(transformers, auto_class).from_pretrained(tmp_path).eval()
    accepted = plain_inputs() | ({"decoder_input_ids": inputs()["decoder_input_ids"]} if name == "seq2seq" else {})
    torch.testing.assert_close(plain(**accepted).logits, network(**inputs()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["causal", "seq2seq"])
def test_logits_of_some_places_are_those_of_all(name, base_of):
    network = attach(name, base_of(name))
    every, places = network(**inputs()), torch.tensor([1, 2, 5])
    some = network(**inputs(), places=places)
    torch.testing.assert_close(some[0], every.flatten(0, 1)[places])
    assert network(**inputs()).shape == every.shape  # the hook is gone


def test_a_writer_is_pretrained_throughout_and_a_tied_one_keeps_its_tie(base_of, tmp_path):
    network = attach("causal", base_of("causal"))
    assert network.head_modules() == ()
    freeze(network, FreezeSection(embeddings=True))
    assert not network.trunk.lm_head.weight.requires_grad
    network.save(tmp_path)
    again = attach("causal", tmp_path).trunk
    assert again.lm_head.weight is again.model.embed_tokens.weight


def test_the_head_for_answers_loads_in_plain_transformers_with_the_same_logits(tiny_base, tmp_path):
    from transformers import AutoModelForQuestionAnswering

    network = attach("span", tiny_base)
    network.save(tmp_path)
    plain = AutoModelForQuestionAnswering.from_pretrained(tmp_path).eval()(**plain_inputs())
    found = network(**inputs())
    torch.testing.assert_close(plain.start_logits, found[..., 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(plain.end_logits, found[..., 1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["cls", "mean", "max", "vector", "entities", "cosine", "compare"])
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


PAIR = torch.tensor([[2, 5, 6, 3, 2, 7, 3]])
PAIR_SIDES = torch.tensor([[1, 1, 1, 1, 2, 2, 2]])
TURNED = torch.tensor([[2, 7, 3, 2, 5, 6, 3]])
TURNED_SIDES = torch.tensor([[1, 1, 1, 2, 2, 2, 2]])


def comparing(folder):
    """The head with a linear layer that has learnt something, so that all that it reads has a say."""
    network = attach("compare", folder, HeadPlan(("score",), problem="regression"))
    torch.nn.init.normal_(network.readout.linear.weight, generator=torch.Generator().manual_seed(1))
    return network


def test_the_head_for_pairs_begins_at_the_cosines_of_the_two_texts(tiny_base):
    """The logit is 5 × (cosine - 0.5) of the mean states of both texts as each stands alone, and the same of them as
    they stand in one row in which every token sees all, with places that count from the start of each text.
    """
    network = attach("compare", tiny_base, HeadPlan(("score",), problem="regression"))
    alone = [network.trunk(ids).last_hidden_state[0].mean(0) for ids in (PAIR[:, :4], PAIR[:, 4:])]
    places = torch.tensor([[0, 1, 2, 3, 0, 1, 2]])
    together = network.trunk(PAIR, position_ids=places).last_hidden_state[0]
    pairs = (alone, (together[:4].mean(0), together[4:].mean(0)))
    cosines = [torch.nn.functional.cosine_similarity(*pair, dim=0).item() for pair in pairs]
    found = network(input_ids=PAIR, attention_mask=torch.ones_like(PAIR), sides=PAIR_SIDES)[0, 0].item()
    assert found == pytest.approx(5 * (cosines[0] - 0.5) + 5 * (cosines[1] - 0.5), abs=1e-4)


def test_the_head_for_pairs_knows_no_order(tiny_base):
    network = comparing(tiny_base)
    one = network(input_ids=PAIR, attention_mask=torch.ones_like(PAIR), sides=PAIR_SIDES)
    other = network(input_ids=TURNED, attention_mask=torch.ones_like(PAIR), sides=TURNED_SIDES)
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_the_head_for_pairs_reads_both_texts_together_too(tiny_base):
    """Were each text only read alone, the mean state of the first would not hang on the second."""
    network = comparing(tiny_base)
    hidden = network.trunk(**network.readout.asked({"input_ids": PAIR, "sides": PAIR_SIDES})).last_hidden_state
    other = PAIR.clone()
    other[0, 5] = 9
    changed = network.trunk(**network.readout.asked({"input_ids": other, "sides": PAIR_SIDES})).last_hidden_state
    assert not torch.allclose(hidden[0, :4], changed[0, :4], atol=1e-5)  # together
    torch.testing.assert_close(hidden[1, :4], changed[1, :4], atol=1e-5, rtol=0)  # each for itself


def test_places_of_padding_and_of_bases_that_keep_the_lowest_for_it_are_right():
    from burnish.models.comparing import ComparingReadout

    sides = torch.tensor([[1, 1, 2, 2, 2], [1, 2, 2, 0, 0]])
    asked = ComparingReadout(4, 1, 0.0, first_place=2).asked({"input_ids": sides, "sides": sides})
    assert asked["position_ids"].tolist() == 2 * [[2, 3, 2, 3, 4], [2, 2, 3, 2, 2]]
    seen = asked["attention_mask"][:, 0] == 0
    assert seen[0].all()
    assert seen[1].tolist() == [[True, True, True, False, False]] * 5
    assert seen[2].tolist() == 2 * [[True, True, False, False, False]] + 3 * [[False, False, True, True, True]]
    assert seen[3].tolist()[:3] == [[True, False, False, False, False]] + 2 * [[False, True, True, False, False]]


def test_a_base_that_cannot_keep_texts_apart_is_refused_for_pairs(tmp_path):
    from transformers import DebertaV2Config, DebertaV2Model

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    DebertaV2Model(DebertaV2Config(vocab_size=40, **sizes)).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"^base: .* cannot read two texts of one row apart, which the head 'compare'"):
        attach("compare", tmp_path, HeadPlan(("score",), problem="regression"))


def test_dropout_of_the_head_for_pairs_is_a_setting(tiny_base):
    assert attach("compare", tiny_base, dropout=0.3).readout.dropout.p == 0.3
