"""Encoders of pictures of every build: how each gives one vector, what it reads, which layers it has."""

from types import SimpleNamespace

import pytest
import torch
import transformers

from burnish.core.errors import UserError
from burnish.models.freezing import freeze, layers_of
from burnish.models.network import Network
from burnish.models.towers import PictureReadout, width_of
from burnish.models.trunks import load_trunk, main_input, picture_vector
from burnish.recipe.schema import FreezeSection

PATCHES = {
    **{"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32},
    **{"image_size": 32, "patch_size": 8},
}
STAGES = {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 3, 1]}
PIXELS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def vit(pooling=True):
    return transformers.ViTModel(transformers.ViTConfig(**PATCHES), add_pooling_layer=pooling)


def clip():
    text = {**PATCHES, "vocab_size": 60, "bos_token_id": 0, "eos_token_id": 1}
    return transformers.CLIPModel(transformers.CLIPConfig(vision_config=PATCHES, text_config=text, projection_dim=8))


MODELS = {
    "vit": (vit, lambda out: out.pooler_output),
    "vit without pooling": (lambda: vit(False), lambda out: out.last_hidden_state[:, 0]),
    "siglip": (
        lambda: transformers.SiglipVisionModel(transformers.SiglipVisionConfig(**PATCHES)),
        lambda out: out.pooler_output,
    ),
    "convnext": (
        lambda: transformers.ConvNextModel(transformers.ConvNextConfig(**STAGES)),
        lambda out: out.pooler_output,
    ),
    "resnet": (
        lambda: transformers.ResNetModel(transformers.ResNetConfig(embedding_size=8, **STAGES)),
        lambda out: out.last_hidden_state.mean((2, 3)),
    ),
    "clip": (clip, lambda out: out.pooler_output),
}


@pytest.fixture(scope="module", params=MODELS)
def made(request, tmp_path_factory):
    """The folder of a model, and its vectors as its own outputs have them."""
    maker, pooled = MODELS[request.param]
    folder = tmp_path_factory.mktemp("trunk")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        maker().save_pretrained(folder)
    return folder, pooled


def test_a_picture_becomes_one_vector_of_the_trunks_width(made):
    folder, pooled = made
    trunk = load_trunk(folder, "pixel_values", {}).eval()
    outputs = trunk(pixel_values=PIXELS)
    vectors = picture_vector(trunk, outputs)
    assert vectors.shape == (2, width_of(trunk)) == (2, 16)
    torch.testing.assert_close(vectors, pooled(outputs))


def test_a_trunk_saved_and_loaded_again_gives_the_same(made, tmp_path):
    trunk = load_trunk(made[0], "pixel_values", {}).eval()
    trunk.save_pretrained(tmp_path)
    again = load_trunk(tmp_path, "pixel_values", {}).eval()
    assert torch.equal(picture_vector(again, again(PIXELS)), picture_vector(trunk, trunk(PIXELS)))


def test_layers_are_frozen_from_the_bottom(made):
    network = Network(load_trunk(made[0], "pixel_values", {}), torch.nn.Identity())
    layers = layers_of(network.trunk)
    assert len(layers) in (2, 4), "as many as there are layers, or stages"
    freeze(network, FreezeSection(layers=1))
    assert not any(p.requires_grad for p in layers[0].parameters())
    assert all(p.requires_grad for layer in layers[1:] for p in layer.parameters())
    bottom = next(iter(network.trunk.parameters()))
    assert not bottom.requires_grad


def test_each_half_of_a_model_of_both_is_read_for_itself(tmp_path):
    clip().save_pretrained(tmp_path)
    texts = load_trunk(tmp_path, "input_ids", {}).eval()
    assert type(texts).__name__ == "CLIPTextModel"
    ids = torch.tensor([[0, 5, 1]])
    assert texts(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.shape == (1, 3, 16)


def test_what_a_model_reads_is_told_by_its_library(tiny_towers):
    assert main_input(tiny_towers) == "pixel_values"
    assert main_input(tiny_towers / "text") == "input_ids"


def test_a_config_that_transformers_does_not_know_is_told(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "own"}')
    with pytest.raises(UserError, match=r"has a config\.json that transformers cannot read \("):
        main_input(tmp_path)


def test_a_base_without_a_block_of_embeddings_cannot_be_frozen_by_layers():
    class Plain(torch.nn.Module):
        def get_input_embeddings(self):
            raise NotImplementedError

    plain = Plain()
    network = Network(plain, torch.nn.Identity())
    with pytest.raises(UserError, match=r"^train\.freeze: this base has no layers that can be told apart; set all_but"):
        freeze(network, FreezeSection(embeddings=True))


def test_a_model_of_timm_is_as_wide_as_what_it_pools():
    """Its config says nothing of it. The library itself needs torchvision, which the developers' install has not."""
    assert width_of(SimpleNamespace(config=None, timm_model=SimpleNamespace(head_hidden_size=512))) == 512


def test_labels_of_pictures_are_read_from_what_a_trunk_pools():
    readout = PictureReadout(3, 2)
    readout.linear.weight.data = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 1.0]])
    pooled = torch.tensor([[1.0, 2.0, 3.0]])
    assert readout({"pooler_output": pooled.reshape(1, 3, 1, 1)}, {}).tolist() == [[1.0, 7.0]]
