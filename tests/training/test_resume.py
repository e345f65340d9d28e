"""Resuming is bit-exact: weights, optimiser and losses of a run that was stopped equal those of one that was not."""

import os
import random
import signal
import time

import orjson
import pytest
from tiny_training import TinyBert, fingerprint, tiny_job

from burnish.core.events import Message, Progress
from burnish.core.files import sha256_of
from burnish.training.run import run
from burnish.training.tensors import weights_of

DROPOUT = 0.3


def begin(work, settings, **changes):
    """Train with a checkpoint after every step; returns the hash of the network's final weights."""
    network = TinyBert(dropout=DROPOUT)
    run(
        tiny_job(
            work, network=network, settings={"observers": ["jsonl"], "checkpoint_every_s": 1e-9, **settings}, **changes
        )
    )
    return fingerprint(weights_of(network))


def traces(work, last_step):
    """SHA-256 of weights and optimiser at the end, and every recorded number but the time."""
    folder = work / "checkpoints" / f"step-{last_step}"
    files = [sha256_of(folder / f"{name}.safetensors") for name in ("weights", "optimizer")]
    lines = [orjson.loads(line) for line in (work / "steps.jsonl").read_bytes().splitlines()]
    return files, [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def stop_when(is_time):
    def listen(event):
        if is_time(event):
            os.kill(os.getpid(), signal.SIGINT)

    return listen


def moments(n_steps):
    """After each step, and after each epoch is judged."""
    for number in range(1, n_steps + 1):
        yield lambda event, number=number: isinstance(event, Progress) and event.done == number
    yield lambda event: isinstance(event, Message) and event.text.startswith("epoch 1/2")


@pytest.mark.parametrize(
    ("settings", "n_steps"),
    [
        ({}, 6),
        ({"accumulate": 2, "precision": "bf16", "schedule": "cosine"}, 4),
        ({"accumulate": 2, "optimizer": "adafactor"}, 4),
        ({"precision": "bf16", "optimizer": "sgd", "learning_rate": 0.01}, 6),
    ],
    ids=str,
)
def test_a_run_that_was_stopped_at_any_step_ends_like_one_that_was_not(tmp_path, settings, n_steps):
    expected = begin(tmp_path / "whole", settings), traces(tmp_path / "whole", n_steps)
    for number, is_time in enumerate(moments(n_steps)):
        work = tmp_path / str(number)
        with pytest.raises(KeyboardInterrupt):
            begin(work, settings, listen=stop_when(is_time))
        resumed = begin(work, settings, is_resumed=True), traces(work, n_steps)
        assert resumed == expected, f"stopped at moment {number}"


def test_a_run_that_is_stopped_after_every_single_step_ends_like_one_that_was_not(tmp_path):
    expected = begin(tmp_path / "whole", {}), traces(tmp_path / "whole", 6)
    for number in range(1, 7):
        with pytest.raises(KeyboardInterrupt):
            begin(tmp_path / "torn", {}, is_resumed=True, listen=stop_when(list(moments(6))[number - 1]))
    assert (begin(tmp_path / "torn", {}, is_resumed=True), traces(tmp_path / "torn", 6)) == expected


@pytest.fixture
def _on_a_gpu(monkeypatch):
    from accelerate import PartialState

    monkeypatch.delenv("ACCELERATE_USE_CPU")
    PartialState._reset_state()
    yield
    PartialState._reset_state()


@pytest.mark.gpu
@pytest.mark.usefixtures("_on_a_gpu")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_run_on_a_gpu_that_was_stopped_ends_like_one_that_was_not(tmp_path, precision):
    settings = {"precision": precision}
    expected = begin(tmp_path / "whole", settings), traces(tmp_path / "whole", 6)
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path / "torn", settings, listen=stop_when(list(moments(6))[1]))
    assert (begin(tmp_path / "torn", settings, is_resumed=True), traces(tmp_path / "torn", 6)) == expected


KILLED = {"epochs": 4}


def train_in_a_process(work, begun):
    """Tell that work begins, resume what is in `work`, and leave the final hash in a file."""
    begun.set()
    result = begin(work, KILLED, is_resumed=True)
    (work / "hash").write_text(result)


@pytest.mark.parametrize("n_kills", [4, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_at_random_moments_ends_like_one_that_was_not(tmp_path, processes, n_kills):
    started = time.perf_counter()
    expected = begin(tmp_path / "whole", KILLED), traces(tmp_path / "whole", 12)
    whole_s = time.perf_counter() - started
    seed = random.SystemRandom().randrange(10**6)
    moment, work, n_killed = random.Random(seed), tmp_path / "torn", 0
    while not (work / "hash").exists():
        begun = processes.Event()
        process = processes.Process(target=train_in_a_process, args=(work, begun))
        process.start()
        assert begun.wait(timeout=120)
        if n_killed < n_kills:
            time.sleep(moment.uniform(0, whole_s))
            process.kill()
        process.join()
        n_killed += process.exitcode == -signal.SIGKILL
        process.close()
        if n_killed < n_kills and (work / "hash").exists():  # it was faster than the kill: once more from the start
            work.rename(tmp_path / f"done-{n_killed}-{time.monotonic_ns()}")
    assert ((work / "hash").read_text(), traces(work, 12)) == expected, f"seed {seed}"
