"""What a network hands its readout: the last hidden state, all that a trunk without one gives, or nothing."""

import torch
from torch import nn

from burnish.models.network import Network


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
