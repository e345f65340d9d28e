"""From a recipe's data section to train, dev and test on disk: what `check` and `fit` share."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from burnish.core.events import Listener, Message, ignore
from burnish.core.files import disk_faults, sha256_of
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.data.duplicates import Clusters, comparable, duplicate_clusters
from burnish.data.leaks import Leak, leaks
from burnish.data.opening import open_sources
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible, Split
from burnish.flows.ingest import CARRIED, Ingested, Reading, ingest
from burnish.flows.labels import few_rows, label_counts, label_space, refuse_unknown_labels
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
    """The training data as it was given, before shares were cut from it; None where there are no training rows."""
    duplicates: Clusters | None
    """Of `whole`."""
    leaks: list[Leak]
    """Between the sides that were given."""
    digest: str
    members: dict[str, Prepared] = field(default_factory=dict)
    """Each task's own, where several share a model; then `sides` hold the examples of all of them."""

    @property
    def train(self) -> Ingested | None:
        return self.sides.get("train")


def prepare(loaded: Loaded, work: Path, listen: Listener, known: tuple[str, ...] = ()) -> Prepared:
    """Read, split and check the data of a recipe; `work` is an empty folder for the prepared files.

    `known` are the labels of the model that training goes on from.

    Raises:
        UserError: every fault of the data that can be found at once, with file and line.
    """
    recipe = loaded.recipe
    task, data = cast("Task", recipe.task), recipe.data
    given = _ingest_given(loaded, work, listen)
    whole = given.get("train")
    labels = label_space(whole, task, known)
    for side in ("dev", "test"):
        if side in given:
            refuse_unknown_labels(given[side], task, labels)
    refuse_unknown_weights(recipe.train.class_weights, task, labels)
    duplicates = None if whole is None else _find_duplicates(whole, data, work, listen)
    sides = given if whole is None or duplicates is None else _split_shares(whole, given, duplicates, recipe, work)
    if "train" in sides:
        sides = {**sides, "train": _drawn(sides["train"], recipe, work)}
    task = _suited(task, sides.get("train"), listen)
    found = _find_leaks(given, data, work, listen)
    digest = "-".join(sha256_of(side.corpus.path)[:16] for side in sides.values())
    return Prepared(task, sides, labels, whole, duplicates, found, digest)


def _drawn(train: Ingested, recipe: Recipe, work: Path) -> Ingested:
    most, task = recipe.data.rows_per_class, cast("Task", recipe.task)
    return train if most is None else few_rows(train, task, most, recipe.train.seed, work / "few.arrow")


def _suited(task: Task, train: Ingested | None, listen: Listener) -> Task:
    """The task with what the recipe leaves open decided by the rows; which head that makes is told."""
    counts = label_counts(train, task) if train is not None else {}
    suited = task.suited(counts)
    if suited != task:
        why = f"{median(counts.values()):g} rows a label" if counts else "labels told in words and no rows"
        listen(Message(f"task.head: {suited.head_part.part_name}, which suits {why}; name another to have that."))
    return suited


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
    """Which training rows repeat each other."""
    return _duplicates_of(whole.corpus, len(whole.corpus), data, work, listen)


def _duplicates_of(corpus: Corpus, n: int, data: DataSection, work: Path, listen: Listener = ignore) -> Clusters:
    """Which of the first n rows do; the texts of an example are all that a model reads of it."""
    texts = (comparable(example) for example in islice(corpus, n))
    return duplicate_clusters(texts, n, data.duplicates, data.similarity, work, listen)


def _find_leaks(given: dict[str, Ingested], data: DataSection, work: Path, listen: Listener) -> list[Leak]:
    if len(given) < 2:
        return []
    corpora = {name: side.corpus for name, side in given.items()}
    return leaks(corpora, data.duplicates, data.similarity, work, listen)


def _split_shares(
    whole: Ingested, given: dict[str, Ingested], duplicates: Clusters, recipe: Recipe, work: Path
) -> dict[str, Ingested]:
    """Cut the shares that the recipe asks for out of train; sides that were given stay as they are."""
    split, n = cast("Split", recipe.data.split), len(whole.corpus)
    n_before, most = max(1, n - split.n_later), recipe.data.most_share_rows
    shares = {side: _capped(share_of(getattr(recipe.data, side)), n_before, most) for side in SIDES[1:]}
    if not any(shares.values()):
        return given
    earlier = _duplicates_of(whole.corpus, n_before, recipe.data, work).ids if n_before < n else None
    strata = _strata(whole.corpus, cast("Task", recipe.task))
    rows = Divisible(duplicates.ids, strata, _column(whole, split), earlier)
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
