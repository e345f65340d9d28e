import errno
import os
import signal
import threading

import orjson
import pytest
import torch
from safetensors import SafetensorError
from tiny_training import TinyBatches, TinyBert, cross_entropy, fingerprint, tiny_job

from burnish.core.errors import SickRun, UserError
from burnish.core.events import Message, Progress
from burnish.training.keeping import Keeper
from burnish.training.observers.jsonl import Jsonl
from burnish.training.observers.tensorboard import TensorBoard
from burnish.training.run import run
from burnish.training.tensors import weights_of

EVERY_STEP = {"checkpoint_every_s": 1e-9}


def messages(events):
    return [event.text for event in events if isinstance(event, Message)]


def scored(*scores, network=None, seen=None):
    """An `evaluate` that gives these scores in turn, and notes the weights that were judged."""
    left = list(scores)

    def evaluate():
        if seen is not None:
            seen.append(fingerprint(weights_of(network)))
        return {"accuracy": left.pop(0)}

    return evaluate


def test_the_result_tells_what_was_done(tmp_path):
    result = run(tiny_job(tmp_path, evaluate=scored(0.5, 0.25)))
    assert (result.n_steps, result.n_rows, result.n_tokens) == (6, 24, 144)
    assert [(epoch.number, epoch.step, epoch.scores) for epoch in result.epochs] == [
        (1, 3, {"accuracy": 0.5}),
        (2, 6, {"accuracy": 0.25}),
    ]
    assert (result.kept_epoch, result.scores) == (1, {"accuracy": 0.5})
    assert (result.resumed_at, result.is_stopped_early) == (None, False)
    assert result.machine["threads"] == "1"
    assert result.machine["precision"] == "fp32"
    assert result.seconds > 0


def test_the_loss_of_an_epoch_is_the_mean_over_its_rows(tmp_path):
    result = run(tiny_job(tmp_path, settings={"observers": ["jsonl"]}))
    lines = [orjson.loads(line) for line in (tmp_path / "steps.jsonl").read_bytes().splitlines()]
    steps = [line for line in lines if "loss" in line and line["epoch"] == 1]
    assert result.epochs[0].loss == pytest.approx(sum(s["loss"] * s["n_rows"] for s in steps) / 12)


def test_training_learns(tmp_path):
    result = run(tiny_job(tmp_path, settings={"epochs": 12, "learning_rate": 3e-3}))
    assert result.epochs[-1].loss < result.epochs[0].loss / 2


@pytest.mark.parametrize(
    ("keep", "is_better_high", "scores", "kept"),
    [
        ("best", True, (0.5, 0.9, 0.7), 2),
        ("best", False, (0.5, 0.9, 0.7), 1),
        ("best", True, (0.5, 0.5, 0.5), 1),
        ("best", True, (0.1, 0.2, 0.3), 3),
        ("last", True, (0.5, 0.9, 0.7), 3),
    ],
)
def test_the_network_ends_with_the_weights_of_the_kept_epoch(tmp_path, keep, is_better_high, scores, kept):
    network, seen = TinyBert(), []
    job = tiny_job(
        tmp_path,
        network=network,
        settings={"epochs": 3, "keep": keep},
        evaluate=scored(*scores, network=network, seen=seen),
        is_better_high=is_better_high,
    )
    assert run(job).kept_epoch == kept
    assert fingerprint(weights_of(network)) == seen[kept - 1]
    assert not network.training


def test_patience_stops_after_that_many_epochs_without_a_better_score(tmp_path):
    job = tiny_job(tmp_path, settings={"epochs": 6, "patience": 2}, evaluate=scored(0.5, 0.6, 0.6, 0.5))
    result = run(job)
    assert (len(result.epochs), result.kept_epoch, result.is_stopped_early) == (4, 2, True)


def test_the_network_is_judged_in_eval_mode_without_gradients_and_in_fp32(tmp_path):
    network, seen = TinyBert(), []

    def evaluate():
        logits = network(**TinyBatches().read(0, 0).to("cpu").inputs)
        seen.append((network.training, torch.is_grad_enabled(), logits.dtype))
        return {"accuracy": 1.0}

    run(tiny_job(tmp_path, network=network, evaluate=evaluate, settings={"precision": "bf16"}))
    assert set(seen) == {(False, False, torch.float32)}


def test_progress_tells_loss_rate_and_speed_and_ends_at_its_total(tmp_path):
    events = []
    run(tiny_job(tmp_path, settings={"accumulate": 2}, listen=events.append))
    progress = [event for event in events if isinstance(event, Progress)]
    assert [(event.done, event.total, event.stage, event.unit) for event in progress] == [
        (number, 4, "train", "steps") for number in (1, 2, 3, 4)
    ]
    assert set(progress[0].numbers) == {"epoch", "loss", "rate", "tokens/s"}
    assert progress[-1].numbers["epoch"] == "2/2"


def test_each_epoch_is_told_in_a_line(tmp_path):
    events = []
    result = run(tiny_job(tmp_path, evaluate=scored(0.5, 0.25), listen=events.append))
    assert messages(events) == [
        f"epoch 1/2: loss {result.epochs[0].loss:.4f}, dev accuracy 0.5000 (best so far)",
        f"epoch 2/2: loss {result.epochs[1].loss:.4f}, dev accuracy 0.2500",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"epochs": 3},
        {"accumulate": 2},
        {"learning_rate": 1e-3},
        {"head_learning_rate": 1e-3},
        {"optimizer": "adafactor"},
        {"schedule": "constant"},
        {"clip_norm": 0.01},
        {"weight_decay": 0.5},
        {"precision": "bf16"},
        {"seed": 8},
    ],
    ids=str,
)
def test_a_setting_changes_what_is_learnt(tmp_path, changed):
    hashes = set()
    for settings in ({}, changed):
        network = TinyBert()
        run(tiny_job(tmp_path, network=network, settings={"keep": "last", **settings}))
        hashes.add(fingerprint(weights_of(network)))
    assert len(hashes) == 2


def test_the_same_job_gives_the_same_weights_in_any_folder(tmp_path):
    hashes = set()
    for name in ("one", "two"):
        network = TinyBert()
        run(tiny_job(tmp_path / name, network=network))
        hashes.add(fingerprint(weights_of(network)))
    assert len(hashes) == 1


def test_checkpoints_are_written_at_their_time(tmp_path):
    run(tiny_job(tmp_path / "often", settings=EVERY_STEP))
    assert sorted(path.name for path in (tmp_path / "often" / "checkpoints").iterdir()) == ["step-5", "step-6"]
    run(tiny_job(tmp_path / "seldom", settings={"checkpoint_every_s": 3600}))
    assert not (tmp_path / "seldom" / "checkpoints").exists()


def test_best_weights_are_shared_by_checkpoints(tmp_path):
    run(tiny_job(tmp_path, settings=EVERY_STEP, evaluate=scored(0.9, 0.1)))
    one, other = (tmp_path / "checkpoints" / name / "best.safetensors" for name in ("step-5", "step-6"))
    assert one.samefile(other)


def test_a_run_that_is_not_resumed_starts_anew(tmp_path):
    run(tiny_job(tmp_path, settings=EVERY_STEP))
    result = run(tiny_job(tmp_path, key="another recipe"))
    assert (result.n_steps, result.resumed_at) == (6, None)
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_finished_run_that_is_resumed_trains_no_more(tmp_path):
    network = TinyBert()
    run(tiny_job(tmp_path, settings=EVERY_STEP, network=network, evaluate=scored(0.9, 0.1)))
    again = TinyBert(seed=5)
    job = tiny_job(tmp_path, settings=EVERY_STEP, network=again, is_resumed=True, evaluate=scored())
    result = run(job)
    assert (result.resumed_at, result.n_steps, result.kept_epoch) == (6, 6, 1)
    assert fingerprint(weights_of(again)) == fingerprint(weights_of(network))


def test_resuming_without_a_checkpoint_says_so_and_starts_from_the_beginning(tmp_path):
    events = []
    result = run(tiny_job(tmp_path, is_resumed=True, listen=events.append))
    assert result.resumed_at is None
    assert messages(events)[0] == (
        f"{tmp_path / 'checkpoints'}: there is no complete checkpoint; training starts from the beginning."
    )


def test_a_damaged_newest_checkpoint_is_told_removed_and_trained_again(tmp_path):
    whole = TinyBert()
    run(tiny_job(tmp_path, settings=EVERY_STEP, network=whole))
    newest = tmp_path / "checkpoints" / "step-6"
    (newest / "weights.safetensors").write_bytes(b"")
    events, network = [], TinyBert(seed=4)
    result = run(tiny_job(tmp_path, network=network, is_resumed=True, listen=events.append))
    assert result.resumed_at == 5
    assert not newest.exists()
    assert messages(events)[0] == (
        f"{newest}: the checkpoint is damaged (a file is cut or changed) and was passed over."
    )
    assert fingerprint(weights_of(network)) == fingerprint(weights_of(whole))


def test_the_checkpoint_of_another_recipe_is_refused(tmp_path):
    run(tiny_job(tmp_path, settings=EVERY_STEP))
    with pytest.raises(UserError, match="step-6: the checkpoint belongs to another recipe or other data; go back to"):
        run(tiny_job(tmp_path, is_resumed=True, key="another recipe"))


def test_another_number_of_threads_is_warned_of(tmp_path, monkeypatch):
    from burnish.core.settings import settings

    run(tiny_job(tmp_path, settings=EVERY_STEP))
    monkeypatch.setenv("BURNISH_THREADS", "2")
    settings.cache_clear()
    events = []
    run(tiny_job(tmp_path, is_resumed=True, listen=events.append))
    (message,) = messages(events)
    assert message == (
        f"{tmp_path / 'checkpoints' / 'step-6'}: made on another machine or setting (threads 1 → 2): training goes on, "
        "but the result will not equal the uninterrupted run's bit for bit."
    )


def test_bf16_on_a_processor_that_emulates_it_is_warned_of(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    events = []
    run(tiny_job(tmp_path, settings={"precision": "bf16"}, listen=events.append))
    assert "has no bf16 instructions" in messages(events)[0]


def test_threads_and_algorithms_are_as_before_afterwards(tmp_path):
    states = lambda: (  # noqa: E731
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )
    before, during = states(), []
    run(tiny_job(tmp_path, listen=lambda event: during.append(states())))
    assert during[0] == (1, True, False, ":4096:8")
    assert states() == before


class Noting:
    """A recorder that notes what it is told."""

    def __init__(self):
        self.told = []

    def step(self, step):
        self.told.append(step.step)

    def epoch(self, number, scores):
        self.told.append(f"epoch {number}")

    def close(self):
        self.told.append("closed")


@pytest.fixture
def recorder(monkeypatch):
    recorder = Noting()
    monkeypatch.setattr(Jsonl, "open", lambda self, info: recorder)
    return recorder


def test_observers_are_told_of_every_step_and_epoch_in_order(tmp_path, recorder):
    run(tiny_job(tmp_path, settings={"observers": ["jsonl"]}))
    assert recorder.told == [1, 2, 3, "epoch 1", 4, 5, 6, "epoch 2", "closed"]


def test_an_observer_that_fails_is_dropped_with_a_warning_and_training_goes_on(tmp_path, recorder, monkeypatch):
    def fail(step):
        raise ConnectionError("the server is gone")

    monkeypatch.setattr(recorder, "step", fail)
    events = []
    result = run(tiny_job(tmp_path, settings={"observers": ["jsonl"]}, listen=events.append))
    assert result.n_steps == 6
    assert messages(events)[0] == (
        "train.observers: jsonl failed and records no more of this run (the server is gone); training goes on."
    )
    assert recorder.told == []


def test_a_disk_that_an_observer_finds_full_stops_the_run(tmp_path, recorder, monkeypatch):
    def fail(step):
        raise UserError("the disk is full")

    monkeypatch.setattr(recorder, "step", fail)
    with pytest.raises(UserError, match="the disk is full"):
        run(tiny_job(tmp_path, settings={"observers": ["jsonl"]}))


def test_an_observer_that_cannot_start_stops_the_run_before_it_begins_and_closes_the_others(
    tmp_path, recorder, monkeypatch
):
    def refuse(self, info):
        raise UserError("this needs the library 'tensorboard'")

    monkeypatch.setattr(TensorBoard, "open", refuse)
    with pytest.raises(UserError, match="this needs the library 'tensorboard'"):
        run(tiny_job(tmp_path, settings={"observers": ["jsonl", "tensorboard"]}))
    assert recorder.told == ["closed"]


def test_a_sick_run_is_recorded_up_to_the_sick_step_saves_nothing_and_closes_its_observers(tmp_path, recorder):
    def loss(logits, batch):
        return cross_entropy(logits, batch) * (float("nan") if batch.n_rows == 5 else 1.0)

    settings = {"observers": ["jsonl"], **EVERY_STEP}
    with pytest.raises(SickRun, match=r"training stopped at step 3 \(epoch 1\): the loss is nan\."):
        run(tiny_job(tmp_path, settings=settings, loss=loss))
    assert recorder.told == [1, 2, 3, "closed"]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-1", "step-2"]


def test_one_class_only_is_sick_after_half_of_the_epochs(tmp_path):
    job = tiny_job(tmp_path, evaluate=lambda: {"accuracy": 0.3, "n_predicted_classes": 1})
    with pytest.raises(SickRun, match="after epoch 2 of 2: the network gives every dev row the same class"):
        run(job)


def test_a_metric_that_is_not_judged_is_refused_with_what_there_is(tmp_path):
    sentence = (
        r"^judge\.metric: 'acuracy' is not among the scores on dev\. Did you mean 'accuracy'\? There are: accuracy\.$"
    )
    with pytest.raises(UserError, match=sentence):
        run(tiny_job(tmp_path, metric="acuracy"))


def test_no_rows_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"^data\.train: there are no rows to train on\.$"):
        run(tiny_job(tmp_path, batches=TinyBatches(())))


def interrupt_at(number):
    def listen(event):
        if isinstance(event, Progress) and event.done == number:
            os.kill(os.getpid(), signal.SIGTERM)

    return listen


def test_an_interrupt_saves_and_promises_nothing_where_nobody_can_go_on(tmp_path):
    events = []

    def listen(event):
        events.append(event)
        interrupt_at(2)(event)

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(tiny_job(tmp_path, listen=listen, is_kept=False))
    assert messages(events) == []
    assert not list(tmp_path.rglob("*.safetensors"))


def test_an_interrupt_saves_a_checkpoint_and_says_how_to_go_on(tmp_path):
    events = []

    def listen(event):
        events.append(event)
        interrupt_at(2)(event)

    sentence = (
        f"Training was interrupted after step 2; everything is saved in {tmp_path}, "
        "and the same command with --resume goes on from there."
    )
    with pytest.raises(KeyboardInterrupt, match=f"^{sentence}$"):
        run(tiny_job(tmp_path, listen=listen))
    assert messages(events) == [sentence]
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-2"]


def test_an_interrupt_while_judging_does_not_wait_and_the_epoch_is_judged_again(tmp_path):
    def evaluate():
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("judging went on")

    with pytest.raises(KeyboardInterrupt, match="interrupted after step 3"):
        run(tiny_job(tmp_path, evaluate=evaluate))
    result = run(tiny_job(tmp_path, evaluate=scored(0.5, 0.6), is_resumed=True))
    assert [epoch.scores["accuracy"] for epoch in result.epochs] == [0.5, 0.6]


def test_a_full_disk_is_told_in_a_sentence(tmp_path, monkeypatch):
    def run_out(tensors, path):
        path.write_bytes(b"half")
        raise SafetensorError(f"Error while serializing: I/O error: No space left (os error {errno.ENOSPC})")

    monkeypatch.setattr("safetensors.torch.save_file", run_out)
    with pytest.raises(UserError, match=r"checkpoints: cannot be written: the disk is full; free some space and run"):
        run(tiny_job(tmp_path, settings=EVERY_STEP))
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_run_works_in_another_thread(tmp_path):
    results = []
    thread = threading.Thread(target=lambda: results.append(run(tiny_job(tmp_path))))
    thread.start()
    thread.join()
    assert results[0].n_steps == 6


@pytest.mark.parametrize(
    ("save_s", "passed_s", "is_due"),
    [(0.1, 59, False), (0.1, 60, True), (6, 119, False), (6, 120, True), (90, 599, False), (90, 600, True)],
)
def test_a_checkpoint_that_takes_long_comes_less_often(tmp_path, monkeypatch, save_s, passed_s, is_due):
    """Every 60 s; after one of 6 s not before 20 × 6 = 120 s; after one of 90 s not later than 10 × 60 s."""
    keeper = Keeper(tiny_job(tmp_path, settings={"checkpoint_every_s": 60}), plan=None, last_save=1000.0, save_s=save_s)
    monkeypatch.setattr("burnish.training.keeping.time.monotonic", lambda: 1000.0 + passed_s)
    assert keeper.is_due() == is_due
