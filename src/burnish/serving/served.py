"""A version in service: its predictor behind a lane."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

from burnish.bundle.memory import Memory
from burnish.bundle.predictor import Predictor
from burnish.flows.recording import Asked, labels_in
from burnish.serving.crew import Work
from burnish.serving.engine import Answer, Engine, Found, Question, Told, Writing
from burnish.serving.lane import Lane
from burnish.serving.metrics import MOST_LABELS
from burnish.tasks._contract import Answered, Example

Stream = Generator[str, None, bool | None]
"""Pieces of a text; its value is whether the text ended by itself."""


class Served:
    """One loaded bundle. Several names and versions may share it where they are the same bundle; different ones share
    what is equal in them: a trunk, and the crew that computes with it.
    """

    def __init__(self, predictor: Predictor, engine: Engine) -> None:
        self.predictor = predictor.sharing(engine.trunks)
        self.recorder = engine.recorder.knowing(predictor)
        self.memory = Memory[Told](engine.limits.cache) if engine.limits.cache else None
        self._engine = engine
        process = engine.process if engine.stopwatch is None else engine.stopwatch.around(engine.process)
        crew = engine.crews.of(self.predictor.core, engine.limits.batch)
        self.lane = Lane(process, engine.limits.waiting, crew)
        self.lane.length_of = characters_each
        self.used_at = time.monotonic()

    async def answer(self, asked: Asked, examples: Sequence[Any], deadline: float) -> Answer:
        """The answers to one request.

        Raises:
            LaneClosed: it was taken out of service just now.
            Problem: too much waits already, or the deadline passed first.
        """
        self.used_at = time.monotonic()
        found: Answer = await self.lane.ask(examples, Question(self, asked), deadline, asked.is_gone)
        return found

    async def write(self, asked: Asked, example: Any, deadline: float, identity: str) -> AsyncGenerator[str | Answer]:
        """The text for one row, piece by piece, then the whole answer. Whoever stops reading stops the writing.

        Raises:
            LaneClosed: it was taken out of service just now.
            Problem: too much waits already, or the deadline passed before it began.
            UserError: the model writes no text, or not piece by piece.
        """
        self.used_at = time.monotonic()
        loop, told = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(piece: str | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, piece)

        writing = Writing(self, asked, identity, tell)
        asking = self.lane.ask([example], writing, deadline, asked.is_gone, is_alone=True)
        whole = loop.create_task(asking)
        whole.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (piece := await told.get()) is not None:
                yield piece
            yield await whole
        finally:
            whole.cancel()

    def close(self) -> None:
        self.lane.close()

    def write_whole(self, work: Work, writing: Writing) -> Answer:
        """One text, told while it is written, as far as somebody listens."""
        [encoded] = self.predictor.encode(work.items)
        with (
            self._engine.timed(encoded.features),
            closing(cast("Stream", self.predictor.core.stream(encoded.features[0]))) as stream,
        ):
            answer = _read(stream, lambda: work.is_dropped or work.is_gone(), writing.tell)
        asked = writing.asked
        row = Answered(work.items[0], encoded.features, [])
        record = replace(self.recorder.record(asked, asked.rows[0], row, answer), id=writing.identity)
        found = Found.of([record], [answer])
        self._engine.journal.add([record])
        self.count(asked, found)
        return found.answer

    def count(self, asked: Asked, found: Found) -> None:
        """Tell the metrics what was answered."""
        metrics, name, version = self._engine.metrics, asked.name, asked.version
        of, records = metrics.of, found.records
        of(metrics.inputs, name, version, asked.traffic).inc(len(records))
        if found.n_recalled is not None:
            of(metrics.cache, name, version, "hit").inc(found.n_recalled)
            of(metrics.cache, name, version, "miss").inc(len(records) - found.n_recalled)
        of(metrics.tokens, name, version).inc(found.answer.n_tokens)
        of(metrics.abstained, name, version).inc(sum(record.is_abstained for record in records))
        for record in records:
            if record.confidence is not None:
                of(metrics.confidence, name, version).observe(record.confidence)
            for kind, count in record.private.items():
                of(metrics.private, name, kind).inc(count)
        if len(self.predictor.knowledge.labels) <= MOST_LABELS:
            for label, count in Counter(label for one in found.answer.items for label in labels_in(one)).items():
                of(metrics.answers, name, version, label).inc(count)


def characters_each(examples: Sequence[Example]) -> float:
    """The characters of an example, on the mean. What is no text counts nothing."""
    texts = [value for example in examples for value in example.values() if isinstance(value, str)]
    return sum(map(len, texts)) / max(1, len(examples))


def _read(stream: Stream, is_left: Callable[[], bool], tell: Callable[[str], None]) -> dict[str, Any]:
    """The answer that a stream gives, each piece told. Whether it is finished is known where it was read to its end."""
    pieces: list[str] = []
    try:
        while True:
            piece = next(stream)
            if is_left():
                return {"text": "".join(pieces)}
            pieces.append(piece)
            tell(piece)
    except StopIteration as end:
        return {"text": "".join(pieces), **({} if end.value is None else {"is_finished": end.value})}
