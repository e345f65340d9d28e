"""`load`: anything that can answer, ready to be asked: a bundle, or a pretrained base as it is.

A base answers untrained where nothing in the network is drawn at random: its own trained head, vectors that are
compared, labels told in words. That is looked up in the weights, not believed: a task says which ways there are, each
is built, and the first one whose every weight was given by a file or by words is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import yaml
from numpy.typing import NDArray

from burnish.bundle.bundle import Bundle, Knowledge, open_bundle
from burnish.bundle.core import Core
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError, listed
from burnish.core.events import Listener, ignore
from burnish.core.manifest import MANIFEST
from burnish.core.shelves import Shelf
from burnish.flows.ground import located_base, opened
from burnish.flows.labels import label_space
from burnish.flows.starting import Known, start_head
from burnish.models.drawn import drawn_weights
from burnish.models.inspection import output_names
from burnish.models.locate import Located
from burnish.models.network import Network
from burnish.models.reader import Reader
from burnish.recipe.load import Loaded, load_untrained
from burnish.tasks._contract import Decision, Feature, Task

Convert = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def load(
    model: str | Path,
    task: str | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    listen: Listener = ignore,
    **settings: Any,
) -> Predictor:
    """A bundle, or a base that answers as it is, as a predictor: call it with a text, or `predict` many.

    Args:
        model: the folder of a bundle; or a base by name, folder or `hub:<id>`, and then `task` says what it should do.
        task: for a base only: the task's name, or a mapping with its settings.
        overrides: for a base only: texts such as `task.corpus=faq.csv` or `data.prompt=query: `.
        listen: is told of progress.
        **settings: for a base only: the task's own (`labels`, `corpus`, …), `prompt` and `max_length`.

    Raises:
        UserError: it is neither; a bundle is told to do another thing; or the base cannot do this without training.
    """
    return load_with_columns(model, task, overrides, listen=listen, **settings)[0]


def load_with_columns(
    model: str | Path,
    task: str | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    listen: Listener = ignore,
    **settings: Any,
) -> tuple[Predictor, dict[str, str]]:
    """The predictor, and the columns that its recipe or the overrides name."""
    if (Path(model) / MANIFEST).is_file():
        if task is not None or overrides or settings:
            raise UserError(f"{model}: is a bundle, which answers as it was made; leave out the task and its settings.")
        bundle = open_bundle(model)
        return load_predictor(bundle), _trained_columns(bundle)
    if task is None:
        raise _untold(model)
    asked = load_untrained(task, model, overrides, **settings)
    return _untrained(opened(asked), listen), dict(asked.recipe.data.columns)


def _trained_columns(bundle: Bundle) -> dict[str, str]:
    recipe = yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))
    gold = bundle.knowledge.task.gold
    return {role: name for role, name in recipe["data"]["columns"].items() if role not in gold}


def _untold(model: str | Path) -> UserError:
    """Why a model that is no bundle cannot be loaded without a word on what it should do."""
    is_base = str(model) in Shelf("bases").names() or str(model).startswith("hub:")
    if not is_base and not (Path(model) / "config.json").is_file():
        open_bundle(model)  # says what is wrong with it
    ready = [_told_with(name) for name in Shelf("tasks").names() if _told_with(name)]
    return UserError(
        f"{model}: is a base, not a bundle, so it must be told its task. As it is, a base can do: {listed(ready)}; "
        "and any task for which it has a trained head of its own. For all else fine-tune it first: `burnish fit`."
    )


def _told_with(name: str) -> str:
    needs = cast("type[Task]", Shelf("tasks").get(name)).untrained_needs
    return "" if needs is None else f"{name} (told {needs})" if needs else name


@dataclass(frozen=True)
class _Way:
    """One way for a task to answer on a base."""

    task: Task
    labels: tuple[str, ...]
    network: Network
    reader: Reader
    convert: Convert | None

    def core(self) -> Core:
        core = TorchCore(self.network, self.task, self.reader.pad_id, len(self.labels))
        return core if self.convert is None else _Converted(core, self.convert)


@dataclass(frozen=True)
class _Converted:
    """A core whose outputs are brought from the names that the base's head has to those of the task."""

    core: TorchCore
    convert: Convert

    def run(self, features: Sequence[Feature]) -> list[NDArray[np.float32]]:
        return [self.convert(output) for output in self.core.run(features)]

    def stream(self, feature: Feature) -> Iterator[str]:
        return self.core.stream(feature)


def _untrained(asked: Loaded, listen: Listener) -> Predictor:
    """The predictor of the first way that needs no training.

    Raises:
        UserError: there is none, with the reason of the first one.
    """
    base, data = located_base(asked), asked.recipe.data
    task = cast("Task", asked.recipe.task)
    reasons = []
    for way_task in task.untrained_ways():
        reader = way_task.load_reader(base.folder, data.max_length, data.prompt)
        try:
            way = _way(way_task, base, reader)
        except UserError as error:
            reasons.append(error)
            continue
        core = way.core()
        finished = way.task.completed(reader, core.run, listen)
        return Predictor(_knowledge(finished, way, base), reader, core)
    raise reasons[0]


def _knowledge(task: Task, way: _Way, base: Located) -> Knowledge:
    return Knowledge(task, way.labels, Decision(), way.reader.max_length, base.name, way.reader.prompt)


def _way(task: Task, base: Located, reader: Reader) -> _Way:
    """A way to answer, with every weight in its place.

    Raises:
        UserError: some would be drawn at random, or the base's head is none for this task.
    """
    labels, convert = label_space(None, task) if task.told else (), None
    plan = task.head_plan(labels)
    if not labels and task.least_labels:
        outputs = output_names(base.folder)
        adopted = task.adopted(outputs)
        if adopted is None:
            raise _refusal(base, task, "it has no trained head that this task can read")
        labels, convert = adopted
        plan = replace(task.head_plan(labels), labels=outputs)
    network = task.head_part.attach(base.folder, plan)
    start_head(network, Known(task, labels, reader))
    if drawn := drawn_weights(network):
        raise _refusal(base, task, f"its {drawn[0].removeprefix('trunk.')} would be drawn at random")
    return _Way(task, labels, network, reader, convert)


def _refusal(base: Located, task: Task, why: str) -> UserError:
    told = f"tell it {task.untrained_needs}, or " if task.untrained_needs and not task.told else ""
    return UserError(
        f"base: {base.name} cannot do '{task.part_name}' as it is, for {why}; {told}fine-tune it with `burnish fit`."
    )
