"""One seed: a fresh network on the base, trained where there is something to learn, and its answers on dev and test."""

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
from burnish.tasks._contract import Answered, Batch, Decision, Task
from burnish.training.job import TrainingJob
from burnish.training.run import run


@dataclass
class Trained:
    """A trained network and what it answers. `rank` orders seeds: higher is better; `task` is completed by it."""

    seed: int
    task: Task
    network: Network
    rank: float
    scores: dict[str, float]
    dev: list[Answered] | None
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
    core = TorchCore(network, ground.task, ground.tokenizer.pad_id, len(ground.labels))
    found = _train(ground, core, seed, work, resume, listen) if ground.is_trained else None
    dev, test = (None if side is None else _answers(core, side) for side in (ground.dev, ground.test))
    task = ground.task.completed(ground.tokenizer, core.run, listen)
    judge = Judge(task, ground.labels, ground.recipe.judge)
    judged = dev if test is None else test
    scores = {} if judged is None else judge.scores(judged, Decision() if dev is None else judge.decide(dev)[0])
    if found is None:
        found = 0.0 if dev is None else judge.dev_scores(dev)[judge.metric.part_name]
    rank = found if judge.metric.is_better_high else -found
    return Trained(seed, task, network, rank, scores, dev, test, work)


def _train(ground: Ground, core: TorchCore, seed: int, work: Path, resume: bool, listen: Listener) -> float:
    """Train the core's network to its chosen epoch, and tell the score on dev that chose it."""
    assert ground.dev is not None, "training rows come with dev rows"
    assert ground.prepared.train is not None
    task, labels, dev = ground.task, ground.labels, ground.dev
    judge = Judge(task, labels, ground.recipe.judge)
    weights = output_weights(ground.recipe.train.class_weights, task, labels, ground.prepared.train)

    def loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        scale = None if weights is None else torch.tensor(weights, device=logits.device)
        return task.loss(logits, batch, scale, ground.recipe.train.label_smoothing)

    def evaluate() -> dict[str, float]:
        return judge.dev_scores(_answers(core, dev))

    result = run(
        TrainingJob(
            network=core.network,
            batches=_batches(ground, seed),
            loss=loss,
            evaluate=evaluate,
            metric=judge.metric.part_name,
            is_better_high=judge.metric.is_better_high,
            settings=ground.recipe.train.model_copy(update={"seed": seed}),
            work=work,
            key=ground.key,
            is_resumed=resume,
            head_prefixes=core.network.head_modules(),
            listen=listen,
        )
    )
    return float(result.scores[judge.metric.part_name])


def _batches(ground: Ground, seed: int) -> StoredBatches:
    assert ground.store is not None
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
