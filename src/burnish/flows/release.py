"""`release`: a bundle under a name and a version, held against the version that is in production."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from burnish import __version__
from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.data.masking import Mask
from burnish.evaluation.promotion import Check, Contender, Policy, Verdict, weigh
from burnish.flows.frozen import data_digest, freeze, frozen_rows, median_ms, rows_known_to_both
from burnish.flows.recording import Asked, Recorder
from burnish.flows.rowplaces import keep_places
from burnish.metrics._contract import Outcome
from burnish.monitoring.reference import Reference
from burnish.recipe.load import Loaded, load
from burnish.recipe.schema import share_of
from burnish.store.home import Home, opened_home, whoami
from burnish.store.records import Release
from burnish.store.releases import NAME, PRODUCTION
from burnish.store.states import put_state
from burnish.tasks._contract import Example

MOST_REFERENCE_ROWS = 5000


@dataclass(frozen=True)
class ReleaseResult:
    """The release, and how it was held against production; no verdict where there was nothing to hold it against."""

    release: Release
    verdict: Verdict | None

    @property
    def is_good(self) -> bool:
        return self.release.is_passed


def release(
    bundle: str | Path,
    name: str,
    overrides: Sequence[str] = (),
    *,
    why: str = "",
    source: str | Path | None = None,
    listen: Listener = ignore,
) -> ReleaseResult:
    """Register a bundle as the next version of a name, and make it the candidate.

    Args:
        bundle: its folder; a copy is kept, so that the folder may go.
        name: of the releases, e.g. `intent`.
        overrides: of its recipe, where its rows are now: `data.train=rows.csv` for retraining, and for the first
            version `data.test=test.csv`: these rows are frozen and judge every version.
        why: the reason, for lineage and audit.
        source: for a shrunk bundle: the one that it was shrunk from, on which retraining goes on.
        listen: is told of progress.

    Raises:
        UserError: the bundle, the name or the rows cannot be used; nothing is registered.
    """
    if not NAME.fullmatch(name):
        raise UserError(
            f"the name '{name}' cannot be used: up to 64 of a-z 0-9 . _ - , and the first a letter or a digit."
        )
    with opened_home() as home:
        opened = open_bundle(bundle)
        asked = Releasing(home, opened, name, whoami(), listen)
        loaded = load(_filled(opened), overrides)
        made = asked.run(loaded, why=why, source=None if source is None else open_bundle(source))
        if not keep_places(home, name, loaded):
            listen(Message("its training rows are not where its recipe says as seen from here: retraining will ask"))
        return made


@dataclass(frozen=True)
class Releasing:
    """A bundle on its way to be a version of a name."""

    home: Home
    bundle: Bundle
    name: str
    by: str
    listen: Listener
    policy: Policy = field(default_factory=Policy)

    def run(
        self, loaded: Loaded, *, why: str = "", source: Bundle | None = None, checks: Sequence[Check] = ()
    ) -> ReleaseResult:
        """Freeze or find the test rows, hold the bundle against production, keep it, register it.

        Args:
            loaded: its recipe, with rows where they are now.
            why: the reason.
            source: the bundle that training can go on from, where this one was shrunk.
            checks: further ones that it must pass.
        """
        before = self._production()
        rows = self._rows(loaded)
        predictor = load_predictor(self.bundle)
        verdict = None if rows is None or before is None else self._verdict(predictor, before, rows, checks)
        if before is None:
            self.listen(
                Message(f"'{self.name}' has no version in production yet, so there is nothing to hold it against")
            )
        made = self.home.releases.register(replace(self._told(before, verdict, why), source=self._kept(source)))
        if rows is not None:
            self._keep_reference(made, predictor, rows)
        self.listen(Message(f"released {self.name}:{made.version}", "good"))
        return ReleaseResult(made, verdict)

    def _production(self) -> Release | None:
        """What is in production.

        Raises:
            UserError: it does another task.
        """
        aliases = {one.alias: one.version for one in self.home.releases.aliases() if one.name == self.name}
        if PRODUCTION not in aliases:
            return None
        before, task = self.home.releases.find(f"{self.name}:{aliases[PRODUCTION]}"), self.bundle.knowledge.task
        if before.task != task.part_name:
            raise UserError(
                f"{self.bundle.folder} does {task.part_name}, and '{self.name}' is of {before.task}; release it under "
                "another name."
            )
        return before

    def _kept(self, source: Bundle | None) -> str:
        if source is None and not isinstance(self.bundle.knowledge.runtime, Torch):
            told = "it is a shrunk bundle, which cannot be trained further: for retraining, name what it was made from"
            self.listen(Message(f"{told} with --source.", "warning"))
        return "" if source is None else self.home.bundles.put(source.folder)

    def _rows(self, loaded: Loaded) -> Path | None:
        """The frozen test rows; those of the first version are frozen here."""
        rows, test = frozen_rows(self.home, self.name), loaded.recipe.data.test
        if rows is not None:
            return rows
        if test is None or share_of(test) is not None or loaded.recipe.task.joint is not None:
            told = "it names no test file, so versions cannot be held against each other: give data.test=FILE"
            self.listen(Message(told, "warning"))
            return None
        return freeze(self.home, self.name, self.bundle, loaded, self.by, self.listen)

    def _verdict(self, predictor: Predictor, before: Release, rows: Path, checks: Sequence[Check]) -> Verdict:
        self.listen(Message(f"holding it against {self.name}:{before.version} on the frozen test rows"))
        folder = self.home.bundles.get(before.digest)
        other = load_predictor(folder)
        examples = rows_known_to_both(rows, [other, predictor])
        if not examples:
            raise UserError(f"none of the frozen test rows has labels that both versions of '{self.name}' know.")
        times = median_ms([other, predictor], examples)
        sizes = [_size(place) for place in (folder, self.bundle.folder)]
        outcomes = [_outcome(one, examples) for one in (other, predictor)]
        production, candidate = (Contender(*one) for one in zip(outcomes, sizes, times, strict=True))
        verdict = weigh(production, candidate, self.policy)
        return verdict.model_copy(update={"checks": [*verdict.checks, *checks]})

    def _told(self, before: Release | None, verdict: Verdict | None, why: str) -> Release:
        """Everything that the release says of itself; its bundle is kept first."""
        return Release(
            name=self.name,
            version=0,
            digest=self.home.bundles.put(self.bundle.folder),
            task=self.bundle.knowledge.task.part_name,
            at=time.time(),
            by=self.by,
            why=why,
            parent=None if before is None else before.version,
            data_digest=data_digest(self.bundle),
            code_version=__version__,
            recipe=(self.bundle.folder / "recipe.yaml").read_text("utf-8"),
            gates=None if verdict is None else verdict.to_dict(),
            is_passed=verdict is None or verdict.is_passed,
        )

    def _keep_reference(self, made: Release, predictor: Predictor, rows: Path) -> None:
        """What answers to the test rows look like: what monitoring holds live traffic against."""
        knowledge = predictor.knowledge
        columns = [one.name for one in knowledge.task.wanted if one.name not in knowledge.task.gold]
        examples = rows_known_to_both(rows, [predictor])[:MOST_REFERENCE_ROWS]
        answered = predictor.answer(examples)
        decoded = knowledge.task.decode(answered, knowledge.labels, knowledge.decision)
        recorder = Recorder(self.home, Mask.of(), "off").knowing(predictor)
        asked = Asked(made.name, made.version, "", (), time.perf_counter())
        records = []
        for row, one in zip(answered, decoded, strict=True):
            texts = {name: row.example[name] for name in columns if isinstance(row.example.get(name), str)}
            records.append(recorder.record(asked, texts, row, one.model_dump(mode="json")))
        accuracy = float(1 - knowledge.task.outcome(answered, knowledge.labels, knowledge.decision).is_wrong().mean())
        with self.home.store.writing() as connection:
            put_state(connection, reference_state(made), Reference.of(records, accuracy).to_dict())


def _filled(bundle: Bundle) -> Mapping[str, Any]:
    filled: Mapping[str, Any] = yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))
    return filled


def reference_state(release: Release) -> str:
    """Under what name the reference of a release is kept."""
    return f"reference {release.name}:{release.version}"


def _outcome(predictor: Predictor, examples: Sequence[Example]) -> Outcome:
    knowledge = predictor.knowledge
    return knowledge.task.outcome(predictor.answer(examples), knowledge.labels, knowledge.decision)


def _size(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
