"""A pretrained base as it is: the first way in which it can do a task without training.

A base answers untrained where nothing in the network is drawn at random: its own trained head, vectors that are
compared, labels told in words. That is looked up in the weights, not believed: a task says which ways there are, each
is built, and the first one whose every weight was given by a file or by words is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from burnish.bundle.bundle import Knowledge
from burnish.bundle.core import Core
from burnish.bundle.predictor import Predictor
from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.events import Listener
from burnish.flows.ground import located_base, opened
from burnish.flows.labels import label_space
from burnish.flows.starting import Known, start_head
from burnish.models.device import best_device
from burnish.models.drawn import drawn_weights
from burnish.models.inspection import output_names
from burnish.models.locate import Located
from burnish.models.network import Network
from burnish.models.reader import Reader
from burnish.recipe.load import Loaded
from burnish.tasks._contract import Decision, Feature, Task

Convert = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class _Way:
    """One way for a task to answer on a base."""

    task: Task
    labels: tuple[str, ...]
    network: Network
    reader: Reader
    convert: Convert | None

    def core(self) -> Core:
        core = TorchCore(self.network.to(best_device()), self.task, self.reader.pad_id, len(self.labels))
        return core if self.convert is None else _Converted(core, self.convert)


@dataclass(frozen=True)
class _Converted:
    """A core whose outputs are brought from the names that the base's head has to those of the task."""

    core: TorchCore
    convert: Convert
    trunk = None

    @property
    def n_streams(self) -> int:
        return self.core.n_streams

    @property
    def has_threads(self) -> bool:
        return self.core.has_threads

    def run(self, features: Sequence[Feature]) -> list[NDArray[np.float32]]:
        return [self.convert(output) for output in self.core.run(features)]

    def stream(self, feature: Feature) -> Iterator[str]:
        return self.core.stream(feature)


def predictor_of(asked: Loaded, listen: Listener) -> Predictor:
    """The predictor of the first way that needs no training.

    Raises:
        UserError: there is none, with the reason of the first one.
    """
    asked = opened(asked)
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
