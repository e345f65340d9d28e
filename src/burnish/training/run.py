"""Reads the stream of steps: records it, tells of it, judges each epoch, keeps the best weights, stops what is sick."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, cast

from burnish.core.errors import UserError, hint, listed
from burnish.core.events import Message, Progress
from burnish.training.anchors._contract import Anchor, Past
from burnish.training.determinism import deterministic, machine
from burnish.training.groups import parameter_groups
from burnish.training.hardware import Hardware, open_hardware
from burnish.training.health import Health, check_epoch
from burnish.training.interruption import Interruption
from burnish.training.job import TrainingJob, TrainingResult
from burnish.training.keeping import Keeper
from burnish.training.loop import Held, Plan, train_epoch
from burnish.training.observers._contract import Observer, RunInfo
from burnish.training.optimizers._contract import Optimizer
from burnish.training.precision import slowness
from burnish.training.recording import Recording, recording
from burnish.training.schedules._contract import Schedule
from burnish.training.state import State
from burnish.training.steps import Step


def run(job: TrainingJob) -> TrainingResult:
    """Train, and leave the kept weights in the job's network.

    Raises:
        SickRun: NaN, explosion, or one class only; nothing should be published.
        KeyboardInterrupt: Ctrl-C or SIGTERM; a checkpoint was saved first, and the message says how to go on, where the
            job's folder is kept.
        UserError: no rows, everything frozen, a disk that cannot be written, a checkpoint of another recipe.
    """
    hardware = open_hardware(job.settings.precision)
    with Interruption() as interruption, deterministic(hardware.n_threads):
        plan = _plan(job, hardware)
        keeper = Keeper(job, plan)
        state, health = keeper.begin()
        resumed_at = state.position.step or None
        info = RunInfo(job.work, state.position, job.settings.model_dump(mode="json"))
        observers = cast(list[Observer], job.settings.observers) if hardware.is_main else []
        with recording(observers, info, job.listen) as recorders:
            _Going(job, plan, keeper, state, health, interruption, recorders).to_the_end()
        return TrainingResult(
            epochs=tuple(state.epochs),
            kept_epoch=keeper.load_kept(state),
            n_steps=state.position.step,
            n_rows=state.n_rows,
            n_tokens=state.n_tokens,
            seconds=state.seconds,
            machine=machine(hardware),
            is_stopped_early=state.position.epoch < plan.epochs,
            resumed_at=resumed_at,
        )


def _plan(job: TrainingJob, hardware: Hardware) -> Plan:
    if job.batches.n_batches(0) == 0:
        raise UserError("data.train: there are no rows to train on.")
    if warning := slowness(hardware.precision, hardware.device):
        job.listen(Message(warning, "warning"))
    network = job.network.to(hardware.device)
    groups = parameter_groups(network, job.settings, job.head_prefixes)
    return Plan(
        network=network,
        batches=job.batches,
        loss=job.loss,
        optimizer=cast(Optimizer, job.settings.optimizer).build(groups),
        schedule=cast(Schedule, job.settings.schedule).factor,
        hardware=hardware,
        epochs=job.settings.epochs,
        accumulate=job.settings.accumulate,
        clip_norm=job.settings.clip_norm,
        seed=job.settings.seed,
        anchor=_held(job, hardware),
    )


def _held(job: TrainingJob, hardware: Hardware) -> Held | None:
    """What the anchor holds on to. The network is as it starts, also when the run is resumed: weights come later."""
    if job.origin is None:
        return None
    past = Past(job.network, job.origin, hardware, job.settings.seed, job.listen)
    return cast(Anchor, job.settings.anchor).hold(past)


@dataclass
class _Going:
    """A run under way."""

    job: TrainingJob
    plan: Plan
    keeper: Keeper
    state: State
    health: Health
    interruption: Interruption
    recorders: Recording

    def to_the_end(self) -> None:
        while not self._is_over():
            for step in train_epoch(self.plan, self.state.position):
                self._after_step(step)
            self._after_epoch(self._judge())

    def _is_over(self) -> bool:
        done, patience = self.state.position.epoch, self.job.settings.patience
        return done == self.plan.epochs or (patience is not None and done - self.state.best_epoch >= patience)

    def _after_step(self, step: Step) -> None:
        self.state.add(step)
        self.recorders.step(step)
        self.health.check_step(step, self.plan.hardware.precision)
        if self.plan.hardware.is_main:
            self.job.listen(self._progress(step))
        if not step.is_epoch_end:  # its checkpoint is worth more when the epoch is judged
            self._rest()

    def _judge(self) -> dict[str, float]:
        """Scores on dev. Nothing of the state changes meanwhile, so an interrupt need not wait for the end."""
        import torch

        self.plan.network.eval()
        try:
            with self.interruption.at_once(), torch.no_grad():
                scores = dict(self.job.evaluate())
        except KeyboardInterrupt:
            self._stop()
        if self.job.metric not in scores:
            raise UserError(
                f"judge.metric: '{self.job.metric}' is not among the scores on dev."
                f"{hint(self.job.metric, scores)} There are: {listed(sorted(scores))}."
            )
        return scores

    def _after_epoch(self, scores: dict[str, float]) -> None:
        number = self.state.position.epoch + 1
        check_epoch(number, self.plan.epochs, scores, self.job.metric)
        is_best = self._is_best(scores)
        epoch = self.state.close_epoch(scores, is_best)
        if is_best:
            self.keeper.keep_best()
        self.recorders.epoch(number, scores)
        if self.plan.hardware.is_main:
            words = f"epoch {number}/{self.plan.epochs}: loss {epoch.loss:.4f}, dev {self.job.metric} "
            self.job.listen(Message(f"{words}{scores[self.job.metric]:.4f}{' (best so far)' if is_best else ''}"))
        self._rest()

    def _is_best(self, scores: Mapping[str, float]) -> bool:
        """Strictly better: of equal epochs the first is kept, which was trained less."""
        if self.state.best is None:
            return True
        gain = scores[self.job.metric] - self.state.best.scores[self.job.metric]
        return gain > 0 if self.job.is_better_high else gain < 0

    def _rest(self) -> None:
        """Between steps the state is whole: the moment to save it."""
        if self.interruption.is_asked:
            self._stop()
        if self.keeper.is_due():
            self.keeper.save(self.state, self.health)

    def _stop(self) -> NoReturn:
        if not self.job.is_kept:
            raise KeyboardInterrupt
        self.keeper.save(self.state, self.health)
        sentence = (
            f"Training was interrupted after step {self.state.position.step}; everything is saved in {self.job.work}, "
            "and the same command with --resume goes on from there."
        )
        if self.plan.hardware.is_main:
            self.job.listen(Message(sentence, "warning"))
        raise KeyboardInterrupt(sentence) from None

    def _progress(self, step: Step) -> Progress:
        per_step = self.plan.accumulate * self.plan.hardware.n_processes
        n_batches = self.plan.batches.n_batches(step.epoch - 1)
        n_left = math.ceil((n_batches - step.position) / per_step)
        n_later = (self.plan.epochs - step.epoch) * math.ceil(n_batches / per_step)
        return Progress(
            stage="train",
            done=step.step,
            total=step.step + n_left + n_later,
            unit="steps",
            numbers={
                "epoch": f"{step.epoch}/{self.plan.epochs}",
                "loss": f"{self.state.loss_sum / self.state.n_rows_of_epoch:.4f}",
                "rate": f"{step.learning_rate:.2e}",
                "tokens/s": f"{self.state.n_tokens / self.state.seconds:,.0f}",
            },
        )
