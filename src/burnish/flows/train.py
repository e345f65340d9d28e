"""One seed: a fresh network on the base, trained, and its answers on dev and test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from burnish.bundle.core import TorchCore
from burnish.core.events import Listener
from burnish.core.seeds import derive
from burnish.flows.encode import StoredBatches
from burnish.flows.ground import Ground, HeldOut
from burnish.flows.judging import Judge
from burnish.flows.weights import output_weights
from burnish.models.freezing import dropout_changes, freeze
from burnish.models.inspection import read_config
from burnish.models.network import Network
from burnish.tasks._contract import Answered, Batch
from burnish.training.job import TrainingJob
from burnish.training.run import run


@dataclass
class Trained:
    """A trained network and what it answers. `rank` orders seeds: higher is better."""

    seed: int
    network: Network
    rank: float
    scores: dict[str, float]
    dev: list[Answered]
    test: list[Answered] | None
    work: Path


def new_network(ground: Ground, seed: int) -> Network:
    """The base with a new head; the head's weights are a pure function of the seed."""
    recipe = ground.recipe
    plan = ground.task.head_plan(ground.labels)
    changes = dropout_changes(read_config(ground.base.folder), recipe.train.dropout)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "head"))
        network = ground.task.head_part.attach(ground.base.folder, plan.changed(changes))
    freeze(network, recipe.train.freeze)
    if recipe.train.gradient_checkpointing:
        network.trunk.activation_checkpointing_enable()
    return network


def train_seed(ground: Ground, seed: int, work: Path, resume: bool, listen: Listener) -> Trained:
    """Train one seed to its chosen epoch, then answer dev and test with it.

    Raises:
        SickRun: the run went wrong (NaN, explosion, one class only).
    """
    network = new_network(ground, seed)
    task, labels = ground.task, ground.labels
    core = TorchCore(network, task, ground.tokenizer.pad_id, len(labels))
    judge = Judge(task, labels, ground.recipe.judge)
    weights = output_weights(ground.recipe.train.class_weights, task, labels, ground.prepared.train)

    def loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        scale = None if weights is None else torch.tensor(weights, device=logits.device)
        return task.loss(logits, batch, scale, ground.recipe.train.label_smoothing)

    def evaluate() -> dict[str, float]:
        return judge.dev_scores(_answers(core, ground.dev))

    result = run(
        TrainingJob(
            network=network,
            batches=_batches(ground, seed),
            loss=loss,
            evaluate=evaluate,
            metric=judge.metric.part_name,
            is_better_high=judge.metric.is_better_high,
            settings=ground.recipe.train.model_copy(update={"seed": seed}),
            work=work,
            key=ground.key,
            is_resumed=resume,
            head_prefixes=network.head_modules(),
            listen=listen,
        )
    )
    dev = _answers(core, ground.dev)
    test = None if ground.test is None else _answers(core, ground.test)
    decision, _ = judge.decide(dev)
    scores = judge.scores(dev if test is None else test, decision)
    found = result.scores[judge.metric.part_name]
    return Trained(seed, network, found if judge.metric.is_better_high else -found, scores, dev, test, work)


def _batches(ground: Ground, seed: int) -> StoredBatches:
    return StoredBatches(
        ground.store,
        ground.task,
        ground.tokenizer.pad_id,
        len(ground.labels),
        ground.recipe.train.tokens_per_batch,
        seed,
    )


def _answers(core: TorchCore, side: HeldOut) -> list[Answered]:
    return side.answered(core.run(side.features()))
