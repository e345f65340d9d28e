import pytest
import torch
from tiny_training import TinyBert

from burnish.core.errors import UserError
from burnish.recipe.schema import TrainSection
from burnish.training.groups import parameter_groups


def by_name(network, groups):
    names = {parameter: name for name, parameter in network.named_parameters()}
    return {names[parameter]: group for group in groups for parameter in group["params"]}


def test_only_matrices_are_decayed():
    network = TinyBert()
    found = by_name(network, parameter_groups(network, TrainSection(weight_decay=0.3), ("classifier",)))
    assert found["encoder.encoder.layer.0.attention.self.query.weight"]["weight_decay"] == 0.3
    assert found["encoder.embeddings.LayerNorm.weight"]["weight_decay"] == 0
    assert found["classifier.bias"]["weight_decay"] == 0
    assert found["classifier.weight"]["weight_decay"] == 0.3
    assert len(found) == len(list(network.parameters()))


def test_the_head_learns_ten_times_as_fast_unless_the_recipe_says_otherwise():
    network = TinyBert()
    for given, expected in ((None, 2e-3), (5e-4, 5e-4)):
        settings = TrainSection(learning_rate=2e-4, head_learning_rate=given)
        found = by_name(network, parameter_groups(network, settings, ("classifier",)))
        assert found["classifier.weight"]["peak_rate"] == pytest.approx(expected)
        assert found["encoder.embeddings.word_embeddings.weight"]["peak_rate"] == 2e-4


def test_a_prefix_means_a_module_and_not_the_start_of_a_word():
    network = torch.nn.ModuleDict({"head": torch.nn.Linear(1, 1), "header": torch.nn.Linear(1, 1)})
    found = by_name(network, parameter_groups(network, TrainSection(), ("head",)))
    assert found["head.weight"]["peak_rate"] > found["header.weight"]["peak_rate"]


def test_the_first_group_is_the_pretrained_weights():
    network = TinyBert()
    assert parameter_groups(network, TrainSection(learning_rate=1e-4), ("classifier",))[0]["peak_rate"] == 1e-4


def test_frozen_parameters_are_in_no_group():
    network = TinyBert()
    network.encoder.requires_grad_(False)
    found = by_name(network, parameter_groups(network, TrainSection(), ("classifier",)))
    assert set(found) == {"classifier.weight", "classifier.bias"}


def test_freezing_everything_is_refused():
    network = TinyBert().requires_grad_(False)
    with pytest.raises(
        UserError, match=r"^train\.freeze: every weight is frozen, so there is nothing to train; freeze less\.$"
    ):
        parameter_groups(network, TrainSection())
