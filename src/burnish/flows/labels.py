"""The label space: learnt from the training rows, or told in words where there are none; and rows drawn by label."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.seeds import derive
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.flows.ingest import Ingested
from burnish.tasks._contract import Task


def label_space(train: Ingested | None, task: Task, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The labels, sorted: those of the rows, or those that the task is told where there are no rows.

    Those `known` to the model that training goes on from stay, whether a row has them or not; where there is no further
    one, in the order that they have there.

    Raises:
        UserError: too few labels or rows, or words for a label that no row has.
    """
    found = _found(train, task, known)
    labels = known if known and set(found) <= set(known) else tuple(sorted({*known, *found}))
    if train is not None:
        refuse_unknown_words(task, labels)
    return labels


def _found(train: Ingested | None, task: Task, known: tuple[str, ...]) -> tuple[str, ...]:
    if train is not None:
        return learn_labels(train, task, known)
    if len({*known, *task.told}) < task.least_labels:
        raise UserError(
            f"task.labels: tells of '{next(iter(task.told))}' only; the task needs at least {task.least_labels} labels."
        )
    return tuple(task.told)


def refuse_unknown_words(task: Task, labels: tuple[str, ...]) -> None:
    """Raise `UserError` naming every label that is told in words but stands in no row."""
    faults = Faults()
    for label in task.told:
        if label not in labels:
            faults.add(
                f"task.labels: no training row has the label '{label}'.{hint(label, labels)} "
                f"The rows have: {listed(labels)}."
            )
    faults.raise_if_any()


def label_counts(side: Ingested, task: Task) -> Counter[str]:
    """Rows of each label."""
    return Counter(label for example in side.corpus for label in task.labels_of(example))


def learn_labels(train: Ingested, task: Task, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The labels of the rows, sorted; of those `known` before, one row is enough.

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
    if task.least_labels > len({*known, *count}):
        faults.add(_too_few(count, train, task))
    for label, n in count.items():
        if task.least_rows > n and label not in known:
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
    lack, cure = ("task.labels", "tell it there") if task.told else ("the training data", "add training rows for it")
    faults = Faults()
    for example in side.corpus:
        for label in task.labels_of(example):
            if label not in known:
                faults.add(
                    f"{side.where(example)}: the label '{label}' is not in {lack}.{hint(label, labels)} "
                    f"Correct it, {cure}, or take the row out."
                )
    faults.raise_if_any()


def few_rows(train: Ingested, task: Task, most: int, seed: int, path: Path) -> Ingested:
    """At most `most` rows of each label, drawn by the seed and written to `path`; rows without any label are one more.

    More rows of the same seed hold the fewer: of a row drawn for 5, 10 draws it too. Of several labels in a row, it is
    kept while one of them has too few.

    Raises:
        UserError: the task has no labels.
    """
    carried = [tuple(task.labels_of(example)) or ("",) for example in train.corpus]
    if not any(any(labels) for labels in carried):
        raise UserError(f"data.rows_per_class: the task '{task.part_name}' has no labels to draw by; take it out.")
    kept = _drawn(carried, most, seed)
    with CorpusWriter(path, train.corpus.schema) as writer:
        for number, example in enumerate(train.corpus):
            if number in kept:
                writer.add(example)
    return Ingested(Corpus(path), train.places, train.facts, train.n_dropped, train.dropped)


def _drawn(carried: list[tuple[str, ...]], most: int, seed: int) -> set[int]:
    count: Counter[str] = Counter()
    kept = set()
    for number in np.random.default_rng(derive(seed, "rows per class")).permutation(len(carried)).tolist():
        if any(count[label] < most for label in carried[number]):
            kept.add(number)
            count.update(set(carried[number]))
    return kept
