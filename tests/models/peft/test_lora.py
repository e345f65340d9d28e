import pytest
import torch
from torch import nn

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.heads._contract import HeadPlan
from burnish.models.network import Network
from burnish.models.peft._layers import chosen_layers

PLAN = HeadPlan(("bad", "good"))
ALL = ["query", "key", "value", "dense"]


@pytest.fixture
def network(tiny_base):
    return Shelf("heads").build("cls").attach(tiny_base, PLAN)


def lora(**settings):
    return Shelf("peft").build({"name": "lora", **settings})


def products(network):
    """(path, rank, scale, dropout) of each layer with two matrices beside it."""
    return [
        (path, module.r["default"], module.scaling["default"], getattr(module.lora_dropout["default"], "p", 0.0))
        for path, module in network.trunk.named_modules()
        if hasattr(module, "lora_A")
    ]


def test_every_linear_layer_of_the_blocks_gets_one_and_no_other(network):
    lora().put_on(network)
    paths = [path for path, *_ in products(network)]
    assert {path.rpartition(".")[2] for path in paths} == set(ALL)
    assert len(paths) == 2 * 6  # of 2 layers: query, key, value, output, and the two of the feed-forward part
    assert not any("pooler" in path or "classifier" in path for path in paths)


def test_settings_say_how_large_how_strong_and_where(network):
    lora(rank=2, alpha=6, dropout=0.25, modules=["query"]).put_on(network)
    assert products(network) == [
        (f"bert.encoder.layer.{number}.attention.self.query", 2, 3.0, 0.25) for number in range(2)
    ]


def test_a_folded_layer_is_w_plus_the_scaled_product(network):
    layer = network.trunk.bert.encoder.layer[0].attention.self.query
    before = layer.weight.detach().clone()
    part = lora(rank=2, alpha=6)
    part.put_on(network)
    placed = network.trunk.bert.encoder.layer[0].attention.self.query
    with torch.no_grad():
        placed.lora_B["default"].weight.fill_(0.5)
    a, b = placed.lora_A["default"].weight.detach(), placed.lora_B["default"].weight.detach()
    part.fold_in(network)
    folded = network.trunk.bert.encoder.layer[0].attention.self.query
    assert folded is layer
    torch.testing.assert_close(folded.weight, before + 3.0 * b @ a)


def test_both_towers_of_an_encoder_and_a_decoder_are_tuned():
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=20, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0, pad_token_id=0
    )
    network = Network(T5ForConditionalGeneration(config))
    paths = chosen_layers(network.body, None, "x")
    assert len([path for path in paths if path.startswith("encoder.")]) == 4 + 2
    assert len([path for path in paths if path.startswith("decoder.")]) == 8 + 2
    assert not any("lm_head" in path for path in paths)


def test_the_transposed_layers_of_gpt2_are_folded_in_too():
    from transformers import GPT2Config, GPT2LMHeadModel

    ids = torch.tensor([[1, 2, 3]])
    trunk = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=2)).eval()
    network = Network(trunk)
    part = lora(rank=2)
    part.put_on(network)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.3)
    trained = network(input_ids=ids)
    part.fold_in(network)
    torch.testing.assert_close(network(input_ids=ids), trained, atol=1e-5, rtol=0)


def test_a_layer_that_the_base_has_not_is_told(network):
    with pytest.raises(UserError) as caught:
        lora(modules=["querry", "value"]).put_on(network)
    assert str(caught.value) == (
        "train.peft.modules: this base has no linear layer called 'querry' in its blocks. Did you mean 'query'? "
        "It has: query, key, value, dense."
    )


def test_a_base_without_linear_layers_in_blocks_is_told():
    with pytest.raises(UserError, match=r"^train\.peft: this base has no linear layers in blocks; train it in full"):
        chosen_layers(nn.Sequential(nn.Linear(2, 2)), None, "x")
