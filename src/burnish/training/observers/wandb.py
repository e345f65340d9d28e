"""Sends the course of training to Weights & Biases, or keeps it for `wandb sync` when offline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.shelves import need
from burnish.training.observers._contract import Observer, Recorder, RunInfo, remember, remembered, scalars
from burnish.training.steps import Step


class WandB(Observer):
    """A resumed run goes on under its id; the service keeps the first value that it got of a step."""

    project: str = "burnish"
    """Project under which the run is listed."""

    mode: Literal["auto", "online", "offline"] = "auto"
    """`auto` is what WANDB_MODE says, offline when Burnish is, else online."""

    def open(self, run: RunInfo) -> Recorder:
        wandb = need("wandb", "wandb")
        auto = os.environ.get("WANDB_MODE") or ("offline" if settings().offline else "online")
        try:
            service = wandb.init(
                project=self.project,
                dir=run.folder,
                id=remembered(run, "wandb"),
                resume="allow",
                config=run.settings,
                mode=auto if self.mode == "auto" else self.mode,
                settings=wandb.Settings(silent=True, console="off"),
            )
        except wandb.Error as error:
            raise UserError(
                f"train.observers: Weights & Biases refused the run ({error}). "
                "Log in with `wandb login`, set WANDB_API_KEY, or record offline with WANDB_MODE=offline."
            ) from error
        remember(run, "wandb", service.id)
        return _Service(service, run.start.step)


@dataclass
class _Service:
    service: Any
    last_step: int

    def step(self, step: Step) -> None:
        self.last_step = step.step
        self.service.log(scalars(step), step=step.step)

    def epoch(self, number: int, scores: Mapping[str, float]) -> None:
        named = {f"dev/{name}": value for name, value in {"epoch": number, **scores}.items()}
        self.service.log(named, step=self.last_step)

    def close(self) -> None:
        self.service.finish()
