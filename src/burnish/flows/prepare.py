"""From a recipe's data section to train, dev and test on disk: what `check` and `fit` share."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import Faults, hint
from burnish.core.events import Listener, Message
from burnish.core.files import disk_faults, sha256_of
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.data.duplicates import Clusters, comparable, duplicate_clusters
from burnish.data.leaks import Leak, leaks
from burnish.data.opening import open_sources
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible, Split
from burnish.flows.ingest import CARRIED, Ingested, Reading, ingest
from burnish.flows.weights import refuse_unknown_weights
from burnish.recipe.load import Loaded
from burnish.recipe.schema import DataSection, Recipe, share_of
from burnish.tasks._contract import Example, Task

SIDES = ("train", "dev", "test")


@dataclass
class Prepared:
    """Data on disk, ready to be encoded. `sides` holds train, dev and test where there are any."""

    task: Task
    sides: dict[str, Ingested]
    labels: tuple[str, ...]
    whole: Ingested | None
    """The training data as it was given, before shares were cut from it."""
    duplicates: Clusters | None
    """Of `whole`."""
    leaks: list[Leak]
    """Between the sides that were given."""
    digest: str

    @property
    def train(self) -> Ingested | None:
        return self.sides.get("train")


def prepare(loaded: Loaded, work: Path, listen: Listener) -> Prepared:
    """Read, split and check the data of a recipe; `work` is an empty folder for the prepared files.

    Raises:
        UserError: every fault of the data that can be found at once, with file and line.
    """
    recipe = loaded.recipe
    task, data = cast("Task", recipe.task), recipe.data
    given = _ingest_given(loaded, work, listen)
    whole = given.get("train")
    labels = () if whole is None else learn_labels(whole, task)
    for side in ("dev", "test"):
        if side in given:
            refuse_unknown_labels(given[side], task, labels)
    refuse_unknown_weights(recipe.train.class_weights, task, labels)
    duplicates = None if whole is None else _find_duplicates(whole, data, work, listen)
    sides = given if whole is None or duplicates is None else _split_shares(whole, given, duplicates, recipe, work)
    found = _find_leaks(given, data, work, listen)
    digest = "-".join(sha256_of(side.corpus.path)[:16] for side in sides.values())
    return Prepared(task, sides, labels, whole, duplicates, found, digest)


def _ingest_given(loaded: Loaded, work: Path, listen: Listener) -> dict[str, Ingested]:
    recipe, data = loaded.recipe, loaded.recipe.data
    split = cast("Split", data.split)
    carried = [*recipe.judge.slices, *([split.column_name] if split.column_name else [])]
    reading = Reading(cast("Task", recipe.task), data.columns, tuple(dict.fromkeys(carried)), data.bad_rows)
    given = {}
    for side in SIDES:
        value = getattr(data, side)
        if value is not None and share_of(value) is None:
            sources = open_sources(loaded.located("data", side), data.encoding, f"data.{side}")
            given[side] = ingest(sources, reading, work / f"{side}.given.arrow", listen)
    return given


def _find_duplicates(whole: Ingested, data: DataSection, work: Path, listen: Listener) -> Clusters:
    """Which training rows repeat each other; the texts of an example are all that a model reads of it."""
    texts = (comparable(example) for example in whole.corpus)
    return duplicate_clusters(texts, len(whole.corpus), data.duplicates, data.similarity, work, listen)


def _find_leaks(given: dict[str, Ingested], data: DataSection, work: Path, listen: Listener) -> list[Leak]:
    if len(given) < 2:
        return []
    corpora = {name: side.corpus for name, side in given.items()}
    return leaks(corpora, data.duplicates, data.similarity, work, listen)


def _split_shares(
    whole: Ingested, given: dict[str, Ingested], duplicates: Clusters, recipe: Recipe, work: Path
) -> dict[str, Ingested]:
    """Cut the shares that the recipe asks for out of train; sides that were given stay as they are."""
    n = len(whole.corpus)
    shares = {side: _capped(share_of(getattr(recipe.data, side)), n, recipe.data.most_share_rows) for side in SIDES[1:]}
    if not any(shares.values()):
        return given
    split = cast("Split", recipe.data.split)
    rows = Divisible(duplicates.ids, _strata(whole.corpus, cast("Task", recipe.task)), _column(whole, split))
    sides = split.assign(rows, shares["dev"], shares["test"], recipe.train.seed)
    cut = _write_sides(whole, sides, work)
    return {side: cut.get(side) or given[side] for side in SIDES if side in cut or side in given}


def _capped(share: float | None, n: int, most_rows: int) -> float:
    return 0.0 if share is None else min(share, most_rows / n)


def _strata(corpus: Corpus, task: Task) -> NDArray[np.int32]:
    return corpus.codes(task.stratify_by)[0] if task.stratify_by else np.zeros(len(corpus), np.int32)


def _column(whole: Ingested, split: Split) -> Any:
    return None if split.column_name is None else whole.corpus.column(f"{CARRIED}{split.column_name}")


def _write_sides(whole: Ingested, sides: NDArray[np.int8], work: Path) -> dict[str, Ingested]:
    cut = {}
    for name, code in zip(SIDES, (TRAIN, DEV, TEST), strict=True):
        if not (sides == code).any():
            continue
        path = work / f"{name}.arrow"
        with CorpusWriter(path, whole.corpus.schema) as writer:
            for example, side in zip(whole.corpus, sides, strict=True):
                if side == code:
                    writer.add(example)
        is_train = code == TRAIN
        dropped = (whole.n_dropped, whole.dropped) if is_train else (0, [])
        cut[name] = Ingested(Corpus(path), whole.places, whole.facts if is_train else {}, *dropped)
    return cut


def learn_labels(train: Ingested, task: Task) -> tuple[str, ...]:
    """The label space, sorted.

    Raises:
        UserError: fewer than two classes, or a class that stands in one row only (the task decides what needs two).
    """
    count: dict[str, int] = {}
    first: dict[str, str] = {}
    for example in train.corpus:
        for label in task.labels_of(example):
            count[label] = count.get(label, 0) + 1
            if label not in first:
                first[label] = train.where(example)
    faults = Faults()
    if task.least_labels > len(count):
        faults.add(_too_few(count, train, task))
    for label, n in count.items():
        if task.least_rows > n:
            faults.add(
                f"{first[label]}: the label '{label}' stands in one row only; give it at least {task.least_rows}, "
                "merge it with another, or take the row out."
            )
    faults.raise_if_any()
    return tuple(sorted(count))


def _too_few(count: dict[str, int], train: Ingested, task: Task) -> str:
    if not count:
        return f"{train.places[0]}: no row carries a label; check data.columns."
    only = next(iter(count))
    return f"{train.places[0]}: every row has the label '{only}'; the task needs at least {task.least_labels} labels."


def refuse_unknown_labels(side: Ingested, task: Task, labels: tuple[str, ...]) -> None:
    """Raise `UserError` naming every row whose label training never saw."""
    known = frozenset(labels)
    faults = Faults()
    for example in side.corpus:
        for label in task.labels_of(example):
            if label not in known:
                faults.add(
                    f"{side.where(example)}: the label '{label}' is not in the training data.{hint(label, labels)} "
                    "Correct it, add training rows for it, or take the row out."
                )
    faults.raise_if_any()


def fresh_folder(path: Path) -> Path:
    """An empty work folder; what an earlier run left there is a cache and goes."""
    shutil.rmtree(path, ignore_errors=True)
    with disk_faults(path):
        path.mkdir(parents=True)
    return path


def warn(listen: Listener, warnings: Sequence[str]) -> None:
    for text in warnings:
        listen(Message(text, "warning"))


def rows_of(corpus: Corpus) -> list[Example]:
    """All examples in memory: for dev and test, whose size the recipe bounds."""
    return list(corpus)
