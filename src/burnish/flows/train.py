"""One seed: a fresh network on the base, trained where there is something to learn; its answers on dev and test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from burnish.bundle.core import TorchCore
from burnish.core.events import Listener
from burnish.core.seeds import derive
from burnish.flows.encode import StoredBatches
from burnish.flows.ground import Ground, HeldOut
from burnish.flows.judging import Judge
from burnish.flows.starting import Known, start_head
from burnish.flows.weights import output_weights
from burnish.models.freezing import dropout_changes, freeze
from burnish.models.inspection import read_config
from burnish.models.network import Network
from burnish.tasks._contract import Answered, Batch, Example, Task
from burnish.training.job import TrainingJob
from burnish.training.run import run


@dataclass
class Trained:
    """A network and what it answers. `rank` orders seeds: higher is better; `task` is completed by the network."""

    seed: int
    task: Task
    network: Network
    rank: float
    scores: dict[str, float]
    dev: list[Answered] | None
    test: list[Answered] | None
    work: Path


def new_network(ground: Ground, seed: int) -> Network:
    """The base with a new head, whose weights are a pure function of the seed, and of words and rows where they start
    from those.
    """
    recipe = ground.recipe
    plan = ground.task.head_plan(ground.labels)
    changes = dropout_changes(read_config(ground.base.folder), recipe.train.dropout)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "head"))
        network = ground.task.head_part.attach(ground.base.folder, plan.changed(changes))
    start_head(network, Known(ground.task, ground.labels, ground.reader, _rows(ground)))
    freeze(network, recipe.train.freeze)
    if recipe.train.gradient_checkpointing:
        network.trunk.activation_checkpointing_enable()
    return network


def _rows(ground: Ground) -> Iterable[Example]:
    return () if ground.prepared.train is None else ground.prepared.train.corpus


def train_seed(ground: Ground, seed: int, work: Path, resume: bool, listen: Listener) -> Trained:
    """Train one seed to its chosen epoch, then answer dev and test with it. Without rows it answers as it starts.

    Raises:
        SickRun: the run went wrong (NaN, explosion, one class only).
    """
    network = new_network(ground, seed)
    core = TorchCore(network, ground.task, ground.reader.pad_id, len(ground.labels))
    found = None
    if ground.is_trained:
        job = _job(ground, seed, core)
        found = run(replace(job, work=work, is_resumed=resume, listen=listen)).scores[job.metric]
    dev, test = (None if side is None else _answers(core, side) for side in (ground.dev, ground.test))
    task = ground.task.completed(ground.reader, core.run, listen)
    judge = Judge(task, ground.labels, ground.recipe.judge)
    judged = dev if test is None else test
    scores = {} if judged is None else judge.scores(judged, judge.decide(dev)[0])
    if found is None:
        found = 0.0 if dev is None else judge.dev_scores(dev)[judge.metric.part_name]
    rank = found if judge.metric.is_better_high else -found
    return Trained(seed, task, network, rank, scores, dev, test, work)


def _job(ground: Ground, seed: int, core: TorchCore) -> TrainingJob:
    """What training is asked to do; in the current folder until the caller says where."""
    train, dev = ground.prepared.train, ground.dev
    assert train is not None, "only what has training rows is trained"
    assert dev is not None, "training rows come with dev rows"
    task, settings = ground.task, ground.recipe.train
    judge = Judge(task, ground.labels, ground.recipe.judge)
    weights = output_weights(settings.class_weights, task, ground.labels, train)

    def loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        scale = None if weights is None else torch.tensor(weights, device=logits.device)
        return task.loss(logits, batch, scale, settings.label_smoothing)

    watched = task.watched(judge.metric.part_name)
    judge_of_epochs = replace(judge, task=watched)
    asked = TorchCore(core.network, watched, core.pad_id, core.n_labels)

    def evaluate() -> dict[str, float]:
        return judge_of_epochs.dev_scores(_answers(asked, dev))

    return TrainingJob(
        network=core.network,
        batches=_batches(ground, seed),
        loss=loss,
        evaluate=evaluate,
        metric=judge.metric.part_name,
        is_better_high=judge.metric.is_better_high,
        settings=settings.model_copy(update={"seed": seed}),
        work=Path(),
        key=ground.key,
        head_prefixes=core.network.head_modules(),
    )


def _batches(ground: Ground, seed: int) -> StoredBatches:
    assert ground.store is not None
    return StoredBatches(
        ground.store,
        ground.task,
        ground.reader.pad_id,
        len(ground.labels),
        ground.recipe.train.tokens_per_batch,
        seed,
    )


def _answers(core: TorchCore, side: HeldOut) -> list[Answered]:
    return side.answered(core.run(side.features()))
