"""`release`: a bundle under a name and a version, held against the version that is in production."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import yaml

from burnish import __version__
from burnish.bundle.bundle import STOCK, Bundle, open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.runtimes.torch import Torch
from burnish.compression.measuring import size_bytes
from burnish.core.errors import UserError, listed
from burnish.core.events import Listener, Message, ignore
from burnish.core.settings import settings
from burnish.data.corpus import Corpus
from burnish.evaluation.promotion import Check, Contender, Policy, Verdict, weigh
from burnish.flows.frozen import Freezing, as_asked, data_digest, frozen_rows, median_ms, rows_known_to_both
from burnish.flows.joining import of_member
from burnish.flows.judge import refuse_absent
from burnish.flows.names import mask_of
from burnish.flows.recording import Asked, Recorder, vector_of
from burnish.flows.rowplaces import keep_places
from burnish.metrics._contract import Outcome
from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.models.locate import MODEL
from burnish.monitoring.reference import Reference
from burnish.recipe.load import Loaded, load
from burnish.recipe.schema import share_of
from burnish.store.home import Home, opened_home, whoami
from burnish.store.records import Release
from burnish.store.releases import NAME, PRODUCTION
from burnish.store.states import put_state
from burnish.tasks._contract import Example, Task

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
        is_retrained = opened.knowledge.task.joint is None
        if is_retrained and not keep_places(home, made.release, loaded):
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

        Raises:
            UserError: something of it cannot be used; nothing is registered.
        """
        before = self._production()
        self._refuse_other_source(source)
        rows = self._rows(loaded)
        predictor = load_predictor(self.bundle)
        verdict = self._verdict(predictor, before, rows, checks)
        reference = self._reference(predictor, rows)
        release = replace(self._told(before, verdict, why), source=self._kept(source))
        self.listen(Message(f"registering a version of '{self.name}'"))
        made = self.home.releases.register(release)
        if reference is not None:
            with self.home.store.writing() as connection:
                put_state(connection, reference_state(made), reference.to_dict())
        self.listen(Message(f"released {self.name}:{made.version}", "good"))
        return ReleaseResult(made, verdict)

    def _production(self) -> Release | None:
        """What is in production.

        Raises:
            UserError: the versions of the name do another task.
        """
        versions = self.home.releases.all(self.name)
        task = self.bundle.knowledge.task.part_name
        if versions and versions[0].task != task:
            raise UserError(
                f"{self.bundle.folder} does {task}, and '{self.name}' is of {versions[0].task}; release it under "
                "another name."
            )
        aliases = {one.alias: one.version for one in self.home.releases.aliases() if one.name == self.name}
        return next((one for one in versions if one.version == aliases.get(PRODUCTION)), None)

    def _refuse_other_source(self, source: Bundle | None) -> None:
        """Raise `UserError` for a source that this bundle cannot have been made from."""
        if source is None:
            return
        own, other = self.bundle.knowledge, source.knowledge
        if not isinstance(other.runtime, Torch):
            raise UserError(f"{source.folder}: was shrunk itself; name the bundle that it was made from as --source.")
        if (own.task.part_name, own.labels) != (other.task.part_name, other.labels):
            raise UserError(
                f"{source.folder}: is of another task or of other labels than {self.bundle.folder}; name the bundle "
                "that it was made from as --source."
            )

    def _kept(self, source: Bundle | None) -> str:
        if source is None and not isinstance(self.bundle.knowledge.runtime, Torch):
            told = "it is a shrunk bundle, which cannot be trained further: for retraining, name what it was made from"
            self.listen(Message(f"{told} with --source.", "warning"))
        return "" if source is None else self.home.bundles.put(source.folder)

    def _rows(self, loaded: Loaded) -> Mapping[str, Path]:
        """The frozen test rows, of several tasks those of each; those of the first version that names some are frozen
        here.

        Raises:
            UserError: rows cannot be read, or one of several tasks is another than the one whose rows were frozen.
        """
        joint, found = self.bundle.knowledge.task.joint, {}
        for member in [""] if joint is None else joint.members:
            rows = frozen_rows(self.home, self.name, member) or self._frozen(loaded, member)
            if rows is None:
                continue
            if joint is not None and not joint.members[member].task.arrow_fields().keys() <= {
                *Corpus(rows).schema.names
            }:
                raise UserError(
                    f"{self.bundle.folder}: its task {member} reads other columns than the frozen test rows of "
                    f"'{self.name}' have; release it under another name."
                )
            found[member] = rows
        return found

    def _frozen(self, loaded: Loaded, member: str) -> Path | None:
        """The test rows that the recipe names, or names for one of its tasks; None where it names none."""
        joint, told = cast("Task", loaded.recipe.task).joint, "it names no test file"
        place = f"task.tasks.{member}." if member else ""
        if member and joint is not None:
            told = f"it names no test file of {member}"
            named = joint.members.get(member)  # a recipe that puts tasks beside those of a bundle names new ones alone
            loaded = loaded if named is None or named.data is None else of_member(loaded, member)
        test = loaded.recipe.data.test
        if test is None or share_of(test) is not None:
            cannot = "so versions cannot be held against each other"
            self.listen(Message(f"{told}, {cannot}{' by it' if member else ''}: give {place}data.test=FILE", "warning"))
            return None
        refuse_absent(self.bundle, loaded.located("data", "test"), f"say where it is: {place}data.test=FILE")
        return Freezing(self.home, self.name, self.bundle, self.by, self.listen).freeze(loaded, member)

    def _verdict(
        self, predictor: Predictor, before: Release | None, rows: Mapping[str, Path], checks: Sequence[Check]
    ) -> Verdict | None:
        """How it compares; without rows or another version the further checks alone tell, if there are any."""
        if before is None:
            told = f"'{self.name}' has no version in production yet, so there is nothing to hold it against"
            self.listen(Message(told))
        if before is None or not rows:
            return Verdict(checks=list(checks), n_rows=0, is_better=False) if checks else None
        self.listen(Message(f"holding it against {self.name}:{before.version} on the frozen test rows"))
        folder = self.home.bundles.get(before.digest)
        other = load_predictor(folder)
        examples = rows_known_to_both(rows, [other, predictor])
        if not examples:
            raise UserError(f"none of the frozen test rows has labels that both versions of '{self.name}' know.")
        times = median_ms([other, predictor], examples)
        sizes = [_size(place) for place in (folder, self.bundle.folder)]
        outcomes = [outcome_of(one, examples) for one in (other, predictor)]
        production, candidate = (Contender(*one) for one in zip(outcomes, sizes, times, strict=True))
        verdict = weigh(production, candidate, self.policy)
        return verdict.model_copy(update={"checks": [*verdict.checks, _known_labels(other, predictor), *checks]})

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

    def _reference(self, predictor: Predictor, rows: Mapping[str, Path]) -> Reference | None:
        """What answers to the test rows look like: what monitoring holds live traffic against."""
        task, knowledge = predictor.task, predictor.knowledge
        columns = [one.name for one in task.wanted if one.name not in task.gold]
        known = rows_known_to_both(rows, [predictor])
        n = min(len(known), MOST_REFERENCE_ROWS)
        examples = [known[at * len(known) // n] for at in range(n)]  # from all of it: rows may be sorted
        if not examples:
            return None
        answered = predictor.answer([as_asked(task, one) for one in examples])
        decoded = task.decode(answered, knowledge.labels, knowledge.decision)
        recorder = Recorder(self.home, mask_of(self.home, settings()), "off").knowing(predictor)
        asked = Asked(self.name, 0, "", (), time.perf_counter())
        records = []
        for example, row, one in zip(examples, answered, decoded, strict=True):
            given = example if task.joint is None else task.joint.texts_of(example)
            texts = {name: given[name] for name in columns if isinstance(given.get(name), str)}
            record = recorder.record(asked, texts, row, one.model_dump(mode="json"))
            records.append(replace(record, vector=vector_of(row)))  # of every row, where of requests a share has one
        judged = answered if task.joint is None else predictor.answer(examples)
        return Reference.of(records, _share_right(task.outcome(judged, knowledge.labels, knowledge.decision)))


def _share_right(outcome: Outcome) -> float | None:
    """None of how likely a text is: nothing of that is wrong."""
    return None if isinstance(outcome, LikelihoodOutcome) else float(1 - outcome.is_wrong().mean())


def _known_labels(production: Predictor, candidate: Predictor) -> Check:
    """Whether it still knows what production knows: rows of other labels are none that both can be judged on."""
    before, after = ([*_tasks_of(one), *one.knowledge.labels] for one in (production, candidate))
    lost = [known for known in before if known not in set(after)]
    told = f"It does not know {listed(lost)} any more." if lost else "It knows every label that production knows."
    return Check(name="known labels", is_passed=not lost, sentence=told)


def _tasks_of(predictor: Predictor) -> list[str]:
    """The names of several tasks that share a model."""
    joint = predictor.task.joint
    return [] if joint is None else list(joint.members)


def _filled(bundle: Bundle) -> Mapping[str, Any]:
    filled: Mapping[str, Any] = yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))
    return filled


def reference_state(release: Release) -> str:
    """Under what name the reference of a release is kept."""
    return f"reference {release.name}:{release.version}"


def outcome_of(predictor: Predictor, examples: Sequence[Example]) -> Outcome:
    """Gold and answers of labelled examples, side by side."""
    knowledge = predictor.knowledge
    return knowledge.task.outcome(predictor.answer(examples), knowledge.labels, knowledge.decision)


def _size(folder: Path) -> int:
    """Bytes of what answers: the model and what it answers from; reports and records are no matter."""
    return sum(size_bytes(folder / part) for part in (MODEL, STOCK) if (folder / part).is_dir())
