"""The task contract: one file says all about one task, and every verb works through these methods.

Data flows through a task in this order:

    row of a source ─read→ example ─encode→ features ─collate→ arrays ─to→ batch ─(network)→ logits ─loss→ training
                                                                 │           └────ask→ outputs ─evidence→ calibration
                                                                 │                        ↑     ├─outcome→ metrics
                                                                 └──(another runtime)─────┘     └─decode→ answers

An *example* is a plain dict that fits `arrow_fields`; its `text` is what readers are shown; where copies are told by
something else (a picture's bytes, say) its `content` is a digest of that. A *feature* is a dict of 1-D int32 arrays: a
text's `input_ids`, or what else the reader makes of an example; a long text may give several (windows). What one costs
is its tokens, or what it says as `n_units` (see `data.features.cost_of`); features that say a `kind` share batches with
their kind only. The *outputs* of a feature are what `ask` gets from the network, for most tasks its logits: [K] where
the head gives rows, [T, K] where it labels tokens, [T, 2] where it marks starts and ends.

Only `loss`, `ask` and `stream` need torch. So `collate` gives numpy arrays, which `Collated.to` makes tensors.
Shapes: B batch, T tokens, L labels, K outputs of the head, M decisions to calibrate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from burnish.core.errors import UserError
from burnish.core.events import Listener
from burnish.core.parts import Part
from burnish.data.columns import Wanted
from burnish.metrics._contract import Outcome
from burnish.metrics._probabilities import Kind, probabilities
from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from burnish.models.network import Network
    from burnish.models.reader import Reader
    from burnish.tasks._joint import Joint

Example = dict[str, Any]
Feature = dict[str, NDArray[np.int32]]
Arrays = dict[str, NDArray[Any]]
Run = Callable[[Sequence[Feature]], Sequence[NDArray[np.float32]]]
"""Features → the network's outputs, in their order."""
Located = Callable[[str], Any]
"""The name of a task's setting that holds a path, such as `corpus` or `decoding.json_schema` → that path, led from the
folder it was written in."""
Outputs = NDArray[np.float32]


class Adopted(NamedTuple):
    """What a task makes of a head that a base already has: its labels, and that head's outputs as the task's own.

    `convert` is None where they are the same.
    """

    labels: tuple[str, ...]
    convert: Callable[[Outputs], Outputs] | None = None


class Answered(NamedTuple):
    """An example, its features, and the network's outputs for each of them."""

    example: Example
    features: Sequence[Feature]
    outputs: Sequence[NDArray[np.float32]]


@dataclass
class Collated:
    """What the network reads, for any runtime, and what the loss compares it with. `n_tokens` leaves padding out."""

    inputs: Arrays
    targets: Arrays
    n_rows: int
    n_tokens: int
    rows_each: Sequence[int] | None = None
    """How many rows of the inputs each feature takes; None where all take as many."""
    outputs: slice = field(default_factory=lambda: slice(None))
    """Which of the head's outputs, and so which weights, these rows are about."""

    def to(self, device: torch.device | str) -> Batch:
        """The same for torch, on a device: the one place where arrays become tensors."""
        import torch

        def moved(arrays: Arrays) -> dict[str, Tensor]:
            return {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in arrays.items()}

        return Batch(moved(self.inputs), moved(self.targets), self.n_rows, self.n_tokens, self.rows_each, self.outputs)


@dataclass
class Batch:
    """What torch computes with: what `Collated` holds, as tensors on one device."""

    inputs: dict[str, Tensor]
    targets: dict[str, Tensor]
    n_rows: int
    n_tokens: int
    rows_each: Sequence[int] | None = None
    outputs: slice = field(default_factory=lambda: slice(None))


@dataclass(frozen=True)
class Encoded:
    """One example's features. `n_tokens` is its full length; `n_cut` how many of them no feature holds."""

    features: list[Feature]
    n_tokens: int
    n_cut: int = 0
    notes: tuple[str, ...] = ()


class Evidence(NamedTuple):
    """What a calibration is fitted on: logits [M, K]; gold [M] indices (softmax) or [M, K] 0/1 (sigmoid)."""

    logits: NDArray[np.float64]
    gold: NDArray[np.int64]
    kind: Kind


@dataclass(frozen=True)
class Decision:
    """How logits become answers; fitted on dev, stored in the bundle.

    `parameters` are the calibration's; `abstain_below` the confidence under which an answer is withheld; `scope_below`
    the energy under which a text is unlike what was learned; `label_thresholds` [L] the probability from which a label
    is given (multilabel); `members` the decision of each task where several share a model.
    """

    calibration: str = "none"
    parameters: dict[str, float] = field(default_factory=dict)
    abstain_below: float = 0.0
    scope_below: float | None = None
    label_thresholds: tuple[float, ...] = ()
    members: Mapping[str, Decision] = field(default_factory=dict)

    @property
    def is_tuned(self) -> bool:
        """Whether there was dev data to choose anything on."""
        return self != Decision()

    def probabilities(self, logits: NDArray[np.float64], kind: Kind) -> NDArray[np.float64]:
        """[…, K] calibrated probabilities of logits [..., K]."""
        return probabilities(logits, kind=kind, **{"temperature": 1.0, **self.parameters})


class Line(NamedTuple):
    """One line of an answer for a reader; `confidence` is None where there is none."""

    answer: str
    confidence: float | None = None
    is_unsure: bool = False


class AnswerPart(BaseModel):
    """Base of what answers are made of; the docstring under a field describes it in schemas."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Prediction(AnswerPart, ABC):
    """Base of every task's answer."""

    @abstractmethod
    def lines(self) -> list[Line]:
        """The answer for a reader, the most important first; empty where nothing was found."""


class Model(Protocol):
    """A finished model that another task may ask, such as one that ranks anew what a search found."""

    @property
    def task(self) -> Task: ...

    def predict(self, inputs: Iterable[str | Mapping[str, Any]]) -> Iterator[Prediction]: ...


LoadModel = Callable[[Path], Model]


class Task(Part, ABC):
    """One job that a model learns. Adding a task is adding one file with a subclass of this."""

    wanted: ClassVar[tuple[Wanted, ...]]
    """Columns that the task reads."""
    gold: ClassVar[frozenset[str]]
    """Those of `wanted` that hold the answer, and are not read when predicting."""
    texts: ClassVar[tuple[str, ...]] = ("text",)
    """Columns that hold texts, in the order in which they are said: a bare text is the first, `--pair` the second."""
    files: ClassVar[frozenset[str]] = frozenset()
    """Those of `wanted` that name files, such as pictures: relative paths are led from the folder of the data file."""
    example_input: ClassVar[str] = "some text"
    """What a first try may say, where one text is asked for."""
    best_by: ClassVar[str]
    """Metric that chooses the best epoch unless the recipe names another."""
    stratify_by: ClassVar[str | None] = None
    """Column of `arrow_fields` whose values a stratified split keeps in proportion."""
    least_labels: ClassVar[int] = 2
    """Fewest labels that make sense."""
    least_rows: ClassVar[int] = 2
    """Fewest rows that a label needs: one to learn from and one to be judged on."""
    untrained_needs: ClassVar[str | None] = None
    """What it must be told to answer on any base as it is, e.g. `labels`; empty: nothing; None: it cannot."""
    judged_as: ClassVar[type[Outcome]]
    """Kind of outcome; it decides which metrics apply."""
    answer: ClassVar[type[Prediction]]
    """Type of one prediction: the HTTP schema and the docs are derived from it."""
    text_source: ClassVar[Mapping[str, Any] | None] = None
    """The source, with its settings, that makes rows for this task of plain text, where it learns from that alone: its
    result is a base for other tasks. None for a task that wants answers."""
    rows_at_once: ClassVar[int] = 4096
    """Most rows whose features are made and answered at once: fewer where features are large, such as sound."""

    @property
    def joint(self) -> Joint | None:
        """The members, where this task is made of several."""
        return None

    @property
    @abstractmethod
    def head_part(self) -> Head:
        """The head that this task puts on a base."""

    @property
    def is_cjk_split(self) -> bool:
        """Whether the tokenizer must give every Chinese character a token of its own."""
        return False

    @property
    def needs_rows(self) -> bool:
        """Whether there is no model without training rows; else a recipe may leave them out."""
        return not self.told

    @property
    def told(self) -> Mapping[str, str]:
        """Label → the words that tell what it means. A task that is told its labels needs no training rows."""
        return {}

    def told_examples(self) -> Sequence[Example]:
        """What it is told as labelled examples, from which a head may start."""
        return ()

    def untrained_ways(self) -> Sequence[Task]:
        """The task in each way in which a base might answer as it is, the best first.

        A way needs weights that all come with the base or start from words; the first such way is taken.
        """
        return (self,)

    def adopted(self, outputs: tuple[str, ...]) -> Adopted | None:
        """What it makes of the outputs of a head that a base already has; None where it cannot read such a head."""
        return None

    def suited(self, counts: Mapping[str, int]) -> Task:
        """The task with settings that were left open decided, for training rows of each label as counted."""
        return self

    @abstractmethod
    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        """What the head must know: names of its outputs, kind of problem, sizes of what it keeps."""

    @abstractmethod
    def arrow_fields(self) -> dict[str, str]:
        """Column → pyarrow type (as `pyarrow.type_for_alias` or `list<…>` spells it) of an example."""

    @abstractmethod
    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        """An example from a row's values.

        Raises:
            ValueError: one sentence that goes on after `file:line: `.
        """

    @abstractmethod
    def labels_of(self, example: Example) -> Iterable[str]:
        """Every label that an example carries."""

    def edge_row(self, text: str, like: Example) -> dict[str, Any]:
        """A row that asks about `text`, which is at the edge of what may be; its other texts are those of `like`."""
        return {name: like.get("text_pair") for name in self.texts[1:]} | {self.texts[0]: text}

    def load_reader(self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False) -> Reader:
        """What reads examples for the model in `folder`, as a base has it or, `is_bundle`, as `Reader.save` left it.

        Raises:
            UserError: there is none that can be used, or `max_length` is more than the model allows.
        """
        from burnish.models.tokenizer import load_tokenizer

        return load_tokenizer(folder, max_length, self.is_cjk_split and not is_bundle, prompt)

    @abstractmethod
    def encode(self, examples: Sequence[Example], reader: Any, labels: tuple[str, ...]) -> list[Encoded]:
        """Features of each example; with targets when the example is labelled. `reader` is what `load_reader` gave."""

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        """Features as training reads them this time: what is drawn anew for every pass, such as words to hide.
        `draw` depends on (seed, epoch, batch) alone. What is judged is never varied.
        """
        return features

    def drawn(self, kinds: NDArray[np.int32], seed: int, epoch: int) -> NDArray[np.int64] | None:
        """Indices of the features that an epoch holds, by the kind [N] of each; None: every one, once. A pure function
        of its arguments. Features of different kinds never share a batch.
        """
        return None

    @abstractmethod
    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        """Features as one padded batch of numpy arrays; needs no torch."""

    @abstractmethod
    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        """Mean loss of a batch. `weights` [L] weigh classes."""

    def watched(self, metric: str) -> Task:
        """The task as it is judged after each epoch, by `metric` alone: without dear answers that it does not read."""
        return self

    def ask(self, network: Network, batch: Batch) -> Tensor:
        """The outputs of a batch without gradients, a row (or `rows_each` of them) a feature; by default its logits."""
        logits: Tensor = network(**batch.inputs)
        return logits

    def stream(self, network: Network, batch: Batch) -> Iterator[str]:
        """The text that `ask` would give for a batch of one feature, piece by piece while it is written.

        Raises:
            UserError: the task writes no text, or not one that is settled piece by piece.
        """
        raise UserError(
            f"the task '{self.part_name}' writes no text, so there is nothing to stream; ask for the answer."
        )

    @abstractmethod
    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence | None:
        """What the calibration is fitted on; None where answers carry no probability."""

    @abstractmethod
    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Outcome:
        """Gold and answers side by side, for the metrics. Abstention plays no part in it."""

    @abstractmethod
    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Prediction]:
        """One answer an example."""

    def decisions(self, example: Example, answer: Prediction) -> Sequence[str] | None:
        """What an answer is made of, where that is one decision after the other, such as a tag for each word."""
        return None

    # What a task answers from beside the network, such as a corpus that is searched. Most tasks have none.

    def opened(self, located: Located, load_model: LoadModel) -> Task:
        """The task with what its settings name beside the rows, read and checked.

        Raises:
            UserError: something that it needs is missing or cannot be used.
        """
        return self

    def started(self, network: Network, reader: Any, run: Run, rows: Iterable[Example], listen: Listener) -> Task:
        """The task before its first step, and its new network, with what they start from beside weights and settings.

        That is what the training `rows`, which can be read more than once, tell as a whole (how often each item was
        liked, say), and what the base makes of things that it reads once, such as the texts of a catalogue.
        """
        return self

    def refreshed(self, run: Run) -> Task:
        """The `watched` task with what it needs of the network as it stands after an epoch."""
        return self

    def completed(self, reader: Any, run: Run, listen: Listener) -> Task:
        """An opened task with what the finished network alone can say, such as the vectors of a corpus."""
        return self

    def tuned(self, dev: Sequence[Answered]) -> Task:
        """A completed task with what it chooses on dev, beside the decision: the weights of a second stage, say."""
        return self

    def keep(self, folder: Path) -> None:
        """Write what a completed task answers from into `folder`, which a task without any leaves unmade."""

    def restored(self, folder: Path, load_model: LoadModel) -> Task:
        """The task as it was completed, from the folder that `keep` wrote.

        Raises:
            UserError: the folder cannot be used.
        """
        return self
