"""What training stands on: data prepared, base located, text encoded, the data card written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from burnish.bundle.predictor import load_predictor
from burnish.core.errors import UserError
from burnish.core.events import Listener
from burnish.core.files import sha256_of
from burnish.data.card import DataCard
from burnish.data.features import FeatureStore
from burnish.flows.carding import data_card
from burnish.flows.encode import Lengths, encode_side, store_side
from burnish.flows.growing import Beginning, begin
from burnish.flows.ingest import Ingested
from burnish.flows.joining import prepare_all
from burnish.flows.prepare import Prepared, fresh_folder, prepare, rows_of
from burnish.flows.remembering import old_rows
from burnish.flows.warm import WarmStart, begin_warm, without_start
from burnish.models.inspection import weight_files
from burnish.models.locate import Located, locate
from burnish.models.reader import Reader
from burnish.recipe.load import Loaded
from burnish.recipe.schema import Recipe
from burnish.recipe.show import recipe_hash
from burnish.tasks._contract import Answered, Encoded, Example, Task

DATA, FEATURES, OLD = "data", "features", "old"  # folders of what can be rebuilt from the sources


@dataclass
class HeldOut:
    """A side that is judged: its examples and their features, in memory."""

    examples: list[Example]
    encoded: list[Encoded]

    def __len__(self) -> int:
        return len(self.examples)

    def answered(self, outputs: list[np.ndarray]) -> list[Answered]:
        """The examples with the network's outputs, given feature after feature."""
        stream: Iterator[np.ndarray] = iter(outputs)
        return [
            Answered(example, one.features, [next(stream) for _ in one.features])
            for example, one in zip(self.examples, self.encoded, strict=True)
        ]

    def features(self) -> list[Any]:
        return [feature for one in self.encoded for feature in one.features]


@dataclass
class Ground:
    """Everything that is the same for every seed. What the recipe left open to the data is decided in it."""

    recipe: Recipe
    base: Located
    reader: Reader
    prepared: Prepared
    store: FeatureStore | None
    """Features of the training rows; None where there are none, and nothing is trained."""
    dev: HeldOut | None
    test: HeldOut | None
    card: DataCard
    key: str
    weights: str
    """SHA-256 of each weight file that the network starts from, one after the other."""
    beginning: Beginning | None = None
    """The bundle that the tasks are put beside, where there is one."""
    warm: WarmStart | None = None
    """The bundle that training goes on from, where there is one."""
    old: FeatureStore | None = None
    """Features of rows that it knew, where an anchor reads some."""

    @property
    def task(self) -> Task:
        return self.prepared.task

    @property
    def is_trained(self) -> bool:
        """Whether there is anything to train on, and a pass over it."""
        return self.store is not None and self.recipe.train.epochs > 0

    @property
    def labels(self) -> tuple[str, ...]:
        return self.prepared.labels


def lay_ground(loaded: Loaded, work: Path, listen: Listener, *, is_bundle: bool = False) -> Ground:
    """Prepare everything that training needs, in `work`. `is_bundle`: the recipe's base is the model of a bundle.

    Raises:
        UserError: whatever is wrong with base or data.
    """
    start = _start(loaded, is_bundle)
    loaded, base, data = start.loaded, start.base, fresh_folder(work / DATA)
    prepared = prepare(loaded, data, listen, start.known) if start.known else prepare_all(loaded, data, listen)
    old = None if start.warm is None else old_rows(loaded, prepared, start.warm, data, listen)
    lengths: dict[str, Lengths] = {}
    recipe, task, labels = loaded.recipe.model_copy(update={"task": prepared.task}), prepared.task, prepared.labels
    with _told_at(loaded):
        reader = task.load_reader(base.folder, recipe.data.max_length, recipe.data.prompt, is_bundle=start.is_read)
    store, old_store, features = None, None, work / FEATURES
    if prepared.train is not None:
        store, lengths["train"] = store_side(prepared.train, task, reader, labels, features, listen)
    if old is not None:
        old_store, _ = store_side(old, task, reader, labels, features / OLD, listen)
    held: dict[str, HeldOut] = {}
    for name in ("dev", "test"):
        if name in prepared.sides:
            side = prepared.sides[name]
            encoded, lengths[name] = encode_side(side, task, reader, labels, listen)
            held[name] = HeldOut(rows_of(side.corpus), encoded)
    card = data_card(prepared, lengths)
    further = [tower.folder for tower in task.head_plan(labels).towers if tower.folder is not None]
    weights = "".join(sha256_of(file) for folder in (base.folder, *further) for file in weight_files(folder))
    key = _key(recipe, "-".join([prepared.digest, *start.digests(old)]), weights)
    dev, test = held.get("dev"), held.get("test")
    return Ground(
        recipe, base, reader, prepared, store, dev, test, card, key, weights, start.beginning, start.warm, old_store
    )


@dataclass(frozen=True)
class _Start:
    """What a recipe starts from, and the recipe as it is run from there."""

    loaded: Loaded
    base: Located
    beginning: Beginning | None
    warm: WarmStart | None
    known: tuple[str, ...]
    """Labels that there are whatever the rows have."""
    is_read: bool
    """Whether the base is the model of a bundle, which has its reader with it."""

    def digests(self, old: Ingested | None) -> list[str]:
        """What a checkpoint belongs to beside recipe, rows and the weights of the base."""
        rows = [] if old is None else [sha256_of(old.corpus.path)]
        return rows if self.warm is None else [self.warm.digest, *rows]


def _start(loaded: Loaded, is_bundle: bool) -> _Start:
    loaded, known = without_start(loaded) if is_bundle else (loaded, ())
    beginning, warm = begin(loaded), begin_warm(loaded)
    for one in (beginning, warm):
        loaded = loaded if one is None else one.recipe_of(loaded)
    loaded, is_read = opened(loaded), is_bundle or beginning is not None or warm is not None
    if warm is not None:
        return _Start(loaded, warm.base, beginning, warm, warm.labels, is_read)
    return _Start(loaded, located_base(loaded), beginning, warm, known, is_read)


def opened(loaded: Loaded) -> Loaded:
    """The recipe with what its task names beside the rows, such as a corpus, read. Raises `UserError`."""
    try:
        task = cast("Task", loaded.recipe.task)
        task = task.opened(lambda name: loaded.located("task", *name.split(".")), load_predictor)
    except UserError as error:
        place = loaded.place("task").removesuffix("task")
        faults = [f"{place}{fault}" if fault.startswith("task.") else fault for fault in error.faults]
        raise UserError(*faults, n_more=error.n_more) from None
    return replace(loaded, recipe=loaded.recipe.model_copy(update={"task": task}))


def located_base(loaded: Loaded) -> Located:
    """The recipe's base, inspected. Raises `UserError`, with its place in the recipe."""
    with _told_at(loaded):
        return locate(str(loaded.located("base")))


@contextmanager
def _told_at(loaded: Loaded) -> Iterator[None]:
    """What is wrong with the base is told with the place in the recipe that names it."""
    try:
        yield
    except UserError as error:
        place = f"{loaded.place('base')}:"
        raise UserError(*(fault.replace("base:", place, 1) for fault in error.faults)) from None


def _key(recipe: Recipe, digest: str, weights: str) -> str:
    """What a checkpoint belongs to: the recipe, the rows and the weights of the base, or of all that are used."""
    return hashlib.sha256(f"{recipe_hash(recipe)}/{digest}/{weights}".encode()).hexdigest()
