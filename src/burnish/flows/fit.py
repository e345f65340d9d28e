"""`fit`: from a recipe to a judged bundle. The whole main job, in reading order."""

from __future__ import annotations

import datetime
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

from burnish import __version__
from burnish.bundle.bundle import STOCK, Knowledge
from burnish.bundle.card import model_card
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import new_folder, refuse_occupied, write_bytes, write_json
from burnish.core.manifest import write_manifest
from burnish.data.card_text import to_markdown, warnings
from burnish.evaluation.findings import Report
from burnish.evaluation.gates import GateResult
from burnish.flows.ground import DATA, FEATURES, Ground, lay_ground
from burnish.flows.judging import Judge, check_judging, refuse_idle_gates
from burnish.flows.prepare import warn
from burnish.flows.reporting import Sides, report_on, write_report
from burnish.flows.train import Trained, train_seed
from burnish.models.locate import MODEL
from burnish.recipe.load import Loaded, load
from burnish.recipe.show import filled_yaml
from burnish.tasks._contract import Decision, Task

About = dict[str, Any]
NO_RECORDS = ("checkpoints", "best*", "*.tmp-*")


@dataclass(frozen=True)
class FitResult:
    """What `fit` gives back. `gates` are those of the recipe; the bundle is written whether they are met or not.

    `report` is None where the recipe names no rows to judge, as it may where nothing is trained.
    """

    bundle: Path
    report: Report | None
    gates: Sequence[GateResult]
    example: str
    """What follows `burnish predict BUNDLE` for an input of this task."""
    start: Mapping[str, float] = field(default_factory=dict)
    """What the model scored before it was trained, where `judge.start` asks for that."""
    is_base: bool = False
    """Whether it learnt from text alone, so that the bundle is first of all a base for other tasks."""

    @property
    def is_good(self) -> bool:
        return all(gate.is_passed for gate in self.gates)


def fit(
    recipe: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    listen: Listener = ignore,
    **fields: Any,
) -> FitResult:
    """Fine-tune, calibrate, judge, and write the bundle.

    Args:
        recipe: a YAML file or a mapping shaped like one; None when `fields` say it all (task=…, train=…, base=…).
        overrides: texts such as `train.epochs=3`.
        out: the bundle's folder, new or empty; None takes `runs/<name of the recipe or data>`.
        resume: go on from the last checkpoint of a run with the same recipe, data and base.
        listen: is told of progress.
        **fields: settings by the last word of their path, as `burnish.recipe.load` takes them.

    Raises:
        UserError: the recipe, the data, the base or the folder cannot be used; nothing is written.
        SickRun: training went wrong; nothing is published.
    """
    return fit_loaded(load(recipe, overrides, **fields), out, resume=resume, listen=listen)


def fit_loaded(
    loaded: Loaded, out: str | Path | None = None, *, resume: bool = False, listen: Listener = ignore
) -> FitResult:
    """The same for a recipe that was read already."""
    started = time.monotonic()
    check_judging(loaded.recipe.judge, cast("Task", loaded.recipe.task))
    refuse_idle_gates(loaded.recipe)
    target = Path(out) if out is not None else default_target(loaded)
    refuse_occupied(target)
    with _work_folder(target) as work:
        ground = lay_ground(loaded, work, listen)
        warn(listen, warnings(ground.card))
        trained = _train_seeds(ground, work, resume, listen)
        best = max(trained, key=lambda one: one.rank)
        about = _about(ground, best, target.name, started)
        report, decision = _judge(ground, trained, best, about)
        with new_folder(target) as folder:
            _write(folder, ground, best, _knowledge(ground, best, decision), about, report)
        shutil.rmtree(work)
    if ground.dev is None and ground.task.judged_as.toy().answers() is not None:
        listen(Message("there was no dev data: confidences are not calibrated, and no answer is withheld.", "warning"))
    listen(Message(f"wrote {target}", "good"))
    gates = () if report is None else report.gates
    return FitResult(target, report, gates, _example(ground.task), best.start, ground.task.text_source is not None)


@contextmanager
def _work_folder(target: Path) -> Iterator[Path]:
    """A hidden folder beside the bundle. Only checkpoints outlive a run that ended badly; the rest can be rebuilt."""
    work = target.absolute().parent / f".{target.name}.work"
    try:
        yield work
    finally:
        for name in (DATA, FEATURES):
            shutil.rmtree(work / name, ignore_errors=True)
        if not any(work.glob("*/checkpoints/step-*")):
            shutil.rmtree(work, ignore_errors=True)


def _example(task: Task) -> str:
    asked = [item.name for item in task.wanted if item.is_required and item.name in task.texts]
    if set(asked) & task.files:
        return "FILE"
    return '"one text" --pair "another"' if len(asked) > 1 else f'"{task.example_input}"'


def default_target(loaded: Loaded) -> Path:
    """`runs/<name>`, numbered when that is taken: a second run never disturbs the first."""
    train = loaded.recipe.data.train
    name = loaded.path.stem if loaded.path else Path(train).stem if isinstance(train, str) else "model"
    target, number = Path("runs") / name, 2
    while target.exists():
        target, number = Path("runs") / f"{name}-{number}", number + 1
    return target


def _train_seeds(ground: Ground, work: Path, resume: bool, listen: Listener) -> list[Trained]:
    settings = ground.recipe.train
    n_seeds = 1 if ground.store is None else settings.n_seeds  # without rows every seed gives the same
    seeds = range(settings.seed, settings.seed + n_seeds)
    return [train_seed(ground, seed, work / f"seed-{seed}", resume, listen) for seed in seeds]


def _judge(ground: Ground, trained: Sequence[Trained], best: Trained, about: About) -> tuple[Report | None, Decision]:
    """The report on the best seed's test rows (dev's when there are none), with every seed's scores beside it."""
    judge = Judge(best.task, ground.labels, ground.recipe.judge)
    decision, _ = judge.decide(best.dev)
    seeds = [one.scores for one in trained] if len(trained) > 1 else ()
    return report_on(judge, Sides(best.dev, best.test), decision, about, seeds), decision


def _about(ground: Ground, best: Trained, name: str, started: float) -> About:
    """What a reader of the report and the card should know."""
    train = ground.prepared.train
    return {
        "name": name if train is None or ground.prepared.members else Path(train.places[0]).stem,
        "task": ground.task.part_name,
        "base": ground.base.name,
        **({} if ground.beginning is None else {"start": ground.beginning.bundle.folder.name}),
        **({} if ground.warm is None else {"went on from": ground.warm.bundle.folder.name}),
        "version": __version__,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(time.monotonic() - started, 1),
        "n_train": len(train.corpus) if train is not None and ground.is_trained else 0,
        "seed": best.seed,
        **({"before training": best.start} if best.start else {}),
    }


def _knowledge(ground: Ground, best: Trained, decision: Decision) -> Knowledge:
    reader = ground.reader
    own = Knowledge(best.task, ground.labels, decision, reader.max_length, ground.base.name, reader.prompt)
    return own if ground.beginning is None else ground.beginning.knowledge_with(own)


def _write(
    folder: Path, ground: Ground, best: Trained, knowledge: Knowledge, about: About, report: Report | None
) -> None:
    """Every file of the bundle; the manifest last."""
    network = best.network if ground.beginning is None else ground.beginning.network_with(best.network)
    network.save(folder / MODEL)
    ground.reader.save(folder / MODEL, ground.base.folder)
    knowledge.save(folder)
    best.task.keep(folder / STOCK)
    write_bytes(folder / "recipe.yaml", filled_yaml(ground.recipe).encode())
    write_json(folder / "data_card.json", ground.card.to_dict())
    write_bytes(folder / "data_card.md", to_markdown(ground.card).encode())
    scores = {} if report is None else {name: report.scores[name] for name in report.headline if name in report.scores}
    told = about if report is None else report.about
    write_bytes(folder / "README.md", model_card(knowledge, scores, told).encode())
    if report is not None:
        write_report(report, ground.recipe.judge.formats, folder / "report")
    if ground.beginning is not None:
        ground.beginning.copy_reports(folder / "report")
    _copy_records(best.work, folder / "training")
    write_manifest(folder)


def _copy_records(work: Path, folder: Path) -> None:
    """What observers wrote; checkpoints are no use any more.

    File by file: `shutil.copytree` turns what the disk refuses into an error without the system's number, and stumbles
    over the links that some observers leave.
    """
    for file in work.rglob("*"):
        name = file.relative_to(work)
        if file.is_file() and not any(fnmatch(part, no_record) for part in name.parts for no_record in NO_RECORDS):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / name)
