"""`judge`: a bundle on rows with known answers."""

from __future__ import annotations

import datetime
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from burnish import __version__
from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import load_predictor
from burnish.core.errors import UserError, listed
from burnish.core.events import Listener, Message, Progress, ignore
from burnish.core.files import new_folder
from burnish.core.members import owned
from burnish.data.card import Dropped
from burnish.data.card_text import dropped_warning
from burnish.data.corpus import Corpus
from burnish.data.opening import HUB, open_sources
from burnish.evaluation.findings import Report
from burnish.flows.ingest import CARRIED, Ingested, Reading, ingest
from burnish.flows.judging import Judge
from burnish.flows.labels import refuse_unknown_labels
from burnish.flows.reporting import Sides, report_on, write_report
from burnish.recipe.load import load, restore
from burnish.recipe.schema import DataSection, Recipe, share_of
from burnish.tasks._contract import Answered, Example, Task


@dataclass(frozen=True)
class JudgeResult:
    """The report, and the files it was written to."""

    report: Report
    files: list[Path]


def judge(
    bundle: str | Path,
    data: Any = None,
    *,
    out: str | Path | None = None,
    overrides: Sequence[str] = (),
    listen: Listener = ignore,
) -> JudgeResult:
    """Judge a bundle on `data`: a file, or rows from Python, with the columns that it was trained with.

    Args:
        bundle: its folder.
        data: None takes the test file that the bundle's recipe names.
        out: a new folder for the report's files; None writes none.
        overrides: of the bundle's recipe, e.g. `data.columns.text=question`, `judge.gates.accuracy=>= 0.9`.
        listen: is told of progress.

    Raises:
        UserError: the bundle or the data cannot be used.
    """
    started = time.monotonic()
    opened = open_bundle(bundle)
    recipe = bundle_recipe(opened, overrides)
    answered = answer_rows(opened, recipe, data, listen)
    about = _about(opened, recipe, data, len(answered), started)
    knowledge = opened.knowledge
    judge = Judge(knowledge.task, knowledge.labels, recipe.judge)
    report = report_on(judge, Sides(None, answered, is_new=True), knowledge.decision, about)
    assert report is not None, "a side without rows is refused"
    if out is None:
        return JudgeResult(report, [])
    with new_folder(Path(out)) as folder:
        names = [file.relative_to(folder) for file in write_report(report, recipe.judge.formats, folder)]
    listen(Message(f"wrote {out}", "good"))
    return JudgeResult(report, [Path(out) / name for name in names])


def bundle_recipe(bundle: Bundle, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe that a bundle was made by, changed as asked."""
    filled = yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))
    return load(filled, overrides).recipe if overrides else restore(filled)


def answer_rows(bundle: Bundle, recipe: Recipe, data: Any, listen: Listener) -> list[Answered]:
    """Every row of `data`, read as labelled and answered."""
    predictor = load_predictor(bundle)
    answered: list[Answered] = []
    with tempfile.TemporaryDirectory(prefix="burnish-judge-") as folder:
        for examples, n_rows in _examples(bundle, recipe, data, Path(folder), listen):
            answered += predictor.answer(examples)
            listen(Progress("judge", len(answered), n_rows, "rows"))
    return answered


def _examples(
    bundle: Bundle, recipe: Recipe, data: Any, folder: Path, listen: Listener
) -> Iterator[tuple[list[Example], int]]:
    """The examples of `data`, or of the test rows that the recipe, or that of each of several tasks, names."""
    knowledge, joint = bundle.knowledge, bundle.knowledge.task.joint
    if data is not None or joint is None:
        given = own_test_data(bundle, recipe.data) if data is None else data
        side = _read(given, recipe, knowledge.task, knowledge.labels, folder / "rows.arrow", listen)
        yield from ((examples, len(side.corpus)) for examples in side.corpus.batches(knowledge.task.rows_at_once))
        return
    sides = {}
    for name, own in _own_recipes(bundle, recipe).items():
        task, labels = joint.members[name].task, owned(name, knowledge.labels)
        sides[name] = _read(own_test_data(bundle, own.data), own, task, labels, folder / f"{name}.arrow", listen)
    n_rows = sum(len(side.corpus) for side in sides.values())
    for name, side in sides.items():
        for examples in side.corpus.batches(knowledge.task.rows_at_once):
            yield [joint.example_of(name, example) | _carried(example) for example in examples], n_rows


def read_labelled(bundle: Bundle, recipe: Recipe, data: Any, path: Path, listen: Listener, member: str = "") -> Corpus:
    """Labelled rows as a corpus at `path`, read as a recipe of the bundle, or of one of its tasks, reads them.

    Raises:
        UserError: they cannot be read, or there are none.
    """
    knowledge, joint = bundle.knowledge, bundle.knowledge.task.joint
    task, labels = knowledge.task, knowledge.labels
    if member and joint is not None:
        task, labels = joint.members[member].task, owned(member, labels)
    return _read(data, recipe, task, labels, path, listen).corpus


def _read(data: Any, recipe: Recipe, task: Task, labels: tuple[str, ...], path: Path, listen: Listener) -> Ingested:
    sources = open_sources(data, recipe.data.encoding, "data")
    reading = Reading(task, recipe.data.columns, tuple(recipe.judge.slices), recipe.data.bad_rows)
    side = ingest(sources, reading, path, listen)
    if side.n_dropped:
        listen(Message(dropped_warning("data", Dropped(n_rows=side.n_dropped, reasons=side.dropped)), "warning"))
    refuse_unknown_labels(side, task, labels)
    return side


def _own_recipes(bundle: Bundle, recipe: Recipe) -> dict[str, Recipe]:
    """The recipe of each of several tasks that names test rows of its own.

    Raises:
        UserError: none does.
    """
    joint = cast("Task", recipe.task).joint
    assert joint is not None, "the recipe of a bundle is of the bundle's task"
    own = {}
    for name, member in joint.members.items():
        if member.data is not None and member.data.test is not None and share_of(member.data.test) is None:
            own[name] = recipe.model_copy(update={"data": member.data, "judge": recipe.judge.of_member(name)})
    if not own:
        raise UserError(
            f"{bundle.folder}: its recipe names no test file of any task; give one as "
            f"task.tasks.{next(iter(joint.members))}.data.test=FILE, or rows with a column 'task': --data FILE."
        )
    return own


def _carried(example: Example) -> Example:
    return {name: value for name, value in example.items() if name.startswith(CARRIED)}


def own_test_data(bundle: Bundle, data: DataSection) -> Any:
    """What the bundle's recipe names as test data.

    Raises:
        UserError: it names none, only a share of its training data, or a file that is not there. A recipe keeps
            paths as they were written, and a bundle may be far from the folder that they led from.
    """
    given = data.test
    if given is None or share_of(given) is not None:
        raise UserError(f"{bundle.folder}: its recipe names no test file; give the rows to judge: --data FILE.")
    refuse_absent(bundle, given, "give the rows to judge: --data FILE")
    return given


def refuse_absent(bundle: Bundle, given: Any, instead: str) -> None:
    """Raise `UserError` where a file that a stored recipe names as test data is not there."""
    absent = [f"'{path}'" for path in files_in(given) if not path.exists()]
    if absent:
        raise UserError(
            f"{bundle.folder}: its recipe names the test data {listed(absent)}, which is not there as seen from the "
            f"current folder, {Path.cwd()}; {instead}."
        )


def files_in(given: Any) -> list[Path]:
    """The files that a stored recipe names as data; a hub's data set and rows from Python are none."""
    if isinstance(given, list):
        return [path for item in given for path in files_in(item)]
    place = given.get("path") if isinstance(given, dict) else given
    return [Path(place).expanduser()] if isinstance(place, str | Path) and not str(place).startswith(HUB) else []


def _about(bundle: Bundle, recipe: Recipe, data: Any, n_rows: int, started: float) -> dict[str, Any]:
    place = data if isinstance(data, str | Path) else "the rows given" if data is not None else recipe.data.test
    return {
        "name": bundle.folder.name,
        "task": bundle.knowledge.task.part_name,
        "base": bundle.knowledge.base,
        "version": __version__,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(time.monotonic() - started, 1),
        "split": "judged",
        "n_judged": n_rows,
        "judged_on": str(place),
        "seed": recipe.train.seed,
    }
