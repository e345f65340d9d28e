"""The shrunk bundle: decided anew on dev, judged on test, with the proof that it answers as before."""

from __future__ import annotations

import datetime
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from burnish import __version__
from burnish.bundle.bundle import STOCK, Knowledge
from burnish.bundle.card import model_card
from burnish.bundle.predictor import Predictor
from burnish.bundle.proof import Proof
from burnish.compression.page import frontier_page
from burnish.core.files import write_bytes, write_json
from burnish.core.manifest import write_manifest
from burnish.evaluation.findings import Report
from burnish.flows.judging import Judge
from burnish.flows.reporting import Sides, report_on, write_report
from burnish.flows.shrinking import write_model
from burnish.flows.trying import Search, Tried
from burnish.models.locate import MODEL

COPIED = ("recipe.yaml", "data_card.json", "data_card.md")


def write_shrunk(folder: Path, search: Search, best: Tried, started: float) -> Report | None:
    """The shrunk bundle: decided anew on dev, judged on test, with the proof that it answers as before."""
    shop = search.shop
    predictor, old = best.predictor, shop.bundle.knowledge
    dev = predictor.answer(shop.dev_examples)
    task = predictor.task.tuned(dev)
    test = None if shop.ground.test is None else predictor.answer(shop.ground.test.examples)
    judge = Judge(task, old.labels, shop.ground.recipe.judge)
    decision, _ = judge.decide(dev)
    about = _about(search, best, started)
    report = report_on(judge, Sides(dev, test), decision, about)
    runtime = best.subject.runtime or old.runtime
    knowledge = replace(old, task=task, decision=decision, runtime=runtime, max_length=predictor.reader.max_length)
    write_model(best.subject, folder / MODEL)
    knowledge.save(folder)
    task.keep(folder / STOCK)
    for name in COPIED:
        shutil.copyfile(shop.bundle.folder / name, folder / name)
    _write_findings(folder, search, knowledge, report, about)
    Proof.of(Predictor(knowledge, predictor.reader, predictor.core), [*shop.dev_examples, *search.edges]).save(folder)
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


def _about(search: Search, best: Tried, started: float) -> dict[str, Any]:
    shop = search.shop
    return {
        "name": shop.bundle.folder.resolve().name,
        "task": shop.bundle.knowledge.task.part_name,
        "base": shop.bundle.knowledge.base,
        "shrunk": _gains(search, best),
        "version": __version__,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(time.monotonic() - started, 1),
        "n_train": len(shop.ground.prepared.train.corpus) if shop.ground.prepared.train is not None else 0,
        "seed": shop.ground.recipe.train.seed,
    }


def _gains(search: Search, best: Tried) -> dict[str, Any]:
    """What the card tells of the way that was taken: what it cost and gained on dev."""
    before, now = search.judged, best.candidate
    return {
        "bundle": search.shop.bundle.folder.resolve().name,
        "way": now.name,
        "metric": search.metric,
        "score": [before.score, now.score],
        "most_drop": now.most_drop,
        "texts_per_s": [before.speed.texts_per_s, now.speed.texts_per_s],
        "median_ms": [before.speed.median_ms, now.speed.median_ms],
        "size_mb": [before.size_mb, now.size_mb],
    }
