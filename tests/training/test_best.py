import errno
import os

import pytest
from safetensors import SafetensorError
from tiny_training import TinyBert, fingerprint

from burnish.core.errors import UserError
from burnish.training.best import BestWeights
from burnish.training.tensors import weights_of


@pytest.fixture
def best(tmp_path):
    return BestWeights(tmp_path)


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "step-1"
    folder.mkdir()
    return folder


def test_the_best_weights_come_back(best):
    network, other = TinyBert(seed=1), TinyBert(seed=2)
    best.keep(network)
    best.load(other)
    assert fingerprint(weights_of(network)) == fingerprint(weights_of(other))


def test_a_checkpoint_shares_the_file_and_costs_no_bytes(best, checkpoint):
    best.keep(TinyBert())
    best.link_into(checkpoint)
    assert (checkpoint / "best.safetensors").samefile(best.path)


def test_better_weights_leave_the_checkpoint_as_it_was(best, checkpoint):
    best.keep(TinyBert(seed=1))
    best.link_into(checkpoint)
    before = (checkpoint / "best.safetensors").read_bytes()
    best.keep(TinyBert(seed=2))
    assert (checkpoint / "best.safetensors").read_bytes() == before != best.path.read_bytes()
    best.restore(checkpoint)
    assert best.path.read_bytes() == before


def test_a_file_system_without_links_gets_a_copy(best, checkpoint, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    best.keep(TinyBert())
    best.link_into(checkpoint)
    copied = checkpoint / "best.safetensors"
    assert not copied.samefile(best.path)
    assert copied.read_bytes() == best.path.read_bytes()


def test_drafts_of_a_crash_are_swept(best):
    best.keep(TinyBert())
    (best.folder / ".best.safetensors.tmp-0123").write_bytes(b"half")
    best.sweep()
    assert [path.name for path in best.folder.iterdir()] == ["best.safetensors"]


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing_half_written(best, monkeypatch):
    def run_out(tensors, path):
        path.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", run_out)
    with pytest.raises(UserError, match=r"best\.safetensors: cannot be written: the disk is full; free some space"):
        best.keep(TinyBert())
    assert list(best.folder.iterdir()) == []
