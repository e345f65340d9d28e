"""What Prometheus reads: counts and times of everything that the server does, by model, version and label."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from burnish.core.shelves import need

MOST_LABELS = 200
"""Labels of one version that are counted by name; of a model with more, answers are counted without."""
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where several workers keep their numbers, so that whichever is asked can tell those of all."""


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        prometheus = need("prometheus_client", "serve")
        self._prometheus = prometheus
        self.registry = prometheus.CollectorRegistry()
        self._counters: dict[str, Any] = {}
        self._children: dict[tuple[Any, ...], Any] = {}
        self.requests = self._counter("requests", "Requests by route and status.", ("route", "status"))
        self.inputs = self._counter("inputs", "Inputs answered.", ("name", "version", "traffic"))
        self.answers = self._counter("answers", "Answers by label.", ("name", "version", "label"))
        self.abstained = self._counter("abstained", "Answers withheld for low confidence.", ("name", "version"))
        self.tokens = self._counter("tokens", "Tokens of the inputs answered.", ("name", "version"))
        self.cache = self._counter(
            "cache", "Inputs by whether their answer was remembered.", ("name", "version", "result")
        )
        self.private = self._counter("private", "Personal data found in inputs.", ("name", "kind"))
        self.feedback = self._counter("feedback", "Corrections by state.", ("name", "state"))
        self.agreement = self._counter("shadow", "Shadow answers by whether they agree.", ("name", "version", "agrees"))
        self.swaps = self._counter("swaps", "Changes of the version that answers.", ("name", "result"))
        self.unrecorded = self._counter("unrecorded", "Answers that could not be kept.", ())
        self.latency = self._histogram("latency_seconds", "From arrival to answer.", ("route",), SECONDS)
        self.confidence = self._histogram("confidence", "Of answers.", ("name", "version"), SHARES)
        self.batch = self._histogram("batch_inputs", "Inputs that a model was given at once.", ("name",), SIZES)
        self.waiting = self._gauge("waiting", "Inputs that wait for a model.", ("name",))
        self.drift = self._gauge("drift", "What each watch measured last.", ("name", "watch"))

    def of(self, metric: Any, *labels: Any) -> Any:
        """The metric with these labels, found once."""
        key = (metric, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child

    def text(self) -> bytes:
        """Everything, as Prometheus reads it; of all workers where there are several."""
        registry = self.registry
        if os.environ.get(FOLDER):
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = self._prometheus.CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        told: bytes = self._prometheus.generate_latest(registry)
        return told

    def _counter(self, name: str, about: str, labels: tuple[str, ...]) -> Any:
        return self._made(self._prometheus.Counter, name, about, labels)

    def _gauge(self, name: str, about: str, labels: tuple[str, ...]) -> Any:
        return self._made(self._prometheus.Gauge, name, about, labels, multiprocess_mode="livesum")

    def _histogram(self, name: str, about: str, labels: tuple[str, ...], buckets: Iterable[float]) -> Any:
        return self._made(self._prometheus.Histogram, name, about, labels, buckets=tuple(buckets))

    def _made(self, kind: Callable[..., Any], name: str, about: str, labels: tuple[str, ...], **more: Any) -> Any:
        return kind(f"burnish_{name}", about, labels, registry=self.registry, **more)


def forget_process(folder: Path, process: int) -> None:
    """Leave out what a dead worker said of how things stand; what it counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]
