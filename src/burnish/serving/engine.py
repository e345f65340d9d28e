"""What becomes of a batch of requests, whatever versions they ask: pre → core → post, then the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from burnish.bundle.core import Outputs
from burnish.bundle.predictor import answered, features_of
from burnish.bundle.trunks import Trunks, run_together
from burnish.flows.recording import Asked, Recorder, kept_for_record
from burnish.serving.crew import Crews, Work
from burnish.serving.limits import Limits
from burnish.serving.metrics import Metrics
from burnish.serving.stages import Stopwatch
from burnish.store.journal import Journal
from burnish.store.records import Prediction
from burnish.tasks._contract import Answered, Feature

if TYPE_CHECKING:
    from burnish.serving.served import Served


Told = tuple[Answered, dict[str, Any]]
"""What the network made of an example, and the answer that is told."""


@dataclass(frozen=True)
class Answer:
    """What one request gets: an answer for each of its rows, ready to be sent."""

    items: Sequence[dict[str, Any]]
    n_tokens: int


@dataclass(frozen=True)
class Question:
    """What a work in a lane is about: whom it asks, and for whom."""

    served: Served
    asked: Asked


@dataclass(frozen=True)
class Writing(Question):
    """A request whose text is told while it is written."""

    identity: str
    """Id that the prediction has from the first piece on."""
    tell: Callable[[str], None]


@dataclass(frozen=True)
class Engine:
    """What all versions in one server have in common."""

    recorder: Recorder
    journal: Journal
    metrics: Metrics
    limits: Limits
    stopwatch: Stopwatch | None = None
    trunks: Trunks = field(default_factory=Trunks)
    crews: Crews = field(default_factory=Crews)

    def timed(self, features: Sequence[Feature]) -> AbstractContextManager[None]:
        """Within, a core computes with these features."""
        return nullcontext() if self.stopwatch is None else self.stopwatch.core(features)

    def process(self, batch: Sequence[Work]) -> Sequence[Answer]:
        """A batch of requests through pre → core → post, where they ask several versions through the trunk that these
        share; the journal has what is kept before anybody has an answer.
        """
        first = batch[0].about
        if isinstance(first, Writing):
            return [first.served.write_whole(batch[0], first)]
        portions = [Portion(served, works) for served, works in _by_version(batch).items()]
        asked = [portion for portion in portions if portion.features]
        with self.timed([feature for portion in asked for feature in portion.features]):
            told = run_together([(portion.served.predictor.core, portion.features) for portion in asked])
        outputs = dict(zip(asked, told, strict=True))
        found = {work: one for portion in portions for work, one in portion.found(outputs.get(portion, []))}
        self.journal.add([record for work in batch for record in found[work].records])
        for work in batch:
            work.about.served.count(work.about.asked, found[work])
        return [found[work].answer for work in batch]


@dataclass(frozen=True)
class Found:
    """What becomes of one request: its answer, and what is kept of it."""

    answer: Answer
    records: Sequence[Prediction]
    n_recalled: int | None = None
    """How many of its answers were remembered; None where nothing is."""

    @classmethod
    def of(cls, records: Sequence[Prediction], told: Sequence[dict[str, Any]], n_recalled: int | None = None) -> Found:
        items = [{"prediction_id": record.id, **one} for record, one in zip(records, told, strict=True)]
        return cls(Answer(items, sum(record.n_tokens for record in records)), records, n_recalled)


class Portion:
    """The works of a batch that ask one version, and what its network is to read: all that is not remembered."""

    def __init__(self, served: Served, works: Sequence[Work]) -> None:
        self.served = served
        self._works = works
        served.recorder.look_ahead(row for work in works for row in work.about.asked.rows)
        examples = [item for work in works for item in work.items]
        self._recalled = None if served.memory is None else served.memory.recalled(examples)
        self._new = examples if self._recalled is None else self._recalled.new
        self._encoded = served.predictor.encode(self._new) if self._new else []
        self.features = features_of(self._encoded)

    def found(self, outputs: Outputs) -> Iterator[tuple[Work, Found]]:
        """What becomes of each work."""
        record, recalled = self.served.recorder.record, self._recalled
        fresh = self._decoded(outputs)
        told = iter(fresh if recalled is None else recalled.filled([(kept_for_record(row), one) for row, one in fresh]))
        is_known = iter(() if recalled is None else recalled.is_known)
        for work in self._works:
            asked: Asked = work.about.asked
            own = list(islice(told, len(work.items)))
            records = [record(asked, said, row, one) for said, (row, one) in zip(asked.rows, own, strict=True)]
            n_recalled = None if recalled is None else sum(islice(is_known, len(work.items)))
            yield work, Found.of(records, [one for _, one in own], n_recalled)

    def _decoded(self, outputs: Outputs) -> list[Told]:
        if not self._new:
            return []
        knowledge = self.served.predictor.knowledge
        rows = answered(self._new, self._encoded, outputs)
        decoded = knowledge.task.decode(rows, knowledge.labels, knowledge.decision)
        return [(row, one.model_dump(mode="json")) for row, one in zip(rows, decoded, strict=True)]


def _by_version(batch: Sequence[Work]) -> dict[Served, list[Work]]:
    found: dict[Served, list[Work]] = {}
    for work in batch:
        found.setdefault(work.about.served, []).append(work)
    return found
