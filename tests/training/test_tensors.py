import errno

import pytest
import torch
from safetensors import SafetensorError
from tiny_training import TinyBert, fingerprint, tiny_plan
from torch import nn

from burnish.core.errors import UserError
from burnish.models.weights import write_weights
from burnish.training import tensors
from burnish.training.loop import train_epoch
from burnish.training.steps import Position


def test_weights_come_back_into_the_same_parameters(tmp_path):
    old, new = TinyBert(seed=1), TinyBert(seed=2)
    before = list(new.parameters())
    write_weights(tensors.weights_of(old), tmp_path / "w")
    tensors.load_weights(new, tmp_path / "w")
    assert fingerprint(tensors.weights_of(old)) == fingerprint(tensors.weights_of(new))
    assert all(one is other for one, other in zip(before, new.parameters(), strict=True))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("cache", torch.zeros(1), persistent=False)


def test_tied_weights_are_written_once_buffers_are_written_and_caches_are_not():
    assert set(tensors.weights_of(Tied())) == {
        *("first.weight", "first.bias", "second.bias", "norm.weight", "norm.bias"),
        *("norm.running_mean", "norm.running_var", "norm.num_batches_tracked"),
    }


def test_ties_survive_loading(tmp_path):
    old, new = Tied(), Tied()
    write_weights(tensors.weights_of(old), tmp_path / "w")
    tensors.load_weights(new, tmp_path / "w")
    assert new.first.weight is new.second.weight
    assert torch.equal(new.second.weight, old.first.weight)


def test_the_weights_of_another_network_are_refused(tmp_path):
    write_weights({"first.weight": torch.zeros(2, 2)}, tmp_path / "w")
    sentence = (
        "w: holds the weights of another network .one has first.bias, norm.bias, norm.num_batches_tracked, the other "
        r"has not.; was the base replaced\? Run without --resume to start anew\.$"
    )
    with pytest.raises(UserError, match=sentence):
        tensors.load_weights(Tied(), tmp_path / "w")


def optimizers(network):
    from transformers.optimization import Adafactor

    groups = lambda: [{"params": list(network.parameters()), "lr": 0.1, "peak_rate": 0.1}]  # noqa: E731
    return {
        "adamw": lambda: torch.optim.AdamW(groups(), fused=True),
        "sgd": lambda: torch.optim.SGD(groups(), momentum=0.9),
        "sgd without momentum": lambda: torch.optim.SGD(groups()),
        "adafactor": lambda: Adafactor(groups(), relative_step=False, scale_parameter=False),
    }


@pytest.mark.parametrize("name", list(optimizers(nn.Linear(1, 1))))
def test_an_optimiser_goes_on_exactly_where_it_was(tmp_path, name):
    network = TinyBert()
    old = optimizers(network)[name]()
    list(train_epoch(tiny_plan(network, optimizer=old), Position()))
    moments, rest = tensors.optimizer_state(old, network)
    write_weights(moments, tmp_path / "o")
    write_weights(tensors.weights_of(network), tmp_path / "w")
    list(train_epoch(tiny_plan(network, optimizer=old), Position(epoch=1)))

    twin = TinyBert(seed=9)
    new = optimizers(twin)[name]()
    tensors.load_weights(twin, tmp_path / "w")
    tensors.load_optimizer(new, twin, tmp_path / "o", rest)
    list(train_epoch(tiny_plan(twin, optimizer=new), Position(epoch=1)))
    assert fingerprint(tensors.weights_of(twin)) == fingerprint(tensors.weights_of(network))
    assert fingerprint(tensors.optimizer_state(new, twin)[0]) == fingerprint(tensors.optimizer_state(old, network)[0])


def test_what_an_optimiser_read_does_not_depend_on_the_file_any_more(tmp_path):
    network = TinyBert()
    optimizer = optimizers(network)["adamw"]()
    list(train_epoch(tiny_plan(network, optimizer=optimizer), Position()))
    moments, rest = tensors.optimizer_state(optimizer, network)
    write_weights(moments, tmp_path / "o")
    before = fingerprint(moments)
    tensors.load_optimizer(optimizer, network, tmp_path / "o", rest)
    with (tmp_path / "o").open("r+b") as file:
        file.write(bytes((tmp_path / "o").stat().st_size))
    assert fingerprint(tensors.optimizer_state(optimizer, network)[0]) == before


def test_what_the_disk_refuses_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="No such file or directory") as caught:
        write_weights({"a": torch.zeros(1)}, tmp_path / "absent" / "w")
    assert caught.value.errno == errno.ENOENT


def test_what_safetensors_itself_refuses_stays_as_it_is(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise SafetensorError("something else")

    monkeypatch.setattr("safetensors.torch.save_file", refuse)
    with pytest.raises(SafetensorError, match="something else"):
        write_weights({}, tmp_path / "w")


def test_frozen_weights_are_not_written_and_stay_as_they_are(tmp_path):
    network = Tied()
    network.first.requires_grad_(False)
    network.norm.requires_grad_(False)
    saved = tensors.weights_of(network)
    assert set(saved) == {"second.bias", *(f"norm.{name}" for name in ("running_mean", "running_var")), *BATCHES}
    write_weights(saved, tmp_path / "w")
    before = network.first.weight.clone()
    tensors.load_weights(network, tmp_path / "w")
    assert torch.equal(network.first.weight, before)


BATCHES = ["norm.num_batches_tracked"]


def test_the_statistics_of_batch_norms_are_weights_too(tmp_path):
    """Else a resumed run would go on with other statistics than the one that was stopped."""
    network = torch.nn.BatchNorm1d(2)
    network(torch.tensor([[1.0, 5.0], [3.0, 9.0]]))
    write_weights(tensors.weights_of(network), tmp_path / "weights.safetensors")
    again = torch.nn.BatchNorm1d(2)
    tensors.load_weights(again, tmp_path / "weights.safetensors")
    assert again.state_dict().keys() == network.state_dict().keys()
    assert all(torch.equal(again.state_dict()[name], value) for name, value in network.state_dict().items())
    assert again.num_batches_tracked == 1
