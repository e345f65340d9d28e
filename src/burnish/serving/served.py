"""A version in service: its predictor behind a lane, and what becomes of a batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from burnish.bundle.predictor import Predictor
from burnish.flows.recording import Asked, Recorder
from burnish.serving.lane import Lane, Work
from burnish.serving.limits import Limits
from burnish.serving.metrics import MOST_LABELS, Metrics, label_counts
from burnish.store.journal import Journal
from burnish.store.records import Prediction


@dataclass(frozen=True)
class Answer:
    """What one request gets: an answer for each of its rows, ready to be sent."""

    items: Sequence[dict[str, Any]]


class Served:
    """One loaded bundle. Several names and versions may share it where they are the same bundle."""

    def __init__(
        self, predictor: Predictor, recorder: Recorder, journal: Journal, metrics: Metrics, limits: Limits
    ) -> None:
        self.predictor = predictor
        self._recorder = recorder.knowing(predictor)
        self._journal = journal
        self._metrics = metrics
        self.lane = Lane(self._process, limits.waiting, limits.batch)
        self.used_at = time.monotonic()

    async def answer(self, asked: Asked, examples: Sequence[Any], deadline: float) -> Answer:
        """The answers to one request.

        Raises:
            LaneClosed: it was taken out of service just now.
            Problem: too much waits already, or the deadline passed first.
        """
        self.used_at = time.monotonic()
        found: Answer = await self.lane.ask(examples, asked, deadline, asked.is_gone)
        return found

    def close(self) -> None:
        self.lane.close()

    def _process(self, batch: Sequence[Work]) -> Sequence[Answer]:
        """A batch of requests through pre → core → post; the journal has what is kept before anybody has an answer."""
        knowledge = self.predictor.knowledge
        answered = self.predictor.answer([item for work in batch for item in work.items])
        decoded = knowledge.task.decode(answered, knowledge.labels, knowledge.decision)
        told = [one.model_dump(mode="json") for one in decoded]
        results, records, at = [], [], 0
        for work in batch:
            asked: Asked = work.about
            rows = range(at, at + len(work.items))
            own = [self._recorder.record(asked, asked.rows[i - at], answered[i], told[i]) for i in rows]
            results.append(
                Answer([{"prediction_id": record.id, **told[i]} for record, i in zip(own, rows, strict=True)])
            )
            self._count(asked, own)
            records += own
            at += len(work.items)
        self._journal.add(records)
        return results

    def _count(self, asked: Asked, records: Sequence[Prediction]) -> None:
        metrics, of, name, version = self._metrics, self._metrics.of, asked.name, asked.version
        of(metrics.inputs, name, version, asked.traffic).inc(len(records))
        of(metrics.tokens, name, version).inc(sum(record.n_tokens for record in records))
        of(metrics.abstained, name, version).inc(sum(record.is_abstained for record in records))
        for record in records:
            if record.confidence is not None:
                of(metrics.confidence, name, version).observe(record.confidence)
            for kind, count in record.private.items():
                of(metrics.private, name, kind).inc(count)
        if len(self.predictor.knowledge.labels) <= MOST_LABELS:
            for label, count in label_counts(record.label for record in records).items():
                of(metrics.answers, name, version, label).inc(count)
