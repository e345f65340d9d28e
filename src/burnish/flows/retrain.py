"""`retrain`: what feedback taught, learned from the version in production, and held against it."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field

from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import read_json, write_bytes
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.evaluation.compare import compare
from burnish.evaluation.gates import GateResult
from burnish.evaluation.promotion import Check, Policy, Verdict
from burnish.feedback.guard import Guard
from burnish.flows.fit import FitResult, fit
from burnish.flows.release import Releasing
from burnish.flows.rowplaces import known_places
from burnish.flows.shrink import shrink
from burnish.flows.teaching import Taught, taught
from burnish.recipe.load import load
from burnish.store.home import Home, opened_home, whoami
from burnish.store.records import Release

LEAST_TO_JUDGE = 20
"""Rows of feedback kept back below which nothing can be told from chance."""


class Retraining(BaseModel):
    """How a retraining goes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    least: int = Field(default=20, ge=1)
    """Fewest inputs with new corrections that are worth a retraining."""

    held_out: float = Field(default=0.2, ge=0, lt=1)
    """Share of the corrected inputs that is never learned, and judges what was."""

    epochs: int = Field(default=2, ge=1)
    """Passes over old rows and corrections together: training goes on from production, which knows most already."""

    anchor: Annotated[Part, Shelf("anchors")] = Field(default="none", validate_default=True)
    """What keeps it from forgetting, where the old rows are not all there: none, l2sp, ewc, replay."""

    guard: Guard = Field(default_factory=Guard)
    """The checks against poisoned feedback."""

    policy: Policy = Field(default_factory=Policy)
    """What the result may cost against production."""

    promote_if_better: bool = False
    """Whether a result that passes and scores higher becomes production at once."""


@dataclass(frozen=True)
class RetrainResult:
    """What was learned, and what became of it."""

    release: Release
    verdict: Verdict | None
    taught: Taught
    is_promoted: bool


def retrain(
    name: str,
    overrides: Sequence[str] = (),
    settings: Retraining | None = None,
    *,
    out: str | Path | None = None,
    listen: Listener = ignore,
) -> RetrainResult:
    """Learn from accepted feedback and the old rows, from the version in production on; the result is a candidate.

    Args:
        name: of the releases.
        overrides: of the recipe, e.g. `data.train=rows.csv` or `train.learning_rate=1e-4`.
        settings: how it goes.
        out: folder in which the rows and the bundles are left; None leaves none.
        listen: is told of progress.

    Raises:
        UserError: there is too little to learn from, the old rows are gone, or production cannot be trained further.
        SickRun: training went wrong; nothing is released.
    """
    with opened_home() as home:
        run = Run(home, home.releases.find(name), settings or Retraining(), whoami(), listen)
        if out is not None:
            return run.all(Path(out), overrides)
        with tempfile.TemporaryDirectory(prefix="burnish-retrain-") as work:
            return run.all(Path(work), overrides)


def retrain_once(
    home: Home, name: str, overrides: Sequence[str], settings: Retraining, by: str, listen: Listener
) -> RetrainResult:  # fmt: skip
    """The same in an installation that is open, for whoever `by` names; no files are left."""
    with tempfile.TemporaryDirectory(prefix="burnish-retrain-") as work:
        return Run(home, home.releases.find(name), settings, by, listen).all(Path(work), overrides)


@dataclass(frozen=True)
class Run:
    """One retraining of what is in production."""

    home: Home
    production: Release
    settings: Retraining
    by: str
    listen: Listener

    @property
    def name(self) -> str:
        return self.production.name

    def all(self, work: Path, overrides: Sequence[str]) -> RetrainResult:
        """Every step, in their order."""
        served = open_bundle(self.home.bundles.get(self.production.digest))
        source = self._source(served)
        found = self._taught(source)
        fitted = self._fit(source, found, work, overrides)
        trained = fitted.bundle
        small = self._shrunk(served, trained, work)
        checks = [*map(_own_gate, fitted.gates), *self._held_out(found, small or trained, source)]
        loaded = load(yaml.safe_load((trained / "recipe.yaml").read_text("utf-8")))
        asked = Releasing(
            self.home, open_bundle(small or trained), self.name, self.by, self.listen, self.settings.policy
        )
        why = f"retrained on {len(found.rows):,} corrected inputs"
        made = asked.run(loaded, why=why, source=open_bundle(trained) if small else None, checks=checks)
        self.home.corrections.mark_used(found.feedback, made.release.version)
        return RetrainResult(made.release, made.verdict, found, self._promoted(made.release, made.verdict))

    def _source(self, served: Bundle) -> Bundle:
        """What training can go on from.

        Raises:
            UserError: production was shrunk from a bundle that was not released with it.
        """
        if self.production.source:
            return open_bundle(self.home.bundles.get(self.production.source))
        if not isinstance(served.knowledge.runtime, Torch):
            raise UserError(
                f"{self.name}:{self.production.version} is a shrunk bundle, which cannot be trained further; release "
                "it with the bundle that it was made from: burnish release … --source FOLDER."
            )
        return served

    def _taught(self, source: Bundle) -> Taught:
        """What feedback says.

        Raises:
            UserError: too little that is new.
        """
        settings, task = self.settings, source.knowledge.task
        found = taught(self.home, self.name, task, settings.guard, settings.held_out, self.listen)
        if found.n_new < settings.least:
            unkept = f" ({found.n_unkept:,} more cannot be used: their inputs were not kept)" if found.n_unkept else ""
            raise UserError(
                f"{self.name}: {found.n_new:,} inputs have new corrections{unkept}; {settings.least:,} are wanted, or "
                "fewer with --least."
            )
        told = f"{len(found.rows):,} corrected inputs to learn from ({found.n_new:,} new)"
        open_ones = f"; on {found.n_open:,} users do not agree" if found.n_open else ""
        self.listen(Message(f"{told}, {len(found.held_out):,} kept back to judge{open_ones}"))
        return found

    def _fit(self, source: Bundle, found: Taught, work: Path, overrides: Sequence[str]) -> FitResult:
        """Old rows and corrections together, on from the source."""
        recipe: dict[str, Any] = yaml.safe_load((source.folder / "recipe.yaml").read_text("utf-8"))
        data, train = recipe["data"], recipe["train"]
        if not any(one.startswith("data.train=") for one in overrides):
            data |= known_places(self.home, self.name)
        else:
            data |= {"train": _override(overrides, "data.train")}
        rows = work / "corrections.jsonl"
        write_bytes(
            rows,
            _lines(
                [_named(row, data["columns"]) | split for row, split in zip(found.rows, _sides(data), strict=False)]
            ),
        )
        old = data["train"] if isinstance(data["train"], list) else [data["train"]]
        data |= {"train": [*old, str(rows.absolute())], "test": None, "rows_per_class": None}
        train |= {"start": str(source.folder.absolute()), "epochs": self.settings.epochs, "n_seeds": 1}
        train["anchor"] = self.settings.anchor.as_recipe()
        recipe["judge"] |= {"slices": [], "start": False}  # corrections have no columns to slice by
        others = [one for one in overrides if not one.startswith("data.train=")]
        return fit(recipe, others, out=work / "bundle", listen=self.listen)

    def _shrunk(self, served: Bundle, trained: Path, work: Path) -> Path | None:
        """The result made small as production was; None where that was not."""
        if isinstance(served.knowledge.runtime, Torch):
            return None
        told = read_json(served.folder / "report" / "shrink.json")
        result = shrink(trained, ways=[told["chosen"]], out=work / "small", listen=self.listen, **told["budget"])
        if result.bundle is None:
            raise UserError(f"{self.name}: the result cannot be shrunk as production was, by {told['chosen']}.")
        return result.bundle

    def _held_out(self, found: Taught, trained: Path, source: Bundle) -> list[Check]:
        """Whether it is worse on the feedback that was kept back."""
        if len(found.held_out) < LEAST_TO_JUDGE:
            return []
        before = load_predictor(self.home.bundles.get(self.production.digest))
        after, task = load_predictor(trained), source.knowledge.task
        known = set(before.knowledge.labels)
        rows = [task.read(row, is_labelled=True) for row in found.held_out]
        rows = [row for row in rows if not known or set(task.labels_of(row)) <= known]
        result = compare(_outcome(before, rows), _outcome(after, rows), seed=0)
        is_worse = (result.main.difference < 0) == result.main.is_better_high and result.main.p_value < 0.05
        is_worse = is_worse and result.main.difference != 0
        return [Check(name="feedback kept back", is_passed=not is_worse, sentence=result.sentence)]

    def _promoted(self, made: Release, verdict: Verdict | None) -> bool:
        if not self.settings.promote_if_better or verdict is None or not (verdict.is_passed and verdict.is_better):
            return False
        self.home.releases.promote(made.name, made.version, self.by, "retrained, passed the gate, and is better")
        self.listen(Message(f"{made.name}:{made.version} is production", "good"))
        return True


def _own_gate(gate: GateResult) -> Check:
    told = f"{gate.name} is {gate.value:.4f} on dev; the recipe asks for {gate.condition}."
    return Check(name=f"recipe: {gate.name}", is_passed=gate.is_passed, sentence=told)


def _override(overrides: Sequence[str], key: str) -> Any:
    return yaml.safe_load(next(one for one in overrides if one.startswith(f"{key}=")).removeprefix(f"{key}="))


def _lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _sides(data: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """For each correction, what the column holds by which rows are put on sides: each is a group of its own, of now."""
    split = data["split"] if isinstance(data["split"], dict) else {}
    column, now = split.get("column"), datetime.datetime.now(datetime.UTC).isoformat()
    for number in count():
        yield {} if column is None else {column: now if split.get("name") == "time" else f"correction {number}"}


def _named(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """A row with its columns called as the old rows call them."""
    return {columns.get(name, name): value for name, value in row.items()}


def _outcome(predictor: Predictor, rows: Sequence[Any]) -> Any:
    knowledge = predictor.knowledge
    return knowledge.task.outcome(predictor.answer(rows), knowledge.labels, knowledge.decision)
