"""Two processes that share the batches of each step end like one that accumulates them."""

import os
import socket

import pytest
import torch
from tiny_training import CPU, TinyBert, tiny_job

from burnish.core.settings import settings
from burnish.models.weights import write_weights
from burnish.training.hardware import Hardware
from burnish.training.run import run
from burnish.training.tensors import load_weights, weights_of


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def train_as(rank, port, work):
    """What torchrun does for each process: five variables of the environment."""
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
        LOCAL_WORLD_SIZE="2", ACCELERATE_USE_CPU="true", BURNISH_THREADS="1",
    )  # fmt: skip
    network = TinyBert(dropout=0.3)
    job = tiny_job(work, network=network, settings={"observers": ["jsonl"], "checkpoint_every_s": 1e-9})
    result = run(job)
    write_weights(weights_of(network), work.parent / f"{rank}.safetensors")
    (work.parent / f"{rank}.txt").write_text(f"{result.n_steps} {result.n_rows} {result.machine['processes']}")
    torch.distributed.destroy_process_group()


def test_two_processes_learn_what_one_process_with_accumulation_learns(tmp_path, processes):
    port = free_port()
    pair = [processes.Process(target=train_as, args=(rank, port, tmp_path / "run")) for rank in (0, 1)]
    for process in pair:
        process.start()
    for process in pair:
        process.join(timeout=120)
        assert process.exitcode == 0
    alone, one, other = (TinyBert(dropout=0.3) for _ in range(3))
    run(tiny_job(tmp_path / "alone", network=alone, settings={"accumulate": 2}))
    load_weights(one, tmp_path / "0.safetensors")
    load_weights(other, tmp_path / "1.safetensors")
    for name, tensor in weights_of(alone).items():
        assert torch.equal(weights_of(one)[name], weights_of(other)[name])
        torch.testing.assert_close(weights_of(one)[name], tensor, atol=1e-6, rtol=1e-4)
    # the epoch's last batch has no partner: the second process had no work in that step
    assert {(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)} == {"4 24 2"}
    # only the main process records: two steps and a judgement an epoch
    assert len((tmp_path / "run" / "steps.jsonl").read_text().splitlines()) == 6


def test_a_share_is_every_nth_batch_and_may_be_empty():
    third = Hardware(torch.device("cpu"), "fp32", n_processes=3, process=2)
    assert list(third.share(range(4, 10))) == [6, 9]
    assert list(third.share(range(4, 6))) == []
    assert not third.is_main


@pytest.mark.parametrize("numbers", [(3.0,), (1.0, 2.0)])
def test_a_lone_process_has_the_totals_already(numbers):
    assert CPU.total(*numbers) == list(numbers)


@pytest.mark.parametrize(("wanted", "n_here", "expected"), [("3", "2", 3), ("0", "2", 4), ("0", "16", 1)])
def test_processes_on_one_machine_share_its_cores_unless_the_settings_say_otherwise(
    monkeypatch, wanted, n_here, expected
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(8))
    monkeypatch.setenv("BURNISH_THREADS", wanted)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", n_here)
    settings.cache_clear()
    assert CPU.n_threads == expected
