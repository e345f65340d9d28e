"""The training loop: a generator of steps. Whoever reads it records, saves, judges, stops; it does none of that."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from burnish.training.determinism import seeded_dropout
from burnish.training.hardware import Hardware
from burnish.training.steps import Position, Step

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from burnish.tasks._contract import Batch, Collated

Loss = Callable[["Tensor", "Batch"], "Tensor"]
"""(logits in fp32, batch) → mean loss of the batch's rows, a scalar."""


class Batches(Protocol):
    """The training rows in an order that is a pure function of (seed, epoch, position)."""

    def n_batches(self, epoch: int) -> int:
        """Batches of epoch `epoch`, counted from 0. Asked at every step: quick for the epoch under way."""

    def read(self, epoch: int, position: int) -> Collated:
        """Batch `position` of epoch `epoch`, both counted from 0."""


class Held(Protocol):
    """What an anchor holds on to, while the network is trained."""

    def penalty(self, network: torch.nn.Module, position: Position) -> Tensor:
        """What is added to the loss of the batch at `position`, a scalar. A pure function of weights and position."""


@dataclass(frozen=True)
class Plan:
    """Everything that a step depends on, beside the position."""

    network: torch.nn.Module
    batches: Batches
    loss: Loss
    optimizer: torch.optim.Optimizer
    schedule: Callable[[float], float]
    """Progress of training, 0 … 1 → share of each group's `peak_rate`."""
    hardware: Hardware
    epochs: int
    accumulate: int
    """Batches that each process computes for one step."""
    clip_norm: float
    seed: int
    anchor: Held | None = None


def train_epoch(plan: Plan, start: Position) -> Iterator[Step]:
    """Train from `start` to the end of its epoch, and yield what each optimiser step did.

    One step takes `accumulate` batches on each process, the epoch's last step what is left. Their gradients are
    weighted by their rows, so the step is that of one batch made of all of them. After a yield the network, the
    optimiser and `step.end` are all that is needed to go on later, bit for bit.
    """
    n_batches = plan.batches.n_batches(start.epoch)
    number, first = start.step, start.batch
    plan.network.train()
    while first < n_batches:
        began = time.perf_counter()
        end = min(first + plan.accumulate * plan.hardware.n_processes, n_batches)
        rate = _set_rate(plan, (start.epoch + (first + end) / 2 / n_batches) / plan.epochs)
        loss, n_rows, n_tokens = _backward(plan, Position(number, start.epoch, first), end)
        grad_norm = _update(plan)
        number, first = number + 1, end
        yield Step(
            step=number,
            epoch=start.epoch + 1,
            position=end,
            loss=plan.hardware.total(float(loss))[0],
            learning_rate=rate,
            grad_norm=grad_norm,
            n_rows=n_rows,
            n_tokens=n_tokens,
            seconds=time.perf_counter() - began,
            is_epoch_end=end == n_batches,
            is_skipped=not math.isfinite(grad_norm),
        )


def _backward(plan: Plan, start: Position, end: int) -> tuple[Tensor | float, int, int]:
    """Leave the mean gradient of the rows from `start` to batch `end` in the parameters; returns loss, rows, tokens.

    The loss stays a tensor: reading it here would make a GPU wait before the optimiser's kernels are queued. What the
    anchor adds is no part of it, so that runs compare, and a loss that explodes can be told from weights that are held.
    """
    hardware = plan.hardware
    places = [replace(start, batch=number) for number in hardware.share(range(start.batch, end))]
    batches = {place: plan.batches.read(place.epoch, place.batch) for place in places}
    n_rows, n_tokens = hardware.total(
        sum(batch.n_rows for batch in batches.values()), sum(batch.n_tokens for batch in batches.values())
    )
    loss: Tensor | float = 0.0
    for place, batch in batches.items():
        with seeded_dropout(plan.seed, place.epoch, place.batch, hardware.device):
            portion = batch.n_rows / n_rows
            share = _loss(plan, hardware.place(batch)) * portion
            cost = share if plan.anchor is None else share + plan.anchor.penalty(plan.network, place) * portion
        hardware.backward(cost)
        loss = share.detach() + loss
    return loss, int(n_rows), int(n_tokens)


def _set_rate(plan: Plan, progress: float) -> float:
    """Set every group's rate. `progress` is the middle of the step, so that no step is lost on a rate of 0."""
    factor = plan.schedule(progress)
    for group in plan.optimizer.param_groups:
        group["lr"] = group["peak_rate"] * factor
    return float(plan.optimizer.param_groups[0]["lr"])


def _loss(plan: Plan, batch: Batch) -> Tensor:
    with plan.hardware.arithmetic():
        logits = plan.network(**batch.inputs)
    return plan.loss(logits.float(), batch)


def _update(plan: Plan) -> float:
    """Step with the gradients at hand and drop them; returns their L2 norm before clipping.

    A norm that is not finite moves nothing: NaN would spread to every weight, and fp16 overflows now and then.
    """
    from torch.nn.utils import clip_grads_with_norm_, get_total_norm

    hardware, optimizer = plan.hardware, plan.optimizer
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    hardware.add_up(parameters)
    if hardware.scaler is not None:
        hardware.scaler.unscale_(optimizer)
    norm = get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    grad_norm = float(norm)
    if math.isfinite(grad_norm):
        if 0 < plan.clip_norm < grad_norm:
            clip_grads_with_norm_(parameters, plan.clip_norm, norm)
        optimizer.step()
    if hardware.scaler is not None:
        hardware.scaler.update()
    optimizer.zero_grad(set_to_none=True)
    return grad_norm
