"""Sends the course of training to MLflow: to MLFLOW_TRACKING_URI, or to files in the folder mlruns/ of the run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.training.observers._contract import Observer, Recorder, RunInfo, remember, remembered, scalars
from burnish.training.steps import Step


class MLflow(Observer):
    """A resumed run goes on under its id; the steps that it gives again are stored twice, with equal values."""

    experiment: str = "burnish"
    """Experiment under which the run is listed; made when it is not there."""

    steps_per_send: int = Field(default=20, ge=1)
    """Steps that are sent together: a request to a server for each would slow training down."""

    def open(self, run: RunInfo) -> Recorder:
        mlflow = need("mlflow", "mlflow")
        try:
            client, identity = self._begin(run)
        except mlflow.MlflowException as error:
            raise UserError(
                f"train.observers: MLflow refused the run ({error}). Check MLFLOW_TRACKING_URI, or leave it unset "
                "to record into the run's folder."
            ) from error
        return _Client(client, identity, self.steps_per_send, run.start.step)

    def _begin(self, run: RunInfo) -> tuple[Any, str]:
        """A client, and the id of the run: the old one when it is resumed."""
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        uri = os.environ.get("MLFLOW_TRACKING_URI") or (run.folder / "mlruns").absolute().as_uri()
        with _files_allowed():
            client = MlflowClient(tracking_uri=uri)
        identity = remembered(run, "mlflow")
        if identity is not None:
            return client, identity
        experiment = client.get_experiment_by_name(self.experiment)
        number = client.create_experiment(self.experiment) if experiment is None else experiment.experiment_id
        identity = client.create_run(number, run_name=run.folder.name).info.run_id
        client.log_batch(identity, params=[Param(name, str(value)) for name, value in run.settings.items()])
        remember(run, "mlflow", identity)
        return client, identity


@dataclass
class _Client:
    client: Any
    identity: str
    steps_per_send: int
    last_step: int
    waiting: list[Any] = field(default_factory=list)

    def step(self, step: Step) -> None:
        self.last_step = step.step
        self._add(scalars(step))
        if step.step % self.steps_per_send == 0:
            self._send()

    def epoch(self, number: int, scores: Mapping[str, float]) -> None:
        self._add({f"dev/{name}": value for name, value in {"epoch": number, **scores}.items()})
        self._send()

    def close(self) -> None:
        self._send()
        self.client.set_terminated(self.identity)

    def _add(self, named: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        self.waiting += [Metric(name, value, now_ms, self.last_step) for name, value in named.items()]

    def _send(self) -> None:
        """At most 1,000 metrics go into one batch of MLflow's protocol."""
        while self.waiting:
            self.client.log_batch(self.identity, metrics=self.waiting[:1000])
            del self.waiting[:1000]


@contextmanager
def _files_allowed() -> Iterator[None]:
    """MLflow 3.17 opens a folder of files only when told so; its databases need more libraries than this one job."""
    name = "MLFLOW_ALLOW_FILE_STORE"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        os.environ.pop(name) if before is None else os.environ.__setitem__(name, before)
