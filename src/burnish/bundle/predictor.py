"""The predictor: pre (text → features) → core (features → outputs) → post (outputs → answers).

A runtime replaces only the core. What `fit` judged and what `predict` answers go through this one class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from burnish.bundle.bundle import Bundle, Knowledge, open_bundle
from burnish.bundle.core import Core, Outputs
from burnish.bundle.memory import Memory
from burnish.bundle.trunks import Trunks
from burnish.core.errors import listed
from burnish.models.reader import Reader
from burnish.models.tokenizer import TextTokenizer
from burnish.tasks._contract import Answered, Encoded, Example, Feature, Prediction, Task

Input = str | tuple[str, ...] | Mapping[str, Any]
"""What is answered: a text, two texts, or a row of the task's columns."""


class Predictor:
    """Answers for one bundle; from its `memory`, where it has one and the same input came before."""

    def __init__(
        self, knowledge: Knowledge, reader: Reader, core: Core, memory: Memory[Prediction] | None = None
    ) -> None:
        self.knowledge = knowledge
        self.reader = reader
        self.core = core
        self.memory = memory

    @property
    def task(self) -> Task:
        return self.knowledge.task

    def __call__(self, text: Input) -> Prediction:
        """The answer for one text, for a pair, or for one row as a mapping of the task's columns."""
        return next(self.predict([text]))

    def predict(self, inputs: Iterable[Input]) -> Iterator[Prediction]:
        """Answers in the order of the inputs, streaming: memory does not grow with their number.

        Raises:
            ValueError: an input is not a text, a pair of texts or a row of the task's columns.
        """
        task = self.task
        rows = iter(inputs)
        while chunk := list(islice(rows, task.rows_at_once)):
            examples = [task.read(_as_row(row, task), is_labelled=False) for row in chunk]
            yield from self._decoded(examples) if self.memory is None else self.memory.through(examples, self._decoded)

    def _decoded(self, examples: Sequence[Example]) -> Sequence[Prediction]:
        return self.task.decode(self.answer(examples), self.knowledge.labels, self.knowledge.decision)

    def remembering(self, n_answers: int) -> Predictor:
        """The same model with a memory of its own for its last `n_answers` answers: see its `.hits` and `.misses`.

        Raises:
            ValueError: there would be room for none.
        """
        return Predictor(self.knowledge, self.reader, self.core, Memory(n_answers))

    def sharing(self, trunks: Trunks) -> Predictor:
        """The same model on a trunk, and with a tokenizer, that are loaded already, where one is equal to its own."""
        core, reader = self.knowledge.runtime.shared(self.core, trunks), self.reader
        if isinstance(reader, TextTokenizer):
            reader = reader.sharing(trunks.tokenizers)
        return Predictor(self.knowledge, reader, core, self.memory)

    def stream(self, text: Input) -> Iterator[str]:
        """The text that is written for one input, piece by piece; joined it is the text of the answer.

        Raises:
            UserError: the task writes no text, or not one that is settled piece by piece.
            ValueError: the input is not a text, a pair of texts or a row of the task's columns.
        """
        example = self.task.read(_as_row(text, self.task), is_labelled=False)
        [encoded] = self.task.encode([example], self.reader, self.knowledge.labels)
        return self.core.stream(encoded.features[0])

    def answer(self, examples: Sequence[Example]) -> list[Answered]:
        """Features and outputs of each example; what judging and decoding start from."""
        encoded = self.encode(examples)
        return answered(examples, encoded, self.core.run(features_of(encoded)))

    def encode(self, examples: Sequence[Example]) -> list[Encoded]:
        """What the network is to read of each example."""
        return self.task.encode(examples, self.reader, self.knowledge.labels)


def features_of(encoded: Iterable[Encoded]) -> list[Feature]:
    """The features of all examples, one after the other."""
    return [feature for one in encoded for feature in one.features]


def answered(examples: Sequence[Example], encoded: Sequence[Encoded], outputs: Outputs) -> list[Answered]:
    """Each example with its features and their outputs, of which there is one for each of `features_of`."""
    rest = iter(outputs)
    return [
        Answered(example, one.features, list(islice(rest, len(one.features))))
        for example, one in zip(examples, encoded, strict=True)
    ]


def _as_row(said: Input, task: Task) -> Mapping[str, Any]:
    """Texts as the columns that hold texts; rows as they are."""
    if isinstance(said, Mapping):
        return said
    texts = (said,) if isinstance(said, str) else tuple(said)
    if len(texts) > len(task.texts):
        raise ValueError(f"the task '{task.part_name}' reads {listed(task.texts)}; got {len(texts)} texts.")
    return dict(zip(task.texts, texts, strict=False))


def load_predictor(bundle: str | Path | Bundle) -> Predictor:
    """A predictor from a bundle, verified first.

    Raises:
        UserError: the bundle is missing, incomplete, damaged or of another format.
    """
    opened = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    knowledge = opened.knowledge
    folder, task = opened.model_folder, knowledge.task
    reader = task.load_reader(folder, knowledge.max_length, knowledge.prompt, is_bundle=True)
    core = knowledge.runtime.load(folder, task, reader, knowledge.labels)
    return Predictor(knowledge, reader, core)
