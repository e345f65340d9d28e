"""`shrink`: the fastest model that keeps to a budget, proved to answer as the judged one does."""

from __future__ import annotations

import datetime
import platform
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from burnish import __version__
from burnish.bundle.bundle import STOCK, Knowledge, open_bundle
from burnish.bundle.card import model_card
from burnish.bundle.predictor import Predictor
from burnish.bundle.proof import Proof
from burnish.bundle.runtimes.openvino import Openvino
from burnish.compression.edges import edge_texts
from burnish.compression.frontier import JUDGED, Budget, Candidate, Frontier, fastest
from burnish.compression.measuring import Speed, measure, size_bytes
from burnish.compression.methods._contract import Method
from burnish.compression.page import frontier_page
from burnish.compression.parity import Kind, Parity, examples_at_the_edge, parity
from burnish.compression.subject import Subject
from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import new_folder, refuse_occupied, write_bytes, write_json
from burnish.core.manifest import write_manifest
from burnish.core.settings import settings
from burnish.core.shelves import Shelf
from burnish.evaluation.compare import compare
from burnish.evaluation.findings import Report
from burnish.flows.judging import Judge
from burnish.flows.reporting import Sides, report_on, write_report
from burnish.flows.shrinking import Workshop, chains
from burnish.models.locate import MODEL
from burnish.tasks._contract import Answered, Decision, Example

COPIED = ("recipe.yaml", "data_card.json", "data_card.md")
QUICK = ("int8_dynamic", "int8_static", "vocabulary, int8_static")
TRAINED = ("{name: distill, layers: 3}, vocabulary, int8_static",)
"""Chains that are tried where none are asked for, the cheapest first; those that train a network only when asked for,
or when no quick one meets a target.
"""
N_MEASURED = 1000
N_HELD_OUT = 1000
"""Held-out texts on which parity is proved, where there are as many."""


@dataclass(frozen=True)
class ShrinkResult:
    """What was tried, and the bundle; None where nothing keeps to the budget."""

    frontier: Frontier
    bundle: Path | None
    report: Report | None


@dataclass(frozen=True)
class Tried:
    """A candidate and what it was made of."""

    candidate: Candidate
    subject: Subject
    predictor: Predictor


def shrink(
    bundle: str | Path,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    max_drop: float = 0.5,
    target_ms: float | None = None,
    target_mb: float | None = None,
    keep: Sequence[str] = (),
    ways: Sequence[str] = (),
    is_thorough: bool = False,
    listen: Listener = ignore,
) -> ShrinkResult:
    """Shrink a bundle within an accuracy budget; the bundle itself stays as it is.

    Args:
        bundle: its folder.
        overrides: of its recipe, e.g. `data.train=rows.csv`: the rows must be those that it was made from.
        out: the new bundle's folder; None takes `<bundle>-small`.
        max_drop: points (hundredths) of the task's score that may be lost on dev, at 95 % confidence.
        target_ms: most milliseconds of the median single answer.
        target_mb: most megabytes of the model's folder.
        keep: labels and the least F1 of each, e.g. `refund>=0.9`.
        ways: chains of methods to try instead of the usual ones, e.g. `vocabulary, int8_static`.
        is_thorough: also those of the usual ones that train a smaller network.
        listen: is told of progress.

    Raises:
        UserError: the bundle, its rows or what is asked for cannot be used; nothing is written.
    """
    started = time.monotonic()
    opened = open_bundle(bundle)
    target = Path(out) if out is not None else Path(f"{str(bundle).rstrip('/')}-small")
    refuse_occupied(target)
    asked = chains(ways)
    least = _least_f1(keep, opened.knowledge.labels)
    budget = Budget(max_drop=max_drop, target_ms=target_ms, target_mb=target_mb, keep=least)
    with tempfile.TemporaryDirectory(prefix="burnish-shrink-") as work:
        search = Search(Workshop.opened(opened, overrides, Path(work), listen), budget)
        search.try_all(asked or chains(QUICK))
        if not asked and (is_thorough or search.best is None):
            search.try_all(chains(TRAINED))
        if search.best is None:
            return ShrinkResult(search.frontier(), None, None)
        with new_folder(target) as folder:
            report = _write(folder, search, started)
    listen(Message(f"wrote {target}", "good"))
    return ShrinkResult(search.frontier(), target, report)


class Search:
    """Tries chains of methods on a workshop's bundle, and keeps what came of each."""

    def __init__(self, shop: Workshop, budget: Budget) -> None:
        self.shop = shop
        self.budget = budget
        self.tried: dict[str, Tried] = {}
        self.refused: dict[str, list[str]] = {}
        examples = shop.dev_examples
        self._measured = [examples[at * len(examples) // N_MEASURED] for at in range(min(N_MEASURED, len(examples)))]
        speed = measure(shop.judged, self._measured)
        self.judged = self._candidate(JUDGED, shop.judged, shop.dev, speed, size_bytes(shop.bundle.model_folder))

    @property
    def best(self) -> Tried | None:
        """The fastest that keeps to the budget."""
        found = fastest([one.candidate for one in self.tried.values()], self.budget)
        return None if found is None else self.tried[found.name]

    def try_all(self, ways: Sequence[Sequence[Method]]) -> None:
        """Try each chain. One that does not suit the model, or fails, is noted with its reason."""
        for methods in ways:
            name = " + ".join(method.part_name for method in methods)
            try:
                self._try(name, self.shop.shrunk(methods))
            except UserError as error:
                self.refused[name] = list(error.faults)
                self.shop.listen(Message(f"{name}: {error.faults[0]}", "warning"))

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
        """The subject with as many streams as give most texts a second here."""
        knowledge = replace(self.shop.bundle.knowledge, decision=Decision())
        found = []
        for one in _streams(subject):
            predictor = self.shop.predictor(one, knowledge)
            found.append((one, predictor, measure(predictor, self._measured)))
        return max(found, key=lambda item: item[2].texts_per_s)

    def _candidate(
        self,
        name: str,
        predictor: Predictor,
        rows: list[Answered],
        speed: Speed,
        size: int,
        found: Parity | None = None,
    ) -> Candidate:
        task, labels = predictor.task, predictor.knowledge.labels
        judge = Judge(task, labels, self.shop.ground.recipe.judge)
        decision = judge.decide(rows)[0]
        before = judge.decide(self.shop.dev)[0]
        outcomes = task.outcome(self.shop.dev, labels, before), task.outcome(rows, labels, decision)
        main = compare(*outcomes, seed=0, n_resamples=1000).main
        sign = -100 if main.is_better_high else 100
        ends = sign * main.interval.low, sign * main.interval.high
        return Candidate(
            name=name,
            score=main.second,
            drop=sign * main.difference,
            most_drop=max(ends),
            speed=speed,
            size_mb=size / 1e6,
            label_f1=self._label_f1(judge, rows, decision) if self.budget.keep else {},
            parity=found,
            fault=None if found is None else found.fault,
        )

    def _label_f1(self, judge: Judge, rows: list[Answered], decision: Decision) -> dict[str, float]:
        about = {"name": "", "seed": 0}
        report = report_on(judge, Sides(rows, None), decision, about)
        assert report is not None, "dev has rows"
        return {row.label: row.f1 for row in report.per_class}

    def _parity(self, subject: Subject, predictor: Predictor, rows: list[Answered]) -> Parity:
        """Against the judged model: dev and test texts, then those at the edge."""
        shop, knowledge = self.shop, self.shop.bundle.knowledge
        judged, found = list(shop.dev), list(rows)
        if len(judged) < N_HELD_OUT and shop.ground.test is not None:
            more = shop.ground.test.examples[: N_HELD_OUT - len(judged)]
            judged += shop.judged.answer(more)
            found += predictor.answer(more)
        edges = self.edges()
        kind = _kind(subject)
        return parity(
            [*judged, *shop.judged.answer(edges)],
            [*found, *predictor.answer(edges)],
            (knowledge.task, knowledge.labels),
            kind,
            len(edges),
        )

    def edges(self) -> list[Example]:
        """Examples at the edge of what may be asked."""
        texts = edge_texts(self.shop.judged.reader.max_length)
        return examples_at_the_edge(self.shop.judged, texts, self.shop.dev_examples[0])

    def frontier(self) -> Frontier:
        """Everything that was tried, and what was chosen."""
        best = self.best
        return Frontier(
            metric=self.shop.judge.metric.part_name,
            n_rows=len(self.shop.dev),
            budget=self.budget,
            candidates=[self.judged, *(one.candidate for one in self.tried.values())],
            refused=self.refused,
            chosen=None if best is None else best.candidate.name,
            machine={"processor": platform.processor() or platform.machine(), "threads": str(settings().n_threads)},
        )


def _streams(subject: Subject) -> list[Subject]:
    if not isinstance(subject.runtime, Openvino):
        return [subject]
    counts = sorted({1, settings().n_threads})
    return [replace(subject, runtime=subject.runtime.model_copy(update={"streams": n})) for n in counts]


def _kind(subject: Subject) -> Kind:
    """Quantising alone must keep the answers; a network that was cut or taught anew has the budget to keep to."""
    methods = {cast("type[Method]", Shelf("methods").get(name)).makes for name in subject.steps}
    return "changed" if _is_changed(subject) else "quantised" if "artefact" in methods else "float32"


def _is_changed(subject: Subject) -> bool:
    harmless = {"vocabulary", "merge"}
    networks = [name for name in subject.steps if cast("type[Method]", Shelf("methods").get(name)).makes == "network"]
    return bool(set(networks) - harmless)


def _size(subject: Subject) -> int:
    with tempfile.TemporaryDirectory() as folder:
        write_model(subject, Path(folder))
        return size_bytes(Path(folder))


def write_model(subject: Subject, folder: Path) -> None:
    """What a bundle's model folder holds of a subject: weights or artefact, config, tokenizer.

    Raises:
        UserError: it was left without an artefact and has no plain layout.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if subject.files is not None:
        for file in subject.files.iterdir():
            shutil.copyfile(file, folder / file.name)
        config = getattr(getattr(subject.network, "trunk", None), "config", None)
        if config is not None:
            config.save_pretrained(folder)
        else:
            shutil.copyfile(subject.folder / "config.json", folder / "config.json")
    elif subject.is_plain:
        subject.network.save(folder)
    else:
        raise UserError(
            f"{' + '.join(subject.steps)}: has no layout of its own; end with a method such as int8_static."
        )
    subject.reader.save(folder, subject.folder)


def _told(one: Candidate) -> str:
    return (
        f"{one.score:.4f} ({-one.drop:+.2f} points), {one.speed.texts_per_s:,.0f} texts/s, "
        f"{one.speed.median_ms:.2f} ms, {one.size_mb:.1f} MB"
    )


def _but(faults: Sequence[str]) -> str:
    return f"; no: {'; '.join(faults)}" if faults else ""


def _least_f1(keep: Sequence[str], labels: tuple[str, ...]) -> dict[str, float]:
    found, faults = {}, Faults()
    for text in keep:
        label, sign, number = text.partition(">=")
        try:
            least = float(number)
        except ValueError:
            least = -1.0
        if not sign or not 0 <= least <= 1:
            faults.add(f"--keep '{text}': must read like 'refund>=0.9', an F1 between 0 and 1.")
        elif label.strip() not in labels:
            faults.add(
                f"--keep '{text}': there is no label '{label.strip()}'.{hint(label, labels)} It has: {listed(labels)}."
            )
        else:
            found[label.strip()] = least
    faults.raise_if_any()
    return found


def _write(folder: Path, search: Search, started: float) -> Report | None:
    """The shrunk bundle: decided anew on dev, judged on test, with the proof that it answers as before."""
    shop, best = search.shop, search.best
    assert best is not None, "a caller without a candidate writes nothing"
    predictor, old = best.predictor, shop.bundle.knowledge
    task = old.task.completed(predictor.reader, predictor.core.run, shop.listen)
    dev = predictor.answer(shop.dev_examples)
    task = task.tuned(dev)
    test = None if shop.ground.test is None else predictor.answer(shop.ground.test.examples)
    judge = Judge(task, old.labels, shop.ground.recipe.judge)
    decision, _ = judge.decide(dev)
    about = _about(shop, best, folder, started)
    report = report_on(judge, Sides(dev, test), decision, about)
    assert best.subject.runtime is not None or best.subject.files is None
    runtime = best.subject.runtime or old.runtime
    knowledge = replace(old, task=task, decision=decision, runtime=runtime, max_length=predictor.reader.max_length)
    write_model(best.subject, folder / MODEL)
    knowledge.save(folder)
    task.keep(folder / STOCK)
    for name in COPIED:
        shutil.copyfile(shop.bundle.folder / name, folder / name)
    _write_findings(folder, search, knowledge, report, about)
    Proof.of(Predictor(knowledge, predictor.reader, predictor.core), [*shop.dev_examples, *search.edges()]).save(folder)
    write_manifest(folder)
    return report


def _write_findings(
    folder: Path, search: Search, knowledge: Knowledge, report: Report | None, about: dict[str, Any]
) -> None:
    frontier = search.frontier()
    scores = {} if report is None else {name: report.scores[name] for name in report.headline if name in report.scores}
    write_bytes(folder / "README.md", model_card(knowledge, scores, about if report is None else report.about).encode())
    if report is not None:
        write_report(report, search.shop.ground.recipe.judge.formats, folder / "report")
    write_json(folder / "report" / "shrink.json", frontier.to_dict())
    write_bytes(folder / "report" / "shrink.html", frontier_page(frontier).encode())


def _about(shop: Workshop, best: Tried, folder: Path, started: float) -> dict[str, Any]:
    return {
        "name": shop.bundle.folder.name,
        "task": shop.bundle.knowledge.task.part_name,
        "base": shop.bundle.knowledge.base,
        "shrunk": best.candidate.name,
        "version": __version__,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(time.monotonic() - started, 1),
        "n_train": len(shop.ground.prepared.train.corpus) if shop.ground.prepared.train is not None else 0,
        "seed": shop.ground.recipe.train.seed,
    }
