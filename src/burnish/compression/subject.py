"""What is shrunk, and what methods may use to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from burnish.core.events import Listener
from burnish.core.parts import Part
from burnish.models.reader import Reader
from burnish.tasks._contract import Batch, Decision, Feature, Task

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.bundle.predictor import Predictor
    from burnish.bundle.runtimes._contract import Runtime
    from burnish.models.network import Network

Loss = Callable[["Tensor", Batch], "Tensor"]
"""(logits in fp32, batch of tensors) → mean loss of the batch's rows, a scalar."""


@dataclass(frozen=True)
class Subject:
    """A model while it is shrunk. A method never changes the network it is given: it returns a new subject.

    `runtime` computes from `files`, the folder with what that runtime loads; without any the network is computed with
    torch. `is_plain`: the network can be saved in the Hugging Face layout and come back (heads of unlike number in its
    layers cannot). `steps` names the methods that made it, in order.
    """

    task: Task
    labels: tuple[str, ...]
    network: Network
    reader: Reader
    folder: Path
    """The judged model's, in Hugging Face layout: config and tokenizer settings for other tools are taken from it."""
    steps: tuple[str, ...] = ()
    is_plain: bool = True
    runtime: Runtime | None = None
    files: Path | None = None
    decision: Decision = field(default_factory=Decision)
    """How its logits become answers, which exports tell to whoever runs them."""

    def after(self, method: Part, **changes: Any) -> Subject:
        """The subject that a method made of it."""
        return replace(self, steps=(*self.steps, method.part_name), **changes)


def subject_of(predictor: Predictor, folder: Path) -> Subject:
    """The judged model of a predictor that computes with torch, on the CPU; `folder` is its bundle's model folder."""
    from burnish.bundle.torch_core import TorchCore

    core, knowledge = predictor.core, predictor.knowledge
    assert isinstance(core, TorchCore), "bundles of other runtimes were refused"
    return Subject(
        knowledge.task,
        knowledge.labels,
        core.network.cpu().eval(),
        predictor.reader,
        folder,
        decision=knowledge.decision,
    )


class Learn(Protocol):
    """Train a network in place, as the recipe of its bundle says, but for what is asked for here."""

    def __call__(self, network: Network, loss: Loss, *, epochs: int, learning_rate: float | None = None) -> None: ...


@dataclass(frozen=True)
class Material:
    """What methods learn from, encoded by the reader of their subject: one with a new reader needs new material."""

    examples: Sequence[Feature]
    """~300 features of real training texts in their real lengths, to calibrate on."""
    batches: Callable[[], Iterator[Batch]]
    """Every training batch once, as tensors, in a fixed order."""
    loss: Loss
    """The task's own loss, as the recipe weighs it."""
    learn: Learn
    features: Callable[[], Iterator[Feature]]
    """Features of all known texts, unlabelled ones too, to see which tokens occur."""
    work: Path
    """A folder for files that a method makes; each takes a new folder in it."""
    seed: int
    listen: Listener

    def new_folder(self, name: str) -> Path:
        """A new folder in `work`."""
        number = 1
        while (folder := self.work / f"{name}-{number}").exists():
            number += 1
        folder.mkdir(parents=True)
        return folder
