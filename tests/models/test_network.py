"""What a network hands its readout: the last hidden state, all that a trunk without one gives, or nothing."""

import torch
from torch import nn

from burnish.core.shelves import Shelf
from burnish.models.freezing import freeze
from burnish.models.heads._contract import HeadPlan
from burnish.models.network import Network
from burnish.recipe.schema import FreezeSection


class Trunk(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, input_ids):
        return {self.name: input_ids * 2}


class Tells(nn.Module):
    def forward(self, hidden, inputs):
        self.heard = hidden
        return torch.zeros(1)


def heard(trunk, **inputs):
    network = Network(trunk, Tells())
    network(**inputs)
    return network.readout.heard


def test_the_readout_gets_the_last_hidden_state():
    assert heard(Trunk("last_hidden_state"), input_ids=torch.tensor([3])).tolist() == [6]


def test_of_a_trunk_without_one_it_gets_everything():
    assert heard(Trunk("text_embeds"), input_ids=torch.tensor([3])).keys() == {"text_embeds"}


def test_where_there_is_nothing_for_the_trunk_it_gets_nothing():
    assert heard(Trunk("last_hidden_state"), items=torch.tensor([3])) is None


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2)

    def forward(self, values):
        return {"last_hidden_state": self.norm(values)}


def test_a_frozen_batch_norm_keeps_its_statistics_in_training():
    values = torch.tensor([[1.0, 5.0], [3.0, 9.0]])
    moved = []
    for is_frozen in (False, True):
        network = Network(Normed(), Tells())
        network.trunk.requires_grad_(not is_frozen)
        network.train()(values=values)
        moved.append(bool(network.trunk.norm.running_mean.any()))
        assert network.readout.training
    assert moved == [True, False]


def test_what_is_frozen_whole_drops_nothing_in_training(tiny_base):
    """The head learns from what it will read: a body without anything to train is in evaluation mode."""
    network = Shelf("heads").build("mean").attach(tiny_base, HeadPlan(("a", "b")))
    freeze(network, FreezeSection(all_but_head=True))
    network.train()
    assert not any(module.training for module in network.trunk.modules())
    assert network.readout.dropout.training
    ids = torch.ones(2, 4, dtype=torch.int64)
    first, again = (network.pooled(input_ids=ids, attention_mask=ids) for _ in range(2))
    assert torch.equal(first, again)


def test_what_is_frozen_in_part_is_in_training_mode(tiny_base):
    network = Shelf("heads").build("mean").attach(tiny_base, HeadPlan(("a", "b")))
    freeze(network, FreezeSection(layers=1))
    assert all(module.training for module in network.train().modules())
