"""`release`: a bundle under a name and a version, held against the version that is in production."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish import __version__
from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.data.masking import Mask
from burnish.evaluation.promotion import Contender, Policy, Verdict, weigh
from burnish.flows.frozen import data_digest, freeze, frozen_rows, median_ms, rows_known_to_both
from burnish.flows.recording import Asked, Recorder
from burnish.metrics._contract import Outcome
from burnish.monitoring.reference import Reference
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
    *,
    why: str = "",
    test: Any = None,
    policy: Policy | None = None,
    listen: Listener = ignore,
) -> ReleaseResult:
    """Register a bundle as the next version of a name, and make it the candidate.

    Args:
        bundle: its folder; a copy is kept, so that the folder may go.
        name: of the releases, e.g. `intent`.
        why: the reason, for lineage and audit.
        test: for the first version: the rows that judge it and every later one; None takes what its recipe names.
        policy: what a new version may cost against production.
        listen: is told of progress.

    Raises:
        UserError: the bundle, the name or the rows cannot be used; nothing is registered.
    """
    if not NAME.fullmatch(name):
        raise UserError(
            f"the name '{name}' cannot be used: up to 64 of a-z 0-9 . _ - , and the first a letter or a digit."
        )
    with opened_home() as home:
        return Releasing(home, open_bundle(bundle), name, whoami(), listen).run(why, test, policy or Policy())


@dataclass(frozen=True)
class Releasing:
    """A bundle on its way to be a version of a name."""

    home: Home
    bundle: Bundle
    name: str
    by: str
    listen: Listener

    def run(self, why: str, test: Any, policy: Policy) -> ReleaseResult:
        """Freeze or find the test rows, hold the bundle against production, keep it, register it."""
        before = self._production()
        rows = self._rows(test)
        predictor = load_predictor(self.bundle)
        verdict = None if rows is None or before is None else self._verdict(predictor, before, rows, policy)
        if before is None:
            self.listen(
                Message(f"'{self.name}' has no version in production yet, so there is nothing to hold it against")
            )
        made = self.home.releases.register(self._told(before, verdict, why))
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

    def _rows(self, test: Any) -> Path | None:
        """The frozen test rows; those of the first version are frozen here."""
        rows = frozen_rows(self.home, self.name)
        if rows is not None and test is not None:
            raise UserError(f"the test rows of '{self.name}' are frozen already; release without test rows.")
        if rows is not None:
            return rows
        try:
            return freeze(self.home, self.name, self.bundle, test, self.by, self.listen)
        except UserError as error:
            if test is not None:
                raise
            reason = str(error).split("\n")[0]
            told = f"no test rows are frozen, so versions cannot be held against each other: {reason}"
            self.listen(Message(told, "warning"))
            return None

    def _verdict(self, predictor: Predictor, before: Release, rows: Path, policy: Policy) -> Verdict:
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
        return weigh(production, candidate, policy)

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


def reference_state(release: Release) -> str:
    """Under what name the reference of a release is kept."""
    return f"reference {release.name}:{release.version}"


def _outcome(predictor: Predictor, examples: Sequence[Example]) -> Outcome:
    knowledge = predictor.knowledge
    return knowledge.task.outcome(predictor.answer(examples), knowledge.labels, knowledge.decision)


def _size(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
