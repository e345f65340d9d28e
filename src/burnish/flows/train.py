"""One seed: a fresh network on the base, trained where there are rows, and its answers on dev and test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from burnish.bundle.core import TorchCore
from burnish.core.events import Listener
from burnish.core.seeds import derive
from burnish.data.features import FeatureStore
from burnish.flows.encode import StoredBatches
from burnish.flows.ground import Ground, HeldOut
from burnish.flows.judging import Judge
from burnish.flows.starting import start_label_vectors
from burnish.flows.weights import output_weights
from burnish.models.freezing import dropout_changes, freeze
from burnish.models.inspection import read_config
from burnish.models.network import Network
from burnish.tasks._contract import Answered, Batch
from burnish.training.job import TrainingJob
from burnish.training.run import run


@dataclass
class Trained:
    """A network, trained where there are rows, and what it answers. `rank` orders seeds: higher is better."""

    seed: int
    network: Network
    rank: float
    scores: dict[str, float]
    dev: list[Answered] | None
    test: list[Answered] | None
    work: Path


def new_network(ground: Ground, seed: int) -> Network:
    """The base with a new head; the head's weights are a pure function of the seed, and of the rows where they start
    from them.
    """
    recipe = ground.recipe
    plan = ground.task.head_plan(ground.labels)
    changes = dropout_changes(read_config(ground.base.folder), recipe.train.dropout)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "head"))
        network = ground.task.head_part.attach(ground.base.folder, plan.changed(changes))
    start_label_vectors(network, ground)
    freeze(network, recipe.train.freeze)
    if recipe.train.gradient_checkpointing:
        network.trunk.activation_checkpointing_enable()
    return network


def train_seed(ground: Ground, seed: int, work: Path, resume: bool, listen: Listener) -> Trained:
    """Train one seed to its chosen epoch, then answer dev and test with it. Without rows it answers as it starts.

    Raises:
        SickRun: the run went wrong (NaN, explosion, one class only).
    """
    network = new_network(ground, seed)
    core = TorchCore(network, ground.task, ground.tokenizer.pad_id, len(ground.labels))
    judge = Judge(ground.task, ground.labels, ground.recipe.judge)
    rank = 0.0
    if ground.store is not None:
        job = _job(ground, _batches(ground, ground.store, seed), core, judge)
        found = run(replace(job, work=work, is_resumed=resume, listen=listen)).scores[job.metric]
        rank = found if job.is_better_high else -found
    dev = None if ground.dev is None else _answers(core, ground.dev)
    test = None if ground.test is None else _answers(core, ground.test)
    judged = dev if test is None else test
    scores = {} if judged is None else judge.scores(judged, judge.decide(dev)[0])
    return Trained(seed, network, rank, scores, dev, test, work)


def _job(ground: Ground, batches: StoredBatches, core: TorchCore, judge: Judge) -> TrainingJob:
    """What training is asked to do; in the current folder until the caller says where."""
    task, settings, train = ground.task, ground.recipe.train, ground.prepared.train
    weights = None if train is None else output_weights(settings.class_weights, task, ground.labels, train)

    def loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        scale = None if weights is None else torch.tensor(weights, device=logits.device)
        return task.loss(logits, batch, scale, settings.label_smoothing)

    def evaluate() -> dict[str, float]:
        return {} if ground.dev is None else judge.dev_scores(_answers(core, ground.dev))

    return TrainingJob(
        network=core.network,
        batches=batches,
        loss=loss,
        evaluate=evaluate,
        metric=judge.metric.part_name,
        is_better_high=judge.metric.is_better_high,
        settings=settings.model_copy(update={"seed": batches.seed}),
        work=Path(),
        key=ground.key,
        head_prefixes=core.network.head_modules(),
    )


def _batches(ground: Ground, store: FeatureStore, seed: int) -> StoredBatches:
    return StoredBatches(
        store,
        ground.task,
        ground.tokenizer.pad_id,
        len(ground.labels),
        ground.recipe.train.tokens_per_batch,
        seed,
    )


def _answers(core: TorchCore, side: HeldOut) -> list[Answered]:
    return side.answered(core.run(side.features()))
