"""Every observer: opens a recorder, is told of steps and epochs, closes, and goes on where a run is resumed."""

import importlib
from dataclasses import replace

import orjson
import pytest

from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.shelves import Shelf
from burnish.training.observers._contract import RunInfo
from burnish.training.steps import Position, Step

SHELF = Shelf("observers")
FIRST = Step(
    step=1,
    epoch=1,
    position=1,
    loss=2.0,
    learning_rate=2e-4,
    grad_norm=3.0,
    n_rows=8,
    n_tokens=64,
    seconds=0.5,
    is_epoch_end=False,
    is_skipped=False,
)


def steps(first, last):
    """Two steps an epoch; the loss of step n is 1 / n."""
    for n in range(first, last + 1):
        yield replace(FIRST, step=n, epoch=(n + 1) // 2, loss=1 / n, is_epoch_end=n % 2 == 0)


def record(recorder, first, last):
    for step in steps(first, last):
        recorder.step(step)
        if step.is_epoch_end:
            recorder.epoch(step.epoch, {"accuracy": step.epoch / 10})
    recorder.close()


@pytest.fixture
def info(tmp_path):
    return RunInfo(folder=tmp_path, start=Position(), settings={"learning_rate": 2e-4})


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def library_of(name):
    return {"jsonl": "json"}.get(name, name)


@pytest.fixture(params=SHELF.names())
def part(request):
    pytest.importorskip(library_of(request.param))
    return SHELF.get(request.param)


def test_the_shelf_has_the_observers_that_the_recipe_promises():
    assert SHELF.names() == ["jsonl", "mlflow", "tensorboard", "wandb"]


def test_a_run_is_recorded_below_its_folder_stopped_and_gone_on_with(part, info):
    record(part().open(info), 1, 4)
    assert list(info.folder.iterdir())
    resumed = replace(info, start=Position(step=3, epoch=1, batch=1))
    record(part().open(resumed), 4, 6)


def test_nothing_is_printed(part, info, capfd):
    record(part().open(info), 1, 2)
    assert capfd.readouterr() == ("", "")


def test_an_observer_is_written_in_the_recipe_and_read_back(part):
    assert SHELF.build(part().as_recipe()) == part()


@pytest.mark.parametrize("name", [name for name in SHELF.names() if name != "jsonl"])
def test_a_missing_library_is_told_with_the_pip_line(name, info, monkeypatch):
    real = importlib.import_module

    def refuse(module, *arguments):
        if module == name:
            raise ImportError(f"No module named '{name}'")
        return real(module, *arguments)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(UserError, match=rf"this needs the library '{name}': pip install 'burnish\[{name}\]'\."):
        SHELF.build(name).open(info)


# jsonl


def lines(info):
    return [orjson.loads(line) for line in (info.folder / "steps.jsonl").read_bytes().splitlines()]


def numbers(info):
    return [f"epoch {line['epoch']}" if "scores" in line else line["step"] for line in lines(info)]


def test_jsonl_writes_a_line_a_step_and_a_line_an_epoch(info):
    record(SHELF.build("jsonl").open(info), 1, 2)
    assert lines(info) == [as_line(step) for step in steps(1, 2)] + [
        {"epoch": 1, "step": 2, "scores": {"accuracy": 0.1}}
    ]


def as_line(step):
    return {name: getattr(step, name) for name in step.__slots__}


@pytest.mark.parametrize(
    ("start", "kept"),
    [
        (Position(step=3, epoch=1, batch=1), [1, 2, "epoch 1", 3]),
        (Position(step=2, epoch=1, batch=0), [1, 2, "epoch 1"]),
        (Position(step=2, epoch=0, batch=2), [1, 2]),  # stopped before the epoch was judged
        (Position(step=1, epoch=0, batch=1), [1]),
        (Position(), []),
    ],
)
def test_jsonl_forgets_what_a_resumed_run_will_tell_again(info, start, kept):
    record(SHELF.build("jsonl").open(info), 1, 4)
    SHELF.build("jsonl").open(replace(info, start=start)).close()
    assert numbers(info) == kept


def test_jsonl_cuts_a_line_that_a_crash_left_half_written(info):
    record(SHELF.build("jsonl").open(info), 1, 2)
    path = info.folder / "steps.jsonl"
    for torn in (b'{"step": 3, "lo', b"\0\0\0\0", b'{"step":3}'):
        path.write_bytes(path.read_bytes() + torn)
        SHELF.build("jsonl").open(replace(info, start=Position(step=3, epoch=1, batch=1))).close()
        assert numbers(info) == [1, 2, "epoch 1"]


def test_jsonl_has_every_line_on_disk_before_it_is_closed(info):
    recorder = SHELF.build("jsonl").open(info)
    recorder.step(FIRST)
    assert numbers(info) == [1]
    recorder.close()


# tensorboard


def events(info):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(info.folder / "tensorboard"))
    found.Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_tensorboard_shows_steps_and_scores(info):
    record(SHELF.build("tensorboard").open(info), 1, 2)
    found = events(info)
    assert found["train/loss"] == [(1, 1.0), (2, 0.5)]
    assert found["train/tokens_per_second"][0] == (1, 128.0)
    assert found["dev/accuracy"] == [(2, pytest.approx(0.1))]


def test_tensorboard_shows_no_step_twice_after_a_resume(info):
    record(SHELF.build("tensorboard").open(info), 1, 4)
    record(SHELF.build("tensorboard").open(replace(info, start=Position(step=3, epoch=1, batch=1))), 4, 6)
    assert [step for step, _ in events(info)["train/loss"]] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in events(info)["dev/accuracy"]] == [2, 4, 6]


# wandb


def test_wandb_goes_on_under_its_id_when_resumed_and_takes_a_new_one_otherwise(info):
    pytest.importorskip("wandb")
    identity = info.folder / "wandb.id"
    record(SHELF.build("wandb").open(info), 1, 2)
    first = identity.read_text()
    record(SHELF.build("wandb").open(replace(info, start=Position(step=2, epoch=1))), 3, 4)
    assert identity.read_text() == first
    record(SHELF.build("wandb").open(info), 1, 2)
    assert identity.read_text() != first
    assert list(info.folder.glob("wandb/offline-run-*/*.wandb"))


class FakeWandb:
    """Notes what it is asked for, and refuses."""

    class Error(Exception):
        pass

    class Settings:
        def __init__(self, **options):
            pass

    def init(self, **options):
        self.options = options
        raise self.Error("No API key configured.")


@pytest.fixture
def asked_of_wandb(monkeypatch, info):
    from burnish.training.observers import wandb

    fake = FakeWandb()
    monkeypatch.setattr(wandb, "need", lambda module, extra: fake)

    def ask(part):
        with pytest.raises(
            UserError, match=r"^train\.observers: Weights & Biases refused the run \(No API key"
        ) as caught:
            SHELF.build(part).open(info)
        assert str(caught.value).endswith(
            "Log in with `wandb login`, set WANDB_API_KEY, or record offline with WANDB_MODE=offline."
        )
        return fake.options

    return ask


def test_wandb_is_asked_for_the_project_and_mode_of_the_recipe(asked_of_wandb):
    options = asked_of_wandb({"name": "wandb", "project": "intents", "mode": "online"})
    assert (options["project"], options["mode"]) == ("intents", "online")


def test_wandb_follows_its_variable_then_burnish_offline_then_is_online(asked_of_wandb, monkeypatch):
    assert asked_of_wandb("wandb")["mode"] == "offline"
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("BURNISH_OFFLINE", "true")
    settings.cache_clear()
    assert asked_of_wandb("wandb")["mode"] == "offline"
    monkeypatch.delenv("BURNISH_OFFLINE")
    settings.cache_clear()
    assert asked_of_wandb("wandb")["mode"] == "online"


# mlflow


def history(info, name):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=(info.folder / "mlruns").as_uri())
    identity = (info.folder / "mlflow.id").read_text()
    return [(metric.step, metric.value) for metric in client.get_metric_history(identity, name)]


@pytest.fixture
def files_allowed(monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


@pytest.mark.usefixtures("files_allowed")
def test_mlflow_stores_steps_scores_and_settings(info):
    record(SHELF.build("mlflow").open(info), 1, 3)
    assert history(info, "train/loss") == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert history(info, "dev/accuracy") == [(2, 0.1)]
    assert list(info.folder.glob("mlruns/*/*/params/learning_rate"))


@pytest.mark.usefixtures("files_allowed")
def test_mlflow_goes_on_in_the_same_run_when_resumed(info):
    record(SHELF.build("mlflow").open(info), 1, 2)
    record(SHELF.build("mlflow").open(replace(info, start=Position(step=2, epoch=1))), 3, 4)
    assert [step for step, _ in history(info, "train/loss")] == [1, 2, 3, 4]


@pytest.mark.usefixtures("files_allowed")
def test_mlflow_sends_as_many_steps_at_a_time_as_the_recipe_says(info):
    recorder = SHELF.build({"name": "mlflow", "steps_per_send": 2}).open(info)
    counts = []
    for step in steps(1, 5):
        recorder.step(step)
        counts.append(len(recorder.waiting))
    recorder.close()
    assert counts == [4, 0, 4, 0, 4]
    assert len(history(info, "train/loss")) == 5


def test_mlflow_lists_the_run_under_the_experiment_of_the_recipe(info):
    pytest.importorskip("mlflow")
    SHELF.build({"name": "mlflow", "experiment": "intents"}).open(info).close()
    assert "name: intents" in "".join(path.read_text() for path in info.folder.glob("mlruns/*/meta.yaml"))


def test_mlflow_leaves_its_variable_as_it_was(info, monkeypatch):
    pytest.importorskip("mlflow")
    import os

    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    SHELF.build("mlflow").open(info).close()
    assert "MLFLOW_ALLOW_FILE_STORE" not in os.environ


def test_an_mlflow_that_refuses_is_told_in_a_sentence(info, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://nowhere")
    with pytest.raises(UserError, match=r"^train\.observers: MLflow refused the run \(.*nonsense.*MLFLOW_TRACKING_URI"):
        SHELF.build("mlflow").open(info)
