"""One seed: a fresh network on the base, trained where there is something to learn; its answers on dev and test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch

from burnish.bundle.torch_core import TorchCore
from burnish.core.events import Listener
from burnish.core.seeds import derive
from burnish.flows.embeddings import PooledCore, shortened
from burnish.flows.encode import StoredBatches
from burnish.flows.ground import Ground, HeldOut
from burnish.flows.judging import Judge
from burnish.flows.prepare import Prepared
from burnish.flows.remembering import old_batches, origin_of
from burnish.flows.reporting import Sides, scores_on
from burnish.flows.starting import Known, start_head
from burnish.flows.weights import output_weights
from burnish.models.device import best_device
from burnish.models.freezing import freeze, with_dropout
from burnish.models.network import Network
from burnish.models.peft._contract import Peft
from burnish.models.reader import Reader
from burnish.tasks._contract import Answered, Batch, Task
from burnish.training.job import TrainingJob
from burnish.training.loop import Batches, Loss
from burnish.training.origin import Origin
from burnish.training.run import run

AnyCore = TorchCore | PooledCore


@dataclass
class Trained:
    """A network and what it answers. `rank` orders seeds: higher is better; `task` is completed by the network."""

    seed: int
    task: Task
    network: Network
    rank: float
    scores: dict[str, float]
    start: dict[str, float]
    """What it scored before it was trained, where the recipe asks for that."""
    dev: list[Answered] | None
    test: list[Answered] | None
    work: Path


def new_network(ground: Ground, seed: int) -> Network:
    """The base with a new head, and with what is tuned beside it; new weights are a pure function of the seed, and of
    words and rows where a head starts from those. Where training goes on from a bundle, its weights take their places.
    """
    recipe = ground.recipe
    plan = with_dropout(ground.task.head_plan(ground.labels), ground.base.folder, recipe.train.dropout)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "head"))
        network = ground.task.head_part.attach(ground.base.folder, plan)
    _start_heads(network, ground)
    if ground.warm is not None:
        ground.warm.hand_over(network, ground.task, ground.labels)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "peft"))
        cast("Peft", recipe.train.peft).put_on(network)
    freeze(network, recipe.train.freeze)
    if recipe.train.gradient_checkpointing:
        network.trunk.activation_checkpointing_enable()
    return network


def _start_heads(network: Network, ground: Ground) -> None:
    """Each head where it says that it starts; of several tasks each from its own words and rows."""
    start_head(network, _known(ground.prepared, ground.reader))
    for name, prepared in ground.prepared.members.items():
        assert network.readout is not None, "several tasks have a readout"
        own = Network(network.trunk, network.readout.get_submodule(f"head_{name}"))
        start_head(own, _known(prepared, ground.reader))


def _known(prepared: Prepared, reader: Reader) -> Known:
    rows = () if prepared.train is None else prepared.train.corpus
    return Known(prepared.task, prepared.labels, reader, rows)


def train_seed(ground: Ground, seed: int, work: Path, resume: bool, listen: Listener) -> Trained:
    """Train one seed to its chosen epoch, then answer dev and test with it. Without rows it answers as it starts.

    Raises:
        SickRun: the run went wrong (NaN, explosion, one class only).
    """
    core = shortened(_started(ground, seed, listen), ground, listen)
    network = core.network
    start = _start(ground, core) if ground.is_trained and ground.recipe.judge.start else {}
    found = None
    if ground.is_trained:
        job = job_of(ground, seed, core)
        job = replace(job, origin=_origin(ground, seed, core), work=work, is_resumed=resume, listen=listen)
        found = run(job).scores[job.metric]
    cast("Peft", ground.recipe.train.peft).fold_in(network)  # what is judged is what will be saved
    if ground.warm is not None and ground.is_trained and (share := ground.recipe.train.start_share):
        ground.warm.hand_over(network, core.task, ground.labels, share)
        found = None  # that was what was trained
    dev, test = (None if side is None else _answers(core, side) for side in (ground.dev, ground.test))
    task = core.task.completed(ground.reader, core.run, listen)
    task = task if dev is None else task.tuned(dev)
    judge = Judge(task, ground.labels, ground.recipe.judge)
    scores = scores_on(judge, Sides(dev, test), judge.decide(dev)[0])
    if found is None:
        found = 0.0 if dev is None else judge.dev_scores(dev)[judge.metric.part_name]
    rank = found if judge.metric.is_better_high else -found
    return Trained(seed, task, network, rank, scores, start, dev, test, work)


def _start(ground: Ground, core: AnyCore) -> dict[str, float]:
    """The score that chooses epochs, of the rows that the report is about, from the network as it is."""
    side = ground.dev if ground.test is None else ground.test
    assert side is not None, "training rows come with dev rows"
    return _watched_scores(ground, core, side)


def _watched_scores(ground: Ground, core: AnyCore, side: HeldOut) -> dict[str, float]:
    """What an epoch is judged by."""
    judge = Judge(core.task, ground.labels, ground.recipe.judge)
    asked = core.asking(core.task.watched(judge.metric.part_name).refreshed(core.run))
    return replace(judge, task=asked.task).dev_scores(_answers(asked, side))


def _started(ground: Ground, seed: int, listen: Listener) -> TorchCore:
    """A new network and its task, with what they start from."""
    network = new_network(ground, seed).to(best_device())
    core = TorchCore(network, ground.task, ground.reader.pad_id, len(ground.labels))
    rows = () if ground.prepared.train is None else ground.prepared.train.corpus
    return core.asking(ground.task.started(network, ground.reader, core.run, rows, listen))


def job_of(ground: Ground, seed: int, core: AnyCore) -> TrainingJob:
    """What training is asked to do; in the current folder until the caller says where."""
    dev = ground.dev
    assert dev is not None, "training rows come with dev rows"
    task, settings = core.task, ground.recipe.train
    judge = Judge(task, ground.labels, ground.recipe.judge)

    def evaluate() -> dict[str, float]:
        return _watched_scores(ground, core, dev)

    return TrainingJob(
        network=core.head if isinstance(core, PooledCore) else core.network,
        batches=_as_read(core, batches_of(ground, task, seed)),
        loss=loss_of(ground, task),
        evaluate=evaluate,
        metric=judge.metric.part_name,
        is_better_high=judge.metric.is_better_high,
        settings=settings.model_copy(update={"seed": seed}),
        work=Path(),
        key=ground.key,
        head_prefixes=core.network.head_modules(),
    )


def _as_read(core: AnyCore, batches: StoredBatches) -> Batches:
    """The batches as what is trained reads them."""
    return core.batches(batches) if isinstance(core, PooledCore) else batches


def _origin(ground: Ground, seed: int, core: AnyCore) -> Origin | None:
    """What training is told of the bundle that it goes on from, where it does."""
    if ground.warm is None:
        return None
    old = old_batches(ground, batches_of(ground, core.task, seed))
    return origin_of(ground, ground.warm, None if old is None else _as_read(core, old))


def loss_of(ground: Ground, task: Task) -> Loss:
    """The task's own loss, as the recipe weighs and smooths it."""
    settings = ground.recipe.train
    weights = output_weights(settings.class_weights, ground.prepared)

    def loss(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        scale = None if weights is None else torch.tensor(weights, device=logits.device)
        return task.loss(logits, batch, scale, settings.label_smoothing)

    return loss


def batches_of(ground: Ground, task: Task, seed: int) -> StoredBatches:
    """The training rows in the order of a seed."""
    assert ground.store is not None
    return StoredBatches(
        ground.store,
        task,
        ground.reader.pad_id,
        len(ground.labels),
        ground.recipe.train.tokens_per_batch,
        seed,
    )


def _answers(core: AnyCore, side: HeldOut) -> list[Answered]:
    return side.answered(core.run(side.features()))
