import pytest
import torch

from burnish.core.errors import UserError
from burnish.core.events import ignore
from burnish.flows.ground import lay_ground
from burnish.flows.train import new_network
from burnish.models.freezing import layers_of
from burnish.recipe.load import load


@pytest.fixture
def ground(recipe, tmp_path):
    """What training stands on, under overrides: `ground("data.max_length=8")`."""
    return lambda *overrides: lay_ground(load(recipe, overrides), tmp_path / "work", ignore)


def test_the_head_is_a_pure_function_of_the_seed_and_the_base_is_the_same(ground):
    laid = ground()
    first, again, other = (new_network(laid, seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert [name for name in first if not torch.equal(first[name], other[name])] == ["trunk.classifier.weight"]


def test_checkpointing_computes_every_layer_again_in_the_backward_pass(ground):
    calls = {}
    for is_on in ("false", "true"):
        laid = ground(f"train.gradient_checkpointing={is_on}")
        network, calls[is_on] = new_network(laid, 7).train(), 0
        [layer, _] = layers_of(network.body)

        def count(*_, is_on=is_on):
            calls[is_on] += 1

        layer.attention.register_forward_hook(count)
        ids = torch.ones(2, 4, dtype=torch.int64)
        network(input_ids=ids, attention_mask=ids).sum().backward()
    assert calls == {"false": 1, "true": 2}


@pytest.mark.parametrize(("setting", "head"), [("cls", "classifier"), ("mean", "readout")])
def test_the_head_is_the_one_that_the_recipe_names(ground, setting, head):
    network = new_network(ground(f"task.head={setting}"), 7)
    assert all(head in name or "pooler" in name for name in network.head_modules())


def test_texts_are_cut_to_the_length_that_the_recipe_allows(ground):
    free, short = ground(), ground("data.max_length=8")
    assert (free.reader.max_length, short.reader.max_length) == (64, 8)
    assert free.card.splits["train"].n_cut == 0
    assert short.card.splits["train"].n_cut == len(short.prepared.train.corpus)  # each row has 8 letters besides
    assert short.store.lengths.max() == 8


def test_a_length_that_the_base_does_not_take_is_refused(ground):
    with pytest.raises(UserError) as caught:
        ground("data.max_length=65")
    assert str(caught.value) == "data.max_length: this base takes at most 64 tokens; got 65."


def test_a_checkpoint_belongs_to_recipe_rows_and_base(ground, sentiment):
    first = ground().key
    assert ground().key == first
    assert ground("train.epochs=4").key != first
    with (sentiment / "test.csv").open("a") as file:
        file.write("one more row,good\n")
    assert ground().key != first
