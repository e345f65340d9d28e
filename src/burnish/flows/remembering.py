"""Rows that the start of a training knew: where they come from, how many are taken, and their batches for an anchor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from burnish.core.errors import Faults, UserError, hint
from burnish.core.events import Listener, Message
from burnish.core.seeds import generator
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.data.opening import open_sources
from burnish.flows.ingest import Ingested, Reading, ingest
from burnish.flows.prepare import Prepared
from burnish.flows.warm import WarmStart, answers_of
from burnish.recipe.load import Loaded
from burnish.tasks._contract import Task
from burnish.training.anchors._contract import Anchor
from burnish.training.origin import Origin

if TYPE_CHECKING:
    from burnish.flows.encode import StoredBatches
    from burnish.flows.ground import Ground
    from burnish.training.loop import Batches

GIVEN, OLD = "replay.given.arrow", "old.arrow"


def old_rows(loaded: Loaded, prepared: Prepared, warm: WarmStart, work: Path, listen: Listener) -> Ingested | None:
    """As many rows as the recipe's anchor reads, drawn by the seed from `data.replay`, or else from the training rows.

    None where the anchor reads none, or nothing is trained.

    Raises:
        UserError: they cannot be read, or none of them is of labels that the start knew.
    """
    recipe = loaded.recipe
    most = cast("Anchor", recipe.train.anchor).most_rows
    if not most or prepared.train is None or not recipe.train.epochs:
        return None
    given = _given(loaded, prepared.task, warm, work, listen)
    known = _known_rows(given or prepared.train, prepared.task, warm.labels)
    if not known:
        raise UserError(
            f"train.anchor: no row of data.train has only labels that {warm.bundle.folder} knows, so there is nothing "
            "to hold on to; name rows that it knew as data.replay."
        )
    drawn = generator(recipe.train.seed, "old rows").permutation(known)[:most]
    kept = _written(given or prepared.train, np.sort(drawn).tolist(), work / OLD)
    name = recipe.train.anchor.part_name
    listen(Message(f"train.anchor: {name} holds on to {len(kept.corpus):,} rows that {warm.bundle.folder} knew."))
    return kept


def _given(loaded: Loaded, task: Task, warm: WarmStart, work: Path, listen: Listener) -> Ingested | None:
    """The rows that `data.replay` names, if it does."""
    data = loaded.recipe.data
    if data.replay is None:
        return None
    sources = open_sources(loaded.located("data", "replay"), data.encoding, "data.replay")
    side = ingest(sources, Reading(task, data.columns, (), data.bad_rows), work / GIVEN, listen)
    faults, known = Faults(), frozenset(warm.labels)
    for example in side.corpus:
        for label in task.labels_of(example):
            if label not in known:
                where = f"{side.where(example)}: the label '{label}' is none that {warm.bundle.folder} knows."
                faults.add(f"{where}{hint(label, known)} Correct it, or move the row from data.replay to data.train.")
    faults.raise_if_any()
    return side


def _known_rows(side: Ingested, task: Task, labels: tuple[str, ...]) -> list[int]:
    """Numbers of the rows that have no other labels than these."""
    known = frozenset(labels)
    return [number for number, example in enumerate(side.corpus) if known.issuperset(task.labels_of(example))]


def _written(side: Ingested, numbers: Sequence[int], path: Path) -> Ingested:
    with CorpusWriter(path, side.corpus.schema) as writer:
        for example in side.corpus.take(numbers):
            writer.add(example)
    return replace(side, corpus=Corpus(path))


def origin_of(ground: Ground, warm: WarmStart, old: Batches | None) -> Origin:
    """What training is told of the bundle that it goes on from."""
    task, labels = ground.task, ground.labels
    return Origin(answers_of(task, labels), warm.places(task, labels), warm.by_output, old)


def old_batches(ground: Ground, batches: StoredBatches) -> StoredBatches | None:
    """The old rows in batches like those of training, or each alone where the anchor wants that."""
    if ground.old is None:
        return None
    anchor = cast("Anchor", ground.recipe.train.anchor)
    size = 1 if anchor.is_row_by_row else batches.tokens_per_batch
    return replace(batches, store=ground.old, tokens_per_batch=size)
