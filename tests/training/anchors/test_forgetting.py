"""Two tasks one after the other: of the first less is forgotten with any anchor, and the second is learned."""

import numpy as np
import pytest
import torch
from tiny_training import fingerprint, tiny_job
from torch import nn

from burnish.core.seeds import generator
from burnish.tasks._contract import Collated
from burnish.training.origin import Origin
from burnish.training.run import run
from burnish.training.tensors import weights_of

N_ROWS, N_BATCHES = 16, 8


class Corner:
    """Points of the plane around (side, side): which of two classes they are is told by the diagonal through it.

    Around (1, 1) those right of it are class 1, around (−1, −1) those left of it: one line cannot do both.
    """

    def __init__(self, side, n_rows=N_ROWS):
        self.side, self.n_rows = side, n_rows

    def n_batches(self, epoch):
        return N_BATCHES * N_ROWS // self.n_rows

    def read(self, epoch, position):
        x = generator(1, "corner", self.side, position).normal(self.side, 0.5, (self.n_rows, 2)).astype(np.float32)
        labels = ((x[:, 0] > x[:, 1]) == (self.side > 0)).astype(np.int64)
        return Collated({"x": x}, {"labels": labels}, n_rows=self.n_rows, n_tokens=self.n_rows)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            self.hidden, self.classifier = nn.Linear(2, 32), nn.Linear(32, 2)

    def forward(self, x):
        return self.classifier(torch.tanh(self.hidden(x)))


def train(network, work, side, epochs, origin=None, **settings):
    fixed = {"epochs": epochs, "learning_rate": 0.01, "weight_decay": 0, "schedule": "constant", **settings}
    job = tiny_job(
        work, network=network, batches=Corner(side), settings=fixed, origin=origin, evaluate=lambda: {"accuracy": 0.0}
    )
    run(job)
    return network


def accuracy(network, side):
    right = []
    for number in range(20, 40):  # rows that were not trained on
        batch = Corner(side).read(0, number).to("cpu")
        with torch.no_grad():
            right.append(network(**batch.inputs).argmax(1) == batch.targets["labels"])
    return torch.cat(right).float().mean().item()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The weights of a network that knows one corner."""
    network = train(Small(), tmp_path_factory.mktemp("first"), 1, 20, keep="last")
    assert accuracy(network, 1) > 0.95
    return network.state_dict()


def went_on(first, work, anchor):
    network = Small()
    network.load_state_dict(first)
    name = anchor["name"]
    old = {"ewc": Corner(1, 1), "replay": Corner(1)}.get(name)
    origin = Origin("choice", old=old)
    train(network, work, -1, 20, origin, keep="last", start="bundle", anchor=anchor)
    return accuracy(network, 1), accuracy(network, -1)


@pytest.mark.parametrize(
    ("anchor", "least"),
    [
        ({"name": "l2sp", "weight": 0.1}, 0.4),
        ({"name": "ewc", "weight": 1.0}, 0.4),
        ({"name": "replay", "weight": 0.03}, 0.9),
    ],
    ids=lambda one: one["name"] if isinstance(one, dict) else "",
)
def test_an_anchor_keeps_what_plain_training_forgets_and_learns_what_is_new(first, tmp_path, anchor, least):
    free, plain = went_on(first, tmp_path / "free", {"name": "none"})
    kept, learned = went_on(first, tmp_path / "held", anchor)
    assert free < 0.1
    assert kept > least
    assert min(plain, learned) > 0.9


def test_on_and_on_it_is_the_same_run(first, tmp_path):
    hashes = set()
    for number in range(2):
        network = Small()
        network.load_state_dict(first)
        train(network, tmp_path / str(number), -1, 2, Origin("choice", old=Corner(1)), start="b", anchor="replay")
        hashes.add(fingerprint(weights_of(network)))
    assert len(hashes) == 1
