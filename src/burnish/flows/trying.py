"""Trying ways to shrink a bundle: each is made, measured here, judged on dev, and held against the judged model."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import cast

import yaml

from burnish.bundle.predictor import Predictor
from burnish.bundle.runtimes.openvino import Openvino
from burnish.compression.edges import edge_texts
from burnish.compression.frontier import JUDGED, Budget, Candidate, Frontier, fastest
from burnish.compression.measuring import Speed, measure, size_bytes
from burnish.compression.methods._contract import Method
from burnish.compression.parity import Kind, Parity, examples_at_the_edge, parity
from burnish.compression.subject import Subject
from burnish.compression.written import writes
from burnish.core.errors import SickRun, UserError
from burnish.core.events import Message
from burnish.core.settings import settings
from burnish.core.shelves import Shelf
from burnish.evaluation.compare import compare
from burnish.flows.doctor import processor
from burnish.flows.judging import Judge
from burnish.flows.reporting import Sides, report_on
from burnish.flows.shrinking import Workshop, write_model
from burnish.metrics._contract import Outcome
from burnish.tasks._contract import Answered, Decision, Example

N_MEASURED = 1000
N_WRITTEN = 16
"""The same of models that write, a text of which takes seconds."""
TOKENS_PER_BATCH = (480, 1920)
"""Sizes of batches that are tried in OpenVINO."""
N_HELD_OUT = 1000
"""Held-out texts on which parity is proved, where there are as many."""
EXACT = frozenset({"vocabulary", "merge"})
"""Methods that change a network without changing what it computes."""


@dataclass(frozen=True)
class Tried:
    """A candidate and what it was made of."""

    candidate: Candidate
    subject: Subject
    predictor: Predictor


class Search:
    """Tries chains of methods on a workshop's bundle, and keeps what came of each."""

    def __init__(self, shop: Workshop, budget: Budget) -> None:
        self.shop = shop
        self.budget = budget
        self.tried: dict[str, Tried] = {}
        self.refused: dict[str, list[str]] = {}
        examples = shop.dev_examples
        self._writes = writes(shop.judged.task)
        n = min(N_WRITTEN if self._writes else N_MEASURED, len(examples))
        self._measured = [examples[at * len(examples) // n] for at in range(n)]
        self._before = self._outcome(shop.judged, shop.dev, self._decided(shop.judged, shop.dev))
        speed = measure(shop.judged, self._measured)
        self.judged = self._candidate(JUDGED, shop.judged, shop.dev, speed, size_bytes(shop.bundle.model_folder))

    @property
    def metric(self) -> str:
        """The score that drops are told of."""
        return self._before.headline[0]

    @property
    def best(self) -> Tried | None:
        """The fastest that keeps to the budget."""
        found = fastest([one.candidate for one in self.tried.values()], self.budget)
        return None if found is None else self.tried[found.name]

    def try_all(self, ways: Sequence[Sequence[Method]]) -> None:
        """Try each chain. One that does not suit the model, or fails, is noted with its reason."""
        for methods in ways:
            name = " + ".join(map(_named, methods))
            if name in self.tried or name in self.refused:
                continue
            try:
                self._try(name, self.shop.shrunk(methods))
            except (UserError, SickRun) as error:
                self.refused[name] = list(error.faults) if isinstance(error, UserError) else [str(error)]
                self.shop.listen(Message(f"{name}: {self.refused[name][0]}", "warning"))

    def _try(self, name: str, subject: Subject) -> None:
        subject, predictor, speed = self._fastest_runtime(subject)
        rows = predictor.answer(self.shop.dev_examples)
        found = self._parity(subject, predictor, rows)
        candidate = self._candidate(name, predictor, rows, speed, _size(subject), found)
        self.tried[name] = Tried(candidate, subject, predictor)
        if faults := self.budget.faults(candidate):
            self.refused[name] = faults
        self.shop.listen(Message(f"{name}: {_told(candidate)}{_but(faults)}"))

    def _fastest_runtime(self, subject: Subject) -> tuple[Subject, Predictor, Speed]:
        """The subject with the settings of its runtime that give most texts a second here, among those that keep to
        the time that one text may take; where none does, with those that are quickest for one.

        What its task answers from beside the network, such as the vectors of a corpus, is made anew by the small model.
        """
        shop, knowledge = self.shop, replace(self.shop.bundle.knowledge, decision=Decision())
        best: tuple[Subject, Predictor, Speed] | None = None
        for one in _settings(subject):
            predictor = shop.predictor(one, knowledge)
            if best is None:
                task = knowledge.task.completed(predictor.reader, predictor.core.run, shop.listen)
                knowledge = predictor.knowledge = replace(knowledge, task=task)
            speed = measure(predictor, self._measured)
            if best is None or self.budget.prefers(speed, best[2]):
                best = one, predictor, speed
        assert best is not None, "there is one way at least"
        return best

    def _decided(self, predictor: Predictor, rows: list[Answered]) -> Decision:
        return self._judge(predictor).decide(rows)[0]

    def _judge(self, predictor: Predictor) -> Judge:
        return Judge(predictor.task, predictor.knowledge.labels, self.shop.ground.recipe.judge)

    def _outcome(self, predictor: Predictor, rows: list[Answered], decision: Decision) -> Outcome:
        return predictor.task.outcome(rows, predictor.knowledge.labels, decision)

    def _candidate(
        self,
        name: str,
        predictor: Predictor,
        rows: list[Answered],
        speed: Speed,
        size: int,
        found: Parity | None = None,
    ) -> Candidate:
        decision = self._decided(predictor, rows)
        outcome = self._outcome(predictor, rows, decision)
        main = compare(self._before, outcome, seed=0, n_resamples=1000).main
        sign = -100 if main.is_better_high else 100
        ends = sign * main.interval.low, sign * main.interval.high
        return Candidate(
            name=name,
            score=main.second,
            drop=sign * main.difference + 0.0,  # which takes the sign off a zero
            most_drop=0.0 if name == JUDGED else max(ends) + 0.0,
            speed=speed,
            size_mb=size / 1e6,
            label_f1=self._label_f1(self._judge(predictor), rows, decision) if self.budget.keep else {},
            parity=found,
            fault=None if found is None else found.fault,
        )

    def _label_f1(self, judge: Judge, rows: list[Answered], decision: Decision) -> dict[str, float]:
        about = {"name": "", "seed": 0}
        report = report_on(judge, Sides(rows, None), decision, about)
        assert report is not None, "dev has rows"
        return {row.label: row.f1 for row in report.per_class}

    def _parity(self, subject: Subject, predictor: Predictor, rows: list[Answered]) -> Parity:
        """Against the judged model: dev and test texts, then those at the edge; of models that write, dev and few."""
        shop, knowledge = self.shop, self.shop.bundle.knowledge
        judged, found = list(shop.dev), list(rows)
        if len(judged) < N_HELD_OUT and shop.ground.test is not None and not self._writes:
            more = shop.ground.test.examples[: N_HELD_OUT - len(judged)]
            judged += shop.judged.answer(more)
            found += predictor.answer(more)
        rows = predictor.answer(self.edges)
        return parity([*judged, *self._edges], [*found, *rows], knowledge, _kind(subject), len(rows))

    @property
    def edges(self) -> list[Example]:
        return [row.example for row in self._edges]

    @cached_property
    def _edges(self) -> list[Answered]:
        """Examples at the edge of what may be asked, as the judged model answers them."""
        shop = self.shop
        texts = edge_texts(shop.judged.reader.max_length)
        if self._writes:
            texts = texts[:: len(texts) // N_WRITTEN]
        return shop.judged.answer(examples_at_the_edge(shop.judged, texts, shop.dev_examples[0]))

    def frontier(self) -> Frontier:
        """Everything that was tried, and what was chosen."""
        best = self.best
        return Frontier(
            metric=self.metric,
            n_rows=len(self.shop.dev),
            budget=self.budget,
            candidates=[self.judged, *(one.candidate for one in self.tried.values())],
            refused=self.refused,
            chosen=None if best is None else best.candidate.name,
            machine={"processor": processor(), "threads": str(settings().n_threads)},
        )


def _settings(subject: Subject) -> list[Subject]:
    """The subject with each way in which its runtime may share the work out."""
    if not isinstance(subject.runtime, Openvino):
        return [subject]
    ways = product(sorted({1, settings().n_threads}), TOKENS_PER_BATCH)
    runtimes = [subject.runtime.model_copy(update={"streams": n, "tokens_per_batch": size}) for n, size in ways]
    return [replace(subject, runtime=runtime) for runtime in runtimes]


def _kind(subject: Subject) -> Kind:
    """Quantising alone must keep the answers; a network that was cut or taught anew has the budget to keep to."""
    makes = {name: cast("type[Method]", Shelf("methods").get(name)).makes for name in subject.steps}
    if any(kind == "network" and name not in EXACT for name, kind in makes.items()):
        return "changed"
    return "quantised" if "artefact" in makes.values() else "float32"


def _named(method: Method) -> str:
    """A method's name, with the settings that are not as usual."""
    usual = type(method)()
    told = {name: value for name, value in method.as_recipe().items() if name != "name"}
    others = [f"{name}={_plain(value)}" for name, value in told.items() if value != getattr(usual, name)]
    return method.part_name + (f" ({', '.join(others)})" if others else "")


def _plain(value: object) -> str:
    """As YAML has it on one line, so that `retrain` can ask for the same: null, true, [1, 2]."""
    return yaml.safe_dump(value, default_flow_style=True, width=math.inf).removesuffix("\n").removesuffix("\n...")


def _size(subject: Subject) -> int:
    with tempfile.TemporaryDirectory() as folder:
        write_model(subject, Path(folder))
        return size_bytes(Path(folder))


def _told(one: Candidate) -> str:
    return (
        f"{one.score:.4f} ({-one.drop:+.2f} points), {one.speed.texts_per_s:,.0f} texts/s, "
        f"{one.speed.median_ms:.2f} ms, {one.size_mb:.1f} MB"
    )


def _but(faults: Sequence[str]) -> str:
    return f"; no: {'; '.join(faults)}" if faults else ""
