"""A version in service: its predictor behind a lane, and what becomes of a batch."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, cast

from burnish.bundle.predictor import Predictor
from burnish.flows.recording import Asked, Recorder, labels_in
from burnish.serving.lane import Lane, Work
from burnish.serving.limits import Limits
from burnish.serving.metrics import MOST_LABELS, Metrics
from burnish.serving.stages import Stopwatch
from burnish.store.journal import Journal
from burnish.store.records import Prediction
from burnish.tasks._contract import Answered


@dataclass(frozen=True)
class Answer:
    """What one request gets: an answer for each of its rows, ready to be sent."""

    items: Sequence[dict[str, Any]]
    n_tokens: int


@dataclass(frozen=True)
class Writing:
    """A request whose text is told while it is written."""

    asked: Asked
    identity: str
    """Id that the prediction has from the first piece on."""
    tell: Callable[[str], None]


class Served:
    """One loaded bundle. Several names and versions may share it where they are the same bundle."""

    def __init__(
        self, predictor: Predictor, recorder: Recorder, journal: Journal, metrics: Metrics, limits: Limits,
        stopwatch: Stopwatch | None = None,
    ) -> None:  # fmt: skip
        self.predictor = predictor if stopwatch is None else stopwatch.timed(predictor)
        self._recorder = recorder.knowing(predictor)
        self._journal = journal
        self._metrics = metrics
        process = self._process if stopwatch is None else stopwatch.around(self._process)
        self.lane = Lane(process, limits.waiting, limits.batch, predictor.core.n_streams)
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

    async def write(self, asked: Asked, example: Any, deadline: float, identity: str) -> AsyncGenerator[str]:
        """The text for one row, piece by piece. Whoever stops reading stops the writing.

        Raises:
            LaneClosed: it was taken out of service just now.
            Problem: too much waits already, or the deadline passed before it began.
            UserError: the model writes no text, or not piece by piece.
        """
        self.used_at = time.monotonic()
        loop, told = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(piece: str | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, piece)

        asking = self.lane.ask([example], Writing(asked, identity, tell), deadline, asked.is_gone, is_alone=True)
        whole = loop.create_task(asking)
        whole.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (piece := await told.get()) is not None:
                yield piece
            await whole
        finally:
            whole.cancel()

    def close(self) -> None:
        self.lane.close()

    def _process(self, batch: Sequence[Work]) -> Sequence[Answer]:
        """A batch of requests through pre → core → post; the journal has what is kept before anybody has an answer."""
        if isinstance(batch[0].about, Writing):
            return [self._write(batch[0], batch[0].about)]
        knowledge = self.predictor.knowledge
        self._recorder.look_ahead(row for work in batch for row in work.about.rows)
        answered = self.predictor.answer([item for work in batch for item in work.items])
        decoded = knowledge.task.decode(answered, knowledge.labels, knowledge.decision)
        told = [one.model_dump(mode="json") for one in decoded]
        results, records, at = [], [], 0
        for work in batch:
            asked: Asked = work.about
            rows = range(at, at + len(work.items))
            own = [self._recorder.record(asked, asked.rows[i - at], answered[i], told[i]) for i in rows]
            items = [{"prediction_id": record.id, **told[i]} for record, i in zip(own, rows, strict=True)]
            results.append(Answer(items, sum(record.n_tokens for record in own)))
            self._count(asked, own, items)
            records += own
            at += len(work.items)
        self._journal.add(records)
        return results

    def _write(self, work: Work, writing: Writing) -> Answer:
        """One text, told while it is written, as far as somebody listens."""
        predictor = self.predictor
        [encoded] = predictor.task.encode(work.items, predictor.reader, predictor.knowledge.labels)
        pieces = []
        with closing(cast("Generator[str]", predictor.core.stream(encoded.features[0]))) as stream:
            for piece in stream:
                if work.is_dropped or work.is_gone():
                    break
                pieces.append(piece)
                writing.tell(piece)
        asked, answer = writing.asked, {"text": "".join(pieces)}
        answered = Answered(work.items[0], encoded.features, [])
        record = replace(self._recorder.record(asked, asked.rows[0], answered, answer), id=writing.identity)
        self._count(asked, [record], [answer])
        self._journal.add([record])
        return Answer([{"prediction_id": record.id, **answer}], record.n_tokens)

    def _count(self, asked: Asked, records: Sequence[Prediction], answers: Sequence[Mapping[str, Any]]) -> None:
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
            for label, count in Counter(label for answer in answers for label in labels_in(answer)).items():
                of(metrics.answers, name, version, label).inc(count)
