"""The proof of a shrunk bundle: texts and what was answered to them, asked again wherever it is loaded to stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.bundle.predictor import Predictor
from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.tasks._contract import Example, Prediction

PROOF = "proof.json"
N_TEXTS = 50
LEAST_SAME = 0.98
"""Share of the answers that must come again: processors round int8 products in different ways."""


@dataclass(frozen=True)
class Proof:
    """Examples, and the answers of the artefact where it was made."""

    examples: Sequence[Example]
    answers: Sequence[Any]

    @classmethod
    def of(cls, predictor: Predictor, examples: Sequence[Example]) -> Proof:
        """The answers to 50 of the examples, spread evenly."""
        n = min(N_TEXTS, len(examples))
        some = [_asked(examples[at * len(examples) // n], predictor) for at in range(n)]
        return cls(some, _answers(predictor, some))

    def save(self, folder: Path) -> None:
        write_json(folder / PROOF, {"examples": list(self.examples), "answers": list(self.answers)})

    def check(self, predictor: Predictor, folder: Path) -> None:
        """Ask again.

        Raises:
            UserError: the answers here are others than where the bundle was made.
        """
        found = _answers(predictor, self.examples)
        n_same = sum(a == b for a, b in zip(found, self.answers, strict=True))
        if n_same < LEAST_SAME * len(found):
            raise UserError(
                f"{folder}: answers {len(found) - n_same} of {len(found)} texts otherwise on this machine than where "
                "it was shrunk; shrink the bundle that it was made from here."
            )


def proof_in(folder: Path) -> Proof | None:
    """The proof of a bundle; None for one that was not shrunk.

    Raises:
        UserError: it cannot be read.
    """
    if not (folder / PROOF).is_file():
        return None
    told = read_json(folder / PROOF)
    return Proof(told["examples"], told["answers"])


def told(answer: Prediction) -> Any:
    """What an answer says, as JSON has it, without confidences and what follows from them."""
    return _without_numbers(answer.model_dump(mode="json", exclude={"runners_up", "abstained"}))


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_numbers(one) for name, one in value.items() if not isinstance(one, float)}
    if isinstance(value, list):
        return [_without_numbers(one) for one in value if not isinstance(one, float)]
    return value


def _asked(example: Example, predictor: Predictor) -> Example:
    """An example without its gold answer and what it carries along."""
    return {name: value for name, value in example.items() if name in predictor.task.arrow_fields()}


def _answers(predictor: Predictor, examples: Sequence[Example]) -> list[Any]:
    knowledge = predictor.knowledge
    rows = predictor.answer(examples)
    return [told(one) for one in predictor.task.decode(rows, knowledge.labels, knowledge.decision)]
