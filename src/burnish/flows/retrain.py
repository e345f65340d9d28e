"""`retrain`: what feedback taught, learned from the version in production, and held against it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson
import yaml

from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import read_json, write_bytes
from burnish.evaluation.compare import compare
from burnish.evaluation.gates import GateResult
from burnish.evaluation.promotion import Check, Verdict, is_worse, learned
from burnish.flows.canary import Trial, begin
from burnish.flows.fit import FitResult, fit
from burnish.flows.nearness import fill_vectors
from burnish.flows.release import Releasing, outcome_of
from burnish.flows.retraining import Retraining as Retraining
from burnish.flows.rowplaces import SIDES, hand_places_on, known_places
from burnish.flows.shrink import shrink
from burnish.flows.teaching import KEPT_BACK, Taught, taught
from burnish.flows.unlearnable import unlearnable
from burnish.flows.warm import cannot_go_on
from burnish.recipe.load import Loaded, load
from burnish.recipe.show import filled
from burnish.store.home import Home, opened_home, whoami
from burnish.store.records import Release
from burnish.store.releases import NAME
from burnish.training.anchors._contract import Anchor

GROWN = "grown"
"""How the split is called that keeps dev as it was."""
LEAST_TO_JUDGE = 20
"""Rows of feedback kept back below which nothing can be told from chance."""


@dataclass(frozen=True)
class RetrainResult:
    """What was learned, and what became of it."""

    release: Release
    verdict: Verdict | None
    taught: Taught
    is_promoted: bool
    is_canary: bool = False
    """Whether it answers a share of the requests now."""


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
        run = Run(home, _production(home, name), settings or Retraining(), whoami(), listen)
        if out is not None:
            return run.all(Path(out), overrides)
        with tempfile.TemporaryDirectory(prefix="burnish-retrain-") as work:
            return run.all(Path(work), overrides)


def retrain_once(
    home: Home, name: str, overrides: Sequence[str], settings: Retraining, by: str, listen: Listener
) -> RetrainResult:  # fmt: skip
    """The same in an installation that is open, for whoever `by` names; no files are left."""
    with tempfile.TemporaryDirectory(prefix="burnish-retrain-") as work:
        return Run(home, _production(home, name), settings, by, listen).all(Path(work), overrides)


def _production(home: Home, name: str) -> Release:
    if NAME.fullmatch(name) is None:
        raise UserError(f"'{name}': retraining goes on from what is in production; give the name alone, e.g. intent.")
    return home.releases.find(name)


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
        recipe = self._recipe(source, overrides)
        found = self._taught(source, load(recipe), work)
        fitted = self._fit(recipe, found, work)
        trained = fitted.bundle
        small = self._shrunk(served, trained, work)
        made_of, gates = (trained, fitted.gates) if small is None else small
        checks = [*map(_own_gate, gates), *self._held_out(found, made_of)]
        asked = Releasing(self.home, open_bundle(made_of), self.name, self.by, self.listen, self.settings.policy)
        loaded = load(yaml.safe_load((trained / "recipe.yaml").read_text("utf-8")))
        why = f"retrained on {len(found.rows):,} corrected inputs"
        made = asked.run(loaded, why=why, source=open_bundle(trained) if small else None, checks=checks)
        self._note(made.release, found)
        is_promoted = self._promoted(made.release, made.verdict)
        return RetrainResult(made.release, made.verdict, found, is_promoted, self._is_tried(made.release, made.verdict))

    def _note(self, made: Release, found: Taught) -> None:
        """What was learned counts as new no more, and what judged it needs no other look of the guard."""
        self.home.corrections.mark_used(found.feedback, made.version)
        if found.judging:
            kept_back = dict.fromkeys(found.judging, ("accepted", KEPT_BACK))
            self.home.corrections.decide(kept_back, self.by, still={"state": "accepted"})
        hand_places_on(self.home, self.production, made)

    def _source(self, served: Bundle) -> Bundle:
        """What training can go on from.

        Raises:
            UserError: its task has no warm start, or it was shrunk from a bundle that was not released with it.
        """
        if (reason := cannot_go_on(served.knowledge.task)) is not None:
            raise UserError(f"{self.name}: {reason}")
        if self.production.source:
            return open_bundle(self.home.bundles.get(self.production.source))
        if not isinstance(served.knowledge.runtime, Torch):
            raise UserError(
                f"{self.name}:{self.production.version} is a shrunk bundle, which cannot be trained further; release "
                "it with the bundle that it was made from: burnish release … --source FOLDER."
            )
        return served

    def _taught(self, source: Bundle, loaded: Loaded, work: Path) -> Taught:
        """What feedback says, without what is among the rows that judge.

        Raises:
            UserError: too little that is new, or the rows that judge cannot be read.
        """
        settings, task = self.settings, source.knowledge.task
        fill_vectors(self.home, self.name, load_predictor(source))
        judging = unlearnable(self.home, self.name, loaded, work, self.listen)
        found = taught(self.home, self.name, task, settings, judging, self.listen)
        if found.n_new < settings.least:
            unkept = f" ({found.n_unkept:,} more cannot be used: their inputs were not kept)" if found.n_unkept else ""
            raise UserError(
                f"{self.name}: {found.n_new:,} inputs have new corrections{unkept}; {settings.least:,} are wanted, or "
                "fewer with --least."
            )
        told = f"{len(found.rows):,} corrected inputs to learn from ({found.n_new:,} new)"
        open_ones = f"; on {found.n_open:,} users do not agree" if found.n_open else ""
        tested = f"; {found.n_tested:,} are among the rows that judge, and are left alone" if found.n_tested else ""
        self.listen(Message(f"{told}, {len(found.held_out):,} kept back to judge{open_ones}{tested}"))
        return found

    def _recipe(self, source: Bundle, overrides: Sequence[str]) -> dict[str, Any]:
        """The filled recipe of the source, to go on from it, with its rows where they are now.

        Raises:
            UserError: the rows are gone, or an override cannot be used.
        """
        recipe: dict[str, Any] = yaml.safe_load((source.folder / "recipe.yaml").read_text("utf-8"))
        said = {side for side in SIDES if any(one.startswith(f"data.{side}=") for one in overrides)}
        recipe["data"] |= {"test": None, "rows_per_class": None}
        recipe["data"] |= known_places(self.home, self.production, without=said)
        recipe["train"] |= {"start": str(source.folder.absolute()), "epochs": self.settings.epochs, "n_seeds": 1}
        recipe["train"] |= {"keep": "last", "patience": None}  # dev has no corrections
        anchor = cast("Anchor", self.settings.anchor)
        recipe["train"] |= {"anchor": anchor.as_recipe(), "start_share": self.settings.start_share}
        recipe["data"] |= {} if anchor.most_rows else {"replay": None}
        recipe["judge"] |= {"slices": [], "start": False}  # corrections have no columns to slice by
        return filled(load(recipe, overrides).recipe)

    def _fit(self, recipe: dict[str, Any], found: Taught, work: Path) -> FitResult:
        """Old rows and corrections together. Dev rows stay those that the source never learned."""
        data, file = recipe["data"], work / "corrections.jsonl"
        before = data["split"]["before"] if data["split"]["name"] == GROWN else data["split"]
        further = {} if before.get("column") is None else {before["column"]: "correction"}
        rows = [_named(row, data["columns"]) | further for row in found.rows]
        write_bytes(file, b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
        old = data["train"] if isinstance(data["train"], list) else [data["train"]]
        data["train"] = [*old, {"name": "jsonl", "path": str(file.absolute()), "encoding": "utf-8"}]
        data["split"] = {"name": GROWN, "n_new": len(rows), "before": before}
        return fit(recipe, out=work / "bundle", listen=self.listen)

    def _shrunk(self, served: Bundle, trained: Path, work: Path) -> tuple[Path, Sequence[GateResult]] | None:
        """The result made small as production was, and how it meets the recipe's gates; None where that was not."""
        if isinstance(served.knowledge.runtime, Torch):
            return None
        told = read_json(served.folder / "report" / "shrink.json")
        way = _as_asked_for(told["chosen"])
        result = shrink(trained, ways=[way], out=work / "small", listen=self.listen, **told["budget"])
        if result.bundle is None or result.report is None:
            raise UserError(f"{self.name}: the result cannot be shrunk as production was, by {told['chosen']}.")
        return result.bundle, result.report.gates

    def _held_out(self, found: Taught, trained: Path) -> list[Check]:
        """Whether it is worse on the feedback that was kept back, or learned nothing that holds for it; nothing where
        too little was to tell.
        """
        if len(found.held_out) < LEAST_TO_JUDGE:
            return []
        before, after = load_predictor(self.home.bundles.get(self.production.digest)), load_predictor(trained)
        known = set(before.knowledge.labels)
        rows = [after.task.read(row, is_labelled=True) for row in found.held_out]
        rows = [row for row in rows if not known or set(after.task.labels_of(row)) <= known]
        if len(rows) < LEAST_TO_JUDGE:
            return []
        outcomes = outcome_of(before, rows), outcome_of(after, rows)
        result = compare(*outcomes, seed=0)
        is_passed = not is_worse(result.main, self.settings.policy.significance)
        checks = [Check(name="feedback kept back", is_passed=is_passed, sentence=result.sentence)]
        return [*checks, *filter(None, [learned(*outcomes, self.settings.policy)])]

    def _promoted(self, made: Release, verdict: Verdict | None) -> bool:
        if not self.settings.promote_if_better or verdict is None or not (verdict.is_passed and verdict.is_better):
            return False
        self.home.releases.promote(made.name, made.version, self.by, "retrained, passed the gate, and is better")
        self.listen(Message(f"{made.name}:{made.version} is production", "good"))
        return True

    def _is_tried(self, made: Release, verdict: Verdict | None) -> bool:
        """Let a result that passed answer a share of the requests, if that was asked for."""
        settings = self.settings
        if not settings.canary or verdict is None or not verdict.is_passed:
            return False
        trial = Trial(
            version=made.version, against=self.production.version, inputs=settings.canary_inputs, since=time.time(),
            policy=settings.policy,
        )  # fmt: skip
        begin(self.home, made.name, trial, settings.canary, self.by)
        self.listen(Message(f"{made.name}:{made.version} answers {settings.canary:g} % of the requests", "good"))
        return True


def _own_gate(gate: GateResult) -> Check:
    told = f"{gate.name} is {gate.value:.4f} on dev; the recipe asks for {gate.condition}."
    return Check(name=f"recipe: {gate.name}", is_passed=gate.is_passed, sentence=told)


def _as_asked_for(way: str) -> str:
    """A way to shrink as `shrink` is asked for it: `vocabulary (common=0) + int8_static` is
    `{name: vocabulary, common: 0}, int8_static`.
    """
    methods = [one.removesuffix(")").partition(" (") for one in way.split(" + ")]
    return ", ".join(
        f"{{name: {name}, {settings.replace('=', ': ')}}}" if settings else name for name, _, settings in methods
    )


def _named(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """A row with its columns called as the old rows call them; those that it says nothing of are empty."""
    return dict.fromkeys(columns.values()) | {columns.get(name, name): value for name, value in row.items()}
